"""Objections that a buyer makes at their bank."""

from __future__ import annotations

import pytest

from sishu.commerce import access, payments, refunds
from sishu.commerce.models import Dispute, Order, Payment, Refund
from sishu.content.paywall import Level
from sishu.core.money import Money
from sishu.gateways.base import DisputeOutcome, DisputeSnapshot, Outcome, RefundOutcome, RefundSnapshot, Snapshot
from sishu.ledger import chart
from sishu.moderation.models import Case
from tests.commerce.sandbox import in_sandbox
from tests.factories.accounts import make_user
from tests.factories.commerce import pay

pytestmark = [pytest.mark.django_db, pytest.mark.money]

DISPUTED = chart.disputed("sandbox")


@pytest.fixture
def sold(payment) -> Payment:
    return pay(payment)


def told(payment: Payment, outcome: DisputeOutcome, *given_back: RefundSnapshot, amount: int = 990) -> None:
    dispute = DisputeSnapshot("dp_1", outcome, Money(amount, "CNY"), Money(15, "CNY"))
    payments.apply(
        Snapshot(payment.reference, Outcome.CAPTURED, Money(990, "CNY"), refunds=given_back, disputes=(dispute,))
    )


def assert_charged_back(reader, offer) -> None:
    assert (in_sandbox(DISPUTED), in_sandbox("asset:psp:sandbox")) == (0, -15)
    assert in_sandbox(chart.creator_pending(offer.shares.get().payee_id)) == 0
    assert Order.objects.get().status == Order.Status.REFUNDED
    assert access.level(reader, offer.page) == Level.SIGNED_IN


def test_row_50_an_objection_takes_the_money_and_calls_a_person(reader, offer, sold):
    for _ in range(2):
        told(sold, DisputeOutcome.OPEN)
    assert (in_sandbox(DISPUTED), in_sandbox(chart.PROVIDER_FEES), in_sandbox("asset:psp:sandbox")) == (990, 15, -15)
    assert Case.objects.get().code == "dispute_open"
    assert access.level(reader, offer.page) == Level.PAID


def test_row_50_an_objection_that_was_won_gives_the_money_back_and_not_the_fee(reader, offer, sold):
    told(sold, DisputeOutcome.OPEN)
    for outcome in (DisputeOutcome.WON, DisputeOutcome.LOST):  # decided once
        told(sold, outcome)
    assert Dispute.objects.get().status == Dispute.Status.WON
    assert (in_sandbox(DISPUTED), in_sandbox("asset:psp:sandbox")) == (0, 975)
    assert access.level(reader, offer.page) == Level.PAID


def test_row_50_an_objection_that_was_lost_ends_as_a_refund_does(reader, offer, sold):
    told(sold, DisputeOutcome.LOST)
    assert Dispute.objects.get().status == Dispute.Status.LOST
    assert_charged_back(reader, offer)
    assert (Refund.objects.get().reference, Refund.objects.get().status) == ("dp_1", Refund.Status.SUCCEEDED)


def assert_as_sold(reader, offer) -> None:
    """Only the fee is gone."""
    creator = offer.shares.get().payee_id
    assert (in_sandbox(DISPUTED), in_sandbox("asset:psp:sandbox")) == (0, 975)
    assert (in_sandbox(chart.creator_pending(creator)), in_sandbox(chart.PLATFORM_INCOME)) == (891, 99)
    assert Order.objects.get().status == Order.Status.PAID
    assert access.level(reader, offer.page) == Level.PAID


def test_row_50_an_objection_that_was_lost_and_won_on_appeal_ends_as_if_it_had_been_won(reader, offer, sold):
    told(sold, DisputeOutcome.LOST)
    told(sold, DisputeOutcome.OPEN)
    assert_charged_back(reader, offer)
    for outcome in (DisputeOutcome.WON, DisputeOutcome.WON, DisputeOutcome.LOST):
        told(sold, outcome)
        assert_as_sold(reader, offer)
    assert Dispute.objects.get().status == Dispute.Status.WON
    assert Case.objects.get().code == "dispute_appealed"
    assert refunds.refund(sold.pk, Refund.Part.SALE, by=None).reference != "dp_1", (
        "what the dispute took is not tried anew"
    )


def test_row_50_an_objection_that_took_nothing_and_was_won_on_appeal_gives_the_money_back(sold):
    refunds.refund(sold.pk, Refund.Part.SALE, by=None)
    told(sold, DisputeOutcome.LOST)
    told(sold, DisputeOutcome.WON)
    assert (in_sandbox(DISPUTED), in_sandbox("asset:psp:sandbox")) == (0, -15)
    assert Order.objects.get().status == Order.Status.REFUNDED


def test_row_50_an_objection_to_what_was_given_back_stays_a_persons_to_judge(sold):
    refunds.refund(sold.pk, Refund.Part.SALE, by=None)
    told(sold, DisputeOutcome.LOST)
    assert in_sandbox(DISPUTED) == 990
    assert Case.objects.get().code == "dispute_odd"


@pytest.mark.parametrize("outcome", [RefundOutcome.FAILED, RefundOutcome.RETURNED])
def test_row_50_an_objection_lost_while_a_refund_was_under_way_ends_as_one_once_that_has_failed(
    reader, offer, sold, outcome
):
    one = refunds.request(sold.pk, Refund.Part.SALE, by=None)
    told(sold, DisputeOutcome.LOST, RefundSnapshot(one.reference, RefundOutcome.PENDING, one.money))
    assert Case.objects.get(kind="dispute").code == "dispute_odd"
    for _ in range(2):
        told(sold, DisputeOutcome.LOST, RefundSnapshot(one.reference, outcome, one.money))
    assert_charged_back(reader, offer)
    assert Case.objects.get(kind="dispute").code == "dispute_lost"


def test_row_50_an_objection_lost_while_a_refund_waited_ends_as_one_once_that_is_rejected(
    reader, offer, sold, settings
):
    settings.REFUND_APPROVAL_ABOVE = {"CNY": 1}
    one = refunds.refund(sold.pk, Refund.Part.SALE, by=make_user("mei", "finance"))
    told(sold, DisputeOutcome.LOST)
    refunds.reject(one.pk, by=make_user("bo", "finance"), reason="the bank gave it back")
    assert_charged_back(reader, offer)


def test_row_50_an_objection_lost_while_a_part_went_back_takes_what_is_left(reader, offer, sold):
    one = refunds.request(
        sold.pk, Refund.Part.SALE, by=None, lines={sold.order.lines.get().pk: 90}, closes_access=False
    )
    told(sold, DisputeOutcome.LOST, amount=900)
    assert access.level(reader, offer.page) == Level.PAID
    told(sold, DisputeOutcome.LOST, RefundSnapshot(one.reference, RefundOutcome.SUCCEEDED, one.money), amount=900)
    assert_charged_back(reader, offer)
