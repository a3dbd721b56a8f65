"""The site's small elements: the form that saves itself, the way back to the same line, day and night."""

from __future__ import annotations

from http import HTTPStatus

import pytest
from playwright.sync_api import Page, expect

from tests.browser.editor.site import Site

pytestmark = pytest.mark.browser

TOP = "element => element.getBoundingClientRect().top"


def change_title(page: Page, words: str) -> None:
    page.locator("[name=title]").fill(words)
    page.locator("[name=summary]").focus()  # leaving a field saves at once


def test_a_change_is_saved_and_the_version_follows(page: Page, site: Site) -> None:
    page.goto(site.url)
    change_title(page, "新题")
    status = page.locator("[data-status]")
    expect(status).to_contain_text("已存，")
    path, _, body = site.posts[0]
    assert path == "/autosave"
    assert "新题".encode() in body
    assert b'name="version"\r\n\r\n1' in body
    expect(page.locator("[name=version]")).to_have_value("2")
    assert page.evaluate("localStorage.length") == 0


def test_a_pause_after_writing_on_the_sheet_saves_too(page: Page, site: Site) -> None:
    page.clock.install()
    page.goto(site.url)
    page.get_by_role("textbox", name="正文").locator("p").first.click()
    page.keyboard.type("添")
    page.clock.run_for(4000)
    assert site.posts == []
    page.clock.run_for(2000)
    expect(page.locator("[data-status]")).to_contain_text("已存")
    assert "添".encode() in site.posts[0][2]


def test_a_change_made_elsewhere_stops_saving_and_is_shown(page: Page, site: Site) -> None:
    page.goto(site.url)
    site.answer_with = HTTPStatus.CONFLICT
    change_title(page, "我的题")
    expect(page.locator("[data-conflict]")).to_be_visible()
    change_title(page, "又改")
    expect(page.locator("[data-status]")).to_have_text("别处改过，已停止自动保存")
    assert len(site.posts) == 1


def test_a_refusal_is_told_in_the_servers_words(page: Page, site: Site) -> None:
    page.goto(site.url)
    site.answer_with = HTTPStatus.FORBIDDEN
    change_title(page, "题")
    expect(page.locator("[data-status]")).to_have_text("没存上：图片太大")


def test_unsaved_words_are_kept_here_and_offered_back(page: Page, site: Site) -> None:
    page.goto(site.url)
    offer = page.get_by_role("button", name="找回没存上的文字")
    expect(offer).to_be_hidden()
    site.answer_with = HTTPStatus.SERVICE_UNAVAILABLE
    page.get_by_role("textbox", name="正文").locator("p").first.click()
    page.keyboard.press("Home")
    page.keyboard.type("没存上的一句。")
    change_title(page, "没存上的题")
    expect(page.locator("[data-status]")).to_contain_text("没存上")
    page.reload()
    expect(page.locator("[name=title]")).to_have_value("备份在恢复之前都只是传说")
    offer.click()
    expect(page.locator("[name=title]")).to_have_value("没存上的题")
    expect(page.get_by_role("textbox", name="正文").locator("p").first).to_contain_text("没存上的一句。")


def test_a_payer_comes_back_to_the_same_line_of_a_longer_page(page: Page, site: Site) -> None:
    page.goto(site.url + "/article")
    block = page.locator(".prose > p").nth(27)
    buy = page.get_by_role("link", name="付 ¥9.90")
    buy.scroll_into_view_if_needed()
    before = block.evaluate(TOP)
    buy.click()
    page.get_by_role("link", name="back").click()
    expect(page.locator(".prose > p")).to_have_count(120)
    assert abs(block.evaluate(TOP) - before) < 1
    page.mouse.wheel(0, 50)  # the reader takes over
    expect(page).to_have_url(site.url + "/article")


def test_the_chosen_theme_is_there_on_the_next_page(page: Page, site: Site) -> None:
    page.goto(site.url + "/article")
    page.get_by_role("button", name="昼夜").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.goto(site.url + "/article")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
