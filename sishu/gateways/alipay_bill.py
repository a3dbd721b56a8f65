"""Alipay's trade bill of a day: fetched, unpacked, compared with its totals, and read by the names of its columns."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from sishu.core import clock
from sishu.core.money import Money, parse_fixed
from sishu.gateways.alipay_client import CHINA, AlipayClient, Refusal
from sishu.gateways.base import Bill, BillEntry, BillNotReady, EntryKind, GatewayError

DETAILS = "业务明细.csv"
TITLE = "商品名称"
COLUMNS = frozenset({
    "支付宝交易号", "商户订单号", "业务类型", TITLE, "完成时间", "订单金额（元）", "商家实收（元）",
    "退款批次号/请求号", "服务费（元）",
})  # fmt: skip
KINDS = {"交易": EntryKind.PAYMENT, "退款": EntryKind.REFUND}
# What Alipay says while a bill is not written, and of a day on which nothing moved. [from memory]
NOT_THERE = frozenset({"isp.bill_not_exist", "BILL_NOT_EXIST"})
# After this hour of the next day what is not there will not come: bills are written by nine, "sometimes later".
SURE_AT = time(14)
MAX_BYTES = 256 * 1024 * 1024


class Unreadable(ValueError):
    """The bill is not as Alipay describes its bills. Names the place, and shows nothing of it."""


def fetch(client: AlipayClient, day: date, *, seller_id: str) -> Bill:
    """The bill of one of China's days. Raises BillNotReady, GatewayError."""
    over = datetime.combine(day + timedelta(days=1), time(), CHINA)
    try:
        said = client.call(
            "alipay.data.dataservice.bill.downloadurl.query", {"bill_type": "trade", "bill_date": day.isoformat()}
        )
    except Refusal as error:
        if error.code not in NOT_THERE:
            raise GatewayError(_("Alipay does not give the bill of {day}: {code}."), day=day, code=error.code) from None
        if clock.now() < datetime.combine(over.date(), SURE_AT, CHINA):
            raise BillNotReady(_("Alipay has no bill of {day} yet."), day=day) from None
        return Bill(day, b"", ())  # nothing moved
    raw = client.download(str(said.get("bill_download_url", "")))
    try:
        return Bill(day, raw, entries_of(unpacked(raw), seller_id=seller_id))
    except ValueError as error:
        raise GatewayError(_("Alipay's bill of {day} cannot be read: {why}"), day=day, why=error) from None


def unpacked(raw: bytes) -> str:
    """The file of details in a zip, whose names are GBK without saying so. Unreadable for anything else."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw), metadata_encoding="gb18030") as pack:
            found = [one for one in pack.infolist() if one.filename.endswith(DETAILS)]
            if len(found) != 1 or found[0].file_size > MAX_BYTES:
                raise Unreadable(_("it does not hold one file of details."))
            return pack.read(found[0]).decode("gb18030")
    except UnicodeDecodeError:
        raise Unreadable(_("it is not GBK.")) from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        raise Unreadable(_("it is no zip, or a damaged one.")) from None


def entries_of(text: str, *, seller_id: str) -> tuple[BillEntry, ...]:
    """The rows of a bill. ValueError when a row, a sum or the number of rows is not as it should be."""
    # Not splitlines(), which would also break lines where a title has one of Unicode's own.
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    remarks = "\n".join(line for line in lines if line.startswith("#"))
    rows = [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    if (found := re.search(r"账号：\[(\d{16})", remarks)) and found[1] != seller_id:
        raise Unreadable(_("it is another merchant's."))
    header = [name.strip() for name in rows[0][1].split(",")] if rows else []
    if not set(header) >= COLUMNS:
        raise Unreadable(_("its columns are others than expected."))
    entries, received = [], {kind: [0, 0] for kind in KINDS}
    for number, line in rows[1:]:
        row = _cells(line, header, number)
        try:
            entries.append(_entry(row))
            sums = received[row["业务类型"]]
            sums[0], sums[1] = sums[0] + 1, sums[1] + _fen(row["商家实收（元）"])
        except (ValueError, KeyError):
            raise Unreadable(format_lazy(_("line {number} makes no sense."), number=number)) from None
    _compare(received, remarks)
    return tuple(entries)


def _cells(line: str, header: list[str], number: int) -> dict[str, str]:
    """A line's values by column. Commas that are too many belong to the title; numbers carry a tab, for spreadsheets."""
    values, at = line.split(","), header.index(TITLE)
    more = len(values) - len(header)
    if more < 0:
        raise Unreadable(format_lazy(_("line {number} has fewer columns than the first."), number=number))
    values[at : at + more + 1] = [",".join(values[at : at + more + 1])]
    return dict(zip(header, (value.strip() for value in values), strict=True))


def _entry(row: Mapping[str, str]) -> BillEntry:
    kind, amount, received = KINDS[row["业务类型"]], _fen(row["订单金额（元）"]), _fen(row["商家实收（元）"])
    return BillEntry(
        kind=kind,
        reference=row["商户订单号"],
        provider_reference=row["支付宝交易号"],
        amount=Money(amount, "CNY"),
        # Written as the account sees it: negative where Alipay takes it. What the merchant's own vouchers paid is not
        # received either.
        fee=Money(amount - received - _fen(row["服务费（元）"]), "CNY"),
        at=datetime.strptime(row["完成时间"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA).astimezone(UTC),
        refund_reference=row["退款批次号/请求号"] if kind == EntryKind.REFUND else "",
    )


def _compare(received: Mapping[str, list[int]], remarks: str) -> None:
    """Whether the rows are those that the remarks below them count.

    How remarks are written, and whether the sum of refunds has a sign, is from memory: what is not found is not compared.
    """
    for name, (count, amount) in received.items():
        found = re.search(rf"#{name}合计：(\d+)笔，商家实收(?:退款)?共(-?[\d.]+)元", remarks)
        if found and (int(found[1]), abs(_fen(found[2]))) != (count, abs(amount)):
            raise Unreadable(format_lazy(_("its rows of {kind} are not those that it counts."), kind=name))


def _fen(text: str) -> int:
    """Of a sum in yuan, which may be negative, or empty for nothing. ValueError when it is not exact."""
    value = parse_fixed(text.lstrip("+-") or "0", 2)
    return -value if text.startswith("-") else value
