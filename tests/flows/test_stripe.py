"""The whole road with Stripe: order, Stripe's page, the buyer pays, events over HTTP to a site that runs, access, money back."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests

from paysim.providers.stripe_events import RETRY_AFTER
from sishu.commerce import access, payments, reconcile, refunds
from sishu.commerce.models import Dispute, Entitlement, Order, OrderLine, Payment, Refund
from sishu.content.paywall import Level
from sishu.core import clock
from sishu.moderation.models import Case
from tests.commerce.sandbox import assert_bought_nothing, assert_paid_once
from tests.flows.told import answers, assert_same_money

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.money]

PROVIDER = "stripe"


@pytest.fixture
def pay(simulator, payment):
    """The buyer pays, and Stripe tells."""

    def paid() -> None:
        simulator.bank.pay("stripe", payment.reference)
        simulator.notifier.run_due()

    return paid


def test_from_the_order_to_access_and_back(simulator, reader, offer, begun):
    payment, started = begun
    assert payment.provider_reference.startswith("cs_test_")
    assert requests.post(started.instruction.url, {"ending": "pay"}, allow_redirects=False).status_code == 303
    assert_bought_nothing(reader, offer)
    assert simulator.notifier.run_due() == 3
    assert answers(simulator) == [[200]] * 3
    assert_paid_once(reader, offer)
    assert_same_money(simulator, PROVIDER)
    refund = refunds.refund(payment.pk, Refund.Part.SALE, by=None, reason="不想要了")
    assert refund.status == Refund.Status.SUCCEEDED
    assert simulator.notifier.run_due() == 2
    assert answers(simulator) == [[200]] * 5
    assert access.level(reader, offer.page) == Level.SIGNED_IN
    assert_same_money(simulator, PROVIDER)


def test_row_22_events_backwards_and_twice_end_at_stripes_truth(
    simulator, provider, reader, offer, payment, pay, fault
):
    provider.decline(payment.reference)
    fault("duplicate_notice", times=9)
    simulator.bank.pay("stripe", payment.reference)
    simulator.bank.refund("stripe", payment.reference, refund_reference="console0001", amount=990, is_external=True)
    simulator.notifier.deliveries.reverse()
    assert simulator.notifier.run_due() == 2 + 2 * 5
    assert {said for told in answers(simulator) for said in told} == {200}
    assert Order.objects.get(user=reader).status == Order.Status.REFUNDED
    assert not Entitlement.objects.filter(revoked_at=None).exists()
    assert_same_money(simulator, PROVIDER)


@pytest.fixture
def provider(simulator):
    return simulator.providers["stripe"]


def test_an_event_without_the_sessions_id_asks_by_the_one_that_is_stored(simulator, provider, reader, offer, payment):
    simulator.bank.pay("stripe", payment.reference)
    simulator.notifier.deliveries[:] = simulator.notifier.deliveries[:1]
    provider.calls.clear()
    simulator.notifier.run_due()
    assert provider.calls == [f"GET /v1/checkout/sessions/{payment.provider_reference}"]
    assert_paid_once(reader, offer)


@pytest.mark.parametrize(("kind", "value"), [
    ("forged_signature", 0), ("old_timestamp", 600), ("old_timestamp", -600), ("other_merchant", 0),
])  # fmt: skip
def test_row_08_09_14_an_event_that_is_not_believed_changes_nothing(
    simulator, reader, offer, payment, pay, fault, kind, value
):
    fault(kind, value, times=3)
    pay()
    assert answers(simulator) == [[400]] * 3
    assert_bought_nothing(reader, offer)
    payments.refresh(payment)
    assert_paid_once(reader, offer)


def test_a_completed_session_whose_money_comes_later_opens_nothing_until_then(
    simulator, provider, reader, offer, payment, pay
):
    provider.submit(payment.reference)
    assert simulator.notifier.run_due() == 2
    assert answers(simulator) == [[200]] * 2
    assert_bought_nothing(reader, offer)
    assert Payment.objects.get().status == Payment.Status.PENDING
    pay()
    assert_paid_once(reader, offer)


def test_row_44_a_refund_stripe_accepts_and_then_cannot_deliver(simulator, reader, offer, payment, pay, fault):
    pay()
    fault("refund_pending")
    refund = refunds.refund(payment.pk, Refund.Part.SALE, by=None)
    assert refund.status == Refund.Status.PROCESSING
    simulator.bank.settle_refund("stripe", payment.reference, refund.reference, ok=False)
    simulator.notifier.run_due()
    assert Refund.objects.get().status == Refund.Status.FAILED
    assert Case.objects.get().kind == "refund_failed"
    assert_paid_once(reader, offer)
    assert_same_money(simulator, PROVIDER)


def test_row_44_a_refund_that_failed_is_tried_anew_and_old_news_of_it_changes_nothing(
    simulator, reader, offer, payment, pay, fault
):
    pay()
    fault("refund_pending", times=2)
    first = refunds.refund(payment.pk, Refund.Part.SALE, by=None)
    simulator.bank.settle_refund("stripe", payment.reference, first.reference, ok=False)
    simulator.notifier.run_due()
    again = refunds.request(payment.pk, Refund.Part.SALE, by=None)
    assert (again.pk, again.status) == (first.pk, Refund.Status.REQUESTED)
    payments.refresh(payment)
    again = refunds.submit(Refund.objects.get())
    assert again.status == Refund.Status.PROCESSING
    payments.refresh(payment)
    assert Refund.objects.get().status == Refund.Status.PROCESSING
    _failed, second = simulator.bank.find("stripe", payment.reference).refunds
    simulator.bank.settle_refund("stripe", payment.reference, second.reference)
    simulator.notifier.run_due()
    payments.refresh(payment)
    assert Refund.objects.get().status == Refund.Status.SUCCEEDED
    assert access.level(reader, offer.page) == Level.SIGNED_IN
    assert_same_money(simulator, PROVIDER)


@pytest.mark.parametrize("is_slow", [False, True])
def test_row_44_a_refund_that_had_succeeded_and_is_sent_back_has_failed_and_may_be_tried_anew(
    simulator, provider, reader, offer, payment, pay, fault, is_slow
):
    def give_back() -> Refund:
        if is_slow:
            fault("refund_pending")
        refund = refunds.refund(payment.pk, Refund.Part.SALE, by=None)
        if is_slow:
            last = simulator.bank.find("stripe", payment.reference).refunds[-1]
            simulator.bank.settle_refund("stripe", payment.reference, last.reference)
        simulator.notifier.run_due()
        refund.refresh_from_db()
        return refund

    pay()
    for failures in range(2):
        refund = give_back()
        assert (refund.status, refund.failure_count) == (Refund.Status.SUCCEEDED, failures)
        assert access.level(reader, offer.page) == Level.SIGNED_IN
        assert_same_money(simulator, PROVIDER)
        provider.send_back(payment.reference)
        simulator.notifier.run_due()
        refund.refresh_from_db()
        assert (refund.status, refund.settled_at) == (Refund.Status.FAILED, None)
        assert Case.objects.get().kind == "refund_failed"
        assert_paid_once(reader, offer)
        assert_same_money(simulator, PROVIDER)
    assert give_back().status == Refund.Status.SUCCEEDED
    assert_same_money(simulator, PROVIDER)
    assert Refund.objects.count() == 1


@pytest.mark.parametrize("is_heard", [True, False])
def test_row_44_66_a_refund_that_is_sent_back_days_later_agrees_with_the_bills_of_all_days(
    simulator, provider, payment, pay, monkeypatch, is_heard
):
    monkeypatch.setattr(clock, "now", simulator.clock.now)
    days = [clock.now().date() + timedelta(days=number) for number in range(5)]

    def sleep() -> None:
        """A night passes, and the last two days are compared."""
        simulator.clock.advance(timedelta(days=1).total_seconds())
        for day in days[:-1]:
            if clock.now().date() - timedelta(days=2) <= day < clock.now().date():
                report = reconcile.reconcile("stripe", day)
                assert report.is_clean, (day, report.differences, report.balances)

    pay()
    refunds.refund(payment.pk, Refund.Part.SALE, by=None)
    sleep()
    provider.send_back(payment.reference)
    if is_heard:
        simulator.notifier.run_due()
        assert Refund.objects.get().status == Refund.Status.FAILED
    sleep()
    assert Refund.objects.get().status == Refund.Status.FAILED
    assert refunds.refund(payment.pk, Refund.Part.SALE, by=None).status == Refund.Status.SUCCEEDED
    sleep()
    sleep()
    assert [case.kind for case in Case.objects.all()] == ["refund_failed"]


def test_row_45_a_refund_made_in_stripes_dashboard(simulator, reader, offer, payment, pay):
    pay()
    simulator.bank.refund("stripe", payment.reference, refund_reference="console0001", amount=990, is_external=True)
    simulator.notifier.run_due()
    assert access.level(reader, offer.page) == Level.SIGNED_IN
    assert Refund.objects.get().reference.startswith("re_")
    assert_same_money(simulator, PROVIDER)


def test_row_44_45_a_refund_of_the_dashboard_that_stood_apart_and_is_sent_back_is_back(
    simulator, provider, payment, pay, fault
):
    pay()
    fault("refund_pending")
    refunds.refund(payment.pk, Refund.Part.SALE, by=None, lines={OrderLine.objects.get().pk: 90}, closes_access=False)
    simulator.bank.refund("stripe", payment.reference, refund_reference="console0001", amount=10, is_external=True)
    simulator.notifier.run_due()
    assert Case.objects.get().code == "foreign_refund"
    assert_same_money(simulator, PROVIDER)
    for _ in range(2):
        provider.send_back(payment.reference)
        simulator.notifier.run_due()
        assert_same_money(simulator, PROVIDER)
    assert Refund.objects.get().status == Refund.Status.PROCESSING


def test_row_46_one_order_paid_at_stripe_and_elsewhere_keeps_what_it_bought(simulator, reader, offer, payment, pay):
    other, _started = payments.start(
        payment.order_id, "wechat", notify_url=payments.notify_url("wechat"), return_url="http://127.0.0.1:9/"
    )
    simulator.bank.pay("wechat", other.reference)
    payments.refresh(other)
    pay()
    assert Case.objects.get().kind == "unapplied"
    assert refunds.refund(payment.pk, Refund.Part.UNAPPLIED, by=None).status == Refund.Status.SUCCEEDED
    simulator.notifier.run_due()
    assert access.level(reader, offer.page) == Level.PAID
    assert_same_money(simulator, PROVIDER)


@pytest.mark.parametrize("won", [True, False])
def test_row_50_a_dispute_is_heard_of_and_how_it_ends(simulator, reader, offer, payment, pay, won):
    pay()
    simulator.bank.dispute("stripe", payment.reference, fee=0)
    simulator.notifier.run_due()
    assert Dispute.objects.get().status == Dispute.Status.OPEN
    assert_same_money(simulator, PROVIDER)
    simulator.bank.decide_dispute("stripe", payment.reference, won=won)
    simulator.notifier.run_due()
    assert {said for told in answers(simulator) for said in told} == {200}
    assert Dispute.objects.get().status == (Dispute.Status.WON if won else Dispute.Status.LOST)
    assert access.level(reader, offer.page) == (Level.PAID if won else Level.SIGNED_IN)
    assert_same_money(simulator, PROVIDER)


def test_row_01_a_site_that_is_away_is_told_for_three_days(simulator, reader, offer, payment, settings):
    plugins = settings.PLUGINS
    settings.PLUGINS = {**plugins, "gateways": {}}  # 404 to every event
    simulator.bank.pay("stripe", payment.reference)
    for wait in RETRY_AFTER:
        simulator.notifier.run_due()
        simulator.clock.advance(wait + 1)
    assert answers(simulator) == [[404] * len(RETRY_AFTER)] * 3
    settings.PLUGINS = plugins
    # Three days later by Stripe's clock, which is not ours.
    simulator.notifier.run_due()
    assert answers(simulator) == [[404] * len(RETRY_AFTER) + [400]] * 3
    payments.refresh(payment)
    assert_paid_once(reader, offer)
