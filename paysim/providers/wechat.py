"""WeChat Pay v3 below /wechat/: direct merchant; native, h5 and jsapi; refunds; bills; and who the buyer is.

Requests are signed without the prefix, as at api.mch.weixin.qq.com. Facts marked [M] are from memory.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from paysim.bank import Charge, Refund, RefundStatus, Refused, Status
from paysim.faults import FaultKind
from paysim.http import Answer, Asked
from paysim.keys import private_pem, public_pem
from paysim.providers.wechat_bill import Bills
from paysim.providers.wechat_events import Events, moment, read
from paysim.providers.wechat_keys import BadSignature, Signer, WechatKeys, dumps
from paysim.providers.wechat_pages import Pages

if TYPE_CHECKING:
    from paysim.simulator import Simulator

MERCHANT, APP = "1900000109", "wx8888888888888888"
PREFIX = "/wechat"
REFERENCE = re.compile(r"[0-9A-Za-z_\-|*]{6,32}")
REFUND_REFERENCE = re.compile(r"[0-9A-Za-z_\-|*@]{1,64}")
# What time_expire must at least leave the buyer. [M]
LEAST_LIFETIME = timedelta(minutes=1)
PREPAY_LIFETIME = timedelta(hours=2)
TRADE_TYPES = {"native": "NATIVE", "h5": "MWEB", "jsapi": "JSAPI"}
# PAYERROR: in truth only for payment codes; the simulator's "the payment fails" has no other word.
STATES = {
    Status.WAITING: ("NOTPAY", "订单未支付"), Status.PAID: ("SUCCESS", "支付成功"),
    Status.FAILED: ("PAYERROR", "支付失败"), Status.CLOSED: ("CLOSED", "订单已关闭"),
}  # fmt: skip
REFUND_STATES = {
    RefundStatus.PENDING: "PROCESSING", RefundStatus.SUCCEEDED: "SUCCESS", RefundStatus.FAILED: "ABNORMAL",
    RefundStatus.CLOSED: "CLOSED",
}  # fmt: skip
# The bank's word → status, code, message.
SAID = {
    "too_much": (400, "INVALID_REQUEST", "申请退款金额大于订单可退金额"),
    "not_paid": (400, "INVALID_REQUEST", "订单未支付，不可退款"),
    "conflict": (400, "INVALID_REQUEST", "订单金额或退款金额与之前请求不一致"),
    "low_balance": (403, "NOT_ENOUGH", "基本账户余额不足，请充值后重新发起"),
    "refused": (403, "USER_ACCOUNT_ABNORMAL", "用户账户异常，无法退款"),
    "unknown": (404, "RESOURCE_NOT_EXISTS", "订单不存在"),
}


class Problem(Exception):
    """An error as WeChat says it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class Wechat:
    """One direct merchant and its counterpart."""

    name = "wechat"

    def __init__(self, sim: Simulator) -> None:
        self.sim = sim
        self.merchant, self.app = MERCHANT, APP
        self.keys = WechatKeys(sim.folder)
        self.events = Events(self)
        self.bills = Bills(self)
        self.pages = Pages(self)
        # "public" or "certificate": with which kind of key notices are signed.
        self.notice_key = "public"
        # Everything that was asked for, oldest first: "GET /v3/certificates".
        self.calls: list[str] = []
        sim.bank.listen(self.name, self.events.hear)

    @property
    def url(self) -> str:
        return self.sim.base_url + PREFIX

    def environment(self, base_url: str) -> dict[str, str]:
        # One line each, as .env files need it.
        one_line = {
            "WECHAT_PRIVATE_KEY": private_pem(self.keys.merchant),
            "WECHAT_PUBLIC_KEY": public_pem(self.keys.public),
        }
        return {
            "WECHAT_URL": base_url + PREFIX,
            "WECHAT_LOGIN_URL": base_url + PREFIX,
            "WECHAT_API_URL": base_url + PREFIX,
            "WECHAT_APP_ID": self.app,
            "WECHAT_APP_SECRET": self.keys.app_secret,
            "WECHAT_MCH_ID": self.merchant,
            "WECHAT_CERT_SERIAL": self.keys.merchant_serial,
            "WECHAT_API_V3_KEY": self.keys.api_v3,
            "WECHAT_PUBLIC_KEY_ID": self.keys.public_id,
            **{name: pem.strip().replace("\n", "\\n") for name, pem in one_line.items()},
        }

    def notice_signer(self) -> Signer:
        return self.keys.public_signer if self.notice_key == "public" else self.keys.certificates[-1].signer

    def handle(self, asked: Asked) -> Answer:
        target = asked.target.removeprefix(PREFIX)
        path = asked.path.removeprefix(PREFIX)
        self.calls.append(f"{asked.method} {path}")
        if not path.startswith("/v3/"):
            return self.pages.handle(path, asked)
        try:
            self.keys.check(asked, target, self.merchant)
            if path == "/v3/billdownload/file":
                return self.bills.download(asked)  # the one answer that is not signed
            answer = self._route(asked.method, path, asked)
        except BadSignature as error:
            answer = _problem(401, "SIGN_ERROR", str(error))
        except Problem as error:
            answer = _problem(error.status, error.code, str(error))
        except Refused as error:
            answer = _problem(*SAID[error.code])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            answer = _problem(400, "PARAM_ERROR", f"参数错误 {type(error).__name__}")
        if answer.is_silent:
            return answer
        signed = self.keys.signer_for(asked.headers).headers(answer.body, self.sim.clock.now())
        return Answer(answer.status, answer.body, {**answer.headers, **signed, "Request-ID": secrets.token_hex(16)})

    def _route(self, method: str, path: str, asked: Asked) -> Answer:
        routes: list[tuple[str, str, Callable[..., Answer]]] = [
            ("POST", r"/v3/pay/transactions/(native|h5|jsapi)", self.begin),
            ("POST", r"/v3/pay/transactions/out-trade-no/([^/]+)/close", self.close),
            ("GET", r"/v3/pay/transactions/(?:out-trade-no|id)/([^/]+)", self.query),
            ("POST", r"/v3/refund/domestic/refunds", self.refund),
            ("GET", r"/v3/refund/domestic/refunds/([^/]+)", self.query_refund),
            ("GET", r"/v3/certificates", self.certificates),
            ("GET", r"/v3/bill/tradebill", self.bills.ask),
        ]
        for verb, pattern, function in routes:
            if verb == method and (found := re.fullmatch(pattern, path)):
                return function(asked, *found.groups())
        raise Problem(404, "RESOURCE_NOT_EXISTS", "请求的资源不存在")

    def begin(self, asked: Asked, product: str) -> Answer:
        """POST /v3/pay/transactions/<product>."""
        said = read(asked.body)
        reference = said["out_trade_no"]
        self._own(said, "appid", self.app)
        amount, currency = said["amount"]["total"], said["amount"].get("currency", "CNY")
        payer = said.get("payer", {}).get("openid", "")
        _require(bool(REFERENCE.fullmatch(reference)), "out_trade_no")
        _require(type(amount) is int and 0 < amount <= 10**9 and currency == "CNY", "amount")
        _require(0 < len(said["description"]) <= 127, "description")
        _require(re.fullmatch(r"https?://[^?#\s]{1,248}", said["notify_url"]) is not None, "notify_url")
        _require(product != "jsapi" or self.pages.knows(payer), "payer.openid")
        if product == "h5":
            _require(
                bool(said["scene_info"]["payer_client_ip"] and said["scene_info"]["h5_info"]["type"]), "scene_info"
            )
        expires_at = datetime.fromisoformat(said["time_expire"]) if "time_expire" in said else None
        known = self.sim.bank.find(self.name, reference)
        if known is None and expires_at is not None:
            _require(expires_at - self.sim.clock.now() >= LEAST_LIFETIME, "time_expire")
        if known is not None and known.status == Status.PAID:
            raise Problem(400, "ORDERPAID", "该订单已支付")
        if known is not None and known.status != Status.WAITING:
            raise Problem(400, "ORDER_CLOSED", "订单已关闭")
        self._fail_before(reference)
        try:
            charge = self.sim.bank.open_charge(
                Charge(
                    self.name, reference, self.sim.bank.new_number(), amount, currency, said["description"], product,
                    self.sim.clock.now(), expires_at, said["notify_url"],
                    extra={"payer": payer or self.pages.somebody(), "prepay_id": f"wx{self.sim.bank.new_number()}"},
                )
            )  # fmt: skip
        except Refused:
            raise Problem(403, "OUT_TRADE_NO_USED", "商户订单号重复") from None
        return self._after(reference, Answer.of_json(self.pages.way_to_pay(charge)))

    def query(self, asked: Asked, number: str) -> Answer:
        """GET …/out-trade-no/<number> or …/id/<number>."""
        self._own(asked.query, "mchid", self.merchant)
        charge = self._charge(number)
        self._fail_before(charge.reference)
        return self._after(charge.reference, Answer.of_json(self.transaction(charge)))

    def close(self, asked: Asked, number: str) -> Answer:
        """POST …/close: 204, also for a number that nobody knows. [community report]"""
        self._own(read(asked.body), "mchid", self.merchant)
        self._fail_before(number)
        if self.sim.bank.find(self.name, number) is not None:
            try:
                self.sim.bank.close(self.name, number)
            except Refused:
                raise Problem(400, "ORDERPAID", "该订单已支付") from None
        return self._after(number, Answer(204))

    def refund(self, asked: Asked) -> Answer:
        """POST /v3/refund/domestic/refunds."""
        said = read(asked.body)
        amount, number = said["amount"], said["out_refund_no"]
        _require(bool(REFUND_REFERENCE.fullmatch(number)), "out_refund_no")
        _require(type(amount["refund"]) is int and type(amount["total"]) is int, "amount")
        _require(amount["refund"] > 0 and amount["currency"] == "CNY", "amount")
        charge = self.sim.bank.find(self.name, said.get("transaction_id") or said["out_trade_no"])
        if charge is None:
            raise Problem(404, "RESOURCE_NOT_EXISTS", "订单不存在")
        if amount["total"] != charge.captured:
            raise Problem(400, "INVALID_REQUEST", "订单金额不一致")
        self._fail_before(charge.reference)
        refund, is_new = self.sim.bank.refund(
            self.name, charge.reference, refund_reference=number, amount=amount["refund"],
            reason=said.get("reason", ""), notify_url=said.get("notify_url", ""),
            settle=not self.sim.faults.take(FaultKind.REFUND_PENDING, charge.reference),
        )  # fmt: skip
        answer = self.refunded(charge, refund)
        if is_new and refund.status in (RefundStatus.FAILED, RefundStatus.CLOSED):
            # Accepted; that it came to nothing is known later.
            answer["status"] = "PROCESSING"
        return self._after(charge.reference, Answer.of_json(answer))

    def query_refund(self, asked: Asked, number: str) -> Answer:
        """GET /v3/refund/domestic/refunds/<number>."""
        for charge in self.sim.bank.charges(self.name):
            for refund in charge.refunds:
                if refund.reference == number:
                    self._fail_before(charge.reference)
                    return self._after(charge.reference, Answer.of_json(self.refunded(charge, refund)))
        raise Problem(404, "RESOURCE_NOT_EXISTS", "退款单不存在")

    def certificates(self, asked: Asked) -> Answer:
        """GET /v3/certificates."""
        return Answer.of_json(self.keys.listed())

    def transaction(self, charge: Charge) -> dict[str, Any]:
        """A payment as queries and notices tell of it.

        WeChat itself never takes money twice for one number; when the simulator is made to, `total` says the sum.
        """
        state, words = STATES[charge.status]
        said: dict[str, Any] = {
            "appid": self.app, "mchid": self.merchant, "out_trade_no": charge.reference, "attach": "",
            "trade_state": state, "trade_state_desc": words,
            "amount": {"total": charge.captured or charge.amount, "currency": charge.currency},
        }  # fmt: skip
        if charge.paid_at is not None:
            if charge.refunded:
                said |= {"trade_state": "REFUND", "trade_state_desc": "订单发生过退款"}
            currency = charge.captures[0].currency
            said |= {
                "transaction_id": charge.provider_reference, "trade_type": TRADE_TYPES[charge.product],
                "bank_type": "OTHERS", "success_time": moment(charge.paid_at),
                "payer": {"openid": charge.extra["payer"]},
                "amount": {
                    "total": charge.captured, "payer_total": charge.captured, "currency": currency,
                    "payer_currency": currency,
                },
            }  # fmt: skip
        return said

    def refunded(self, charge: Charge, refund: Refund) -> dict[str, Any]:
        """A refund as answers tell of it."""
        said: dict[str, Any] = {
            "refund_id": refund.provider_reference, "out_refund_no": refund.reference,
            "transaction_id": charge.provider_reference, "out_trade_no": charge.reference, "channel": "ORIGINAL",
            "user_received_account": "支付用户零钱", "create_time": moment(refund.at),
            "status": REFUND_STATES[refund.status], "funds_account": "AVAILABLE",
            "amount": {
                "total": charge.captured, "refund": refund.amount, "payer_total": charge.captured,
                "payer_refund": refund.amount, "settlement_total": charge.captured,
                "settlement_refund": refund.amount, "discount_refund": 0, "currency": "CNY",
            },
        }  # fmt: skip
        if refund.status == RefundStatus.SUCCEEDED and refund.settled_at is not None:
            said["success_time"] = moment(refund.settled_at)
        return said

    def _charge(self, number: str) -> Charge:
        charge = self.sim.bank.find(self.name, number)
        if charge is None:
            raise Problem(404, "ORDER_NOT_EXIST", "订单不存在")
        return charge

    def _own(self, said: dict[str, Any], *names: str) -> None:
        """appid and mchid must be this merchant's."""
        expected = {"mchid": self.merchant, "appid": self.app}
        for name in {"mchid", *names} & expected.keys():
            _require(said[name] == expected[name], name)

    def _fail_before(self, reference: str) -> None:
        if self.sim.faults.take(FaultKind.ERROR_BEFORE_EFFECT, reference):
            raise Problem(500, "SYSTEM_ERROR", "系统异常，请用相同参数重新调用")

    def _after(self, reference: str, answer: Answer) -> Answer:
        """The answer, unless it is to be lost."""
        if self.sim.faults.take(FaultKind.ERROR_AFTER_EFFECT, reference):
            raise Problem(500, "SYSTEM_ERROR", "系统异常，请用相同参数重新调用")
        return Answer(is_silent=True) if self.sim.faults.take(FaultKind.TIMEOUT, reference) else answer


def _problem(status: int, code: str, message: str) -> Answer:
    body = dumps({"code": code, "message": message}).encode()
    return Answer(status, body, {"Content-Type": "application/json; charset=utf-8"})


def _require(fits: bool, field: str) -> None:
    if not fits:
        raise Problem(400, "PARAM_ERROR", f"输入源 {field} 映射到值字段校验失败")
