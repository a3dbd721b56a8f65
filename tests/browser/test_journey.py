"""A reader in a real browser: finds a work, reads the preview, signs up, pays at the cashier, and reads on at the same line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from sishu.commerce.models import Order
from sishu.ledger import chart
from sishu.ledger.models import Book
from sishu.ledger.selectors import balance
from sishu.web import paths
from tests.factories.commerce import make_offer
from tests.factories.content import make_article, make_creator, make_house, paywall, prose

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.money]


@pytest.fixture
def work():
    make_house()
    above = [prose(f"第{n}段。" + "先把人名删掉，再看纸上还剩下多少原因。" * 12) for n in range(12)]
    body = [
        *above,
        prose("这一段还在门外。"),
        paywall(),
        prose("## 门里的第一节\n\n付了钱的人才读得到这一句。"),
        *above,
    ]
    page = make_article(make_creator("shen"), title="事故报告里没有坏人", body=body)
    make_offer(page, amount=990)
    return page


@pytest.fixture(params=[(1440, 900), (390, 844)], ids=["desktop", "phone"])
def page(request, chromium: Browser, live_server, settings) -> Iterator[Page]:
    settings.SITE_URL = live_server.url
    width, height = request.param
    context = chromium.new_context(
        viewport={"width": width, "height": height}, locale="zh-CN", base_url=live_server.url
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


def test_from_the_title_page_to_the_line_behind_the_paywall(page: Page, work, transactional_db):
    page.goto("/")
    page.get_by_role("link", name="事故报告里没有坏人").first.click()
    last = page.get_by_text("这一段还在门外。")
    expect(last).to_be_visible()
    expect(page.get_by_text("付了钱的人才读得到这一句。")).to_have_count(0)
    buy = page.locator("a[data-keep-place]").first
    buy.scroll_into_view_if_needed()
    before = last.bounding_box()
    buy.click()
    page.get_by_role("link", name="注册").click()
    page.get_by_label("用户名").fill("reader")
    page.locator("[name=email]").fill("reader@example.org")
    page.locator("input[type=password]").first.fill("ink-stone-and-brush")
    page.locator("main form button").first.click()
    expect(page.locator(".summary")).to_contain_text("¥9.90")
    page.locator("button.btn-seal").click()
    page.locator("button.btn-seal").click()
    expect(page.get_by_text("付了钱的人才读得到这一句。")).to_be_visible()
    assert page.url.endswith(f"{paths.page_path(work)}#continue") or "#continue" in page.url
    after = page.get_by_text("这一段还在门外。").bounding_box()
    assert before is not None
    assert after is not None
    assert abs(after["y"] - before["y"]) < 3  # the same line at the same place of the window
    author = work.owner_id
    assert balance(chart.creator_pending(author), book=Book.SANDBOX) == 891
    assert balance(chart.PLATFORM_INCOME, book=Book.SANDBOX) == 99
    assert Order.objects.get().status == Order.Status.PAID
