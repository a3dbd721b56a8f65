"""The rows of the fault table that need several processes at the same moment."""

from __future__ import annotations

import pytest
from django.test import Client

from sishu.accounts.models import User
from sishu.commerce import access, offers, orders, payments, refunds
from sishu.commerce.models import Entitlement, Order, Payment, Refund
from sishu.content.paywall import Level
from sishu.core import plugins
from sishu.ledger.models import Account, Book, Transfer
from sishu.ledger.selectors import balance
from sishu.moderation.models import Case
from sishu.outbox.models import Fact
from tests.crowd import rush
from tests.factories.accounts import make_user
from tests.factories.commerce import bank, make_offer, make_plan, pay, start

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.money, pytest.mark.processes]


def notify(reference: str, number: int) -> int:
    gateway = plugins.load("gateways", "sandbox")
    body = gateway.notice(number, reference)
    client = Client(raise_request_exception=False)
    answer = client.post("/webhooks/sandbox", body, content_type="application/json", headers=gateway.signed(body))
    return answer.status_code


def press_buy(user_id: int, offer_id: int) -> tuple[str, str]:
    order = orders.place(User.objects.get(pk=user_id), offer_id, language="en")
    payment, _instruction = payments.start(order.pk, "sandbox", notify_url="http://127.0.0.1:9/", return_url="/")
    return order.number, payment.reference


def press_refund(payment_id: int) -> str:
    return refunds.refund(payment_id, "sale", by=None).reference


def buy(user_id: int, offer_id: int) -> str:
    _number, reference = press_buy(user_id, offer_id)
    plugins.load("gateways", "sandbox").bank.pay(reference)
    snapshot = plugins.load("gateways", "sandbox").query(reference)
    return payments.apply(snapshot).order.status


def test_row_02_the_same_notice_ten_times_at_once(transactional_db):
    offer, reader = make_offer(), make_user()
    payment = start(reader, offer)
    bank().pay(payment.reference)
    answers = rush(notify, [(payment.reference, n) for n in range(10)])
    assert answers == [200] * 10
    assert Entitlement.objects.count() == Transfer.objects.filter(code="capture").count() == 1
    assert Fact.objects.filter(name="OrderPaid").count() == 1


def test_row_27_six_tabs_press_buy_at_once(transactional_db):
    offer, reader = make_offer(), make_user()
    answers = rush(press_buy, [(reader.pk, offer.pk)] * 6)
    assert len(set(answers)) == 1, answers
    assert Order.objects.count() == Payment.objects.count() == 1


def test_row_42_six_people_press_refund_at_once(transactional_db):
    offer, reader = make_offer(), make_user()
    payment = pay(start(reader, offer))
    answers = rush(press_refund, [(payment.pk,)] * 6)
    assert len(set(answers)) == 1, answers
    assert Refund.objects.get().status == Refund.Status.SUCCEEDED
    assert balance("asset:psp:sandbox", book=Book.SANDBOX) == bank().totals()["CNY"] == 0
    assert access.level(reader, offer.page) == Level.SIGNED_IN


def test_eight_first_sales_at_once_open_each_account_once(transactional_db):
    offer = make_offer()
    readers = [make_user() for _ in range(8)]
    answers = rush(buy, [(reader.pk, offer.pk) for reader in readers])
    assert answers == ["paid"] * 8
    assert Account.objects.count() == 4
    assert balance("asset:psp:sandbox", book=Book.SANDBOX) == bank().totals()["CNY"] == 8 * offer.amount


def test_row_28_two_orders_for_one_work_paid_at_once_sell_it_once(transactional_db):
    offer, reader = make_offer(), make_user()
    first = start(reader, offer)
    offers.close(offer.page)
    second = start(reader, make_offer(offer.page))
    for payment in (first, second):
        bank().pay(payment.reference)
    assert rush(notify, [(first.reference, 1), (second.reference, 2)]) == [200, 200]
    assert Entitlement.objects.count() == Transfer.objects.filter(code="capture").count() == 1
    assert Transfer.objects.filter(code="unapplied").count() == 1
    assert Case.objects.get().code == "already_owned"


def test_two_months_of_a_plan_paid_at_once_follow_each_other(transactional_db):
    plan, reader = make_plan(), make_user()
    first = start(reader, plan)
    Order.objects.filter(pk=first.order_id).update(open_key=None)  # as if the first had been placed in another shop
    second = start(reader, plan)
    for payment in (first, second):
        bank().pay(payment.reference)
    assert rush(notify, [(first.reference, 1), (second.reference, 2)]) == [200, 200]
    one, two = Entitlement.objects.order_by("starts_at")
    assert one.ends_at == two.starts_at
