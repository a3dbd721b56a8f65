"""WeChat Pay's daily trade bill: CSV with a backtick before every value, packed, with totals in the last line."""

from __future__ import annotations

import gzip
import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from paysim.bank import Charge, Refund, RefundStatus
from paysim.china import CHINA, yuan
from paysim.faults import FaultKind
from paysim.http import Answer, Asked
from paysim.providers.wechat_keys import dumps
from paysim.providers.wechat_merchant import Counterpart

COLUMNS = (
    "交易时间", "公众账号ID", "商户号", "特约商户号", "设备号", "微信订单号", "商户订单号", "用户标识", "交易类型",
    "交易状态", "付款银行", "货币种类", "应结订单金额", "代金券金额", "微信退款单号", "商户退款单号", "退款金额",
    "充值券退款金额", "退款类型", "退款状态", "商品名称", "商户数据包", "手续费", "费率", "订单金额", "申请退款金额",
    "费率备注",
)  # fmt: skip
TOTALS = (
    "总交易单数",
    "应结订单总金额",
    "退款总金额",
    "充值券退款总金额",
    "手续费总金额",
    "订单总金额",
    "申请退款总金额",
)
# 0.6 %, to the nearest fen of each row. [M] that WeChat charges whole fen per row; the format has five decimals.
FEE_BPS = 60
READY_AT = time(10)
LINK_LIFETIME = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the bill; amounts in fen, of which one is zero: a payment's, or a refund's."""

    at: datetime
    charge: Charge
    paid: int = 0
    returned: int = 0
    fee: int = 0
    refund: Refund | None = None

    def cells(self, provider: Counterpart) -> tuple[str, ...]:
        """As the columns want it."""
        back = self.refund
        state = {"pending": "PROCESSING", "succeeded": "SUCCESS", "failed": "PROCESSING"}[back.status] if back else ""
        return (
            f"{self.at.astimezone(CHINA):%Y-%m-%d %H:%M:%S}", provider.app, provider.merchant, "0", "",
            self.charge.provider_reference, self.charge.reference, str(self.charge.extra.get("payer", "")),
            {"native": "NATIVE", "h5": "MWEB", "jsapi": "JSAPI"}[self.charge.product],
            "REFUND" if back else "SUCCESS", "OTHERS", "CNY", yuan(self.paid), "0.00",
            back.provider_reference if back else "0", back.reference if back else "0", yuan(self.returned), "0.00",
            "ORIGINAL" if back else "", state, self.charge.title, "", yuan(self.fee) + "000", "0.60%",
            yuan(self.paid), yuan(self.returned), "",
        )  # fmt: skip


class Bills:
    """Writes a day's bill when it is asked for, and hands it out by an address that lives five minutes."""

    def __init__(self, provider: Counterpart) -> None:
        self.provider = provider
        self.sim = provider.sim
        self._files: dict[str, tuple[datetime, bytes]] = {}

    def ask(self, asked: Asked) -> Answer:
        """GET /v3/bill/tradebill?bill_date=&bill_type=&tar_type=."""
        day = date.fromisoformat(asked.query["bill_date"])
        now = self.sim.clock.now()
        if asked.query.get("bill_type", "ALL") != "ALL":
            raise ValueError("bill_type")
        is_over = self.sim.bills_at_once or day < now.astimezone(CHINA).date()
        if not is_over:
            return _problem("INVALID_REQUEST", "bill_date 不能为当天或未来日期")
        if not self.sim.bills_at_once and now < datetime.combine(day + timedelta(days=1), READY_AT, CHINA):
            return _problem("STATEMENT_CREATING", "账单生成中")
        rows = self.rows(day)
        if not rows:
            return _problem("NO_STATEMENT_EXIST", "账单文件不存在")
        text = self.text(rows)
        token = secrets.token_urlsafe(24)
        self._files[token] = (now, gzip.compress(text) if asked.query.get("tar_type") == "GZIP" else text)
        said: dict[str, Any] = {
            "hash_type": "SHA1",
            "hash_value": hashlib.sha1(text, usedforsecurity=False).hexdigest(),  # of what is inside, not of the parcel
            "download_url": f"{self.provider.url}/v3/billdownload/file?token={token}",
        }
        return Answer.of_json(said)

    def download(self, asked: Asked) -> Answer:
        """The file, unsigned."""
        made, data = self._files.get(asked.query.get("token", ""), (None, b""))
        if made is None or made + LINK_LIFETIME < self.sim.clock.now():
            return _problem("PARAM_ERROR", "token 无效或已过期")
        return Answer(200, data, {"Content-Type": "application/octet-stream"})

    def rows(self, day: date) -> list[Row]:
        """What moved on a day by China's clock, and what faults made of it."""
        found: list[Row] = []
        for charge in self.sim.bank.charges(self.provider.name):
            found += [Row(one.at, charge, paid=one.amount, fee=fee_of(one.amount)) for one in charge.captures]
            found += [
                Row(one.at, charge, returned=one.amount, fee=-fee_of(one.amount), refund=one)
                for one in charge.refunds
                if one.status != RefundStatus.CLOSED
            ]
        of_day = sorted((row for row in found if row.at.astimezone(CHINA).date() == day), key=lambda row: row.at)
        kept = [
            self._falsified(row)
            for row in of_day
            if not self.sim.faults.take(FaultKind.BILL_MISSES_ROW, row.charge.reference)
        ]
        if more := self.sim.faults.take(FaultKind.BILL_HAS_MORE):
            stranger = Charge(
                self.provider.name, secrets.token_hex(12), self.sim.bank.new_number(), int(more.value) or 100, "CNY",
                "陌生的订单", "native", self.sim.clock.now(),
            )  # fmt: skip
            at = datetime.combine(day, time(12), CHINA)
            kept.append(Row(at, stranger, paid=stranger.amount, fee=fee_of(stranger.amount)))
        return kept

    def text(self, rows: list[Row]) -> bytes:
        """The file: UTF-8 with a mark before it, as spreadsheets want it."""
        totals = (
            str(len(rows)), yuan(sum(row.paid for row in rows)), yuan(sum(row.returned for row in rows)), "0.00",
            yuan(sum(row.fee for row in rows)) + "000", yuan(sum(row.paid for row in rows)),
            yuan(sum(row.returned for row in rows)),
        )  # fmt: skip
        lines = [
            ",".join(COLUMNS), *("`" + ",`".join(row.cells(self.provider)) for row in rows), ",".join(TOTALS),
            "`" + ",`".join(totals),
        ]  # fmt: skip
        return ("\ufeff" + "\r\n".join(lines) + "\r\n").encode()

    def _falsified(self, row: Row) -> Row:
        faults, reference = self.sim.faults, row.charge.reference
        if other := faults.take(FaultKind.BILL_OTHER_FEE, reference):
            row = replace(row, fee=int(other.value))
        if row.refund is None and (other := faults.take(FaultKind.BILL_OTHER_AMOUNT, reference)):
            row = replace(row, paid=int(other.value))
        return row


def fee_of(amount: int) -> int:
    """Whole fen, half upwards."""
    return (amount * FEE_BPS + 5000) // 10_000


def _problem(code: str, message: str) -> Answer:
    body = dumps({"code": code, "message": message}).encode()
    return Answer(400, body, {"Content-Type": "application/json; charset=utf-8"})
