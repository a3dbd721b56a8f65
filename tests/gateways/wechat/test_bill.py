"""WeChat Pay's bill: five decimals, backticks, titles with commas, totals and a hash, and what is refused."""

from __future__ import annotations

import gzip
from datetime import UTC, timedelta

import pytest

from paysim.china import CHINA
from sishu.core import clock
from sishu.core.money import Money
from sishu.gateways.base import BillNotReady, EntryKind, GatewayError
from sishu.gateways.wechat_bill import entries_of
from tests.gateways.test_conformance import make_refund, make_request

TITLE = '课程，“第一讲”, "part ,1" `x`\u2028{&}'


@pytest.fixture
def sold(simulator, gateway):
    """A payment, and a part of it given back."""
    request = make_request(title=TITLE)
    gateway.start(request)
    simulator.bank.pay("wechat", request.reference)
    refund = make_refund(gateway, request, Money(490, "CNY"))
    gateway.refund(refund)
    return request, refund


def test_payments_refunds_and_fees_are_read_to_the_fen(simulator, gateway, sold, next_day):
    request, refund = sold
    bill = gateway.fetch_bill(next_day())
    paid, returned = bill.entries
    assert (paid.kind, paid.amount, paid.fee) == (EntryKind.PAYMENT, Money(990, "CNY"), Money(6, "CNY"))
    assert (returned.kind, returned.amount, returned.fee) == (
        EntryKind.REFUND, Money(-490, "CNY"), Money(-3, "CNY"),
    )  # fmt: skip
    assert (paid.reference, paid.refund_reference) == (request.reference, "")
    assert (returned.reference, returned.refund_reference) == (request.reference, refund.reference)
    charge = simulator.bank.find("wechat", request.reference)
    assert paid.at == charge.paid_at.replace(microsecond=0)
    assert paid.at.tzinfo == UTC
    assert paid.provider_reference == gateway.query(request.reference).provider_reference
    assert TITLE in bill.raw.decode("utf-8-sig")


def test_a_day_without_movements_has_an_empty_bill(gateway, next_day):
    assert gateway.fetch_bill(next_day()).entries == ()


def test_a_bill_is_not_there_before_ten_in_the_morning_of_the_next_day(simulator, gateway, sold, set_clock):
    day = clock.now().astimezone(CHINA).date()
    with pytest.raises(BillNotReady):
        gateway.fetch_bill(day)
    now = simulator.clock.now().astimezone(CHINA)
    one_in_the_morning = (now + timedelta(days=1)).replace(hour=1)
    set_clock(simulator.clock.advance((one_in_the_morning - now).total_seconds()))
    with pytest.raises(BillNotReady):
        gateway.fetch_bill(day)


@pytest.mark.parametrize(
    ("kind", "value", "amounts", "fees"),
    [
        ("bill_misses_row", 0, [-490], [-3]),
        ("bill_has_more", 100, [990, -490, 100], [6, -3, 1]),
        ("bill_other_fee", 7, [990, -490], [7, -3]),
        ("bill_other_amount", 1, [1, -490], [6, -3]),
    ],
)
def test_a_bill_that_differs_is_read_as_it_is(gateway, sold, next_day, fault, kind, value, amounts, fees):
    fault(kind, value)
    entries = gateway.fetch_bill(next_day()).entries
    assert [entry.amount.amount for entry in entries] == amounts
    assert [entry.fee.amount for entry in entries] == fees


def test_a_file_with_another_hash_is_refused(simulator, gateway, sold, next_day, monkeypatch):
    bills, day = simulator.providers["wechat"].bills, next_day()
    for damage, says in ((lambda packed: gzip.compress(b"x"), "hash"), (lambda packed: packed[:-9], "cut off")):
        tampered = Tampered(damage)
        monkeypatch.setattr(bills, "_files", tampered)
        with pytest.raises(GatewayError, match=says):
            gateway.fetch_bill(day)


class Tampered(dict):
    """The provider's store, in which files change when they are put in."""

    def __init__(self, damage):
        super().__init__()
        self.damage = damage

    def __setitem__(self, token, kept):
        super().__setitem__(token, (kept[0], self.damage(kept[1])))


@pytest.fixture
def raw(gateway, sold, next_day) -> str:
    """The text of a bill of two rows."""
    return gateway.fetch_bill(next_day()).raw.decode("utf-8-sig")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("`0.06000", "`0.05940", "does not add up"),  # a sum that is not the column's
        ("`9.90,`4.90", "`9.91,`4.90", "does not add up"),
        ("\r\n`2,`", "\r\n`3,`", "number of rows"),
        ("手续费,费率", "费,费率", "columns"),
        ("`1900000109,`", "`1900000108,`", "another merchant"),
        ("`0.60%", "`0.60%,`", "line 2"),
        ("`9.90", "`9.9O", "not an amount"),
        ("`SUCCESS", "`STRANGE", "state"),
    ],
)
def test_a_bill_that_contradicts_itself_is_refused(raw, old, new, says):
    assert old in raw
    with pytest.raises(ValueError, match=says):
        entries_of(raw.replace(old, new, 1).encode(), mch_id="1900000109")


def test_a_fee_with_a_fraction_of_a_fen_is_refused(raw):
    changed = raw.replace("`0.06000", "`0.05940").replace("`-0.03000", "`-0.02940")  # whose sum is the same
    assert changed.count("940,") == 2
    with pytest.raises(ValueError, match="more than 2 decimals"):
        entries_of(changed.encode(), mch_id="1900000109")


@pytest.mark.parametrize("text", [b"", b"\xff", b"a\nb\nc", b"\n\n\n\n"])
def test_what_is_no_bill_is_refused(text):
    with pytest.raises(ValueError, match=r"\."):
        entries_of(text, mch_id="1900000109")
