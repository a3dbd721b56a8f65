"""The editor's Markdown, read and written back without a browser."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.browser.editor.site import HERE

ROOT = HERE.parents[2]


def test_markdown_means_the_same_after_the_editor_wrote_it() -> None:
    node = shutil.which("node")
    if not node or not (ROOT / "node_modules/prosemirror-model").exists():
        pytest.skip("needs node and its packages: npm ci")
    run = subprocess.run([node, "--test", str(HERE / "roundtrip.mjs")], capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr
