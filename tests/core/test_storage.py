"""The storage's probe."""

from __future__ import annotations

from sishu.core import storage


def test_the_probe_writes_and_leaves_nothing_behind(settings, tmp_path):
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"}}
    settings.MEDIA_ROOT = tmp_path
    storage.probe()
    assert list(tmp_path.rglob("*")) == [tmp_path / "probe"]
