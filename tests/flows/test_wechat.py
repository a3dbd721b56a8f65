"""The whole road with WeChat Pay: order, code, the buyer pays, notices over HTTP to a site that runs, access, money back."""

from __future__ import annotations

import pytest
import requests

from paysim.providers.wechat_events import SCHEDULE
from sishu.commerce import access, payments, refunds
from sishu.commerce.models import Entitlement, Order, Payment, Refund
from sishu.content.paywall import Level
from sishu.ledger import chart
from sishu.ledger.models import Book
from sishu.ledger.selectors import balance
from sishu.moderation.models import Case
from tests.commerce.sandbox import assert_bought_nothing, assert_paid_once
from tests.flows.told import answers, assert_same_money

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.money]

PROVIDER = "wechat"


def test_from_the_order_to_access_and_back(simulator, reader, offer, begun):
    payment, started = begun
    assert requests.post(started.instruction.text, {"ending": "pay"}).ok
    assert_bought_nothing(reader, offer)
    assert simulator.notifier.run_due() == 1
    assert answers(simulator) == [[200]]
    assert_paid_once(reader, offer)
    assert_same_money(simulator, PROVIDER)
    refund = refunds.refund(payment.pk, Refund.Part.SALE, by=None, reason="不想要了")
    assert refund.status == Refund.Status.SUCCEEDED
    assert simulator.notifier.run_due() == 1
    assert answers(simulator) == [[200], [200]]
    assert access.level(reader, offer.page) == Level.SIGNED_IN
    assert_same_money(simulator, PROVIDER)


def test_row_15_a_probe_is_refused_without_alarm_and_the_notice_comes_again(simulator, reader, offer, payment, fault):
    fault("sign_probe")
    simulator.bank.pay("wechat", payment.reference)
    simulator.notifier.run_due()
    assert_bought_nothing(reader, offer)
    simulator.clock.advance(16)
    simulator.notifier.run_due()
    assert answers(simulator) == [[400, 200]]
    assert not Case.objects.exists()
    assert_paid_once(reader, offer)


def test_row_16_keys_that_change_between_two_notices(simulator, reader, offer, payment, fault):
    """The second kind of key becomes known with the poller's question, which also finds the money."""
    fault("other_key")
    simulator.bank.pay("wechat", payment.reference)
    simulator.notifier.run_due()
    payments.refresh(payment)
    fault("other_key")
    simulator.clock.advance(16)
    simulator.notifier.run_due()
    assert answers(simulator) == [[400, 200]]
    assert_paid_once(reader, offer)


@pytest.mark.parametrize(("kind", "value"), [
    ("forged_signature", 0), ("old_timestamp", 600), ("old_timestamp", -600), ("other_merchant", 0),
])  # fmt: skip
def test_row_08_09_14_what_is_not_believed_changes_nothing(simulator, reader, offer, payment, fault, kind, value):
    fault(kind, value)
    simulator.bank.pay("wechat", payment.reference)
    simulator.notifier.run_due()
    assert answers(simulator) == [[400]]
    assert_bought_nothing(reader, offer)
    payments.refresh(payment)
    assert_paid_once(reader, offer)


@pytest.mark.parametrize(("kind", "value", "currency"), [("wrong_amount", 1, "CNY"), ("wrong_currency", "HKD", "HKD")])
def test_row_10_12_another_sum_or_currency_is_booked_and_opens_nothing(
    simulator, reader, offer, payment, fault, kind, value, currency
):
    fault(kind, value)
    simulator.bank.pay("wechat", payment.reference)
    simulator.notifier.run_due()
    assert answers(simulator) == [[200]]
    assert_bought_nothing(reader, offer)
    captured = simulator.bank.books("wechat")[currency]["captured"]
    assert balance(chart.unapplied(payment.reference), book=Book.SANDBOX, currency=currency) == captured
    assert Case.objects.count() == 1


def test_row_13_an_old_notice_replayed_after_the_refund_of_wechat(simulator, reader, offer, payment):
    simulator.bank.pay("wechat", payment.reference)
    simulator.notifier.run_due()
    first = simulator.notifier.deliveries[0]
    refunds.refund(payment.pk, Refund.Part.SALE, by=None)
    headers, body = first.compose()
    assert requests.post(first.url, body, headers=headers).status_code == 200
    assert not Entitlement.objects.filter(revoked_at=None).exists()
    assert_same_money(simulator, PROVIDER)


