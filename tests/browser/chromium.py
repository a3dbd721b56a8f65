"""The real browser of the browser lane."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
BUILD = Path(__file__).parents[2] / "sishu/web/static/build"


@contextmanager
def launched() -> Iterator[Browser]:
    """A headless Chromium. Where there is none the test says so and is skipped, or fails with SISHU_BROWSER=required."""
    if not CHROMIUM.exists():
        give_up(f"no Chromium at {CHROMIUM}: install one or name it in CHROMIUM")
    if not (BUILD / "editor.js").exists():
        give_up("the bundle is not built: npm ci && npm run build")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        yield browser
        browser.close()


def give_up(why: str) -> None:
    """Skip, or fail where the lane must run."""
    if os.environ.get("SISHU_BROWSER") == "required":
        pytest.fail(why)
    pytest.skip(why)
