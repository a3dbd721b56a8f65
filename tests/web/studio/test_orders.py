"""Orders, payments and refunds in the back office: shown as money, told as a story, changed by their buttons only."""

from __future__ import annotations

import csv
import re
from io import BytesIO, StringIO

import pytest
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from sishu.accounts.models import User
from sishu.commerce import access, payments, refunds, timeline
from sishu.commerce.models import Order, Payment, Refund
from sishu.content.paywall import Level
from sishu.reactions import worker
from tests.factories.accounts import make_user
from tests.factories.commerce import bank, buy, make_offer, make_paid_work, pay, start
from tests.factories.content import make_creator

pytestmark = [pytest.mark.django_db, pytest.mark.money]


@pytest.fixture
def finance(client: Client) -> User:
    finance = make_user("cashier", "finance", display_name="Cashier")
    client.force_login(finance)
    return finance


@pytest.fixture
def order(finance: User) -> Order:
    author = make_creator("lan")
    return buy(make_user("ann", display_name="Ann"), make_offer(make_paid_work(author, title="Noodles"), amount=990))


def text_of(answer) -> str:
    return b"".join(answer.streaming_content).decode("utf-8-sig") if answer.streaming else answer.content.decode()


def give_back(client: Client, order: Order, reason: str = "wrong language", amount: str = "9.90", **said: str):
    data = {"reason": reason, f"line_{order.lines.get().pk}": amount, "form_key": "f1", "closes_access": "on", **said}
    return client.post(reverse("orders:refund", args=[order.pk]), data, follow=True)


def test_the_list_shows_money_not_minor_units(client, order):
    page = client.get(reverse("orders:index")).content.decode()
    assert order.number in page
    assert "¥9.90" in page
    assert "990" not in page


@pytest.mark.parametrize("query", ["ann", "20", "Noodles"])
def test_the_list_is_searched_by_buyer_number_and_title(client, order, query):
    assert order.number in client.get(reverse("orders:index"), {"q": query}).content.decode()
    assert order.number not in client.get(reverse("orders:index"), {"q": "nobody"}).content.decode()


def test_the_list_is_filtered_by_status_and_day(client, order):
    url = reverse("orders:index")
    assert order.number in client.get(url, {"status": "paid"}).content.decode()
    assert order.number not in client.get(url, {"status": "refunded"}).content.decode()
    assert order.number not in client.get(url, {"created_at_to": "2020-01-01"}).content.decode()


def test_an_export_has_decimals_and_currencies_and_no_formula(client, order):
    User.objects.filter(pk=order.user_id).update(username="=cmd")
    rows = list(csv.DictReader(StringIO(text_of(client.get(reverse("orders:index"), {"export": "csv"})))))
    assert [(row["Total"], row["Currency"], row["Buyer"]) for row in rows] == [("9.90", "CNY", "'=cmd")]


def test_an_export_for_excel_has_numbers(client, order):
    answer = client.get(reverse("payments:index"), {"export": "xlsx"})
    sheet = load_workbook(BytesIO(b"".join(answer.streaming_content))).active
    heading, row = ([cell.value for cell in line] for line in sheet.iter_rows())
    assert dict(zip(heading, row, strict=True))["Arrived"] == pytest.approx(9.90)


@pytest.mark.parametrize("name", ["orders", "payments", "refunds", "cases", "journals", "offers"])
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_every_list_can_be_downloaded(client, order, name, form):
    client.force_login(make_user("boss", "owner"))
    pay(start(make_user(), make_offer()), times=2)
    refunds.refund(Payment.objects.first().pk, Refund.Part.SALE, by=None)
    answer = client.get(reverse(f"{name}:index"), {"export": form})
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content)
    assert "no-store" in answer["Cache-Control"]


def test_the_button_gives_the_money_back_and_closes_the_access(client, order):
    page = order.lines.get().offer.page.specific
    assert access.level(order.user, page) == Level.PAID
    question = client.get(reverse("orders:refund", args=[order.pk])).content.decode()
    assert "Of ¥9.90 that Ann paid" in question
    answer = give_back(client, order)
    order.refresh_from_db()
    refund = Refund.objects.get()
    assert order.status == Order.Status.REFUNDED
    assert (refund.status, refund.requested_by.username, refund.reason) == ("succeeded", "cashier", "wrong language")
    assert access.level(User.objects.get(username="ann"), page) == Level.SIGNED_IN
    assert "¥9.90 went back." in answer.content.decode()


