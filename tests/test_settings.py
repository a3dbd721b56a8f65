"""What the settings make of an environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.http.request import validate_host

ROOT = Path(__file__).resolve().parents[1]
SAY = "import json; from config.settings import dev; print(json.dumps(dev.ALLOWED_HOSTS))"


def hosts(folder: Path, **environment: str) -> list[str]:
    known = {name: value for name, value in os.environ.items() if name not in ("ALLOWED_HOSTS", "HOST", "SITE_URL")}
    told = subprocess.run(
        [sys.executable, "-c", SAY], cwd=ROOT, env={**known, "DATA_DIR": str(folder), **environment}, check=True,
        capture_output=True,
    )  # fmt: skip
    return list(json.loads(told.stdout))


@pytest.mark.parametrize(
    ("environment", "known", "unknown"),
    [
        ({}, ["127.0.0.1", "localhost", "sishu.localhost", "[::1]"], ["evil.example", "192.0.2.7", "localhost.evil"]),
        ({"SITE_URL": "https://a.example", "HOST": "192.0.2.7"}, ["a.example", "192.0.2.7"], ["b.a.example"]),
        ({"ALLOWED_HOSTS": "b.example"}, ["b.example"], ["localhost"]),
    ],
)
def test_a_site_for_trying_out_answers_under_its_own_names_only(tmp_path, environment, known, unknown):
    """Demo passwords are printed there and mails can be read: no foreign page may bring its own name for it."""
    allowed = hosts(tmp_path, **environment)
    assert [host for host in known if not validate_host(host, allowed)] == []
    assert [host for host in unknown if validate_host(host, allowed)] == []
