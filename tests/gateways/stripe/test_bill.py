"""Stripe's balance of one day as a bill."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from sishu.core import clock
from sishu.core.money import Money
from sishu.gateways.base import BillNotReady, EntryKind
from tests.gateways.test_conformance import make_refund


def today(gateway):
    return gateway.fetch_bill(clock.now().date())


def shown(bill) -> list[tuple]:
    return [(one.kind, one.reference, one.refund_reference, one.amount.amount, one.fee.amount) for one in bill.entries]


def test_it_has_every_movement_with_its_fee_and_what_it_is_of(simulator, provider, gateway, paid):
    ours = make_refund(gateway, paid, Money(90, "CNY"))
    gateway.refund(ours)
    foreign, _new = simulator.bank.refund(
        "stripe", paid.reference, refund_reference="console1", amount=10, is_external=True
    )
    simulator.bank.dispute("stripe", paid.reference, amount=800, fee=1500)
    provider.balance.add("payout", -500, "CNY", source="po_1")
    provider.balance.add("stripe_fee", -20, "CNY")
    assert shown(today(gateway)) == [
        (EntryKind.PAYMENT, paid.reference, "", 990, 58),
        (EntryKind.REFUND, paid.reference, ours.reference, -90, 0),
        (EntryKind.REFUND, paid.reference, f"re_{foreign.provider_reference}", -10, 0),
        (EntryKind.DISPUTE, paid.reference, "", -800, 1500),
        (EntryKind.PAYOUT, "", "", -500, 0),
        (EntryKind.OTHER, "", "", -20, 0),
    ]


def test_a_refund_that_failed_and_a_dispute_that_was_won_come_back(simulator, gateway, paid, fault):
    fault("refund_pending")
    refund = make_refund(gateway, paid, Money(90, "CNY"))
    gateway.refund(refund)
    simulator.bank.settle_refund("stripe", paid.reference, refund.reference, ok=False)
    simulator.bank.dispute("stripe", paid.reference, fee=1500)
    simulator.bank.decide_dispute("stripe", paid.reference, won=True)
    bill = today(gateway)
    assert sum(one.amount.amount for one in bill.entries) == 990
    assert [line.count(refund.reference) for line in bill.raw.decode().splitlines()] == [0, 1, 1, 0, 0]
    assert not [one for one in bill.entries if one.kind in (EntryKind.REFUND, EntryKind.OTHER)]
    assert [one.amount.amount for one in bill.entries if one.kind == EntryKind.DISPUTE] == [-990, 990]


def test_a_refund_that_is_sent_back_on_another_day_comes_back_as_a_refund_on_that_day(
    simulator, provider, gateway, paid, monkeypatch
):
    monkeypatch.setattr(clock, "now", simulator.clock.now)
    refund = make_refund(gateway, paid, Money(90, "CNY"))
    gateway.refund(refund)
    first = clock.now().date()
    simulator.clock.advance(timedelta(days=1).total_seconds())
    provider.send_back(paid.reference)
    told = [shown(gateway.fetch_bill(first + timedelta(days=number)))[-1] for number in range(2)]
    assert told == [(EntryKind.REFUND, paid.reference, refund.reference, amount, 0) for amount in (-90, 90)]


def test_its_text_is_a_line_of_json_each_and_leaves_the_buyer_out(gateway, paid):
    bill = today(gateway)
    (line,) = bill.raw.decode().splitlines()
    assert json.loads(line)["source"]["metadata"] == {"reference": paid.reference}
    assert "buyer@" not in line


def test_it_is_of_one_day_by_utc_on_however_many_pages(provider, gateway, paid, monkeypatch):
    monkeypatch.setattr("sishu.gateways.stripe.PAGE", 2)
    for _ in range(4):
        provider.balance.add("stripe_fee", -1, "CNY")
    old = provider.balance.add("stripe_fee", -1, "CNY")
    old["created"] -= 24 * 3600
    assert len(today(gateway).entries) == 5
    assert len(gateway.fetch_bill(clock.now().date() - timedelta(days=1)).entries) == 1
    with pytest.raises(BillNotReady):
        gateway.fetch_bill(clock.now().date() + timedelta(days=1))


@pytest.mark.parametrize(
    ("kind", "value", "entries"),
    [
        ("bill_misses_row", 0, []),
        ("bill_other_fee", 77, [(990, 77)]),
        ("bill_other_amount", 980, [(980, 58)]),
        ("bill_has_more", 0, [(990, 58), (990, 0)]),
    ],
)
def test_a_bill_can_be_wrong_and_stays_so(gateway, paid, fault, kind, value, entries):
    fault(kind, value)
    for _ in range(2):
        assert [(one.amount.amount, one.fee.amount) for one in today(gateway).entries] == entries