def test_pressing_twice_gives_back_once(client, order):
    give_back(client, order)
    answer = give_back(client, order)
    assert "holds nothing to give back" in answer.content.decode()
    assert Refund.objects.count() == 1
    assert sum(amount for _reference, amount in bank().refunds(order.payments.get().reference)) == 990


def test_the_form_can_be_sent_as_it_was_shown(client, order):
    url = reverse("orders:refund", args=[order.pk])
    form = client.get(url).content.decode()
    (form_key,) = re.findall(r'name="form_key" value="(\w+)"', form)
    give_back(client, order, form_key=form_key)
    assert Refund.objects.get().form_key == form_key


def test_a_refund_needs_a_reason(client, order):
    answer = give_back(client, order, reason="")
    assert answer.status_code == 200
    assert not Refund.objects.exists()


def test_looking_at_the_question_moves_nothing(client, order):
    client.get(reverse("orders:refund", args=[order.pk]))
    assert not Refund.objects.exists()


def test_a_gateway_that_was_taken_out_is_said_so(client, order, settings):
    settings.PLUGINS = {**settings.PLUGINS, "gateways": {}}
    assert "not among GATEWAYS" in give_back(client, order).content.decode()
    payment = order.payments.get()
    answer = client.post(reverse("payments:refresh", args=[payment.pk]), follow=True)
    assert "not among GATEWAYS" in answer.content.decode()


def test_asking_again_applies_what_the_provider_says(client, finance):
    payment = start(make_user(), make_offer())
    bank().pay(payment.reference)
    answer = client.post(reverse("payments:refresh", args=[payment.pk]), follow=True)
    payment.refresh_from_db()
    assert payment.status == Payment.Status.CAPTURED
    assert payment.order.status == Order.Status.PAID
    assert "is captured" in answer.content.decode()


def test_the_timeline_tells_a_purchase(order):
    worker.Worker().drain()
    told = [(event.what, event.who) for event in timeline.of_order(order)]
    assert told[:6] == [
        ("Order placed", "Ann"),
        ("Payment started", ""),
        ("Money arrived", ""),
        ("Access opened", ""),
        ("Sale booked", ""),
        ("The house was told", ""),
    ]
    assert ("Followed up", "") in told


def test_the_timeline_names_everyones_part(order):
    booked = next(event for event in timeline.of_order(order) if event.what == "Sale booked")
    assert "¥0.99: clearing → income of the house" in booked.detail
    assert "¥8.91: clearing → owed to lan" in booked.detail


def test_the_timeline_tells_a_refund(client, order):
    give_back(client, order)
    events = timeline.of_order(Order.objects.get(pk=order.pk))
    told = [event.what for event in events]
    for what in ("Refund requested", "Money given back", "Refund booked", "Access closed"):
        assert told.count(what) == 1
    assert next(event.who for event in events if event.what == "Refund requested") == "Cashier"
    assert [event.moment for event in events] == sorted(event.moment for event in events)


def test_the_timeline_tells_what_went_wrong(finance):
    failed = start(make_user("bob"), make_offer())
    bank().fail(failed.reference)
    payments.refresh(failed)
    assert "Payment failed" in [event.what for event in timeline.of_order(failed.order)]
    twice = pay(start(make_user("cyd"), make_offer()), times=2)
    told = [event.what for event in timeline.of_order(twice.order)]
    assert "Money set apart in the books" in told
    assert "Case opened" in told


def test_the_page_of_an_order_tells_its_story_without_running_anything(client, finance):
    buyer = make_user("eve", display_name="<script>alert(1)</script>")
    order = buy(buyer, make_offer(make_paid_work(title="<img src=x>")))
    page = client.get(reverse("orders:inspect", args=[order.pk])).content.decode()
    assert "Order placed" in page
    assert "<script>alert(1)" not in page
    assert "<img src=x>" not in page


def test_ids_no_database_holds_are_not_found(client, finance):
    for name in ("orders:inspect", "orders:refund", "payments:inspect", "payments:refresh"):
        assert client.get(reverse(name, args=[2**70])).status_code == 404
