"""Alipay: page, telephone and QR payments of one application, in key mode or certificate mode."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from django.core.exceptions import ImproperlyConfigured
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from sishu.core.languages import listed
from sishu.core.money import Money, check_amount, parse_decimal
from sishu.gateways import alipay_bill
from sishu.gateways import alipay_signing as signing
from sishu.gateways.alipay_client import CHINA, TIMEOUT, AlipayClient, Refusal
from sishu.gateways.base import (
    BadNotice,
    Bill,
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

log = logging.getLogger(__name__)

PRODUCTION = "https://openapi.alipay.com/gateway.do"
CURRENCY = "CNY"
PAGES = {
    "page": ("alipay.trade.page.pay", "FAST_INSTANT_TRADE_PAY"),
    "wap": ("alipay.trade.wap.pay", "QUICK_WAP_WAY"),
}
PAID = frozenset({"TRADE_SUCCESS", "TRADE_FINISHED"})
NOT_EXIST = "ACQ.TRADE_NOT_EXIST"
# A clear no to a refund. Too little at Alipay (ACQ.SELLER_BALANCE_NOT_ENOUGH) is none: it is asked for again. The list is
# partly from memory; a code that is missing here is asked again, and never taken for a no.
REFUND_REFUSED = frozenset(
    {
        NOT_EXIST, "ACQ.TRADE_STATUS_ERROR", "ACQ.TRADE_HAS_FINISHED", "ACQ.TRADE_HAS_CLOSE", "ACQ.INVALID_PARAMETER",
        "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "ACQ.REASON_TRADE_REFUND_FEE_ERR", "ACQ.DISCORDANT_REPEAT_REQUEST",
        "ACQ.TRADE_NOT_ALLOW_REFUND", "ACQ.NOT_ALLOW_PARTIAL_REFUND", "ACQ.REFUND_FEE_ERROR",
    }
)  # fmt: skip
NOTICE_OF_TRADE = "trade_status_sync"
# What only a refund puts into a notice.
SIGNS_OF_REFUND = frozenset({"refund_fee", "gmt_refund", "out_biz_no"})
MAX_TITLE, MAX_REASON = 128, 80
# From memory: Alipay's documents forbid these in a title, though its gateway lets many pass.
IN_TITLE = str.maketrans("/=&", "／＝＆")


class AlipayGateway:
    """Alipay. Its query does not list refunds: they are heard of by notice, by `query_refund`, and by bill."""

    name = "alipay"
    currencies = frozenset({CURRENCY})
    zone = CHINA
    time_to_pay: timedelta | None = None
    FIXED_TOGETHER = (frozenset({"public_key", "app_cert", "alipay_cert", "root_cert"}),)

    def __init__(
        self, *, app_id: str, private_key: str, seller_id: str, public_key: str = "", app_cert: str = "",
        alipay_cert: str = "", root_cert: str = "", desktop_product: str = "page", url: str = PRODUCTION,
        timeout: tuple[float, float] = TIMEOUT,
    ) -> None:  # fmt: skip
        needed = {"ALIPAY_APP_ID": app_id, "ALIPAY_SELLER_ID": seller_id, "ALIPAY_PRIVATE_KEY": private_key}
        if missing := [key for key, value in needed.items() if not value]:
            raise ImproperlyConfigured(
                format_lazy(_("Alipay needs {names}; or take alipay out of GATEWAYS."), names=listed(missing))
            )
        if desktop_product not in ("page", "qr"):
            raise ImproperlyConfigured(
                format_lazy(_("ALIPAY_DESKTOP_PRODUCT is '{value}'; set it to page or qr."), value=desktop_product)
            )
        self.book = book_of(url, PRODUCTION)
        self.app_id, self.seller_id, self.desktop_product = app_id, seller_id, desktop_product
        own_key = signing.private_key(private_key)
        certificates = signing.read_certificates(app_cert, root_cert, alipay_cert, own_key)
        if certificates and public_key:
            raise ImproperlyConfigured(
                _("ALIPAY_PUBLIC_KEY is for key mode and the three certificates are for certificate mode; set one of the "
                  "two.")
            )  # fmt: skip
        keys = certificates.alipay_keys if certificates else signing.public_keys(public_key)
        if not keys:
            raise ImproperlyConfigured(
                _("Alipay needs ALIPAY_PUBLIC_KEY, or the three certificates of certificate mode.")
            )
        if own_key.public_key() in keys:
            raise ImproperlyConfigured(
                _("ALIPAY_PUBLIC_KEY is your own 应用公钥; paste 支付宝公钥, which Alipay shows beside it.")
            )
        self.client = AlipayClient(
            url=url, app_id=app_id, private_key=own_key, public_keys=tuple(keys), timeout=timeout,
            app_cert_sn=certificates.app_sn if certificates else "",
            root_cert_sn=certificates.root_sn if certificates else "",
        )  # fmt: skip

    def product_for(self, device: Device) -> str:
        return self.desktop_product if device == Device.DESKTOP else "wap"

    def start(self, request: PaymentRequest) -> Started:
        terms = {
            "out_trade_no": request.reference, "total_amount": request.due.decimal(),
            "subject": request.title.translate(IN_TITLE)[:MAX_TITLE],
            # What nobody opened or scanned yet cannot be closed and stays payable: this is its only end.
            "time_expire": f"{request.expires_at.astimezone(CHINA):%Y-%m-%d %H:%M:%S}",
        }  # fmt: skip
        product = request.product or self.desktop_product
        if product == "qr":
            return self._code(request, terms)
        method, code = PAGES[product]
        more = {"product_code": code} | ({"quit_url": request.return_url} if product == "wap" else {})
        url = self.client.page(method, terms | more, notify_url=request.notify_url, return_url=request.return_url)
        return Started(Redirect(url))

    def query(self, reference: str, provider_reference: str = "") -> Snapshot:
        try:
            said = self.client.call("alipay.trade.query", {"out_trade_no": reference})
        except Refusal as error:
            if error.code == NOT_EXIST:  # until the buyer has opened the page or scanned the code
                return Snapshot(reference, Outcome.UNKNOWN)
            raise GatewayError(
                _("Alipay does not say what became of {reference}: {code}."), reference=reference, code=error.code
            ) from None
        if said.get("out_trade_no") != reference:
            raise GatewayError(
                _("Alipay was asked about {reference} and tells of another payment."), reference=reference
            )
        try:
            return read_trade(said, paid_at="send_pay_date")
        except (KeyError, TypeError, ValueError) as error:
            raise _unreadable(reference, error) from None

    def close(self, reference: str, provider_reference: str = "") -> Snapshot:
        # Not there yet, paid, or closed: the question tells. What is not there yet is UNKNOWN and may still be paid.
        with suppress(Refusal):
            self.client.call("alipay.trade.close", {"out_trade_no": reference})
        return self.query(reference)

    def refund(self, request: RefundRequest) -> RefundSnapshot:
        terms = {
            "out_trade_no": request.payment_reference, "refund_amount": request.amount.decimal(),
            "out_request_no": request.reference, "refund_reason": request.reason[:MAX_REASON],
        }  # fmt: skip
        refused = False
        try:
            said = self.client.call("alipay.trade.refund", terms)
            if said.get("fund_change") == "Y" and said.get("out_trade_no") == request.payment_reference:
                return RefundSnapshot(request.reference, RefundOutcome.SUCCEEDED, request.amount)
        except Refusal as error:
            if error.code not in REFUND_REFUSED:
                raise GatewayError(
                    _("Alipay does not yet give back {reference}: {code}."),
                    reference=request.reference, code=error.code,
                ) from None  # fmt: skip
            refused = True
        # This call moved nothing: because an earlier one had, or it will be done later, or never. What is known counts.
        known = self.query_refund(request)
        if known.outcome != RefundOutcome.UNKNOWN:
            return known
        return replace(known, outcome=RefundOutcome.FAILED if refused else RefundOutcome.PENDING)

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
        except (signing.Unsigned, KeyError, ValueError):
            raise BadNotice("The signature is not Alipay's.") from None
        if said.get("app_id") != self.app_id:
            raise BadNotice("The notice is for another application.")
        if said.get("notify_type") != NOTICE_OF_TRADE and said.get("notify_id"):
            return Notice(said["notify_id"], "")  # of a product that this house does not use
        if said.get("seller_id") != self.seller_id:
            raise BadNotice("The notice is for another seller.")
        try:
            notice_id, snapshot = said["notify_id"], read_trade(said, paid_at="gmt_payment")
        except (KeyError, TypeError, ValueError) as error:
            raise BadNotice(f"The notice is signed but makes no sense: {type(error).__name__}.") from None
        if SIGNS_OF_REFUND & said.keys():
            snapshot = self._with_refund(snapshot, said)
        return Notice(notice_id, snapshot.reference, snapshot, snapshot.provider_reference)

    def fetch_bill(self, day: date) -> Bill:
        return alipay_bill.fetch(self.client, day, seller_id=self.seller_id)

    def _code(self, request: PaymentRequest, terms: Mapping[str, str]) -> Started:
        """A code to scan."""
        try:
            said = self.client.call("alipay.trade.precreate", terms, notify_url=request.notify_url)
            if said["out_trade_no"] != request.reference:
                raise ValueError("another payment")
            return Started(ScanCode(_text(said, "qr_code")))
        except Refusal as error:
            raise GatewayError(
                _("Alipay makes no code for {reference}: {code}."), reference=request.reference, code=error.code
            ) from None
        except (KeyError, TypeError, ValueError) as error:
            raise _unreadable(request.reference, error) from None

    def _with_refund(self, snapshot: Snapshot, said: Mapping[str, str]) -> Snapshot:
        """A payment with the refund that a notice told of. Its `refund_fee` counts all refunds until then: this one's is asked.

        A refund without a number of its own, or of which Alipay says nothing when asked, is left to the day's bill.
        """
        number = said.get("out_biz_no", "")
        amount = self._refunded(snapshot.reference, number) if number else None
        if amount is None:
            log.warning("Alipay told of a refund of %s and does not say which.", snapshot.reference)
            return snapshot
        return replace(snapshot, refunds=(RefundSnapshot(number, RefundOutcome.SUCCEEDED, amount),))

    def _refunded(self, reference: str, number: str) -> Money | None:
        """What went back under that number; None when Alipay does not know it, or has not made it."""
        asked = {"out_trade_no": reference, "out_request_no": number}
        try:
            said = self.client.call("alipay.trade.fastpay.refund.query", asked)
        except Refusal as error:
            if error.code == NOT_EXIST:
                return None
            raise GatewayError(
                _("Alipay does not say what became of refund {number}: {code}."), number=number, code=error.code
            ) from None
        if said.get("refund_status") != "REFUND_SUCCESS":
            return None
        if (said.get("out_trade_no"), said.get("out_request_no")) != (reference, number):
            raise GatewayError(_("Alipay was asked about refund {number} and tells of another."), number=number)
        try:
            return _money(said, "refund_amount")
        except (KeyError, TypeError, ValueError) as error:
            raise _unreadable(number, error) from None


def read_trade(said: Mapping[str, Any], *, paid_at: str) -> Snapshot:
    """A trade as a notice or an answer tells it. KeyError, TypeError or ValueError for what cannot be read.

    Closed means that nobody paid, or that all of it went back: the moment of payment and what a refund leaves tell them
    apart. A payment that fails leaves the trade as it was, since the buyer may try again.
    """
    reference, status, number = _text(said, "out_trade_no"), _text(said, "trade_status"), _text(said, "trade_no")
    was_paid = bool(said.get(paid_at)) or bool(SIGNS_OF_REFUND & said.keys())
    if status in PAID or (status == "TRADE_CLOSED" and was_paid):
        moment = datetime.strptime(_text(said, paid_at), "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA)
        return Snapshot(reference, Outcome.CAPTURED, _money(said, "total_amount"), moment.astimezone(UTC), number)
    outcome = {"WAIT_BUYER_PAY": Outcome.PENDING, "TRADE_CLOSED": Outcome.CLOSED}[status]
    return Snapshot(reference, outcome, provider_reference=number)


def _money(said: Mapping[str, Any], key: str) -> Money:
    """The sum under `key`: yuan, unless the trade says another currency, which this house never asks for."""
    currency = said.get("trans_currency") or CURRENCY
    if not isinstance(currency, str) or not re.fullmatch(r"[A-Z]{3}", currency):
        raise ValueError("no currency")
    return Money(check_amount(parse_decimal(_text(said, key), currency), least=1), currency)


def _text(said: Mapping[str, Any], key: str) -> str:
    value = said[key]
    if not isinstance(value, str) or not value:
        raise TypeError(key)
    return value


def _unreadable(reference: str, error: Exception) -> GatewayError:
    why = type(error).__name__
    return GatewayError(_("Alipay's answer about {reference} cannot be read: {why}."), reference=reference, why=why)
