"""What is known about a case about money: kept in no language, told in two."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.conf import settings as site
from django.test import Client
from django.utils.translation import override

from sishu.commerce import case_words, offers, orders, payments, refunds
from sishu.commerce.models import MerchantKeysChange, Payment, Refund
from sishu.core import clock, plugins
from sishu.core.money import Money
from sishu.gateways.base import DisputeOutcome, DisputeSnapshot, Outcome, RefundOutcome, RefundSnapshot, Snapshot
from sishu.moderation.models import Case
from tests.factories.accounts import make_user
from tests.factories.commerce import make_offer, pay, start

pytestmark = [pytest.mark.django_db, pytest.mark.money]

HAN = re.compile("[\u4e00-\u9fff]")


@pytest.fixture
def payment() -> Payment:
    return start(make_user(), make_offer(amount=990))


def arrive(payment: Payment, money: Money, late: timedelta = timedelta(0)) -> None:
    payments.apply(Snapshot(payment.reference, Outcome.CAPTURED, money, clock.now() + late))


def too_little(payment: Payment) -> None:
    arrive(payment, Money(1, "CNY"))


def surplus(payment: Payment) -> None:
    arrive(payment, Money(1000, "CNY"))


def captured_again(payment: Payment) -> None:
    arrive(payment, Money(990, "CNY"))
    arrive(payment, Money(1980, "CNY"))


def other_currency(payment: Payment) -> None:
    arrive(payment, Money(99_000, "USD"))


def order_closed(payment: Payment) -> None:
    orders.cancel(payment.order_id, payment.order.user)
    arrive(payment, Money(990, "CNY"))


def too_late(payment: Payment) -> None:
    arrive(payment, Money(990, "CNY"), late=timedelta(days=1))


def already_owned(payment: Payment) -> None:
    offer = payment.order.lines.get().offer
    offers.close(offer.page)
    pay(start(payment.order.user, make_offer(offer.page)))
    arrive(payment, Money(990, "CNY"))


def foreign_part(payment: Payment) -> None:
    foreign = RefundSnapshot("r-4711", RefundOutcome.SUCCEEDED, Money(100, "CNY"))
    payments.apply(Snapshot(payment.reference, Outcome.CAPTURED, Money(990, "CNY"), clock.now(), refunds=(foreign,)))


def foreign_refund(payment: Payment) -> None:
    refunds.request(pay(payment).pk, Refund.Part.SALE, by=None)
    foreign_part(payment)


def refund_proposed(payment: Payment) -> None:
    site.REFUND_APPROVAL_ABOVE = {"CNY": 1}
    refunds.request(pay(payment).pk, Refund.Part.SALE, by=make_user())


def dispute(payment: Payment, outcome: DisputeOutcome) -> None:
    disputed = DisputeSnapshot("dp_1", outcome, Money(990, "CNY"))
    payments.apply(Snapshot(payment.reference, Outcome.CAPTURED, Money(990, "CNY"), clock.now(), disputes=(disputed,)))


def dispute_open(payment: Payment) -> None:
    dispute(payment, DisputeOutcome.OPEN)


def dispute_lost(payment: Payment) -> None:
    dispute(payment, DisputeOutcome.LOST)


def dispute_odd(payment: Payment) -> None:
    refunds.refund(pay(payment).pk, Refund.Part.SALE, by=None)
    dispute(payment, DisputeOutcome.LOST)


def refund_refused(payment: Payment) -> None:
    asked = refunds.request(pay(payment).pk, Refund.Part.SALE, by=None)
    refused = RefundSnapshot(asked.reference, RefundOutcome.FAILED, asked.money)
    payments.apply(Snapshot(payment.reference, Outcome.CAPTURED, Money(990, "CNY"), clock.now(), refunds=(refused,)))


def notify_of_a_stranger(payment: Payment, *, is_paid: bool) -> None:
    gateway = plugins.load("gateways", "sandbox")
    if is_paid:
        gateway.bank.pay(payment.reference)
    body = gateway.notice(1, payment.reference)
    payment.delete()
    Client(raise_request_exception=False).post(
        "/webhooks/sandbox", body, content_type="application/json", headers=gateway.signed(body)
    )


def unknown_money(payment: Payment) -> None:
    notify_of_a_stranger(payment, is_paid=True)


def unknown_payment(payment: Payment) -> None:
    notify_of_a_stranger(payment, is_paid=False)


def former_account(payment: Payment) -> None:
    MerchantKeysChange.objects.create(gateway=payment.gateway)
    payments._close_unknown(payment)


WAYS = (
    too_little, surplus, captured_again, other_currency, order_closed, too_late, already_owned, foreign_part,
    foreign_refund, refund_proposed, refund_refused, dispute_open, dispute_lost, dispute_odd,
    unknown_money, unknown_payment, former_account,
)  # fmt: skip


@pytest.mark.parametrize("happen", WAYS, ids=lambda way: way.__name__)
def test_it_is_told_in_the_language_of_the_moment(payment, happen, settings):
    settings.REFUND_APPROVAL_ABOVE = {}  # what `happen` sets goes with the test
    number, reference = payment.order.number, payment.reference
    with override("zh-hans"):  # whoever is served when it happens does not decide how it is kept
        happen(payment)
    case = Case.objects.get()
    assert (case.code, case.note) == (happen.__name__, "")
    assert not HAN.search(str(case.data))
    with override("en"):
        english = case_words.remark(case), case_words.kind_label(case.kind)
    with override("zh-hans"):
        chinese = case_words.remark(case), case_words.kind_label(case.kind)
    assert not HAN.search("".join(english))
    assert all(map(HAN.search, chinese))
    for told in (english[0], chinese[0]):
        assert reference in told
        assert "%(" not in told
    if "status" in case.data:
        assert ("cancelled" in english[0], "cancelled" in chinese[0]) == (True, False)
    if case.data.get("due"):
        assert "¥9.90" in english[0]
    assert case.data.get("order", number) == number


def test_what_somebody_noted_is_told_as_it_is():
    case = Case(kind="unapplied", note="Ann rang.")
    assert case_words.remark(case) == "Ann rang."
    case.code, case.data = "refund_refused", {"money": {"amount": 990, "currency": "CNY"}, "reference": "ab12"}
    with override("en"):
        assert case_words.remark(case) == "¥9.90 of ab12: it did not go back. Ann rang."
