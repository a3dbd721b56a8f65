"""Paying on the house's own pages, in a real browser: scanning, a bank transfer, and WeChat's own window."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from sishu.commerce import merchants, payments
from sishu.commerce.models import Order, Payment
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.commerce import make_offer, make_paid_work
from tests.factories.content import make_creator
from tests.factories.gateways import ACCOUNT, OFFLINE, WALLET, use

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.money]

WEIXIN = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Mobile Safari/537.36 MicroMessenger/8.0.50"
# What WeChat puts into its pages: it answers as the test says, and remembers what it was asked.
BRIDGE = """
window.asked = [];
window.answers = ["get_brand_wcpay_request:cancel", "get_brand_wcpay_request:fail", "get_brand_wcpay_request:ok"];
window.WeixinJSBridge = {
  invoke(name, parameters, heard) {
    window.asked.push([name, parameters.package]);
    const answer = { err_msg: window.answers[window.asked.length - 1] };
    setTimeout(() => heard(answer));
  },
};
"""


@pytest.fixture(autouse=True)
def offer(settings, live_server):
    settings.SITE_URL = live_server.url
    use(settings, wallet=WALLET, offline=OFFLINE)
    make_user("reader", language="zh-hans")
    return make_offer(make_paid_work(make_creator("shen"), title="月光"), amount=990)


def opened(chromium: Browser, url: str, **options) -> Iterator[Page]:
    context = chromium.new_context(locale="zh-CN", base_url=url, **options)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto("/login")
    page.locator("[name=login]").fill("reader")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=password]").press("Enter")
    page.wait_for_url("**/library")
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def page(chromium: Browser, live_server) -> Iterator[Page]:
    yield from opened(chromium, live_server.url, permissions=["clipboard-read", "clipboard-write"])


@pytest.fixture
def in_wechat(chromium: Browser, live_server) -> Iterator[Page]:
    yield from opened(chromium, live_server.url, user_agent=WEIXIN, viewport={"width": 390, "height": 844})


def checkout(page: Page, offer, way: str) -> None:
    page.goto(f"/payment?offer={offer.pk}&next=/library")
    page.get_by_label(way).check()
    page.locator("main .btn-seal").click()


def test_a_scanned_code_leads_on_by_itself(page: Page, offer, transactional_db):
    checkout(page, offer, "wallet")
    code = page.get_by_role("img", name="用wallet支付¥9.90的二维码")
    expect(code).to_be_visible()
    box = code.bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 220
    merchants.gateway("wallet").pay()
    payments.refresh(Payment.objects.get())
    page.wait_for_url("**/library*")
    expect(page.get_by_text("月光").first).to_be_visible()


def test_a_transfer_is_copied_and_waited_for(page: Page, offer, transactional_db):
    checkout(page, offer, "银行转账")
    expect(page.get_by_text(ACCOUNT["account"])).to_be_visible()
    code = Payment.objects.get().provider_reference
    page.get_by_role("button", name="复制附言").click()
    expect(page.get_by_role("status").get_by_text("已复制")).to_have_count(1)
    assert page.evaluate("navigator.clipboard.readText()") == code
    page.get_by_role("link", name="我已转账").click()
    expect(page.get_by_role("heading", name="等待转账到账")).to_be_visible()
    page.get_by_role("link", name="再看收款账户和代码").click()
    expect(page.get_by_text(ACCOUNT["account"])).to_be_visible()


def test_wechats_window_is_closed_fails_and_pays(in_wechat: Page, offer, transactional_db):
    in_wechat.add_init_script(BRIDGE)
    checkout(in_wechat, offer, "wallet")
    expect(in_wechat.get_by_text("微信支付窗口已关闭")).to_be_visible()
    again = in_wechat.get_by_role("button", name="支付")
    again.click()
    expect(in_wechat.get_by_text("微信支付没有成功")).to_be_visible()
    wallet = merchants.gateway("wallet")
    package = f"prepay_id={Payment.objects.get().reference}"
    assert in_wechat.evaluate("window.asked") == [["getBrandWCPayRequest", package]] * 2
    wallet.pay()
    again.click()
    in_wechat.wait_for_url("**/library*")
    assert Order.objects.get().status == Order.Status.PAID
