"""Earnings become payable once buyers can take nothing back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sishu.commerce import maturity, payments, refunds
from sishu.commerce.models import OrderLine, Refund
from sishu.core import clock
from sishu.gateways.base import Outcome, RefundOutcome, RefundSnapshot, Snapshot
from sishu.gateways.sandbox import SandboxGateway
from sishu.ledger import chart
from tests.commerce.sandbox import in_sandbox
from tests.factories.commerce import pay

pytestmark = [pytest.mark.django_db, pytest.mark.money]


@pytest.fixture
def creator(offer) -> int:
    return offer.shares.get().payee_id


def held(creator: int) -> tuple[int, int]:
    return in_sandbox(chart.creator_pending(creator)), in_sandbox(chart.creator_available(creator))


def test_it_takes_as_long_as_the_checkout_promised_and_happens_once(creator, payment, set_clock):
    pay(payment)
    start = clock.now()
    set_clock(start + timedelta(days=6, hours=23))
    assert maturity.mature_due() == 0
    set_clock(start + timedelta(days=7, minutes=1))
    assert (maturity.mature_due(), maturity.mature_due()) == (1, 0)
    assert held(creator) == (0, 891)


def test_only_what_is_left_becomes_payable(creator, payment, set_clock):
    pay(payment)
    refunds.refund(payment.pk, Refund.Part.SALE, by=None, lines={OrderLine.objects.get().pk: 100}, closes_access=False)
    set_clock(clock.now() + timedelta(days=8))
    maturity.mature_due()
    assert held(creator) == (0, 801)


def test_a_refund_afterwards_comes_out_of_what_was_payable(creator, payment, set_clock):
    pay(payment)
    set_clock(clock.now() + timedelta(days=8))
    maturity.mature_due()
    refunds.refund(payment.pk, Refund.Part.SALE, by=None)
    assert held(creator) == (0, 0)


def test_a_refund_within_the_days_that_is_sent_back_after_them_is_payable_with_the_rest(creator, payment, set_clock):
    pay(payment)
    one = refunds.refund(
        payment.pk, Refund.Part.SALE, by=None, lines={OrderLine.objects.get().pk: 100}, closes_access=False
    )
    set_clock(clock.now() + timedelta(days=8))
    maturity.mature_due()
    assert held(creator) == (0, 801)
    for _ in range(2):
        back = RefundSnapshot(one.reference, RefundOutcome.RETURNED, one.money)
        payments.apply(Snapshot(payment.reference, Outcome.CAPTURED, payment.due, refunds=(back,)))
        assert held(creator) == (0, 891)
        again = refunds.refund(payment.pk, Refund.Part.SALE, by=None, lines={OrderLine.objects.get().pk: 100})
        assert (again.pk, held(creator)) == (one.pk, (0, 801))


class SlowGateway(SandboxGateway):
    """A provider that takes refunds on and makes them later."""

    def refund(self, request):
        return RefundSnapshot(request.reference, RefundOutcome.PENDING, request.amount)


def test_while_a_refund_is_under_way_nothing_becomes_payable(settings, creator, payment, set_clock):
    pay(payment)
    settings.PLUGINS = {**settings.PLUGINS, "gateways": {"sandbox": (f"{__name__}.SlowGateway", {})}}
    line = OrderLine.objects.get().pk
    refunds.refund(payment.pk, Refund.Part.SALE, by=None, lines={line: 100}, closes_access=False)
    set_clock(clock.now() + timedelta(days=8))
    assert maturity.mature_due() == 0
