"""Alipay: page, telephone and QR payments of one application, in key mode or certificate mode."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qsl

from django.core.exceptions import ImproperlyConfigured

from sishu.core.money import Money, parse_decimal
from sishu.gateways import alipay_bill
from sishu.gateways import alipay_signing as signing
from sishu.gateways.alipay_client import CHINA, AlipayClient, Refusal
from sishu.gateways.base import (
    BadNotice,
    Bill,
    BillNotReady,
    Device,
    GatewayError,
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
    book_of,
)

PRODUCTION = "https://openapi.alipay.com/gateway.do"
CURRENCY = "CNY"
PAGES = {
    "page": ("alipay.trade.page.pay", "FAST_INSTANT_TRADE_PAY"),
    "wap": ("alipay.trade.wap.pay", "QUICK_WAP_PAY"),
}
PAID = frozenset({"TRADE_SUCCESS", "TRADE_FINISHED"})
NOT_EXIST = "ACQ.TRADE_NOT_EXIST"
# A clear no to a refund. Too little at Alipay (ACQ.SELLER_BALANCE_NOT_ENOUGH) is none: it is asked for again.
REFUND_REFUSED = frozenset(
    {
        NOT_EXIST, "ACQ.TRADE_STATUS_ERROR", "ACQ.TRADE_HAS_FINISHED", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL",
        "ACQ.REASON_TRADE_REFUND_FEE_ERR", "ACQ.DISCORDANT_REPEAT_REQUEST", "ACQ.TRADE_NOT_ALLOW_REFUND",
        "ACQ.REFUND_FEE_ERROR",
    }
)  # fmt: skip
# From memory: what the bill service says of a day it has no file for.
BILL_NOT_THERE = frozenset({"isp.bill_not_exist", "BILL_NOT_EXIST", "ACQ.BILL_NOT_EXIST"})
MAX_TITLE, MAX_REASON = 128, 80


class AlipayGateway:
    """Alipay. Its query does not list refunds: they are heard of by notice, by `query_refund`, and by bill."""

    name = "alipay"
    currencies = frozenset({CURRENCY})
    zone = CHINA

    def __init__(
        self, *, app_id: str, private_key: str, public_key: str = "", seller_id: str = "", app_cert: str = "",
        alipay_cert: str = "", root_cert: str = "", desktop_product: str = "page", url: str = PRODUCTION,
    ) -> None:  # fmt: skip
        if missing := [key for key, value in {"APP_ID": app_id, "PRIVATE_KEY": private_key}.items() if not value]:
            raise ImproperlyConfigured(
                f"Alipay needs ALIPAY_{', ALIPAY_'.join(missing)}; or take alipay out of GATEWAYS."
            )
        if desktop_product not in ("page", "qr"):
            raise ImproperlyConfigured(f"ALIPAY_DESKTOP_PRODUCT is {desktop_product!r}; set it to page or qr.")
        certs = {"ALIPAY_APP_CERT": app_cert, "ALIPAY_CERT": alipay_cert, "ALIPAY_ROOT_CERT": root_cert}
        if any(certs.values()) and not all(certs.values()):
            raise ImproperlyConfigured(f"Certificate mode needs all of {', '.join(certs)}; for key mode set none.")
        keys = signing.public_keys(public_key)
        keys += [cert.public_key() for cert in signing.certificates(alipay_cert, "ALIPAY_CERT")]  # type: ignore[misc]
        if not keys:
            raise ImproperlyConfigured("Alipay needs ALIPAY_PUBLIC_KEY, or the three certificates of certificate mode.")
        own = signing.certificates(app_cert, "ALIPAY_APP_CERT")
        self.book = book_of(url, PRODUCTION)
        self.app_id, self.seller_id, self.desktop_product = app_id, seller_id, desktop_product
        self.client = AlipayClient(
            url=url, app_id=app_id, private_key=signing.private_key(private_key), public_keys=tuple(keys),
            app_cert_sn=signing.serial_number(own[0]) if own else "",
            root_cert_sn=signing.root_serial_number(signing.certificates(root_cert, "ALIPAY_ROOT_CERT")),
        )  # fmt: skip

    def product_for(self, device: Device) -> str:
        return self.desktop_product if device == Device.DESKTOP else "wap"

    def start(self, request: PaymentRequest) -> Started:
        biz = {
            "out_trade_no": request.reference, "total_amount": yuan(request.due), "subject": request.title[:MAX_TITLE],
            # An unscanned code cannot be closed and stays payable: this is its only end.
            "time_expire": f"{request.expires_at.astimezone(CHINA):%Y-%m-%d %H:%M:%S}",
        }  # fmt: skip
        if request.product == "qr":
            try:
                said = self.client.call("alipay.trade.precreate", biz, notify_url=request.notify_url)
            except Refusal as error:
                raise GatewayError(f"Alipay made no code for {request.reference}: {error.code}.") from None
            return Started(ScanCode(str(said["qr_code"])))
        method, code = PAGES.get(request.product, PAGES["page"])
        more = {"product_code": code} | ({"quit_url": request.return_url} if request.product == "wap" else {})
        url = self.client.page(method, biz | more, notify_url=request.notify_url, return_url=request.return_url)
        return Started(Redirect(url))

    def query(self, reference: str, provider_reference: str = "") -> Snapshot:
        try:
            said = self.client.call("alipay.trade.query", {"out_trade_no": reference})
        except Refusal as error:
            if error.code == NOT_EXIST:  # until the buyer has opened the page or scanned the code
                return Snapshot(reference, Outcome.UNKNOWN)
            raise GatewayError(f"Alipay does not say what became of {reference}: {error.code}.") from None
        return read_trade(said, reference, paid_at="send_pay_date")

    def close(self, reference: str, provider_reference: str = "") -> Snapshot:
        with suppress(Refusal):  # not there yet, paid, or closed: the question tells
            self.client.call("alipay.trade.close", {"out_trade_no": reference})
        return self.query(reference)

    def refund(self, request: RefundRequest) -> RefundSnapshot:
        biz = {
            "out_trade_no": request.payment_reference, "refund_amount": yuan(request.amount),
            "out_request_no": request.reference, "refund_reason": request.reason[:MAX_REASON],
        }  # fmt: skip
        try:
            said = self.client.call("alipay.trade.refund", biz)
        except Refusal as error:
            if error.code in REFUND_REFUSED:
                return RefundSnapshot(request.reference, RefundOutcome.FAILED, request.amount)
            raise GatewayError(f"Alipay did not make refund {request.reference}: {error.code}.") from None
        if said.get("fund_change") == "Y":
            return RefundSnapshot(request.reference, RefundOutcome.SUCCEEDED, request.amount)
        # N: this call moved nothing, because an earlier one had, or because it will be done later.
        known = self.query_refund(request)
        if known.outcome == RefundOutcome.UNKNOWN:
            return RefundSnapshot(request.reference, RefundOutcome.PENDING, request.amount)
        return known

    def query_refund(self, request: RefundRequest) -> RefundSnapshot:
        amount = self._refunded(request.payment_reference, request.reference)
        if amount is None:
            return RefundSnapshot(request.reference, RefundOutcome.UNKNOWN, request.amount)
        return RefundSnapshot(request.reference, RefundOutcome.SUCCEEDED, amount)

    def parse_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        try:
            # What is empty is not signed, whether it was sent or not.
            said = {key: value for key, value in parse_qsl(body.decode(), keep_blank_values=True) if value}
            signing.verify(
                self.client.public_keys, signing.text_to_sign(said, without=("sign", "sign_type")), said["sign"]
            )
        except (signing.Unsigned, KeyError, UnicodeDecodeError, ValueError):
            raise BadNotice("The signature is not Alipay's.") from None
        if said.get("app_id") != self.app_id:
            raise BadNotice("The notice is for another application.")
        if self.seller_id and said.get("seller_id") != self.seller_id:
            raise BadNotice("The notice is for another seller.")
        try:
            return self._read_notice(said)
        except (KeyError, ValueError) as error:
            raise BadNotice(f"The notice is signed but makes no sense: {type(error).__name__}.") from None

    def fetch_bill(self, day: date) -> Bill:
        asked = {"bill_type": "trade", "bill_date": day.isoformat()}
        try:
            said = self.client.call("alipay.data.dataservice.bill.downloadurl.query", asked)
        except Refusal as error:
            if error.code in BILL_NOT_THERE:
                raise BillNotReady(f"Alipay has no bill of {day} yet.") from None
            raise GatewayError(f"Alipay does not hand out the bill of {day}: {error.code}.") from None
        return alipay_bill.read(day, self.client.download(str(said["bill_download_url"])))

    def _read_notice(self, said: Mapping[str, str]) -> Notice:
        reference = said["out_trade_no"]
        snapshot = read_trade(said, reference, paid_at="gmt_payment")
        number = said.get("out_biz_no", "")
        if number and "gmt_refund" in said:
            # refund_fee counts all refunds so far: what this one was of must be asked.
            amount = self._refunded(reference, number)
            outcome = RefundOutcome.SUCCEEDED if amount is not None else RefundOutcome.PENDING
            refund = RefundSnapshot(number, outcome, amount or Money(0, CURRENCY))
            snapshot = Snapshot(
                reference,
                snapshot.outcome,
                snapshot.captured,
                snapshot.captured_at,
                snapshot.provider_reference,
                (refund,),
            )
        return Notice(said["notify_id"], reference, snapshot, snapshot.provider_reference)

    def _refunded(self, reference: str, number: str) -> Money | None:
        """What went back under that number; None when Alipay does not know it, or has not made it."""
        asked = {"out_trade_no": reference, "out_request_no": number}
        try:
            said = self.client.call("alipay.trade.fastpay.refund.query", asked)
        except Refusal as error:
            if error.code == NOT_EXIST:
                return None
            raise GatewayError(f"Alipay does not say what became of refund {number}: {error.code}.") from None
        return money_of(str(said["refund_amount"])) if said.get("refund_status") == "REFUND_SUCCESS" else None


def read_trade(said: Mapping[str, Any], reference: str, *, paid_at: str) -> Snapshot:
    """A trade as a notice or an answer tells it. GatewayError for what cannot be read.

    Closed means that nobody paid, or that all of it went back: the moment of payment tells them apart.
    """
    status, at = said.get("trade_status"), str(said.get(paid_at) or "")
    number = str(said.get("trade_no", ""))
    try:
        moment = datetime.strptime(at, "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA).astimezone(UTC) if at else None
        if status in PAID or (status == "TRADE_CLOSED" and moment):
            return Snapshot(reference, Outcome.CAPTURED, money_of(str(said["total_amount"])), moment, number)
    except (KeyError, ValueError):
        raise GatewayError(f"What Alipay says of {reference} cannot be read.") from None
    if status not in ("WAIT_BUYER_PAY", "TRADE_CLOSED"):
        raise GatewayError(f"Alipay calls {reference} something unknown.")
    return Snapshot(
        reference, Outcome.CLOSED if status == "TRADE_CLOSED" else Outcome.PENDING, provider_reference=number
    )


def yuan(money: Money) -> str:
    """Yuan with two decimals, as Alipay wants them."""
    return money.decimal()


def money_of(text: str) -> Money:
    """Minor units of Alipay's yuan. ValueError when they are not exact."""
    return Money(parse_decimal(text, CURRENCY), CURRENCY)
