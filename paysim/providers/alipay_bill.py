"""Alipay's daily trade bill: a packed pair of CSV files in GBK, names too, with remarks around the rows."""

from __future__ import annotations

import io
import secrets
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from paysim.bank import Charge, Refund, RefundStatus
from paysim.china import CHINA, yuan
from paysim.faults import FaultKind
from paysim.http import Answer, Asked
from paysim.providers.alipay_merchant import Counterpart
from paysim.providers.alipay_wire import business, moment

COLUMNS = (
    "支付宝交易号", "商户订单号", "业务类型", "商品名称", "创建时间", "完成时间", "门店编号", "门店名称", "操作员",
    "终端号", "对方账户", "订单金额（元）", "商家实收（元）", "支付宝红包（元）", "集分宝（元）", "支付宝优惠（元）",
    "商家优惠（元）", "券核销金额（元）", "券名称", "商家红包消费金额（元）", "卡消费金额（元）", "退款批次号/请求号",
    "服务费（元）", "分润（元）", "备注",
)  # fmt: skip
# 0.6 %, to the nearest fen of each row.
FEE_BPS = 60
# When the bill of the day before is there. Alipay says about nine.
READY_AT = time(9)
LINK_LIFETIME = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the bill; `amount` in fen, negative for a refund; `fee` what Alipay takes, negative for what it returns."""

    at: datetime
    charge: Charge
    amount: int
    fee: int
    refund: Refund | None = None

    def cells(self) -> tuple[str, ...]:
        """As the columns want it: numbers with a tab behind them, so that spreadsheets leave them alone."""
        amount = yuan(self.amount)
        return (
            f"{self.charge.provider_reference}\t", f"{self.charge.reference}\t", "退款" if self.refund else "交易",
            self.charge.title, moment(self.charge.created_at), moment(self.at), "", "", "", "", "*三(buy***@example.com)",
            amount, amount, "0.00", "0.00", "0.00", "0.00", "0.00", "", "0.00", "0.00",
            f"{self.refund.reference}\t" if self.refund else "", yuan(-self.fee), "0.00", "",
        )  # fmt: skip


class Bills:
    """Writes a day's bill when it is asked for, and hands it out by an address that lives half a minute."""

    def __init__(self, provider: Counterpart) -> None:
        self.provider = provider
        self.sim = provider.sim
        self._files: dict[str, tuple[datetime, bytes]] = {}

    def ask(self, said: dict[str, Any], params: Mapping[str, str]) -> dict[str, Any]:
        """alipay.data.dataservice.bill.downloadurl.query."""
        try:
            day = date.fromisoformat(str(said["bill_date"]))
        except (ValueError, KeyError):
            raise business("isv.invalid-arguments", "参数不正确") from None
        if said.get("bill_type") != "trade":
            raise business("isv.invalid-arguments", "参数不正确")
        now = self.sim.clock.now()
        if not self.sim.bills_at_once and now < datetime.combine(day + timedelta(days=1), READY_AT, CHINA):
            raise business("isp.bill_not_exist", "账单不存在")
        token = secrets.token_urlsafe(24)
        self._files[token] = (now, self.packed(day))
        return {
            "bill_download_url": f"{self.sim.base_url}/alipay/downloadBillFile.resource?bizType=trade&token={token}"
        }

    def download(self, asked: Asked) -> Answer:
        """The file, unsigned."""
        made, data = self._files.get(asked.query.get("token", ""), (None, b""))
        if made is None or made + LINK_LIFETIME < self.sim.clock.now():
            return Answer.of_html("<p>下载链接已失效</p>")  # [M] 200 and a page
        return Answer(200, data, {"Content-Type": "application/zip"})

    def rows(self, day: date) -> list[Row]:
        """What moved on a day by China's clock, and what faults made of it."""
        found: list[Row] = []
        for charge in self.sim.bank.charges(self.provider.name):
            found += [Row(one.at, charge, one.amount, fee_of(one.amount)) for one in charge.captures]
            found += [
                Row(one.settled_at or one.at, charge, -one.amount, -fee_of(one.amount), one)
                for one in charge.refunds
                if one.status == RefundStatus.SUCCEEDED
            ]
        of_day = sorted((row for row in found if row.at.astimezone(CHINA).date() == day), key=lambda row: row.at)
        faults = self.sim.faults
        kept = [
            self._falsified(row) for row in of_day if not faults.take(FaultKind.BILL_MISSES_ROW, row.charge.reference)
        ]
        if more := faults.take(FaultKind.BILL_HAS_MORE):
            at = datetime.combine(day, time(12), CHINA)
            stranger = Charge(
                self.provider.name, secrets.token_hex(12), self.sim.bank.new_number(), int(more.value) or 100, "CNY",
                "陌生的订单", "qr", at,
            )  # fmt: skip
            kept.append(Row(at, stranger, stranger.amount, fee_of(stranger.amount)))
        return kept

    def packed(self, day: date) -> bytes:
        """The zip: names in GBK without a word about it, as the service writes them."""
        name, rows = f"{self.provider.seller}0156_{day:%Y%m%d}_业务明细", self.rows(day)
        files = {f"{name}.csv": self.details(day, rows), f"{name}(汇总).csv": self.summary(day, rows)}
        stream, stand_ins = io.BytesIO(), {}
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as pack:
            for number, (title, text) in enumerate(files.items()):
                wanted = title.encode("gbk")
                stand_in = chr(ord("A") + number) * len(wanted)
                stand_ins[stand_in.encode()] = wanted
                pack.writestr(stand_in, text.encode("gb18030"))
        data = stream.getvalue()
        for stand_in_bytes, wanted in stand_ins.items():
            # The library writes other names than ASCII in UTF-8 only. Of the same length, no offset moves.
            data = data.replace(stand_in_bytes, wanted)
        return data

    def details(self, day: date, rows: list[Row]) -> str:
        """The file of rows."""
        paid, returned = ([row for row in rows if bool(row.refund) is is_refund] for is_refund in (False, True))
        lines = [
            *self._head("业务明细查询", day), "#-----------------------------------------业务明细列表----------------------------------------",
            ",".join(COLUMNS), *(",".join(row.cells()) for row in rows),
            "#-----------------------------------------业务明细列表结束------------------------------------",
            f"#交易合计：{len(paid)}笔，商家实收共{yuan(sum(row.amount for row in paid))}元，商家优惠共0.00元",
            f"#退款合计：{len(returned)}笔，商家实收退款共{yuan(sum(row.amount for row in returned))}元，商家优惠退款共0.00元",
            f"#导出时间：[{self.sim.clock.now().astimezone(CHINA):%Y年%m月%d日 %H:%M:%S}]",
        ]  # fmt: skip
        return "\r\n".join(lines) + "\r\n"

    def summary(self, day: date, rows: list[Row]) -> str:
        """The file of sums, which nobody reads."""
        net = yuan(sum(row.amount - row.fee for row in rows))
        lines = [
            *self._head("业务汇总查询", day),
            "门店编号,门店名称,交易订单总笔数,实收净额（元）",
            f"合计,,{len(rows)},{net}",
        ]
        return "\r\n".join(lines) + "\r\n"

    def _head(self, title: str, day: date) -> list[str]:
        begin, end = f"{day:%Y年%m月%d日} 00:00:00", f"{day + timedelta(days=1):%Y年%m月%d日} 00:00:00"
        return [f"#支付宝{title}", f"#账号：[{self.provider.seller}0156]", f"#起始日期：[{begin}]   终止日期：[{end}]"]

    def _falsified(self, row: Row) -> Row:
        faults, reference = self.sim.faults, row.charge.reference
        if other := faults.take(FaultKind.BILL_OTHER_FEE, reference):
            row = replace(row, fee=int(other.value))
        if row.refund is None and (other := faults.take(FaultKind.BILL_OTHER_AMOUNT, reference)):
            row = replace(row, amount=int(other.value))
        return row


def fee_of(amount: int) -> int:
    """Whole fen, half upwards."""
    return (amount * FEE_BPS + 5000) // 10_000
