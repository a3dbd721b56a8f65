"""Alipay's daily trade bill: a zip with a CSV in GBK, read by the names of its columns."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime

from sishu.core.money import Money, parse_decimal
from sishu.gateways.alipay_client import CHINA
from sishu.gateways.base import Bill, BillEntry, EntryKind, GatewayError

DETAILS = "业务明细.csv"
KINDS = {"交易": EntryKind.PAYMENT, "退款": EntryKind.REFUND}
MAX_CSV_BYTES = 256 * 1024 * 1024


def read(day: date, raw: bytes) -> Bill:
    """The bill in a downloaded file. GatewayError for a file that is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            info = next(one for one in packed.infolist() if _name(one).endswith(DETAILS))
            if info.file_size > MAX_CSV_BYTES:
                raise GatewayError(f"Alipay's bill of {day} unpacks to {info.file_size} bytes.")
            text = packed.read(info).decode("gb18030")
        return Bill(day, raw, tuple(_entries(text)))
    except (zipfile.BadZipFile, StopIteration, UnicodeDecodeError, ValueError, KeyError) as error:
        raise GatewayError(f"Alipay's bill of {day} cannot be read: {type(error).__name__}.") from None


def _name(info: zipfile.ZipInfo) -> str:
    """Names are written in GBK and, where the file does not say otherwise, read as code page 437."""
    return info.filename if info.flag_bits & 0x800 else info.filename.encode("cp437").decode("gb18030", "replace")


def _entries(text: str) -> Iterator[BillEntry]:
    rows = csv.reader(line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    names = [name.strip() for name in next(rows)]
    for cells in rows:
        yield _entry(dict(zip(names, (cell.strip() for cell in cells), strict=True)))


def _entry(row: dict[str, str]) -> BillEntry:
    # Numbers carry a tab, so that a spreadsheet leaves them alone; strip() took it off.
    kind = KINDS.get(row["业务类型"], EntryKind.OTHER)
    return BillEntry(
        kind=kind, reference=row["商户订单号"], provider_reference=row["支付宝交易号"],
        refund_reference=row["退款批次号/请求号"] if kind == EntryKind.REFUND else "",
        # Refunds are negative, and the fee is negative where Alipay takes it.
        amount=_money(row["订单金额（元）"]), fee=-_money(row["服务费（元）"]),
        at=datetime.strptime(row["完成时间"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA).astimezone(UTC),
    )  # fmt: skip


def _money(text: str) -> Money:
    amount = parse_decimal(text.lstrip("+-") or "0", "CNY")
    return Money(-amount if text.startswith("-") else amount, "CNY")
