"""What is Stripe's own: sessions that are found again, money that comes later, refunds that are asked twice, disputes."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured

from sishu.core import clock
from sishu.core.money import Money
from sishu.gateways.base import (
    DisputeOutcome,
    DisputeSnapshot,
    GatewayError,
    Outcome,
    RefundOutcome,
    RefundSnapshot,
)
from sishu.gateways.stripe import PRODUCTION, StripeGateway
from tests.gateways.test_conformance import make_refund, make_request

WHSEC = ["whsec_1"]


def sessions(simulator) -> int:
    return len(simulator.bank.charges("stripe"))


@pytest.mark.parametrize(
    ("minutes", "lives"), [(1, 31), (30, 31), (45, 45), (30 * 60, 24 * 60 - 1)], ids=["short", "half", "fits", "long"]
)
def test_a_session_lives_as_long_as_the_order_within_stripes_bounds(simulator, gateway, set_clock, minutes, lives):
    now = clock.now()
    set_clock(now)
    request = make_request(expires_at=now + timedelta(minutes=minutes))
    gateway.start(request)
    charge = simulator.bank.find("stripe", request.reference)
    assert int(charge.expires_at.timestamp()) == int((now + timedelta(minutes=lives)).timestamp())


def test_pressed_again_minutes_later_it_is_the_same_session(simulator, gateway, set_clock):
    request = make_request()
    first = gateway.start(request)
    set_clock(clock.now() + timedelta(minutes=3))
    assert gateway.start(request) == first
    assert sessions(simulator) == 1
    simulator.bank.pay("stripe", request.reference)
    again = gateway.start(request)
    assert (again.instruction.url, again.provider_reference) == (request.return_url, first.provider_reference)


@pytest.mark.parametrize("kind", ["error_before_effect", "timeout"])
def test_row_23_a_beginning_without_an_answer_is_one_session(simulator, make, fault, kind):
    gateway, request = make(timeout=0.3), make_request()
    fault(kind)
    started = gateway.start(request)  # the SDK asks again under the same key
    assert (sessions(simulator), gateway.start(request)) == (1, started)


def test_row_23_an_error_that_stripe_repeats_for_a_day_is_looked_behind(simulator, gateway, fault):
    request = make_request()
    fault("error_after_effect")
    started = gateway.start(request)
    assert started.provider_reference == simulator.bank.find("stripe", request.reference).provider_reference
    assert (sessions(simulator), gateway.start(request)) == (1, started)


def test_a_session_is_found_without_its_id_on_any_page(simulator, provider, gateway, monkeypatch):
    monkeypatch.setattr("sishu.gateways.stripe.PAGE", 2)
    request = make_request()
    gateway.start(request)
    for _ in range(5):
        gateway.start(make_request())
    provider.calls.clear()
    assert gateway.query(request.reference).outcome == Outcome.PENDING
    assert provider.calls.count("GET /v1/checkout/sessions") == 3


def test_another_payments_session_is_not_believed(gateway, paid):
    other = make_request()
    gateway.start(other)
    with pytest.raises(GatewayError, match="is not of payment"):
        gateway.query(other.reference, gateway.query(paid.reference).provider_reference)


def test_a_declined_card_is_pending_for_another_card_may_pay(simulator, provider, gateway):
    request = make_request()
    gateway.start(request)
    provider.decline(request.reference)
    assert gateway.query(request.reference).outcome == Outcome.PENDING
    simulator.bank.pay("stripe", request.reference)
    assert gateway.query(request.reference).captured == Money(990, "CNY")


@pytest.mark.parametrize(("ending", "outcome"), [("pay", Outcome.CAPTURED), ("fail", Outcome.FAILED)])
def test_completed_is_not_paid_until_the_money_is_there(simulator, provider, gateway, ending, outcome):
    request = make_request()
    gateway.start(request)
    provider.submit(request.reference)
    assert gateway.query(request.reference).outcome == Outcome.PENDING
    assert gateway.close(request.reference).outcome == Outcome.PENDING  # too late to close, and too early to say
    getattr(simulator.bank, ending)("stripe", request.reference)
    assert gateway.query(request.reference).outcome == outcome


@pytest.mark.parametrize(
    ("kind", "outcome"), [("pay_while_closing", Outcome.CAPTURED), ("close_without_effect", Outcome.PENDING)]
)
def test_closing_ends_with_the_truth(gateway, fault, kind, outcome):
    request = make_request()
    gateway.start(request)
    fault(kind)
    assert gateway.close(request.reference).outcome == outcome


def test_what_came_is_said_in_its_own_sum_and_currency(simulator, gateway, fault):
    request = make_request(due=Money(500, "JPY"))
    gateway.start(request)
    fault("wrong_amount", 499)
    fault("wrong_currency", "KRW")
    simulator.bank.pay("stripe", request.reference)
    assert gateway.query(request.reference).captured == Money(499, "KRW")


@pytest.mark.parametrize("kind", ["error_after_effect", "timeout"])
def test_row_43_a_refund_whose_answer_is_lost_is_found_by_its_reference(simulator, make, paid, fault, kind):
    gateway = make(timeout=0.3)
    refund = make_refund(gateway, paid, Money(400, "CNY"))
    fault(kind)
    if kind == "timeout":
        assert gateway.refund(refund).outcome == RefundOutcome.SUCCEEDED  # asked again under the same key
    else:
        with pytest.raises(GatewayError):
            gateway.refund(refund)
    assert gateway.query_refund(refund).outcome == RefundOutcome.SUCCEEDED
    simulator.clock.advance(25 * 3600)  # Stripe has forgotten the key
    assert gateway.refund(refund).outcome == RefundOutcome.SUCCEEDED
    assert [one.amount for one in simulator.bank.find("stripe", paid.reference).refunds] == [400]


def test_row_44_a_refund_on_its_way_that_fails_is_failed_however_often_one_asks(simulator, gateway, paid, fault):
    refund = make_refund(gateway, paid, Money(990, "CNY"))
    fault("refund_pending")
    assert gateway.refund(refund).outcome == RefundOutcome.PENDING
    simulator.bank.settle_refund("stripe", paid.reference, refund.reference, ok=False)
    failed = RefundSnapshot(refund.reference, RefundOutcome.RETURNED, Money(990, "CNY"), attempt=0)
    assert (gateway.refund(refund), gateway.query_refund(refund)) == (failed, failed)
    assert gateway.query(paid.reference).refunds == (failed,)


@pytest.mark.parametrize("kind", ["refund_pending", "refund_refused"])
def test_row_44_a_refund_that_failed_is_tried_anew_as_another_of_stripes(simulator, gateway, paid, fault, kind):
    first = make_refund(gateway, paid, Money(990, "CNY"))
    fault(kind)
    gateway.refund(first)
    if kind == "refund_pending":
        simulator.bank.settle_refund("stripe", paid.reference, first.reference, ok=False)
    outcome = RefundOutcome.RETURNED if kind == "refund_pending" else RefundOutcome.FAILED
    assert gateway.refund(first).outcome == outcome
    anew = replace(first, attempt=1)
    assert gateway.query_refund(anew).outcome == RefundOutcome.UNKNOWN
    given = RefundSnapshot(first.reference, RefundOutcome.SUCCEEDED, Money(990, "CNY"), attempt=1)
    assert [gateway.refund(anew), gateway.refund(anew), gateway.query_refund(anew)] == [given] * 3
    assert gateway.query(paid.reference).refunds == (given,)
    assert simulator.bank.books("stripe")["CNY"]["refunded"] == 990


def test_row_49_too_little_in_the_balance_leaves_a_refund_on_its_way(simulator, gateway, paid, fault):
    refund = make_refund(gateway, paid, Money(990, "CNY"))
    fault("balance_too_low")
    assert gateway.refund(refund).outcome == RefundOutcome.PENDING
    simulator.bank.settle_refund("stripe", paid.reference, refund.reference)
    assert gateway.query_refund(refund).outcome == RefundOutcome.SUCCEEDED


def test_row_45_refunds_of_the_dashboard_go_by_stripes_own_numbers(simulator, gateway, paid):
    for part in range(12):  # more than come with a charge
        simulator.bank.refund("stripe", paid.reference, refund_reference=f"x{part}", amount=10, is_external=True)
    ours = make_refund(gateway, paid, Money(90, "CNY"))
    gateway.refund(ours)
    known = gateway.query(paid.reference).refunds
    assert [one.reference[:3] for one in known].count("re_") == 12
    assert sum(one.refunded.amount for one in known) == 210
    assert ours.reference in {one.reference for one in known}


@pytest.mark.parametrize(("won", "outcome"), [(None, DisputeOutcome.OPEN), (True, DisputeOutcome.WON), (False, DisputeOutcome.LOST)])  # fmt: skip
def test_row_50_a_dispute_is_told_with_its_fee(simulator, gateway, paid, won, outcome):
    made = simulator.bank.dispute("stripe", paid.reference, fee=1500)
    if won is not None:
        simulator.bank.decide_dispute("stripe", paid.reference, won=won)
    key = f"du_{made.provider_reference}"
    known = gateway.query(paid.reference)
    assert known.disputes == (DisputeSnapshot(key, outcome, Money(990, "CNY"), Money(1500, "CNY")),)
    assert known.captured == Money(990, "CNY")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"secret_key": ""}, "STRIPE_SECRET_KEY"),
        ({"secret_key": "pk_live_1"}, "STRIPE_SECRET_KEY"),
        ({"webhook_secrets": []}, "STRIPE_WEBHOOK_SECRETS"),
        ({"webhook_secrets": [" "]}, "STRIPE_WEBHOOK_SECRETS"),
        ({"webhook_secrets": ["whsec_1", "we_1"]}, "STRIPE_WEBHOOK_SECRETS"),
    ],
)
def test_a_key_that_misses_is_named(options, said):
    with pytest.raises(ImproperlyConfigured, match=said):
        StripeGateway(**{"secret_key": "sk_live_1", "webhook_secrets": WHSEC} | options)


def test_row_69_the_key_says_whose_money_it_is_and_a_live_one_is_shown_to_stripe_alone(settings):
    settings.DEBUG = settings.ALLOW_SANDBOX = False
    assert StripeGateway("sk_live_1", WHSEC).book == StripeGateway("rk_live_1", WHSEC, PRODUCTION + "/").book == "live"
    with pytest.raises(ImproperlyConfigured, match="is a test key"):
        StripeGateway("sk_test_1", WHSEC)
    with pytest.raises(ImproperlyConfigured, match="play money"):
        StripeGateway("sk_test_1", WHSEC, "http://127.0.0.1:8020/stripe")
    settings.ALLOW_SANDBOX = True
    assert StripeGateway("sk_test_1", WHSEC).book == "sandbox"
    assert StripeGateway("sk_test_1", WHSEC, "http://127.0.0.1:8020/stripe").book == "sandbox"
    with pytest.raises(ImproperlyConfigured, match="moves real money"):
        StripeGateway("sk_live_1", WHSEC, "http://127.0.0.1:8020/stripe")


def test_row_71_no_key_and_no_buyer_in_the_log_or_in_an_error(provider, gateway, make, paid, caplog):
    caplog.set_level(logging.INFO)
    gateway.query(paid.reference)
    headers, body = provider.events.notice(paid.reference)
    gateway.parse_notice(headers, body)
    with pytest.raises(GatewayError) as refused:
        make(secret_key="sk_test_not_this_one").query(paid.reference)
    with pytest.raises(GatewayError) as lost:
        make(url="http://127.0.0.1:9").start(make_request())
    written = "\n".join([*(record.getMessage() for record in caplog.records), repr(refused.value), repr(lost.value)])
    for secret in (provider.key, "not_this_one", *provider.events.secrets, headers["Stripe-Signature"], "buyer@"):
        assert secret not in written
