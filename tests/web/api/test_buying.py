"""Orders and entitlements over the API."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from sishu.commerce.models import Entitlement, Order
from tests.factories.commerce import bank, buy, make_offer, make_paid_work, make_plan
from tests.factories.content import make_article, make_person
from tests.factories.gateways import OFFLINE, WALLET, use
from tests.web.api.programs import Program, is_problem

pytestmark = [pytest.mark.django_db, pytest.mark.money]


def test_an_order_is_placed_paid_at_the_provider_and_opens_the_work():
    reader, offer = make_person(), make_offer()
    program = Program(reader)
    placed = program.post("/orders", {"offer": offer.pk})
    assert placed.status_code == 201
    order, url = placed.json()["order"], placed.json()["payment_url"]
    assert (order["status"], order["total"]) == ("awaiting_payment", {"amount": 990, "currency": "CNY"})
    assert order["lines"] == [{"offer_id": offer.pk, "title": offer.title, "price": order["total"]}]
    assert url.startswith("http://testserver/")
    again = program.post("/orders", {"offer": offer.pk})
    assert again.json()["order"]["number"] == order["number"], "two tabs, one order"

    payment = Order.objects.get(number=order["number"]).payments.get()
    bank().pay(payment.reference)
    program.client.force_login(reader)
    program.client.get(f"/payment/{order['number']}/return")
    assert program.get(f"/orders/{order['number']}").json()["status"] == "paid"
    (held,) = program.get("/entitlements").json()["items"]
    assert (held["work_id"], held["ends_at"]) == (offer.page_id, None)
    assert is_problem(program.post("/orders", {"offer": offer.pk}), 409, "already_owned")


def test_an_order_ends_with_the_transfer_it_waits_for_and_each_payment_at_its_own_time(settings):
    use(settings, offline=OFFLINE, wallet=WALLET)
    program, offer = Program(make_person()), make_offer()
    scan = program.post("/orders", {"offer": offer.pk, "gateway": "wallet"}).json()
    assert scan["payment_expires_at"] == scan["order"]["expires_at"]
    transfer = program.post("/orders", {"offer": offer.pk, "gateway": "offline"}).json()
    order, end = Order.objects.get(), transfer["payment_expires_at"]
    kept = [order.payments.get(gateway="offline").expires_at, order.expires_at]
    told = [datetime.fromisoformat(one) for one in (end, scan["payment_expires_at"])]
    assert told == [one.replace(microsecond=one.microsecond // 1000 * 1000) for one in kept]
    assert transfer["order"]["expires_at"] == end
    assert program.get(f"/orders/{order.number}").json()["expires_at"] == end
    assert [one["expires_at"] for one in program.get("/orders").json()["items"]] == [end]


def test_what_is_free_is_settled_at_once():
    placed = Program(make_person()).post("/orders", {"offer": make_offer(amount=0).pk})
    assert (placed.json()["order"]["status"], placed.json()["payment_url"]) == ("paid", None)


def test_what_is_free_needs_no_gateway(settings):
    settings.PLUGINS = {**settings.PLUGINS, "gateways": {}}
    placed = Program(make_person()).post("/orders", {"offer": make_offer(amount=0).pk})
    assert (placed.status_code, placed.json()["order"]["status"]) == (201, "paid")
    assert is_problem(Program(make_person()).post("/orders", {"offer": make_offer().pk}), 503, "invalid")


def test_an_unknown_gateway_is_refused():
    asked = {"offer": make_offer().pk, "gateway": "nowhere"}
    assert is_problem(Program(make_person()).post("/orders", asked), 422, "gateway")


def test_only_the_offer_is_heard():
    offer = make_offer(amount=990)
    mallory = make_person()
    sent = {
        "offer": offer.pk,
        "amount": 1,
        "price": 1,
        "total": 1,
        "currency": "VND",
        "status": "paid",
        "payee": 7,
        "user": 1,
    }
    order = Program(mallory).post("/orders", sent).json()["order"]
    kept = Order.objects.get(number=order["number"])
    assert (kept.amount, kept.currency, kept.status, kept.user) == (990, "CNY", "awaiting_payment", mallory)
    assert kept.payments.get().amount == 990
    assert not Entitlement.objects.exists()


def test_orders_of_others_are_not_there():
    offer, owner, other = make_offer(), make_person(), make_person()
    number = Program(owner).post("/orders", {"offer": offer.pk}).json()["order"]["number"]
    assert is_problem(Program(other).get(f"/orders/{number}"), 404, "not_found")
    assert is_problem(Program(other).post(f"/orders/{number}/cancel"), 404, "not_found")
    assert Program(other).get("/orders").json()["items"] == []
    assert [one["number"] for one in Program(owner).get("/orders").json()["items"]] == [number]


def test_cancelling_ends_what_is_not_paid():
    reader, offer = make_person(), make_offer()
    program = Program(reader)
    number = program.post("/orders", {"offer": offer.pk}).json()["order"]["number"]
    assert program.post(f"/orders/{number}/cancel").json()["status"] == "cancelled"
    assert program.post(f"/orders/{number}/cancel").status_code == 409


def test_what_is_not_on_sale_is_not_sold():
    program = Program(make_person())
    drafted = make_offer(make_article(make_paid_work().owner, live=False))
    for offer in (drafted.pk, 99_999):
        assert is_problem(program.post("/orders", {"offer": offer}), 404, "not_found")
    assert is_problem(program.post("/orders", {"offer": make_offer().pk, "gateway": "nowhere"}), 422, "gateway")
    assert is_problem(Program().post("/orders", {"offer": 1}), 401, "not_signed_in")


def test_entitlements_are_ones_own_and_valid():
    reader, offer = make_person(), make_offer()
    buy(reader, offer)
    assert Program(make_person()).get("/entitlements").json()["total"] == 0
    Entitlement.objects.update(
        starts_at=timezone.now() - timedelta(2), ends_at=timezone.now() - timedelta(1), owned_key=None
    )
    assert Program(reader).get("/entitlements").json()["items"] == []


def test_a_renewed_month_is_not_held_before_it_begins():
    reader = make_person()
    for _month in range(2):
        buy(reader, make_plan())
    first = Entitlement.objects.earliest("starts_at")
    (held,) = Program(reader).get("/entitlements").json()["items"]
    assert held["id"] == first.pk
