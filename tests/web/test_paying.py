"""Where an order is paid: the ways the checkout offers, and the house's own page for each of them."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.timezone import localdate

from sishu.commerce import payments, transfers
from sishu.commerce.models import Offer, Order, Payment
from sishu.core import clock, plugins
from sishu.core.money import Money
from sishu.gateways.base import Device
from sishu.gateways.offline import code_of
from sishu.web.devices import device_of
from tests.factories.accounts import make_user
from tests.factories.commerce import make_offer
from tests.factories.gateways import ACCOUNT, OFFLINE, WALLET, Wallet, use

pytestmark = [pytest.mark.django_db, pytest.mark.money]

JSON = {"accept": "application/json", "accept-language": "en"}
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"
WEIXIN = f"{PHONE} MicroMessenger/8.0.50(0x18003237) NetType/WIFI Language/zh_CN"
DESK = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"
SANDBOX = ("sishu.gateways.sandbox.SandboxGateway", {})


@pytest.fixture(autouse=True)
def _gateways(settings):
    use(settings, wallet=WALLET, offline=OFFLINE, sandbox=SANDBOX)


@pytest.fixture
def offer() -> Offer:
    return make_offer(amount=990)


@pytest.fixture
def reader():
    return make_user("reader", language="en")


@pytest.fixture
def shop(reader) -> Client:
    client = Client()
    client.force_login(reader)
    return client


@pytest.fixture
def wallet() -> Wallet:
    return plugins.load("gateways", "wallet")


def buy(shop: Client, offer: Offer, gateway: str, **headers: str) -> str:
    """Press the button; the address where the buyer is led."""
    gone = shop.post("/payment", {"offer": offer.pk, "next": "/a/b/", "gateway": gateway}, headers=headers)
    assert gone.status_code == 303, gone.content.decode()
    return gone["Location"]


def text_of(answer) -> str:
    assert answer.status_code == 200, answer
    return answer.content.decode()


# --- What the checkout offers -----------------------------------------------------------------------------------------


def test_the_checkout_says_what_each_way_is_in_the_order_of_the_settings(shop: Client, offer: Offer, settings):
    use(settings, offline=OFFLINE, sandbox=SANDBOX)
    page = text_of(shop.get(f"/payment?offer={offer.pk}"))
    assert re.findall(r'name="gateway" value="(\w+)"', page) == ["offline", "sandbox"]
    assert "Bank transfer<small>You transfer the money yourself." in page
    assert "Sandbox<small>Play money" in page


@pytest.mark.parametrize(("language", "words"), [("en", "Bank transfer"), ("zh-hans", "银行转账")])
def test_it_says_so_in_both_languages(shop: Client, offer: Offer, language: str, words: str):
    assert words in text_of(shop.get(f"/payment?offer={offer.pk}&language={language}"))


def test_only_ways_that_take_the_currency_are_offered(shop: Client):
    dollars = make_offer(amount=990, currency="USD")
    page = text_of(shop.get(f"/payment?offer={dollars.pk}"))
    assert re.findall(r'name="gateway" value="(\w+)"', page) == ["sandbox"]
    assert "/cashier/" in buy(shop, dollars, "")
    refused = shop.post("/payment", {"offer": dollars.pk, "gateway": "offline"}, headers=JSON)
    assert (refused.status_code, refused.json()["detail"]) == (409, "Bank transfer does not take USD.")


def test_a_way_that_is_only_being_tried_out_says_so(shop: Client, offer: Offer):
    page = text_of(shop.get(f"/payment?offer={offer.pk}"))
    assert page.count("Set up for trying") == 1  # the wallet; the sandbox says it by its own name


# --- Devices ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("agent", "device"),
    [("", Device.DESKTOP), (DESK, Device.DESKTOP), (PHONE, Device.MOBILE), (WEIXIN, Device.WEIXIN),
     ("Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/140.0 Mobile Safari/537.36", Device.MOBILE),
     ("Mozilla/5.0 (Windows NT 10.0) MicroMessenger/7.0.20 WindowsWechat(0x63090a13)", Device.DESKTOP),
     ("Mozilla/5.0 (Macintosh; Intel Mac OS X) MicroMessenger/6.8.0 MacWechat/3.8", Device.DESKTOP),
     ("curl/8", Device.DESKTOP), ("\x7f" * 5000, Device.DESKTOP)],
)  # fmt: skip
def test_the_device_is_the_browsers_own_word(rf, agent: str, device: Device):
    assert device_of(rf.get("/", headers={"user-agent": agent})) == device


def test_the_provider_hears_the_address_behind_the_trusted_proxies(shop: Client, offer: Offer, wallet, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    buy(shop, offer, "wallet", **{"x-forwarded-for": "9.9.9.9, 203.0.113.7"})
    assert wallet.requests[-1].client_ip == "203.0.113.7"


# --- A code to scan ---------------------------------------------------------------------------------------------------


def test_a_code_is_drawn_on_our_own_page(shop: Client, offer: Offer):
    url = buy(shop, offer, "wallet")
    order = Order.objects.get()
    assert url == f"/payment/{order.number}/pay?gateway=wallet"
    page = text_of(shop.get(url))
    assert re.search(
        r'role="img" aria-label="QR code for paying ¥9.90 with wallet"><svg viewBox="0 0 \d+ \d+" class="qr">', page
    )
    assert "9.90" in page
    assert offer.title in page
    assert re.search(r"To be paid by .*(29|30) minutes left\.", page)
    assert "I have paid" in page
    assert f"/payment?offer={offer.pk}&amp;next=/a/b/" in page
    assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?![^>]*src=)", page)


def test_opened_again_it_is_the_same_payment(shop: Client, offer: Offer, wallet):
    url = buy(shop, offer, "wallet")
    first, second = text_of(shop.get(url)), text_of(shop.get(url.partition("?")[0]))
    assert re.findall(r"<svg.*?</svg>", first) == re.findall(r"<svg.*?</svg>", second)
    assert Payment.objects.count() == 1
    assert len({request.reference for request in wallet.requests}) == 1


def test_a_program_is_told_what_to_draw(shop: Client, offer: Offer):
    answer = shop.post(
        "/payment", {"offer": offer.pk, "gateway": "wallet"}, content_type="application/json", headers=JSON
    )
    assert answer.status_code == 202
    said, payment = answer.json(), Payment.objects.get()
    assert said["instruction"] == {"kind": "scan_code", "text": f"weixin://wxpay/bizpayurl?pr={payment.reference}"}
    assert said["payment_url"] == f"http://testserver/payment/{payment.order.number}/pay?gateway=wallet"
    assert said["order"]["number"] == payment.order.number


def test_the_page_moves_on_once_the_money_is_there(shop: Client, offer: Offer, wallet):
    buy(shop, offer, "wallet")
    number = Order.objects.get().number
    assert "minutes left" in text_of(shop.get(f"/payment/{number}?pay"))
    wallet.pay()
    payments.refresh(Payment.objects.get())
    fragment = shop.get(f"/payment/{number}?pay")
    assert (fragment.status_code, fragment["HX-Redirect"]) == (204, "/a/b/#continue")
    assert shop.get(f"/payment/{number}/pay")["Location"] == f"/payment/{number}/return"


def test_the_page_moves_on_when_the_order_ends(shop: Client, offer: Offer):
    buy(shop, offer, "wallet")
    number = Order.objects.get().number
    shop.post(f"/orders/{number}/cancel")
    fragment = shop.get(f"/payment/{number}?pay")
    assert (fragment.status_code, fragment["HX-Redirect"]) == (204, f"/payment/{number}/return")


def test_an_order_whose_time_is_up_is_not_begun_again(shop: Client, offer: Offer, wallet):
    url = buy(shop, offer, "wallet")
    for model in (Order, Payment):
        model.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    begun = len(wallet.requests)
    assert shop.get(url).status_code == 302
    assert len(wallet.requests) == begun


@pytest.mark.parametrize("asked", ["?gateway=nowhere", "?gateway=%00", "?gateway=" + "x" * 300])
def test_a_way_that_is_not_there_is_refused(shop: Client, offer: Offer, asked: str):
    buy(shop, offer, "wallet")
    assert shop.get(f"/payment/{Order.objects.get().number}/pay{asked}").status_code in (400, 422)


def test_nobody_sees_how_another_pays(shop: Client, offer: Offer):
    url = buy(shop, offer, "wallet")
    stranger = Client()
    assert stranger.get(url)["Location"].startswith("/login")
    stranger.force_login(make_user("other"))
    assert stranger.get(url).status_code == 404
    assert shop.post(url).status_code == 405


def test_a_provider_with_a_page_of_its_own_leads_there_from_ours_too(shop: Client, offer: Offer):
    cashier = buy(shop, offer, "sandbox")
    order = Order.objects.get()
    assert shop.get(f"/payment/{order.number}/pay?gateway=sandbox")["Location"] == cashier
    answer = shop.post("/payment", {"offer": offer.pk, "gateway": "sandbox"}, headers=JSON)
    assert answer.json()["instruction"] == {"kind": "redirect", "url": cashier}


# --- In WeChat --------------------------------------------------------------------------------------------------------


def identified(shop: Client, url: str) -> str:
    """Go where the provider learns who pays, and come back; the address without the code."""
    elsewhere = shop.get(url, headers={"user-agent": WEIXIN})
    back = urlsplit(elsewhere["Location"])
    (state,) = parse_qs(back.query)["state"]
    assert re.fullmatch(r"[0-9A-Za-z]{1,128}", state), "more than that WeChat does not carry"
    home = shop.get(f"{back.path}?{back.query}", headers={"user-agent": WEIXIN})
    assert home.status_code == 302, home.content.decode()
    return home["Location"]


def test_in_wechat_the_provider_learns_first_who_pays(shop: Client, offer: Offer, wallet):
    url = buy(shop, offer, "wallet", **{"user-agent": WEIXIN})
    assert not Payment.objects.exists()
    assert identified(shop, url) == url
    page = text_of(shop.get(url, headers={"user-agent": WEIXIN}))
    request = wallet.requests[-1]
    assert (request.product, request.payer) == ("bridge", "openid-4711")
    assert f"&quot;package&quot;: &quot;prepay_id={request.reference}&quot;" in page
    assert "<weixin-pay" in page
    assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?![^>]*src=)", page)


def test_who_pays_is_written_down_nowhere_in_clear(shop: Client, offer: Offer, wallet):
    url = identified(shop, buy(shop, offer, "wallet", **{"user-agent": WEIXIN}))
    shop.get(url, headers={"user-agent": WEIXIN})
    kept = [session.get_decoded() for session in Session.objects.all()]
    assert "payer" in kept[0]
    assert "4711" not in str(kept)
    assert "4711" not in str(Payment.objects.values())
    wallet.pay()
    shop.get(f"/payment/{Order.objects.get().number}/return")
    assert "payer" not in Session.objects.get().get_decoded()


def test_a_program_in_wechat_is_led_to_our_page(shop: Client, offer: Offer):
    said = shop.post("/payment", {"offer": offer.pk, "gateway": "wallet"}, headers=JSON | {"user-agent": WEIXIN}).json()
    assert said["instruction"] is None
    assert said["payment_url"].endswith("/pay?gateway=wallet")


def test_the_way_back_is_for_one_person_one_order_and_ten_minutes(shop: Client, reader, offer: Offer, monkeypatch):
    url = buy(shop, offer, "wallet", **{"user-agent": WEIXIN})
    (state,) = parse_qs(urlsplit(shop.get(url, headers={"user-agent": WEIXIN})["Location"]).query)["state"]
    path = url.partition("?")[0]

    def back(client: Client, path: str, state: str) -> int:
        answer = client.get(path, {"code": "openid-1", "state": state}, headers={"user-agent": WEIXIN})
        return answer.status_code

    for forged in ("", "x", state[:-2], state.lower(), "A" * 92, "é"):
        assert back(shop, path, forged) == 422, forged
    other = Client()
    other.force_login(make_user("other"))
    theirs = buy(other, offer, "wallet", **{"user-agent": WEIXIN}).partition("?")[0]
    assert back(other, theirs, state) == 422
    second = buy(shop, make_offer(), "wallet", **{"user-agent": WEIXIN}).partition("?")[0]
    assert back(shop, second, state) == 422
    assert not Payment.objects.exists()
    assert back(shop, path, state) == 302
    later = clock.now().timestamp() + 601
    monkeypatch.setattr("django.core.signing.time.time", lambda: later)
    assert back(shop, path, state) == 422


def test_a_code_that_the_provider_does_not_know_moves_no_money(shop: Client, offer: Offer):
    url = buy(shop, offer, "wallet", **{"user-agent": WEIXIN})
    (state,) = parse_qs(urlsplit(shop.get(url, headers={"user-agent": WEIXIN})["Location"]).query)["state"]
    answer = shop.get(url.partition("?")[0], {"code": "used", "state": state})
    assert answer.status_code == 503
    assert "No money has moved" in answer.content.decode()


def test_going_on_with_another_device_closes_what_was_begun(shop: Client, offer: Offer, wallet):
    url = buy(shop, offer, "wallet", **{"user-agent": DESK})
    at_the_desk = wallet.requests[-1].reference
    text_of(shop.get(identified(shop, url), headers={"user-agent": WEIXIN}))
    assert wallet.closed == {at_the_desk}
    assert {p.product: p.status for p in Payment.objects.all()} == {"code": "closed", "bridge": "pending"}


# --- A bank transfer --------------------------------------------------------------------------------------------------


def test_a_transfer_is_explained_with_everything_one_must_type(shop: Client, offer: Offer):
    url = buy(shop, offer, "offline")
    payment = Payment.objects.get()
    code = code_of(payment.reference)
    page = text_of(shop.get(url))
    for words in (*ACCOUNT.values(), "¥9.90", "What happens then", f'data-text="{code}"', 'data-text="9.90"'):
        assert words in page
    assert "".join(re.findall(r"<span>(\w{3})</span>", page)) == code
    assert re.search(r"should arrive by .*7 days left\.", page)
    assert "every 2s" not in page
    assert payment.provider_reference == code


def test_the_order_shows_the_account_again_while_it_waits(shop: Client, offer: Offer, settings):
    buy(shop, offer, "offline")
    order = Order.objects.get()
    page = text_of(shop.get(f"/orders/{order.number}"))
    assert ACCOUNT["account"] in page
    assert "We wait for your transfer" in page
    assert "Bank transfer · pending" in page
    assert "To be paid by" not in page
    assert Payment.objects.count() == 1
    Order.objects.update(expires_at=clock.now() - timedelta(days=1))
    Payment.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    assert ACCOUNT["account"] not in text_of(shop.get(f"/orders/{order.number}"))


@pytest.fixture
def waiting(shop: Client, offer: Offer) -> Order:
    """An order whose own time is over, a code to scan with it, and which a transfer keeps open."""
    buy(shop, offer, "offline")
    buy(shop, offer, "wallet")
    over = clock.now() - timedelta(minutes=1)
    Order.objects.update(expires_at=over)
    Payment.objects.filter(gateway="wallet").update(expires_at=over)
    return Order.objects.get()


def test_after_the_orders_time_the_transfer_is_still_explained_with_its_own_deadline(shop: Client, waiting: Order):
    for page in (f"/orders/{waiting.number}", f"/payment/{waiting.number}/pay"):
        text = text_of(shop.get(page))
        assert ACCOUNT["account"] in text, page
        assert re.search(r"should arrive by .*7 days left\.", text), page
        assert "To be paid by" not in text, page
    assert "We wait for your transfer" in text_of(shop.get(f"/payment/{waiting.number}/return"))


def test_after_the_orders_time_nothing_else_is_begun_and_its_code_moves_on(shop: Client, waiting: Order, wallet):
    begun = len(wallet.requests)
    assert shop.get(f"/payment/{waiting.number}/pay?gateway=wallet")["Location"].endswith("/return")
    assert shop.get(f"/payment/{waiting.number}?pay")["HX-Redirect"].endswith("/return")
    assert len(wallet.requests) == begun


def test_who_comes_back_finds_the_transfer_or_pays_a_new_order(shop: Client, offer: Offer, waiting: Order):
    assert waiting.number in buy(shop, offer, "offline")
    assert waiting.number not in buy(shop, offer, "wallet")
    assert Order.objects.count() == 2


def test_an_answer_says_until_when_this_way_pays(shop: Client, offer: Offer):
    for gateway in ("offline", "wallet"):
        said = shop.post("/payment", {"offer": offer.pk, "gateway": gateway}, headers=JSON).json()
        kept = Payment.objects.get(gateway=gateway).expires_at
        assert abs(parse_datetime(said["payment_expires_at"]) - kept) < timedelta(milliseconds=1)


def test_a_transfer_is_not_lost_sight_of_when_another_way_was_tried(shop: Client, offer: Offer):
    buy(shop, offer, "offline")
    buy(shop, offer, "wallet")
    order = Order.objects.get()
    page = text_of(shop.get(f"/orders/{order.number}"))
    assert ACCOUNT["account"] in page
    assert "wallet · pending" in page
    shop.post(f"/orders/{order.number}/cancel")
    assert "it is sent back" in text_of(shop.get(f"/payment/{order.number}/return"))


def test_attempts_that_came_to_nothing_are_no_part_of_the_receipt(shop: Client, offer: Offer):
    buy(shop, offer, "wallet")
    payments.give_up(Payment.objects.get())
    assert "wallet" not in text_of(shop.get(f"/orders/{Order.objects.get().number}"))


def test_an_order_whose_account_was_taken_out_of_the_settings_is_still_shown(shop: Client, offer: Offer, settings):
    buy(shop, offer, "offline")
    order = Order.objects.get()
    use(settings, offline=(OFFLINE[0], {**OFFLINE[1], "currency": "EUR"}))
    assert ACCOUNT["account"] not in text_of(shop.get(f"/orders/{order.number}"))
    use(settings, sandbox=SANDBOX)
    assert ACCOUNT["account"] not in text_of(shop.get(f"/orders/{order.number}"))


def test_who_has_sent_it_is_told_to_wait_for_days_not_seconds(shop: Client, offer: Offer):
    buy(shop, offer, "offline")
    number = Order.objects.get().number
    page = text_of(shop.get(f"/payment/{number}/return"))
    assert "We wait for your transfer" in page
    assert "every two seconds" not in page
    assert "every 2s" not in page
    Order.objects.update(status=Order.Status.EXPIRED, open_key=None)
    assert "If you have sent it, nothing is lost" in text_of(shop.get(f"/payment/{number}/return"))


def test_a_transfer_that_was_found_opens_the_work(shop: Client, reader, offer: Offer):
    buy(shop, offer, "offline")
    payment = Payment.objects.get()
    transfers.record(
        payment.pk,
        Money(990, "CNY"),
        booked_on=localdate(clock.now()),
        bank_reference="B-1",
        by=make_user("cash", "finance"),
    )
    assert shop.get(f"/payment/{payment.order.number}/return")["Location"] == "/a/b/#continue"


# --- Over the API -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "kind"), [({}, "scan_code"), ({"device": "mobile"}, "scan_code"), ({"device": "weixin"}, None)]
)
def test_a_program_says_by_a_field_what_the_buyer_holds(shop: Client, offer: Offer, said, kind):
    answer = shop.post(
        "/api/v1/orders", {"offer": offer.pk, "gateway": "wallet", **said}, content_type="application/json",
        headers={"user-agent": WEIXIN},
    )  # fmt: skip
    assert answer.status_code == 201, answer.content
    placed = answer.json()
    assert (placed["instruction"] or {}).get("kind") == kind
    assert placed["payment_url"].endswith(reverse("payment_pay", args=[placed["order"]["number"]]) + "?gateway=wallet")


def test_who_tried_two_ways_waits_for_the_one_they_say_they_paid(shop: Client, offer: Offer, wallet):
    buy(shop, offer, "wallet")
    buy(shop, offer, "offline")
    number = Order.objects.get().number
    assert "We wait for your transfer" in text_of(shop.get(f"/payment/{number}/return"))
    page = text_of(shop.get(f"/payment/{number}/return?gateway=wallet"))
    assert "Confirming your payment" in page
    assert f'hx-get="/payment/{number}?gateway=wallet"' in page
    wallet.pay()
    assert shop.get(f"/payment/{number}/return?gateway=wallet").status_code == 302
    assert Order.objects.get().status == Order.Status.PAID
