"""What every gateway promises, asked of every gateway of the settings. A new one brings a driver for its provider."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings

from sishu.core import clock, plugins
from sishu.core.money import Money
from sishu.gateways.base import BadNotice, Outcome, PaymentGateway, PaymentRequest, RefundOutcome, RefundRequest


@dataclass(frozen=True)
class Driver:
    """The provider's side as a test moves it: pay, fail, and the notice (headers, body) about a payment."""

    pay: Callable[[Any, str], None]
    fail: Callable[[Any, str], None]
    notice: Callable[[Any, str], tuple[dict[str, str], bytes]]


def _sandbox_notice(gateway: Any, reference: str) -> tuple[dict[str, str], bytes]:
    body = gateway.notice(1, reference)
    return gateway.signed(body), body


DRIVERS = {
    "sandbox": Driver(
        pay=lambda gateway, reference: gateway.bank.pay(reference),
        fail=lambda gateway, reference: gateway.bank.fail(reference),
        notice=_sandbox_notice,
    )
}


@pytest.fixture(params=list(settings.PLUGINS["gateways"]))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def gateway(name: str) -> PaymentGateway:
    return plugins.load("gateways", name)


@pytest.fixture
def driver(name: str) -> Driver:
    return DRIVERS[name]


def make_request(**changes: Any) -> PaymentRequest:
    values = {
        "reference": secrets.token_hex(12), "due": Money(990, "CNY"), "title": "《事故报告里没有坏人》 & {x}",
        "notify_url": "http://127.0.0.1:9/", "return_url": "http://127.0.0.1:9/back",
        "expires_at": clock.now() + timedelta(minutes=30),
    }  # fmt: skip
    return PaymentRequest(**{**values, **changes})


def test_it_says_who_it_is(gateway: PaymentGateway, name: str):
    assert isinstance(gateway, PaymentGateway)
    assert gateway.name == name
    assert gateway.book in {"live", "sandbox"}
    assert "CNY" in gateway.currencies


def test_starting_twice_is_one_payment(gateway: PaymentGateway):
    request = make_request()
    assert gateway.start(request) == gateway.start(request)
    assert gateway.query(request.reference).outcome == Outcome.PENDING


def test_what_it_never_heard_of_is_unknown(gateway: PaymentGateway):
    assert gateway.query("neverheardof0001").outcome == Outcome.UNKNOWN


def test_paid_is_captured_with_amount_and_moment_however_one_asks(gateway: PaymentGateway, driver: Driver):
    request = make_request()
    gateway.start(request)
    driver.pay(gateway, request.reference)
    asked = gateway.query(request.reference)
    told = gateway.parse_notice(*driver.notice(gateway, request.reference)).snapshot
    assert asked == told
    assert (told.outcome, told.captured, told.refunds) == (Outcome.CAPTURED, Money(990, "CNY"), ())
    assert told.captured_at is not None
    assert told.captured_at.tzinfo is not None


def test_failed_is_failed_and_took_nothing(gateway: PaymentGateway, driver: Driver):
    request = make_request()
    gateway.start(request)
    driver.fail(gateway, request.reference)
    snapshot = gateway.query(request.reference)
    assert (snapshot.outcome, snapshot.captured) == (Outcome.FAILED, None)


def test_closing_an_unpaid_payment_closes_it_and_a_paid_one_stays_paid(gateway: PaymentGateway, driver: Driver):
    unpaid, paid = make_request(), make_request()
    for request in (unpaid, paid):
        gateway.start(request)
    driver.pay(gateway, paid.reference)
    assert gateway.close(unpaid.reference).outcome == Outcome.CLOSED
    assert gateway.close(paid.reference).outcome == Outcome.CAPTURED


def test_a_refund_asked_twice_gives_back_once(gateway: PaymentGateway, driver: Driver):
    request = make_request()
    gateway.start(request)
    driver.pay(gateway, request.reference)
    refund = RefundRequest(secrets.token_hex(12), request.reference, Money(990, "CNY"), "asked for")
    assert gateway.refund(refund) == gateway.refund(refund)
    (known,) = gateway.query(request.reference).refunds
    assert (known.reference, known.outcome, known.refunded) == (
        refund.reference,
        RefundOutcome.SUCCEEDED,
        Money(990, "CNY"),
    )


def test_more_than_it_holds_is_not_given_back(gateway: PaymentGateway, driver: Driver):
    request = make_request()
    gateway.start(request)
    driver.pay(gateway, request.reference)
    refund = RefundRequest(secrets.token_hex(12), request.reference, Money(991, "CNY"), "too much")
    assert gateway.refund(refund).outcome == RefundOutcome.FAILED
    assert gateway.query(request.reference).refunds == ()


@pytest.mark.parametrize("damage", ["no headers", "changed body", "cut body", "empty body"])
def test_a_notice_that_is_not_the_providers_is_refused(gateway: PaymentGateway, driver: Driver, damage: str):
    request = make_request()
    gateway.start(request)
    driver.pay(gateway, request.reference)
    headers, body = driver.notice(gateway, request.reference)
    if damage == "no headers":
        headers = {}
    body = {"changed body": body + b" ", "cut body": body[:-1], "empty body": b""}.get(damage, body)
    with pytest.raises(BadNotice):
        gateway.parse_notice(headers, body)