def test_row_22_the_refund_is_heard_of_before_the_payment(simulator, reader, payment):
    simulator.bank.pay("wechat", payment.reference)
    simulator.bank.refund("wechat", payment.reference, refund_reference="console0001", amount=990, is_external=True)
    simulator.notifier.deliveries.reverse()
    assert simulator.notifier.run_due() == 2
    assert answers(simulator) == [[200], [200]]
    assert Order.objects.get(user=reader).status == Order.Status.REFUNDED
    assert not Entitlement.objects.filter(revoked_at=None).exists()
    assert_same_money(simulator, PROVIDER)


def test_a_refunds_notice_that_cannot_be_asked_about_is_taken_the_next_time(simulator, reader, offer, payment, fault):
    simulator.bank.pay("wechat", payment.reference)
    simulator.notifier.run_due()
    simulator.bank.refund("wechat", payment.reference, refund_reference="console0001", amount=990, is_external=True)
    fault("error_before_effect")
    simulator.notifier.run_due()
    simulator.clock.advance(16)
    simulator.notifier.run_due()
    assert answers(simulator) == [[200], [503, 200]]
    assert access.level(reader, offer.page) == Level.SIGNED_IN


def test_row_44_a_refund_wechat_accepts_and_then_cannot_deliver(simulator, reader, offer, payment, fault):
    simulator.bank.pay("wechat", payment.reference)
    simulator.notifier.run_due()
    fault("refund_abnormal")
    assert refunds.refund(payment.pk, Refund.Part.SALE, by=None).status == Refund.Status.PROCESSING
    simulator.notifier.run_due()
    assert Refund.objects.get().status == Refund.Status.FAILED
    assert Case.objects.get().kind == "refund_failed"
    assert_paid_once(reader, offer)
    assert_same_money(simulator, PROVIDER)


def test_row_44_a_refund_that_wechat_closed_goes_when_it_is_asked_for_anew(simulator, reader, offer, payment, fault):
    simulator.bank.pay("wechat", payment.reference)
    simulator.notifier.run_due()
    fault("refund_closed")
    failed = refunds.refund(payment.pk, Refund.Part.SALE, by=None)
    simulator.notifier.run_due()
    failed.refresh_from_db()
    assert failed.status == Refund.Status.FAILED
    assert_paid_once(reader, offer)
    assert refunds.refund(payment.pk, Refund.Part.SALE, by=None).status == Refund.Status.SUCCEEDED
    simulator.notifier.run_due()
    assert Refund.objects.get().status == Refund.Status.SUCCEEDED
    assert access.level(reader, offer.page) == Level.SIGNED_IN
    assert_same_money(simulator, PROVIDER)


def test_row_45_a_refund_made_in_wechats_console(simulator, reader, offer, payment):
    simulator.bank.pay("wechat", payment.reference)
    simulator.notifier.run_due()
    simulator.bank.refund("wechat", payment.reference, refund_reference="console0001", amount=990, is_external=True)
    simulator.notifier.run_due()
    assert access.level(reader, offer.page) == Level.SIGNED_IN
    assert_same_money(simulator, PROVIDER)


def test_row_32_an_attempt_that_was_not_closed_stays_watched(simulator, reader, offer, payment, fault):
    fault("close_without_effect")
    payments.give_up(payment)
    assert Payment.objects.get().status == Payment.Status.PENDING
    simulator.bank.pay("wechat", payment.reference)
    simulator.notifier.run_due()
    assert_paid_once(reader, offer)


def test_row_01_a_site_that_is_away_is_told_sixteen_times_in_a_day(simulator, payment, settings):
    settings.PLUGINS = {**settings.PLUGINS, "gateways": {}}  # 404 to every notice
    simulator.bank.pay("wechat", payment.reference)
    for wait in (*SCHEDULE, 10**6):
        simulator.notifier.run_due()
        simulator.clock.advance(wait)
    assert simulator.notifier.run_due() == 0
    assert answers(simulator) == [[404] * 16]
