"""Alipay's bill: a packed GBK file with remarks, tabs and titles full of commas; its sums, and what is refused."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import UTC, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.request import OpenerDirector

import pytest

from paysim.china import CHINA
from sishu.core import clock
from sishu.core.money import Money
from sishu.gateways.alipay_bill import entries_of, unpacked
from sishu.gateways.base import BillNotReady, EntryKind, GatewayError
from tests.gateways.test_conformance import make_refund

TITLE = '课程，“第一讲”, "part ,1" `x`\u2028{&}'
SELLER = "2088000000000001"


@pytest.fixture
def sold(simulator, gateway, paid):
    """A payment, and a part of it given back."""
    simulator.bank.find("alipay", paid.reference).title = TITLE
    refund = make_refund(gateway, paid, Money(490, "CNY"))
    gateway.refund(refund)
    return paid, refund


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
    charge = simulator.bank.find("alipay", request.reference)
    assert paid.at == charge.paid_at.replace(microsecond=0)
    assert paid.at.tzinfo == UTC
    assert paid.provider_reference == gateway.query(request.reference).provider_reference
    assert TITLE in unpacked(bill.raw)


def test_a_day_without_movements_has_an_empty_bill(gateway, next_day):
    assert gateway.fetch_bill(next_day()).entries == ()


def test_a_bill_is_not_there_before_the_next_morning_and_a_missing_one_is_believed_in_the_afternoon(
    simulator, alipay, gateway, sold, set_clock, monkeypatch
):
    day = clock.now().astimezone(CHINA).date()
    with pytest.raises(BillNotReady):
        gateway.fetch_bill(day)
    now = simulator.clock.now().astimezone(CHINA)
    early = (now + timedelta(days=1)).replace(hour=1)
    set_clock(simulator.clock.advance((early - now).total_seconds()))
    with pytest.raises(BillNotReady):
        gateway.fetch_bill(day)
    set_clock(early.replace(hour=15))  # by our clock, while Alipay still has none
    assert gateway.fetch_bill(day).entries == ()


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
    entries = sorted(gateway.fetch_bill(next_day()).entries, key=lambda one: one.reference != sold[0].reference)
    assert [entry.amount.amount for entry in entries] == amounts
    assert [entry.fee.amount for entry in entries] == fees


@pytest.mark.parametrize("damage", [
    lambda data: b"<p>expired</p>", lambda data: b"", lambda data: data[:-30], lambda data: data[:80] + b"x" + data[81:],
])  # fmt: skip
def test_a_file_that_is_damaged_is_refused(alipay, gateway, sold, next_day, damage):
    day, packed = next_day(), alipay.bills.packed
    alipay.bills.packed = lambda asked: damage(packed(asked))
    with pytest.raises(GatewayError, match="cannot be read"):
        gateway.fetch_bill(day)


@pytest.fixture
def text(gateway, sold, next_day) -> str:
    """The text of a bill of two rows."""
    return unpacked(gateway.fetch_bill(next_day()).raw)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("#交易合计：1笔", "#交易合计：2笔", "not those that it counts"),
        ("退款共-4.90元", "退款共-4.91元", "not those that it counts"),
        (",9.90,9.90,", ",9.90,9.91,", "not those that it counts"),
        ("服务费（元）", "服务费", "columns"),
        (SELLER, "2088000000000002", "another merchant"),
        (",9.90,9.90,", ",9.9O,9.90,", "line 6"),
        (",交易,", ",转账,", "line 6"),
        (",退款,", ",", "line 7"),
    ],
)
def test_a_bill_that_contradicts_itself_is_refused(text, old, new, says):
    assert old in text
    with pytest.raises(ValueError, match=says):
        entries_of(text.replace(old, new, 1), seller_id=SELLER)


def test_remarks_that_are_missing_are_not_compared(text):
    rows = "\n".join(line for line in text.split("\n") if not line.startswith("#"))
    assert entries_of(rows, seller_id=SELLER) == entries_of(text, seller_id=SELLER)


def test_what_the_merchants_own_vouchers_paid_was_not_received(text):
    changed = text.replace(",9.90,9.90,", ",9.90,9.00,", 1).replace("商家实收共9.90元", "商家实收共9.00元")
    paid = entries_of(changed, seller_id=SELLER)[0]
    assert (paid.amount, paid.fee) == (Money(990, "CNY"), Money(96, "CNY"))


@pytest.mark.parametrize("names", [[], ["x.csv"], ["a业务明细.csv", "b业务明细.csv"]])
def test_a_parcel_without_one_file_of_details_is_refused(names):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as pack:
        for name in names:
            pack.writestr(name, "x")
    with pytest.raises(ValueError, match="one file of details"):
        unpacked(stream.getvalue())


LIVE = "https://openapi.alipay.com/gateway.do"


@pytest.mark.parametrize(("own", "address", "asked"), [
    (None, "http://dwbillcenter.alipay.com/x?token=1", "https://dwbillcenter.alipay.com/x?token=1"),
    (LIVE, "http://dwbillcenter.alipay.com/x?token=1", "https://dwbillcenter.alipay.com/x?token=1"),
    (LIVE, "http://openapi.alipay.com/x", "https://openapi.alipay.com/x"),
    (LIVE, "HTTP://openapi.alipay.com/x", "https://openapi.alipay.com/x"),
    (LIVE, "https://dwbillcenter.alipay.com/x", "https://dwbillcenter.alipay.com/x"),
    (None, "file:///etc/passwd", None), (LIVE, "", None),
])  # fmt: skip
def test_a_bill_is_fetched_over_tls_and_from_the_web_only(gateway, monkeypatch, own, address, asked):
    opened = []

    def refuse(opener: OpenerDirector, url: str, timeout: float) -> None:
        opened.append(url)
        raise OSError

    monkeypatch.setattr(OpenerDirector, "open", refuse)
    with pytest.raises(GatewayError):
        replace(gateway.client, url=own or gateway.client.url).download(address)
    assert opened == ([asked] if asked else [])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_bill_that_lies_elsewhere_is_not_followed(gateway, status):
    asked = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status if self.path == "/bill" else 200)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        home = f"http://127.0.0.1:{server.server_port}"
        with pytest.raises(GatewayError, match="did not hand out a bill"):
            replace(gateway.client, url=f"{home}/gateway.do").download(f"{home}/bill")
        server.shutdown()
    assert asked == ["/bill"]
