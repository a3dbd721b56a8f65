"""WeChat Pay's trade bill of a day: fetched, unpacked, compared with its hash and its totals, and read."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from sishu.core import clock
from sishu.core.languages import listed
from sishu.core.money import Money, parse_fixed
from sishu.gateways.base import Bill, BillEntry, BillNotReady, EntryKind, GatewayError
from sishu.gateways.wechat_client import Refused, WechatClient
from sishu.gateways.wechat_refunds import reference_of

CHINA = timezone(timedelta(hours=8))
# An unpacked bill of more is not read: half a million rows.
MAX_BYTES = 256 * 1024 * 1024
# Decimals of a fee that count. Bills print five, and WeChat takes whole fen of each row [from memory]: a fee with a
# fraction of a fen is refused, until somebody has seen one and knows what was taken.
FEE_DECIMALS = 2
COLUMNS = frozenset({
    "交易时间", "商户号", "微信订单号", "商户订单号", "交易状态", "货币种类", "应结订单金额", "商户退款单号", "退款金额",
    "退款状态", "手续费", "订单金额", "申请退款金额",
})  # fmt: skip
# Total → the column it is the sum of.
TOTALS = {
    "应结订单总金额": "应结订单金额", "退款总金额": "退款金额", "手续费总金额": "手续费", "订单总金额": "订单金额",
    "申请退款总金额": "申请退款金额",
}  # fmt: skip


class Unreadable(ValueError):
    """The bill is not as WeChat describes its bills. Names the place, and shows nothing of it."""


def read_bill(client: WechatClient, day: date, *, mch_id: str) -> Bill:
    """The bill of one of China's days. Raises BillNotReady, GatewayError."""
    try:
        said = client.get(f"/v3/bill/tradebill?bill_date={day.isoformat()}&bill_type=ALL&tar_type=GZIP")
        packed = client.download(str(said.get("download_url", "")))
    except Refused as error:
        if clock.now() < datetime.combine(day + timedelta(days=1), time(), CHINA):
            raise BillNotReady(_("{day} is not over in China."), day=day) from None
        if error.code == "NO_STATEMENT_EXIST":
            return Bill(day, b"", ())  # nothing moved
        if error.code == "STATEMENT_CREATING":
            raise BillNotReady(_("WeChat Pay is still writing the bill of {day}."), day=day) from None
        raise GatewayError(_("WeChat Pay does not give the bill of {day}: {why}."), day=day, why=error) from None
    raw = _unpacked(packed, day)
    # SHA-1 is what the protocol has; the address it came from was in a signed answer.
    found = hashlib.sha1(raw, usedforsecurity=False).hexdigest()
    if said.get("hash_type") != "SHA1" or str(said.get("hash_value", "")).lower() != found:
        raise GatewayError(_("WeChat Pay's bill of {day} is not the file whose hash it told."), day=day)
    try:
        return Bill(day, raw, entries_of(raw, mch_id=mch_id))
    except ValueError as error:
        raise GatewayError(_("WeChat Pay's bill of {day} cannot be read: {why}"), day=day, why=error) from None


def entries_of(raw: bytes, *, mch_id: str) -> tuple[BillEntry, ...]:
    """The rows of a bill. ValueError when a row, a sum or the number of rows is not as it should be."""
    try:
        # Not splitlines(), which would also break lines where a title has one of Unicode's own.
        lines = [line.removesuffix("\r") for line in raw.decode("utf-8-sig").rstrip("\r\n").split("\n")]
    except UnicodeDecodeError:
        raise Unreadable(_("it is not UTF-8.")) from None
    if len(lines) < 3:
        raise Unreadable(_("it has no rows."))
    header, totals_header = lines[0].split(","), lines[-2].split(",")
    if not set(header) >= COLUMNS or not set(totals_header) >= {"总交易单数", *TOTALS}:
        raise Unreadable(_("its columns are others than expected."))
    rows = [_cells(line, header, number) for number, line in enumerate(lines[1:-2], start=2)]
    totals = _cells(lines[-1], totals_header, len(lines))
    if totals["总交易单数"] != str(len(rows)):
        raise Unreadable(_("it has another number of rows than its last line says."))
    for total, column in TOTALS.items():
        if _hundred_thousandths(totals[total]) != sum(_hundred_thousandths(row[column]) for row in rows):
            raise Unreadable(format_lazy(_("{column} does not add up to {total}."), column=column, total=total))
    if any(row["商户号"] != mch_id for row in rows):
        raise Unreadable(_("it is another merchant's."))
    return tuple(_entry(row) for row in rows)


def _cells(line: str, header: list[str], number: int) -> dict[str, str]:
    """A line's values by column. Each begins with a backtick, so that commas and quotes in titles do not part them."""
    values = line.removeprefix("`").split(",`")
    if not line.startswith("`") or len(values) != len(header):
        raise Unreadable(format_lazy(_("line {number} has other columns than the first."), number=number))
    return dict(zip(header, (value.strip() for value in values), strict=True))


def _entry(row: Mapping[str, str]) -> BillEntry:
    currency, state = row["货币种类"], row["交易状态"]
    paid, returned = (_minor(row[column], 2) for column in ("应结订单金额", "退款金额"))
    kinds = {"SUCCESS": EntryKind.PAYMENT, "REFUND": EntryKind.REFUND, "REVOKED": EntryKind.OTHER}
    if state not in kinds:
        raise Unreadable(format_lazy(_("a row's state is none of {known}."), known=listed(kinds)))
    return BillEntry(
        kind=kinds[state],
        reference=row["商户订单号"],
        provider_reference=row["微信订单号"],
        amount=Money(paid if state == "SUCCESS" else -returned, currency),
        fee=Money(_minor(row["手续费"], FEE_DECIMALS), currency),
        at=datetime.strptime(row["交易时间"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA).astimezone(UTC),
        refund_reference=reference_of(row["商户退款单号"])[0] if state == "REFUND" else "",
    )


def _minor(text: str, decimals: int) -> int:
    """Fen of a sum in yuan, which may be negative. ValueError when it is not exact."""
    value = parse_fixed(text.removeprefix("-"), decimals)
    return -value if text.startswith("-") else value


def _hundred_thousandths(text: str) -> int:
    """As `_minor`, with all five decimals: what is printed must add up to the last of them."""
    return _minor(text, 5)


def _unpacked(packed: bytes, day: date) -> bytes:
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        raw = unpacker.decompress(packed, MAX_BYTES)
    except zlib.error:
        raise GatewayError(_("WeChat Pay's bill of {day} is damaged: it cannot be unpacked."), day=day) from None
    if not unpacker.eof:
        raise GatewayError(
            _("WeChat Pay's bill of {day} is cut off, or larger than {limit} bytes."), day=day, limit=MAX_BYTES
        )
    return raw
