"""Objections that a buyer makes at their bank."""

from __future__ import annotations

import pytest

from sishu.commerce import access, payments, refunds
from sishu.commerce.models import Dispute, Order, Payment, Refund
from sishu.content.paywall import Level
from sishu.core.money import Money
from sishu.gateways.base import DisputeOutcome, DisputeSnapshot, Outcome, Snapshot
from sishu.ledger import chart
from sishu.moderation.models import Case
from tests.commerce.sandbox import in_sandbox
from tests.factories.commerce import pay

pytestmark = [pytest.mark.django_db, pytest.mark.money]

DISPUTED = chart.disputed("sandbox")


@pytest.fixture
def sold(payment) -> Payment:
    return pay(payment)


def told(payment: Payment, outcome: DisputeOutcome, amount: int = 990) -> None:
    dispute = DisputeSnapshot("dp_1", outcome, Money(amount, "CNY"), Money(15, "CNY"))
    payments.apply(Snapshot(payment.reference, Outcome.CAPTURED, Money(990, "CNY"), disputes=(dispute,)))


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
    assert (in_sandbox(DISPUTED), in_sandbox("asset:psp:sandbox")) == (0, -15)
    assert in_sandbox(chart.creator_pending(offer.shares.get().payee_id)) == 0
    assert Order.objects.get().status == Order.Status.REFUNDED
    assert access.level(reader, offer.page) == Level.SIGNED_IN
    assert (Refund.objects.get().reference, Refund.objects.get().status) == ("dp_1", Refund.Status.SUCCEEDED)


def test_row_50_an_objection_to_what_was_given_back_stays_a_persons_to_judge(sold):
    refunds.refund(sold.pk, Refund.Part.SALE, by=None)
    told(sold, DisputeOutcome.LOST)
    assert in_sandbox(DISPUTED) == 990
    assert Case.objects.get().code == "dispute_odd"
