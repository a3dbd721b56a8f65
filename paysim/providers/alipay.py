"""Alipay's OpenAPI v2 below /alipay/: pages for desks and telephones, codes to scan, refunds, bills; both modes of keys.

Facts marked [M] are from memory.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from paysim.bank import Charge, RefundStatus, Refused, Status
from paysim.china import yuan
from paysim.faults import FaultKind
from paysim.http import Answer, Asked
from paysim.keys import private_pem, public_pem
from paysim.providers.alipay_bill import Bills
from paysim.providers.alipay_events import Events
from paysim.providers.alipay_keys import AlipayKeys, BadSignature, pem_of, serial_of, sign, text_of
from paysim.providers.alipay_wire import MESSAGES, Problem, business, dumps, fen, moment, read_moment, require, unsigned

if TYPE_CHECKING:
    from paysim.simulator import Simulator

APP, SELLER = "2021000000000001", "2088000000000001"
PREFIX = "/alipay"
REFERENCE = re.compile(r"[0-9A-Za-z_]{1,64}")
PRODUCT_CODES = {
    "page": {"FAST_INSTANT_TRADE_PAY"}, "wap": {"QUICK_WAP_WAY", "QUICK_WAP_PAY"},
    "qr": {"", "FACE_TO_FACE_PAYMENT", "QR_CODE_OFFLINE"},
}  # fmt: skip
# The bank's word → sub_code, sub_msg.
SAID = {
    "paid": ("ACQ.TRADE_STATUS_ERROR", "交易状态不合法"), "not_paid": ("ACQ.TRADE_STATUS_ERROR", "交易状态不合法"),
    "too_much": ("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额超限"),
    "conflict": ("ACQ.DISCORDANT_REPEAT_REQUEST", "不一致的请求"),
    "low_balance": ("ACQ.SELLER_BALANCE_NOT_ENOUGH", "卖家余额不足"),
    "refused": ("ACQ.TRADE_NOT_ALLOW_REFUND", "当前交易不允许退款"),
    "unknown": ("ACQ.TRADE_NOT_EXIST", "交易不存在"),
}  # fmt: skip


class Alipay:
    """One merchant and its counterpart. A trade is not known before its buyer is there: `extra["arrived"]`."""

    name = "alipay"

    def __init__(self, sim: Simulator) -> None:
        self.sim = sim
        self.app, self.seller = APP, SELLER
        self.keys = AlipayKeys(sim.folder)
        # With which of its keys Alipay signs.
        self.signing_key = self.keys.alipay
        self.events = Events(self)
        self.bills = Bills(self)
        # The public parameters of everything that was asked for, oldest first.
        self.calls: list[dict[str, str]] = []
        sim.bank.listen(self.name, self.events.hear)

    @property
    def url(self) -> str:
        return f"{self.sim.base_url}{PREFIX}/gateway.do"

    def environment(self, base_url: str) -> dict[str, str]:
        return {
            **self._merchant(base_url), "ALIPAY_PUBLIC_KEY": _one_line(public_pem(self.keys.alipay)),
        }  # fmt: skip

    def certificate_environment(self, base_url: str) -> dict[str, str]:
        """The settings of a merchant who uses certificates."""
        keys = self.keys
        return {
            **self._merchant(base_url), "ALIPAY_APP_CERT": _one_line(pem_of(keys.merchant_certificate)),
            "ALIPAY_ROOT_CERT": _one_line(keys.root_pem), "ALIPAY_CERT": _one_line(pem_of(keys.alipay_certificate)),
        }  # fmt: skip

    def handle(self, asked: Asked) -> Answer:
        path = asked.path.removeprefix(PREFIX)
        if path == "/gateway.do":
            return self.gateway(asked)
        if path.startswith("/qr/"):
            return self.scan(path.removeprefix("/qr/"))
        if path == "/downloadBillFile.resource":
            return self.bills.download(asked)
        return Answer.of_html("<p>Nothing here.</p>", 404)

    def gateway(self, asked: Asked) -> Answer:
        """Every call and every page begins here; parameters may stand in the address or in the body."""
        params, method = {**asked.query, **asked.form}, ""
        try:
            method, said = self._checked(params)
            pages = {"alipay.trade.page.pay": "page", "alipay.trade.wap.pay": "wap"}
            if method in pages:
                return self.page(params, said, pages[method])
            data = {"code": "10000", "msg": MESSAGES["10000"], **self._functions()[method](said, params)}
            if self.sim.faults.take(FaultKind.TIMEOUT, _reference(said)):
                return Answer(is_silent=True)
        except Problem as error:
            if method in ("alipay.trade.page.pay", "alipay.trade.wap.pay"):
                return Answer.of_html(f"<p>{error.sub_code}: {error}</p>")
            data = error.said()
            if not error.is_signed:
                return _json(f'{{"error_response":{dumps(data)}}}')
        return self._answer(method, data, with_certificates="app_cert_sn" in params)

    def page(self, params: Mapping[str, str], said: dict[str, Any], product: str) -> Answer:
        """alipay.trade.page.pay and alipay.trade.wap.pay: the buyer's browser, which is led to the cashier."""
        charge = self._open(said, params, product)
        charge.extra["arrived"] = True
        return self._to_cashier(charge)

    def precreate(self, said: dict[str, Any], params: Mapping[str, str]) -> dict[str, Any]:
        """alipay.trade.precreate: a code, of which Alipay knows nothing more until it is scanned."""
        self._fail_before(_reference(said))
        charge = self._open(said, params, "qr")
        self._fail_after(charge.reference)
        return {"out_trade_no": charge.reference, "qr_code": f"{self.sim.base_url}{PREFIX}/qr/{charge.reference}"}

    def scan(self, reference: str) -> Answer:
        """The buyer scans a code: from here on there is a trade."""
        charge = self.sim.bank.find(self.name, reference)
        if charge is None or charge.status != Status.WAITING or self._is_late(charge):
            return Answer.of_html("<p>二维码已失效 · This code has expired.</p>", 410)
        charge.extra["arrived"] = True
        return self._to_cashier(charge)

    def query(self, said: dict[str, Any], params: Mapping[str, str]) -> dict[str, Any]:
        """alipay.trade.query."""
        charge = self._trade(said)
        self._fail_before(charge.reference)
        data = {
            **self.trade(charge), "buyer_logon_id": "buy***@example.com", "point_amount": "0.00",
            "subject": charge.title,
        }  # fmt: skip
        if charge.paid_at is not None:
            # [M] That it stays there once all was given back.
            data |= {"send_pay_date": moment(charge.paid_at), "buyer_user_id": charge.extra["buyer"]}
            data |= dict.fromkeys(("receipt_amount", "buyer_pay_amount", "invoice_amount"), yuan(charge.captured))
        self._fail_after(charge.reference)
        return data

    def close(self, said: dict[str, Any], params: Mapping[str, str]) -> dict[str, Any]:
        """alipay.trade.close. What nobody scanned is not known, and stays open for whoever comes."""
        charge = self._trade(said)
        self._fail_before(charge.reference)
        if charge.status == Status.CLOSED:
            raise business(*SAID["paid"])
        self._asking_the_bank(lambda: self.sim.bank.close(self.name, charge.reference))
        self._fail_after(charge.reference)
        return {"trade_no": charge.provider_reference, "out_trade_no": charge.reference}

    def refund(self, said: dict[str, Any], params: Mapping[str, str]) -> dict[str, Any]:
        """alipay.trade.refund. The same number again moves nothing; one that came to nothing is tried again."""
        charge, amount = self._trade(said), fen(said.get("refund_amount"))
        number = str(said.get("out_request_no") or (charge.reference if amount == charge.captured else ""))
        require(bool(REFERENCE.fullmatch(number)), "out_request_no")
        self._fail_before(charge.reference)
        with self.sim.bank.locked():
            failed = [one for one in charge.refunds if (one.reference, one.status) == (number, RefundStatus.FAILED)]
            for one in failed:
                charge.refunds.remove(one)
            if not any(one.reference == number for one in charge.refunds):
                if charge.extra.get("finished"):
                    raise business("ACQ.TRADE_HAS_FINISHED", "交易已完结")
                if charge.captures and charge.refunded == charge.captured:
                    raise business("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")
            refund, is_new = self._asking_the_bank(
                lambda: self.sim.bank.refund(
                    self.name, charge.reference, refund_reference=number, amount=amount,
                    reason=str(said.get("refund_reason", "")),
                    settle=not self.sim.faults.take(FaultKind.REFUND_PENDING, charge.reference),
                )
            )  # fmt: skip
        self._fail_after(charge.reference)
        return {
            "trade_no": charge.provider_reference, "out_trade_no": charge.reference,
            "buyer_logon_id": "buy***@example.com", "buyer_user_id": charge.extra["buyer"],
            "fund_change": "Y" if is_new and refund.status == RefundStatus.SUCCEEDED else "N",
            "refund_fee": yuan(self.refunded(charge)), "gmt_refund_pay": moment(refund.at), "send_back_fee": "0.00",
        }  # fmt: skip

    def query_refund(self, said: dict[str, Any], params: Mapping[str, str]) -> dict[str, Any]:
        """alipay.trade.fastpay.refund.query: nothing but `Success` for a number that is not known, or came to nothing."""
        charge, number = self._trade(said), str(said.get("out_request_no", ""))
        require(bool(number), "out_request_no")
        self._fail_before(charge.reference)
        refund = next((one for one in charge.refunds if one.reference == number), None)
        self._fail_after(charge.reference)
        if refund is None:
            return {}
        return {
            "trade_no": charge.provider_reference, "out_trade_no": charge.reference, "out_request_no": number,
            "total_amount": yuan(charge.captured), "refund_amount": yuan(refund.amount),
            **({"refund_status": "REFUND_SUCCESS"} if refund.status == RefundStatus.SUCCEEDED else {}),
        }  # fmt: skip

    def trade(self, charge: Charge) -> dict[str, str]:
        """What queries and notices both tell. When the simulator takes money twice, `total_amount` says the sum."""
        currency = charge.captures[0].currency if charge.captures else charge.currency
        return {
            "trade_no": charge.provider_reference, "out_trade_no": charge.reference,
            "trade_status": self.status(charge), "total_amount": yuan(charge.captured or charge.amount),
            **({"trans_currency": currency} if currency != "CNY" else {}),
        }  # fmt: skip

    def status(self, charge: Charge) -> str:
        """Alipay's word. A payment that fails leaves the trade as it was: the buyer may try again."""
        if charge.status == Status.PAID:
            if charge.extra.get("finished"):
                return "TRADE_FINISHED"
            return "TRADE_CLOSED" if self.refunded(charge) >= charge.captured else "TRADE_SUCCESS"
        return "TRADE_CLOSED" if charge.status == Status.CLOSED else "WAIT_BUYER_PAY"

    def refunded(self, charge: Charge) -> int:
        """Fen that went back until now."""
        return sum(one.amount for one in charge.refunds if one.status == RefundStatus.SUCCEEDED)

    def _merchant(self, base_url: str) -> dict[str, str]:
        return {
            "ALIPAY_URL": f"{base_url}{PREFIX}/gateway.do", "ALIPAY_APP_ID": self.app,
            "ALIPAY_SELLER_ID": self.seller, "ALIPAY_PRIVATE_KEY": _one_line(private_pem(self.keys.merchant)),
        }  # fmt: skip

    def _functions(self) -> dict[str, Callable[[dict[str, Any], Mapping[str, str]], dict[str, Any]]]:
        return {
            "alipay.trade.precreate": self.precreate,
            "alipay.trade.query": self.query,
            "alipay.trade.close": self.close,
            "alipay.trade.refund": self.refund,
            "alipay.trade.fastpay.refund.query": self.query_refund,
            "alipay.data.dataservice.bill.downloadurl.query": self.bills.ask,
        }

    def _checked(self, params: dict[str, str]) -> tuple[str, dict[str, Any]]:
        """The method, and what is asked of it, once it is certain that the merchant asks."""
        self.calls.append({key: value for key, value in params.items() if key not in ("sign", "biz_content")})
        for name in ("app_id", "method", "sign", "sign_type", "timestamp", "version", "charset"):
            if not params.get(name):
                raise unsigned("40001", f"isv.missing-{name.replace('_', '-')}", f"缺少{name}")
        method = params["method"]
        if params["app_id"] != self.app:
            raise unsigned("40002", "isv.invalid-app-id", "无效的AppID参数")
        fits = {
            "sign_type": "RSA2", "version": "1.0", "charset": "utf-8", "format": "JSON",
            "app_cert_sn": serial_of(self.keys.merchant_certificate) if "app_cert_sn" in params else "",
            "alipay_root_cert_sn": self.keys.root_serial if "alipay_root_cert_sn" in params else "",
        }  # fmt: skip
        for name, value in fits.items():
            if params.get(name, value) != value:
                raise unsigned("40002", f"isv.invalid-{name.replace('_', '-')}", f"无效的{name}")
        if not re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", params["timestamp"]):
            raise unsigned("40002", "isv.invalid-timestamp", "非法的时间戳参数")
        try:
            self.keys.check(params)
        except BadSignature:
            raise unsigned("40002", "isv.invalid-signature", "验签出错") from None
        if method not in {*self._functions(), "alipay.trade.page.pay", "alipay.trade.wap.pay"}:
            raise unsigned("40002", "isv.invalid-method", "不存在的方法名")
        try:
            said = json.loads(params.get("biz_content", "{}"))
        except ValueError:
            said = None
        require(isinstance(said, dict), "biz_content")
        return method, said

    def _open(self, said: dict[str, Any], params: Mapping[str, str], product: str) -> Charge:
        reference, amount = _reference(said), fen(said.get("total_amount"))
        require(bool(REFERENCE.fullmatch(reference)), "out_trade_no")
        require(0 < len(str(said.get("subject", ""))) <= 256, "subject")
        require(0 < amount <= 10**10, "total_amount")
        require(str(said.get("product_code", "")) in PRODUCT_CODES[product], "product_code")
        expires_at = read_moment(str(said["time_expire"])) if said.get("time_expire") else None
        known = self.sim.bank.find(self.name, reference)
        if known is None:
            require(expires_at is None or expires_at > self.sim.clock.now(), "time_expire")
        elif known.status == Status.PAID:
            raise business("ACQ.TRADE_HAS_SUCCESS", "交易已被支付")
        elif known.status == Status.CLOSED or self._is_late(known):
            raise business("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")
        number, back = self.sim.bank.new_number(), params.get("return_url", "")
        try:
            return self.sim.bank.open_charge(
                Charge(
                    self.name, reference, number, amount, "CNY", str(said["subject"]), product,
                    self.sim.clock.now(), expires_at, params.get("notify_url", ""),
                    self._way_back(back, reference, number, amount) if back else "",
                    extra={"arrived": False, "buyer": f"2088{secrets.randbelow(10**12):012d}"},
                )
            )  # fmt: skip
        except Refused:
            raise business("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改") from None

    def _way_back(self, url: str, reference: str, number: str, amount: int) -> str:
        """The merchant's address with what Alipay adds: signed, and without a word on whether it was paid."""
        said = {
            "app_id": self.app, "auth_app_id": self.app, "charset": "utf-8", "out_trade_no": reference,
            "trade_no": number, "seller_id": self.seller, "total_amount": yuan(amount), "version": "1.0",
            "timestamp": moment(self.sim.clock.now()),
        }  # fmt: skip
        signed = {**said, "sign_type": "RSA2", "sign": sign(self.signing_key, text_of(said, without=()))}
        return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(signed)}"

    def _trade(self, said: dict[str, Any]) -> Charge:
        number = str(said.get("trade_no") or said.get("out_trade_no") or "")
        require(bool(number), "out_trade_no")
        charge = self.sim.bank.find(self.name, number)
        if charge is None or not charge.extra["arrived"]:
            raise business(*SAID["unknown"])
        if charge.status in (Status.WAITING, Status.FAILED) and self._is_late(charge):
            self.sim.bank.close(self.name, charge.reference)
        return charge

    def _is_late(self, charge: Charge) -> bool:
        return charge.expires_at is not None and charge.expires_at <= self.sim.clock.now()

    def _asking_the_bank(self, function: Callable[[], Any]) -> Any:
        try:
            return function()
        except Refused as error:
            raise business(*SAID[error.code]) from None

    def _to_cashier(self, charge: Charge) -> Answer:
        return Answer.redirect(f"{self.sim.base_url}/cashier/{self.name}/{charge.reference}")

    def _fail_before(self, reference: str) -> None:
        if self.sim.faults.take(FaultKind.ERROR_BEFORE_EFFECT, reference):
            raise Problem("20000", "isp.unknow-error", "系统繁忙")

    def _fail_after(self, reference: str) -> None:
        if self.sim.faults.take(FaultKind.ERROR_AFTER_EFFECT, reference):
            raise business("ACQ.SYSTEM_ERROR", "系统错误")

    def _answer(self, method: str, data: dict[str, Any], *, with_certificates: bool) -> Answer:
        node, text = f"{method.replace('.', '_')}_response", dumps(data)
        serial = serial_of(self.keys.certificate_of(self.signing_key)) if with_certificates else ""
        more = f'"alipay_cert_sn":"{serial}",' if serial else ""
        return _json(f'{{"{node}":{text},{more}"sign":"{sign(self.signing_key, text)}"}}')


def _reference(said: Mapping[str, Any]) -> str:
    return str(said.get("out_trade_no") or "")


def _json(text: str) -> Answer:
    return Answer(200, text.encode(), {"Content-Type": "text/html;charset=utf-8"})


def _one_line(pem: str) -> str:
    """As .env files need it."""
    return pem.strip().replace("\n", "\\n")
