"""What every gateway promises, asked of every gateway of the settings. A new one brings a driver for its provider."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from paysim.providers.wechat_events import CHINA
from paysim.simulator import Simulator
from sishu.core import clock, plugins
from sishu.core.money import Money
from sishu.gateways.base import (
    BadNotice,
    Device,
    EntryKind,
    Outcome,
    PaymentGateway,
    PaymentRequest,
    RefundOutcome,
    RefundRequest,
    RefundSnapshot,
)


@dataclass(frozen=True)
class Driver:
    """The provider's side as a test moves it: pay, fail, and the notice (headers, body) about a payment.

    `bill_day` lets the provider's day end: that day, and the moment at which its bill is there (None: now).
    `lists_refunds`: whether the provider tells of refunds when it is asked about a payment.
    """

    pay: Callable[[Any, str], None]
    fail: Callable[[Any, str], None]
    notice: Callable[[Any, str], tuple[dict[str, str], bytes]]
    bill_day: Callable[[], tuple[date, datetime | None]] = lambda: (clock.now().date(), None)
    lists_refunds: bool = True


def _sandbox_notice(gateway: Any, reference: str) -> tuple[dict[str, str], bytes]:
    body = gateway.notice(1, reference)
    return gateway.signed(body), body


def _sandbox(_sim: Simulator | None) -> Driver:
    return Driver(
        pay=lambda gateway, reference: gateway.bank.pay(reference),
        fail=lambda gateway, reference: gateway.bank.fail(reference),
        notice=_sandbox_notice,
    )


def _wechat(sim: Simulator) -> Driver:
    def bill_day() -> tuple[date, datetime]:
        day = sim.clock.now().astimezone(CHINA).date()
        return day, sim.clock.advance(36 * 3600)

    return Driver(
        pay=lambda _gateway, reference: sim.bank.pay("wechat", reference),
        fail=lambda _gateway, reference: sim.bank.fail("wechat", reference),
        notice=lambda _gateway, reference: sim.providers["wechat"].events.notice(reference),
        bill_day=bill_day,
        lists_refunds=False,  # its answer says that there were some, and not which
    )


def _stripe(sim: Simulator) -> Driver:
    return Driver(
        pay=lambda _gateway, reference: sim.bank.pay("stripe", reference),
        fail=lambda _gateway, reference: sim.bank.fail("stripe", reference),
        notice=lambda _gateway, reference: sim.providers["stripe"].events.notice(reference),
    )


DRIVERS: dict[str, Callable[[Any], Driver]] = {"sandbox": _sandbox, "wechat": _wechat, "stripe": _stripe}


@pytest.fixture(params=list(DRIVERS))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def sim(name: str, request: pytest.FixtureRequest) -> Simulator | None:
    return None if name == "sandbox" else request.getfixturevalue("simulator")


@pytest.fixture
def gateway(name: str, sim: Simulator | None) -> PaymentGateway:
    return plugins.load("gateways", name)


@pytest.fixture
def driver(name: str, sim: Simulator | None) -> Driver:
    return DRIVERS[name](sim)


def make_request(**changes: Any) -> PaymentRequest:
    values = {
        "reference": secrets.token_hex(12), "due": Money(990, "CNY"), "title": "《事故报告里没有坏人》 & {x}",
        "notify_url": "http://127.0.0.1:9/", "return_url": "http://127.0.0.1:9/back",
        "expires_at": clock.now() + timedelta(minutes=30),
    }  # fmt: skip
    return PaymentRequest(**{**values, **changes})


def make_refund(gateway: PaymentGateway, request: PaymentRequest, amount: Money) -> RefundRequest:
    """A refund of a payment as the provider knows it by now."""
    known = gateway.query(request.reference)
    return RefundRequest(
        reference=secrets.token_hex(12), payment_reference=request.reference, amount=amount, reason="asked for",
        captured=request.due, provider_reference=known.provider_reference, notify_url=request.notify_url,
    )  # fmt: skip


def known_refunds(gateway: PaymentGateway, driver: Driver, *asked: RefundRequest) -> tuple[RefundSnapshot, ...]:
    """What the provider knows of these refunds of one payment: by its list, or one by one where it gives none."""
    listed = gateway.query(asked[0].payment_reference).refunds
    if driver.lists_refunds:
        return listed
    assert listed == ()
    return tuple(one for one in map(gateway.query_refund, asked) if one.outcome != RefundOutcome.UNKNOWN)


def test_it_says_who_it_is(gateway: PaymentGateway, name: str):
    assert isinstance(gateway, PaymentGateway)
    assert gateway.name == name
    assert gateway.book in {"live", "sandbox"}
    assert "CNY" in gateway.currencies
    assert all(gateway.product_for(device) for device in Device)
    assert gateway.time_to_pay is None or gateway.time_to_pay > timedelta(0)


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
    notice = gateway.parse_notice(*driver.notice(gateway, request.reference))
    assert notice.reference == request.reference
    told = notice.snapshot or gateway.query(notice.reference, notice.provider_reference)
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
    refund = make_refund(gateway, request, Money(990, "CNY"))
    assert gateway.query_refund(refund).outcome == RefundOutcome.UNKNOWN
    assert gateway.refund(refund) == gateway.refund(refund) == gateway.query_refund(refund)
    (known,) = known_refunds(gateway, driver, refund)
    assert (known.reference, known.outcome, known.refunded) == (
        refund.reference,
        RefundOutcome.SUCCEEDED,
        Money(990, "CNY"),
    )


def test_more_than_it_holds_is_not_given_back(gateway: PaymentGateway, driver: Driver):
    request = make_request()
    gateway.start(request)
    driver.pay(gateway, request.reference)
    refund = make_refund(gateway, request, Money(991, "CNY"))
    assert gateway.refund(refund).outcome == RefundOutcome.FAILED
    assert known_refunds(gateway, driver, refund) == ()


def test_parts_are_given_back_until_nothing_is_left(gateway: PaymentGateway, driver: Driver):
    request = make_request()
    gateway.start(request)
    driver.pay(gateway, request.reference)
    parts = [make_refund(gateway, request, Money(part, "CNY")) for part in (100, 889, 1)]
    for part in parts:
        assert gateway.refund(part).outcome == RefundOutcome.SUCCEEDED
    assert gateway.refund(make_refund(gateway, request, Money(1, "CNY"))).outcome == RefundOutcome.FAILED
    known = gateway.query(request.reference)
    assert (known.outcome, known.captured) == (Outcome.CAPTURED, Money(990, "CNY"))
    assert sorted(one.refunded.amount for one in known_refunds(gateway, driver, *parts)) == [1, 100, 889]


def test_its_bill_has_what_moved_that_day_and_adds_up(gateway: PaymentGateway, driver: Driver, set_clock):
    request = make_request()
    gateway.start(request)
    driver.pay(gateway, request.reference)
    refund = make_refund(gateway, request, Money(90, "CNY"))
    gateway.refund(refund)
    day, moment = driver.bill_day()
    set_clock(moment)
    bill = gateway.fetch_bill(day)
    own = [entry for entry in bill.entries if entry.reference == request.reference]
    assert [(entry.kind, entry.amount, entry.refund_reference) for entry in own] == [
        (EntryKind.PAYMENT, Money(990, "CNY"), ""),
        (EntryKind.REFUND, Money(-90, "CNY"), refund.reference),
    ]
    assert bill.raw


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
