"""A writer at the desk, in a real browser: write, insert a paywall, be saved, look with others' eyes, hand in."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from sishu.content import workflow, writing
from sishu.content.models import ArticlePage
from tests.factories import content as make

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(chromium: Browser, live_server) -> Iterator[Page]:
    """The desk of a signed-in creator; anything on the console (a refused style or script included) fails the test."""
    make.make_house()
    creator = make.make_creator("shen")
    creator.language = "en"
    creator.save()
    client = Client()
    client.force_login(creator)
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB", base_url=live_server.url)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert [line for line in complaints if "409" not in line] == []


def test_from_an_empty_sheet_to_the_reviewer(page: Page):
    page.goto("/publish")
    expect(page.get_by_label("This work alone")).to_be_hidden()
    page.get_by_label("Title", exact=True).fill("Backups are a legend")
    sheet = page.locator(".ProseMirror")
    sheet.click()
    page.keyboard.type("Open to all.")
    page.keyboard.press("Enter")
    page.keyboard.type("What only buyers read.")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("End")
    page.get_by_role("toolbar").get_by_role("button", name="Paywall", exact=True).click()
    expect(page.locator(".cutline")).to_be_visible()
    expect(page.get_by_label("This work alone")).to_be_visible()
    page.get_by_label("This work alone").fill("9.90")
    page.get_by_label("Tags").focus()  # leaving a field saves

    expect(page).to_have_url(re.compile(r"/edit/\d+$"))
    expect(page.locator("[data-status]")).to_contain_text("Saved at")
    work = ArticlePage.objects.get()
    assert writing.latest_values(work)[0].title == "Backups are a legend"
    assert not work.offers.exists(), "a price half typed sells nothing"

    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    assert work.offers.get().amount == 990
    for reader, sees in (("a stranger", False), ("somebody who paid", True)):
        with page.context.expect_page() as opened:
            page.get_by_role("link", name=reader).click()
        preview = opened.value
        expect(preview.get_by_role("heading", name="Backups are a legend")).to_be_visible()
        expect(preview.get_by_text("What only buyers read.")).to_have_count(int(sees))
        expect(preview.locator("#offer")).to_have_count(int(not sees))
        preview.close()

    page.get_by_role("button", name="Submit for review").click()
    expect(page.get_by_text("Submitted for review.")).to_be_visible()
    assert workflow.review_state(work).status == "in_review"
    expect(page.locator("sishu-editor")).to_have_count(0)
    page.get_by_role("button", name="Take it back").click()
    expect(page.locator(".ProseMirror")).to_be_visible()
    assert ArticlePage.objects.count() == 1


def test_two_tabs_never_write_over_each_other(page: Page):
    page.goto("/publish")
    page.get_by_label("Title", exact=True).fill("Twice open")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("Saved as a draft.")).to_be_visible()
    work = ArticlePage.objects.get()
    other = page.context.new_page()
    other.goto(page.url)
    other.get_by_label("Title", exact=True).fill("From the other tab")
    other.get_by_role("button", name="Save draft").click()
    expect(other.get_by_text("Saved.", exact=True)).to_be_visible()
    page.locator(".ProseMirror").click()
    page.keyboard.type("Mine.")
    page.get_by_label("Tags").focus()
    expect(page.get_by_text("Nothing was written over")).to_be_visible()
    expect(page.locator(".ProseMirror")).to_contain_text("Mine.")
    assert writing.latest_values(work)[0].title == "From the other tab"
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("Changed elsewhere").first).to_be_visible()
    expect(page.locator(".ProseMirror")).to_contain_text("Mine.")
    assert writing.latest_values(work)[0].title == "From the other tab"
