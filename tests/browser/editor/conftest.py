"""A browser, the tiny site, and the promise that nothing on it breaks the content policy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.chromium import launched
from tests.browser.editor.site import HERE, Site

SAMPLE = (HERE / "sample.md").read_text()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    site.body = SAMPLE
    yield site
    site.shutdown()
    site.server_close()


@pytest.fixture
def page(chromium: Browser, site: Site) -> Iterator[Page]:
    """A fresh page; anything on its console (a refused style or script included) fails the test."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN")
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    expected = str(site.answer_with.value) if site.answer_with else None
    assert [line for line in complaints if not (expected and expected in line)] == []
