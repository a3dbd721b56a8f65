"""WeChat Pay, API v3, as a direct merchant: scanned codes, telephones' browsers, and WeChat's own browser."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import quote, urlencode
from urllib.request import urlopen

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from sishu.core import clock
from sishu.core.languages import listed
from sishu.core.money import Money, check_amount
from sishu.gateways import wechat_keys
from sishu.gateways.base import (
    BadNotice,
    Bill,
    Device,
    GatewayError,
    Instruction,
    Notice,
    Outcome,
    PaymentRequest,
    Redirect,
    RefundOutcome,
    RefundRequest,
    RefundSnapshot,
    ScanCode,
    Snapshot,
    Started,
    WeixinBridge,
    book_of,
)
from sishu.gateways.wechat_bill import read_bill
from sishu.gateways.wechat_client import TIMEOUT, Refused, WechatClient
from sishu.gateways.wechat_refunds import WANTS_NEW_NUMBER, number_of, reference_of

PRODUCTION = "https://api.mch.weixin.qq.com"
CHINA = timezone(timedelta(hours=8))
TRANSACTIONS, REFUNDS = "/v3/pay/transactions", "/v3/refund/domestic/refunds"
OUTCOMES = {
    "SUCCESS": Outcome.CAPTURED, "REFUND": Outcome.CAPTURED, "NOTPAY": Outcome.PENDING, "USERPAYING": Outcome.PENDING,
    "CLOSED": Outcome.CLOSED, "REVOKED": Outcome.CLOSED, "PAYERROR": Outcome.FAILED,
}  # fmt: skip
# ABNORMAL: the buyer's bank did not take it. A person must decide at WeChat's console; it may then still succeed.
REFUND_OUTCOMES = {
    "PROCESSING": RefundOutcome.PENDING, "SUCCESS": RefundOutcome.SUCCEEDED,
    "CLOSED": RefundOutcome.FAILED, "ABNORMAL": RefundOutcome.FAILED,
}  # fmt: skip
# A clear no to a refund. Everything else (NOT_ENOUGH too: the balance may be filled) is asked again.
REFUND_REFUSED = frozenset({"INVALID_REQUEST", "PARAM_ERROR", "USER_ACCOUNT_ABNORMAL", "RESOURCE_NOT_EXISTS"})
# What close answers when there is nothing to close; what is true is asked after it in any case.
CLOSE_REFUSED = frozenset({"ORDERPAID", "ORDER_CLOSED", "ORDER_NOT_EXIST", "RESOURCE_NOT_EXISTS"})
PAID = "TRANSACTION.SUCCESS"
EVENTS = frozenset({PAID, "REFUND.SUCCESS", "REFUND.ABNORMAL", "REFUND.CLOSED"})
MAX_TITLE, MAX_REASON = 127, 80


class WechatGateway:
    """WeChat Pay. Query does not list refunds: they are heard of by notice, by `query_refund`, and by bill."""

    name = "wechat"
    currencies = frozenset({"CNY"})
    zone = CHINA
    time_to_pay: timedelta | None = None
    FIXED_TOGETHER = (frozenset({"public_key", "public_key_id", "platform_certs"}),)

    def __init__(
        self, *, app_id: str, mch_id: str, private_key: str, cert_serial: str, api_v3_key: str, app_secret: str = "",
        public_key: str = "", public_key_id: str = "", platform_certs: str = "", url: str = PRODUCTION,
        login_url: str = "https://open.weixin.qq.com/connect", api_url: str = "https://api.weixin.qq.com",
        timeout: tuple[float, float] = TIMEOUT,
    ) -> None:  # fmt: skip
        needed = {
            "WECHAT_APP_ID": app_id, "WECHAT_MCH_ID": mch_id, "WECHAT_PRIVATE_KEY": private_key,
            "WECHAT_CERT_SERIAL": cert_serial, "WECHAT_API_V3_KEY": api_v3_key,
        }  # fmt: skip
        if missing := [key for key, value in needed.items() if not value]:
            raise ImproperlyConfigured(
                format_lazy(_("WeChat Pay needs {names}; or take wechat out of GATEWAYS."), names=listed(missing))
            )
        wechat_keys.check(cert_serial, api_v3_key, public_key, public_key_id)
        self.book = book_of(url, PRODUCTION)
        self.app_id, self.mch_id, self.app_secret = app_id, mch_id, app_secret
        self.login_url, self.api_url = login_url.rstrip("/"), api_url.rstrip("/")
        self.timeout = timeout
        # By address and merchant: what a simulator gave away is never believed of the provider.
        owner = hashlib.sha256(f"{url.rstrip('/')} {mch_id}".encode()).hexdigest()[:16]
        self.client = WechatClient(
            url=url, mch_id=mch_id, cert_serial=cert_serial, private_key=wechat_keys.private_pem(private_key),
            api_v3_key=api_v3_key,
            public_key=wechat_keys.public_pem(public_key), public_key_id=public_key_id,
            certificates=wechat_keys.certificates_in(platform_certs),
            folder=Path(settings.DATA_DIR) / "wechat" / owner, timeout=timeout,
        )  # fmt: skip

    def product_for(self, device: Device) -> str:
        if device == Device.MOBILE:
            return "h5"
        return "jsapi" if device == Device.WEIXIN and self.app_secret else "native"

    def identify_url(self, return_url: str, state: str) -> str | None:
        if not self.app_secret:
            return None
        # In this order, and with this end: WeChat's page looks at the text.
        asked = urlencode(
            {
                "appid": self.app_id, "redirect_uri": return_url, "response_type": "code", "scope": "snsapi_base",
                "state": state,
            }
        )  # fmt: skip
        return f"{self.login_url}/oauth2/authorize?{asked}#wechat_redirect"

    def identify(self, code: str) -> str:
        asked = urlencode(
            {"appid": self.app_id, "secret": self.app_secret, "code": code, "grant_type": "authorization_code"}
        )
        try:
            # Not by requests, whose debug log would show the address, and with it the secret.
            with urlopen(f"{self.api_url}/sns/oauth2/access_token?{asked}", timeout=self.timeout[1]) as answer:  # noqa: S310
                said = json.loads(answer.read(64 * 1024))
            openid = said.get("openid")
        except (URLError, OSError, ValueError, AttributeError) as error:
            raise GatewayError(_("WeChat did not say who the buyer is: {error}."), error=type(error).__name__) from None
        if not isinstance(openid, str) or not re.fullmatch(r"[0-9A-Za-z_-]{1,128}", openid):
            raise GatewayError(
                _("WeChat does not say who the buyer is: errcode {code}."), code=_number(said.get("errcode"))
            )
        return openid

    def start(self, request: PaymentRequest) -> Started:
        product = request.product or "native"
        terms: dict[str, Any] = {
            "appid": self.app_id, "mchid": self.mch_id, "description": request.title[:MAX_TITLE],
            "out_trade_no": request.reference, "notify_url": request.notify_url,
            "time_expire": request.expires_at.astimezone(CHINA).replace(microsecond=0).isoformat(),
            "amount": {"total": request.due.amount, "currency": request.due.currency},
        }  # fmt: skip
        if product == "h5":
            terms["scene_info"] = {"payer_client_ip": request.client_ip, "h5_info": {"type": "Wap"}}
        elif product == "jsapi":
            if not request.payer:
                raise GatewayError(_("WeChat Pay cannot begin a jsapi payment before it is known who pays: identify."))
            terms["payer"] = {"openid": request.payer}
        try:
            said = self.client.post(f"{TRANSACTIONS}/{product}", terms)
        except Refused as error:
            raise GatewayError(
                _("WeChat Pay does not begin {reference}: {why}."), reference=request.reference, why=error
            ) from None
        return Started(self._instruction(product, said, request))

    def query(self, reference: str, provider_reference: str = "") -> Snapshot:
        try:
            said = self.client.get(f"{TRANSACTIONS}/out-trade-no/{reference}?mchid={self.mch_id}")
        except Refused as error:
            if error.code == "ORDER_NOT_EXIST":
                return Snapshot(reference, Outcome.UNKNOWN)
            raise GatewayError(
                _("WeChat Pay does not tell of {reference}: {why}."), reference=reference, why=error
            ) from None
        try:
            snapshot = self._snapshot(said)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise _unreadable(reference, error) from None
        if snapshot.reference != reference:
            raise GatewayError(
                _("WeChat Pay was asked about {reference} and tells of another payment."), reference=reference
            )
        return snapshot

    def close(self, reference: str, provider_reference: str = "") -> Snapshot:
        try:
            self.client.post(f"{TRANSACTIONS}/out-trade-no/{reference}/close", {"mchid": self.mch_id})
        except Refused as error:
            if error.code not in CLOSE_REFUSED:
                raise GatewayError(
                    _("WeChat Pay does not close {reference}: {why}."), reference=reference, why=error
                ) from None
        # 204 comes also for what was not closed.
        return self.query(reference)

    def refund(self, request: RefundRequest) -> RefundSnapshot:
        number = self._number(request)
        terms: dict[str, Any] = {
            "out_trade_no": request.payment_reference, "out_refund_no": number,
            "amount": {
                "refund": request.amount.amount, "total": request.captured.amount, "currency": request.amount.currency,
            },
        }  # fmt: skip
        if request.reason:
            terms["reason"] = request.reason[:MAX_REASON]
        if request.notify_url:
            terms["notify_url"] = request.notify_url
        try:
            return self._refund_snapshot(request, number, self.client.post(REFUNDS, terms))
        except Refused as error:
            if error.code not in REFUND_REFUSED:
                raise GatewayError(
                    _("WeChat Pay does not yet give back {reference}: {why}."),
                    reference=request.reference,
                    why=error,
                ) from None
        # The no is not signed, and may be about the question only: what is known under the number counts.
        said = self._refund_said(number)
        if said is not None:
            return self._refund_snapshot(request, number, said)
        return RefundSnapshot(request.reference, RefundOutcome.FAILED, request.amount)

    def query_refund(self, request: RefundRequest) -> RefundSnapshot:
        number = self._number(request)
        said = self._refund_said(number)
        if said is None:
            return RefundSnapshot(request.reference, RefundOutcome.UNKNOWN, request.amount)
        return self._refund_snapshot(request, number, said)

    def parse_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        said = self.client.open_notice(headers, body)
        event, resource = said.get("event_type"), said["resource"]
        try:
            notice_id = _text(said, "id")
            if event not in EVENTS:
                return Notice(notice_id, "")  # of a product that this house does not use
            if resource["mchid"] != self.mch_id:
                raise BadNotice("The notice is for another merchant.")
            # A refund's notice says neither when nor in what currency was paid, and may overtake the payment's.
            snapshot = self._snapshot(resource) if event == PAID else self._after_refund(resource)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise BadNotice(f"The notice is signed but makes no sense: {type(error).__name__}.") from None
        return Notice(notice_id, snapshot.reference, snapshot, snapshot.provider_reference)

    def fetch_bill(self, day: date) -> Bill:
        return read_bill(self.client, day, mch_id=self.mch_id)

    def _instruction(self, product: str, said: dict[str, Any], request: PaymentRequest) -> Instruction:
        """What the buyer does with WeChat's answer."""
        try:
            if product == "native":
                return ScanCode(_text(said, "code_url"))
            if product == "h5":
                return Redirect(f"{_text(said, 'h5_url')}&redirect_url={quote(request.return_url, safe='')}")
            return WeixinBridge(self._bridge(_text(said, "prepay_id")))
        except (KeyError, TypeError) as error:
            raise _unreadable(request.reference, error) from None

    def _bridge(self, prepay_id: str) -> dict[str, str]:
        """The parameters of getBrandWCPayRequest, signed for the browser."""
        moment, nonce, package = str(int(clock.now().timestamp())), secrets.token_hex(16), f"prepay_id={prepay_id}"
        return {
            "appId": self.app_id, "timeStamp": moment, "nonceStr": nonce, "package": package, "signType": "RSA",
            "paySign": self.client.sign([self.app_id, moment, nonce, package]),
        }  # fmt: skip

    def _snapshot(self, said: Mapping[str, Any]) -> Snapshot:
        """A transaction, as queries and notices tell of it. BadNotice or GatewayError if it is not ours."""
        if said["mchid"] != self.mch_id or said["appid"] != self.app_id:
            raise ValueError("another merchant, or another app")
        reference, outcome = _text(said, "out_trade_no"), OUTCOMES[said["trade_state"]]
        if outcome != Outcome.CAPTURED:
            return Snapshot(reference, outcome)
        amount = said["amount"]
        # `total` and not `payer_total`, which is less when WeChat paid for a voucher.
        captured = Money(check_amount(amount["total"], least=1), _currency(amount))
        return Snapshot(
            reference=reference,
            outcome=outcome,
            captured=captured,
            captured_at=_moment(said["success_time"]),
            provider_reference=_text(said, "transaction_id"),
        )

    def _number(self, request: RefundRequest) -> str:
        """The number that is in force: the first that WeChat has not closed, of as many as people asked for it anew."""
        for attempt in range(request.attempt):
            number = number_of(request.reference, attempt)
            said = self._refund_said(number)
            if said is None or said.get("status") not in WANTS_NEW_NUMBER:
                return number
        return number_of(request.reference, request.attempt)

    def _refund_said(self, number: str) -> dict[str, Any] | None:
        """What WeChat says of a refund by its number; None when it knows none."""
        try:
            return self.client.get(f"{REFUNDS}/{number}")
        except Refused as error:
            if error.code == "RESOURCE_NOT_EXISTS":
                return None
            raise GatewayError(
                _("WeChat Pay does not tell of refund {number}: {why}."), number=number, why=error
            ) from None

    def _after_refund(self, said: Mapping[str, Any]) -> Snapshot:
        """A payment as it is now, with the refund that a notice told of."""
        number, status = _text(said, "out_refund_no"), said["refund_status"]
        amount = check_amount(said["amount"]["refund"], least=1)
        now = self.query(_text(said, "out_trade_no"))
        currency = now.captured.currency if now.captured else "CNY"
        return replace(now, refunds=(_told(number, status, Money(amount, currency)),))

    def _refund_snapshot(self, request: RefundRequest, number: str, said: Mapping[str, Any]) -> RefundSnapshot:
        try:
            if said["out_refund_no"] != number or said["out_trade_no"] != request.payment_reference:
                raise GatewayError(_("WeChat Pay was asked about refund {number} and tells of another."), number=number)
            refunded = Money(check_amount(said["amount"]["refund"], least=1), _currency(said["amount"]))
            return _told(number, said["status"], refunded)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise _unreadable(request.reference, error) from None


def _told(number: str, status: str, refunded: Money) -> RefundSnapshot:
    """A refund of ours by WeChat's number for it. Only a closed number is old news once another is in force."""
    reference, attempt = reference_of(number)
    is_closed = status in WANTS_NEW_NUMBER
    return RefundSnapshot(reference, REFUND_OUTCOMES[status], refunded, attempt if is_closed else None)


def _text(said: Mapping[str, Any], key: str) -> str:
    value = said[key]
    if not isinstance(value, str) or not value:
        raise TypeError(key)
    return value


def _currency(amount: Mapping[str, Any]) -> str:
    code = amount.get("currency", "CNY")
    if not isinstance(code, str) or not re.fullmatch(r"[A-Z]{3}", code):
        raise ValueError("no currency")
    return code


def _moment(text: str) -> datetime:
    """UTC. ValueError for a time without zone."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("no zone")
    return at.astimezone(UTC)


def _number(value: object) -> int:
    return value if type(value) is int else 0


def _unreadable(reference: str, error: Exception) -> GatewayError:
    why = type(error).__name__
    return GatewayError(_("WeChat Pay's answer about {reference} cannot be read: {why}."), reference=reference, why=why)
