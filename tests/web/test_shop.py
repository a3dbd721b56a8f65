"""The checkout and what follows it, at its addresses."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client
from django.utils.translation import override

from sishu.commerce import refunds
from sishu.commerce.models import Entitlement, Offer, Order, Payment, Refund
from sishu.core import clock
from sishu.ledger.models import Book
from sishu.ledger.selectors import balance
from sishu.web.templatetags.figures import day
from tests.factories.accounts import make_user
from tests.factories.commerce import bank, buy, make_offer, make_paid_work, make_plan

pytestmark = [pytest.mark.django_db, pytest.mark.money]
JSON = {"accept": "application/json", "accept-language": "en"}


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


def post(client: Client, **values: object):
    return client.post("/payment", values, content_type="application/json", headers=JSON)


def cashier_of(answer) -> str:
    return answer.json()["payment_url"].removeprefix("http://testserver")


def test_a_program_buys_in_the_words_of_the_contract(shop: Client, offer: Offer):
    first = post(shop, offer=offer.pk)
    assert (first.status_code, first.json()["message"]) == (202, "Please complete the payment.")
    shop.post(cashier_of(first), {"ending": "pay"})
    number = first.json()["order"]["number"]
    shop.get(f"/payment/{number}/return")
    state = shop.get(f"/payment/{number}", headers=JSON).json()
    assert (state["message"], state["order"]["status"]) == ("Payment successful.", "paid")
    assert post(shop, offer=offer.pk).json()["message"] == "Payment successful."
    assert Payment.objects.count() == 1


def test_a_content_id_names_the_offer_that_opens_it(shop: Client, offer: Offer):
    answer = post(shop, content=offer.page_id)
    assert answer.status_code == 202
    assert Order.objects.get().lines.get().offer == offer


@pytest.mark.parametrize(
    "said",
    [{"amount": 1}, {"amount": "0.01"}, {"price": 1}, {"currency": "KRW"}, {"status": "paid"}, {"payee": 1},
     {"user_id": 99}, {"split": [[1, 10000]]}, {"captured": 990}],
)  # fmt: skip
def test_what_a_client_says_of_money_is_not_even_read(shop: Client, reader, offer: Offer, said):
    assert post(shop, offer=offer.pk, **said).status_code == 202
    order = Order.objects.get()
    assert (order.user, order.amount, order.currency, order.status) == (reader, 990, "CNY", "awaiting_payment")
    assert order.lines.get().split == [[offer.shares.get().payee_id, 9000]]


def test_a_free_offer_is_settled_at_once(shop: Client):
    answer = post(shop, offer=make_offer(amount=0).pk)
    assert (answer.status_code, answer.json()["message"]) == (200, "Payment successful.")
    assert not Payment.objects.exists()


@pytest.mark.parametrize(
    ("said", "status"),
    [({}, 422), ({"offer": 10**30}, 404), ({"offer": -1}, 404), ({"offer": "x"}, 404), ({"offer": True}, 404),
     ({"offer": 2**63 - 1}, 404), ({"content": 1}, 404), ({"content": 99999}, 404), ({"offer": [1]}, 404)],
)  # fmt: skip
def test_what_names_no_offer_is_refused(shop: Client, said, status: int):
    answer = post(shop, **said)
    assert answer.status_code == status
    assert answer["Content-Type"].startswith("application/problem+json")


def test_a_stranger_is_sent_to_sign_in_and_comes_back(offer: Offer):
    assert post(Client(), offer=offer.pk).status_code == 401
    page = Client().get(f"/payment?offer={offer.pk}&next=/a/b/")
    assert page.status_code == 302
    assert page["Location"].startswith("/login?next=/payment%3Foffer%3D")


@pytest.mark.parametrize("next_", ["//evil.example/", "https://evil.example/", "javascript:alert(1)", "/\\evil", "a/b"])
def test_only_a_path_of_this_site_is_returned_to(shop: Client, offer: Offer, next_: str):
    post(shop, offer=offer.pk, next=next_)
    assert Order.objects.get().return_path == ""


def test_the_whole_way_in_a_browser_without_scripts(shop: Client, offer: Offer):
    path = f"/payment?offer={offer.pk}&next=/a/b/"
    page = shop.get(path)
    assert page["Cache-Control"].startswith("max-age=0")
    assert "¥9.90" in page.content.decode()
    gone = shop.post("/payment", {"offer": offer.pk, "next": "/a/b/", "gateway": "sandbox"})
    assert gone.status_code == 303
    cashier = shop.get(gone["Location"])
    assert cashier.status_code == 200
    back = shop.post(gone["Location"], {"ending": "pay"})
    home = shop.get(back["Location"].split("8000")[-1])
    assert home["Location"] == "/a/b/#continue"
    assert balance("asset:psp:sandbox", book=Book.SANDBOX) == 990


@pytest.mark.parametrize(
    ("ending", "words", "booked"),
    [("fail", "did not go through", 0), ("close", "Confirming your payment", 0), ("late", "opens nothing yet", 990),
     ("nonsense", "Confirming your payment", 0)],
)  # fmt: skip
def test_every_ending_is_told_to_the_buyer(shop: Client, offer: Offer, ending: str, words: str, booked: int):
    gone = shop.post("/payment", {"offer": offer.pk})
    shop.post(gone["Location"], {"ending": ending})
    number = Order.objects.get().number
    assert words in shop.get(f"/payment/{number}/return").content.decode()
    assert balance("asset:psp:sandbox", book=Book.SANDBOX) == booked


def test_the_waiting_page_moves_on_by_itself_once_the_money_is_there(shop: Client, offer: Offer):
    gone = shop.post("/payment", {"offer": offer.pk, "next": "/a/b/"})
    number = Order.objects.get().number
    assert "Confirming" in shop.get(f"/payment/{number}").content.decode()
    bank().pay(gone["Location"].rsplit("/", 1)[1])
    shop.get(f"/payment/{number}/return")
    fragment = shop.get(f"/payment/{number}")
    assert (fragment.status_code, fragment["HX-Redirect"]) == (204, "/a/b/#continue")


def test_the_reader_goes_on_at_an_address_in_chinese(shop: Client, offer: Offer):
    post(shop, offer=offer.pk, next="/周岚/月光/")
    order = Order.objects.get()
    bank().pay(order.payments.get().reference)
    shop.get(f"/payment/{order.number}/return")
    fragment = shop.get(f"/payment/{order.number}", headers={"accept": "text/html"})
    assert fragment["HX-Redirect"] == "/%E5%91%A8%E5%B2%9A/%E6%9C%88%E5%85%89/#continue"


def test_a_place_to_go_on_with_a_line_break_is_dropped(shop: Client, offer: Offer):
    post(shop, offer=offer.pk, next="/a\nb")
    assert Order.objects.get().return_path == ""


def test_a_draft_is_not_named_at_the_checkout(shop: Client):
    work = make_paid_work()
    offer = make_offer(work)
    work.unpublish()
    assert shop.get(f"/payment?offer={offer.pk}").status_code == 404


def test_an_order_whose_time_is_up_makes_room_for_a_new_one(shop: Client, offer: Offer):
    """Also while a payment was begun and the worker has not ended it yet; money paid in time still buys the old one."""
    post(shop, offer=offer.pk)
    late = Order.objects.get()
    Order.objects.filter(pk=late.pk).update(expires_at=clock.now() - timedelta(seconds=1))
    assert post(shop, offer=offer.pk).status_code == 202
    late.refresh_from_db()
    assert (late.status, late.open_key) == (Order.Status.EXPIRED, None)


def test_nobody_sees_or_ends_anothers_order(shop: Client, offer: Offer):
    post(shop, offer=offer.pk)
    number = Order.objects.get().number
    stranger = Client()
    stranger.force_login(make_user("other"))
    for path in (f"/orders/{number}", f"/payment/{number}", f"/payment/{number}/return"):
        assert stranger.get(path).status_code == 404
    assert stranger.post(f"/orders/{number}/cancel").status_code == 404
    assert shop.get(f"/orders/{number}").status_code == 200


def test_an_order_is_cancelled_by_who_placed_it(shop: Client, offer: Offer):
    post(shop, offer=offer.pk)
    order = Order.objects.get()
    assert shop.post(f"/orders/{order.number}/cancel").status_code == 302
    order.refresh_from_db()
    assert order.status == Order.Status.CANCELLED
    assert shop.post(f"/orders/{order.number}/cancel").status_code == 409


def test_library_and_orders_show_what_is_ones_own(shop: Client, reader, offer: Offer):
    assert "An empty shelf" in shop.get("/library").content.decode()
    order = buy(reader, offer)
    buy(reader, make_plan())
    library = shop.get("/library").content.decode()
    assert offer.title in library
    assert "All works until" in library
    assert order.number in shop.get("/orders").content.decode()
    assert order.number not in Client().get("/library", follow=True).content.decode()


def test_the_library_counts_months_as_long_as_they_follow_each_other(shop: Client, reader):
    for _month in range(2):
        buy(reader, make_plan())
    first, second = Entitlement.objects.order_by("starts_at")
    with override("en"):
        ends = [f"All works until {day(month.ends_at)}" for month in (first, second)]
    assert ends[1] in shop.get("/library").content.decode()
    Entitlement.objects.filter(pk=second.pk).update(starts_at=F("starts_at") + timedelta(days=1))
    assert ends[0] in shop.get("/library").content.decode()
    Entitlement.objects.filter(pk=first.pk).update(revoked_at=clock.now())
    assert "All works until" not in shop.get("/library").content.decode(), "the second month has not begun"


def test_a_house_without_a_provider_says_so(shop: Client, offer: Offer, settings):
    settings.PLUGINS = {**settings.PLUGINS, "gateways": {}}
    assert post(shop, offer=offer.pk).status_code == 503
    assert "takes no money yet" in shop.get(f"/payment?offer={offer.pk}").content.decode()
    assert shop.get("/cashier/anything").status_code == 404


def test_query_counts_of_a_purchase_are_fixed(shop: Client, reader, offer: Offer, django_assert_max_num_queries):
    """Marks of savepoints included, since a test never commits: the service layer alone is counted in bench.orders."""
    buy(make_user("first"), offer)  # opens the accounts
    with django_assert_max_num_queries(16):
        gone = shop.post("/payment", {"offer": offer.pk})
    bank().pay(gone["Location"].rsplit("/", 1)[1])
    number = Order.objects.exclude(status="paid").get().number
    with django_assert_max_num_queries(24):
        shop.get(f"/payment/{number}/return")


def test_a_reader_takes_a_purchase_back_in_time(shop: Client, reader, offer: Offer):
    order = buy(reader, offer)
    page = shop.get(f"/orders/{order.number}").content.decode()
    assert f"/orders/{order.number}/refund" in page
    assert "¥9.90" in shop.get(f"/orders/{order.number}/refund").content.decode()
    assert shop.post(f"/orders/{order.number}/refund", {"reason": "not for me"}).status_code == 302
    order.refresh_from_db()
    assert order.status == Order.Status.REFUNDED
    assert f"/orders/{order.number}/refund" not in shop.get(f"/orders/{order.number}").content.decode()
    again = shop.post(f"/orders/{order.number}/refund", headers=JSON)
    assert (again.json()["message"], again.json()["refund_status"]) == ("Your money has gone back.", "succeeded")
    assert bank().totals()["CNY"] == 0


def test_nobody_takes_back_what_is_late_or_anothers(shop: Client, reader, offer: Offer, set_clock):
    order = buy(reader, offer)
    stranger = Client()
    stranger.force_login(make_user())
    assert stranger.post(f"/orders/{order.number}/refund").status_code == 404
    set_clock(clock.now() + timedelta(days=8))
    assert f"/orders/{order.number}/refund" not in shop.get(f"/orders/{order.number}").content.decode()
    for ask in (shop.get, shop.post):
        assert ask(f"/orders/{order.number}/refund").status_code == 409
    assert bank().totals()["CNY"] == 990


def test_money_that_opened_nothing_is_not_asked_for_again(shop: Client, offer: Offer):
    gone = shop.post("/payment", {"offer": offer.pk})
    bank().pay(gone["Location"].rsplit("/", 1)[1], amount=1)
    order = Order.objects.get()
    shop.get(f"/payment/{order.number}/return")
    page = shop.get(f"/orders/{order.number}").content.decode()
    assert "Please do not pay again." in page
    assert "btn-seal" not in page
    refunds.give_back_unapplied(order.payments.get().pk)
    assert shop.get(f"/payment/{order.number}/return")["Location"] == f"/orders/{order.number}"
    assert "btn-seal" in shop.get(f"/orders/{order.number}").content.decode()


def test_an_order_given_back_is_told_on_its_own_page(shop: Client, reader, offer: Offer):
    order = buy(reader, offer)
    shop.post(f"/orders/{order.number}/refund")
    assert shop.get(f"/payment/{order.number}/return")["Location"] == f"/orders/{order.number}"
    assert shop.get(f"/payment/{order.number}")["HX-Redirect"] == f"/payment/{order.number}/return"


def test_who_got_a_part_back_is_offered_the_rest(shop: Client, reader, offer: Offer):
    order = buy(reader, offer)
    part = {"lines": {order.lines.get().pk: 495}, "closes_access": False, "form_key": "half"}
    refunds.refund(order.payments.get().pk, Refund.Part.SALE, by=None, **part)
    assert "Get ¥4.95 back" in shop.get(f"/orders/{order.number}/refund").content.decode()


def test_what_waits_for_a_second_person_is_not_asked_for_again(shop: Client, reader, offer: Offer, settings):
    settings.REFUND_APPROVAL_ABOVE = {"CNY": 100}
    order = buy(reader, offer)
    refunds.refund(order.payments.get().pk, Refund.Part.SALE, by=make_user("fin", "finance"))
    page = shop.get(f"/orders/{order.number}").content.decode()
    assert "a person looks at it" in page
    assert f"/orders/{order.number}/refund" not in page
