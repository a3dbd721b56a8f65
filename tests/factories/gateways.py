"""Gateways for tests: the house's bank account, and a wallet whose provider lives in the test."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, timedelta
from typing import Any, ClassVar

from sishu.core import clock
from sishu.core.money import Money
from sishu.gateways.base import (
    BadNotice,
    Bill,
    Device,
    GatewayError,
    NoBills,
    Notice,
    Outcome,
    PaymentRequest,
    RefundOutcome,
    RefundRequest,
    RefundSnapshot,
    ScanCode,
    Snapshot,
    Started,
    WeixinBridge,
)

ACCOUNT = {"payee": "灯下私塾工作室", "account": "6222 0210 0111 6245 702", "bank": "招商银行杭州分行"}
OFFLINE = ("sishu.gateways.offline.OfflineGateway", {**ACCOUNT, "currency": "CNY", "days": 7})
WALLET = (f"{__name__}.Wallet", {})


def use(settings: Any, **gateways: tuple[str, dict[str, Any]]) -> None:
    """Let the house take money through these gateways, in this order: use(settings, offline=OFFLINE)."""
    settings.PLUGINS = {**settings.PLUGINS, "gateways": gateways}


class Wallet:
    """A gateway that shows a code at a desk, and in WeChat asks who pays. `requests` and `paid` are the provider's memory."""

    name = "wallet"
    book = "sandbox"
    currencies = frozenset({"CNY"})
    zone = UTC
    time_to_pay: timedelta | None = None
    requests: ClassVar[list[PaymentRequest]] = []
    paid: ClassVar[dict[str, Money]] = {}
    closed: ClassVar[set[str]] = set()

    def __init__(self) -> None:
        for memory in (self.requests, self.paid, self.closed):
            memory.clear()  # type: ignore[attr-defined]

    def product_for(self, device: Device) -> str:
        return "bridge" if device == Device.WEIXIN else "code"

    def start(self, request: PaymentRequest) -> Started:
        self.requests.append(request)
        if request.product == "code":
            return Started(ScanCode(f"weixin://wxpay/bizpayurl?pr={request.reference}"))
        if not request.payer:
            raise GatewayError("The bridge needs a payer.")
        return Started(WeixinBridge({"package": f"prepay_id={request.reference}", "signType": "RSA"}))

    def pay(self) -> None:
        """The buyer pays what was asked for last."""
        self.paid[self.requests[-1].reference] = self.requests[-1].due

    def query(self, reference: str, provider_reference: str = "") -> Snapshot:
        if reference in self.paid:
            return Snapshot(reference, Outcome.CAPTURED, self.paid[reference], clock.now())
        return Snapshot(reference, Outcome.CLOSED if reference in self.closed else Outcome.PENDING)

    def close(self, reference: str, provider_reference: str = "") -> Snapshot:
        self.closed.add(reference)
        return self.query(reference)

    def refund(self, request: RefundRequest) -> RefundSnapshot:
        return RefundSnapshot(request.reference, RefundOutcome.SUCCEEDED, request.amount)

    def query_refund(self, request: RefundRequest) -> RefundSnapshot:
        return RefundSnapshot(request.reference, RefundOutcome.UNKNOWN, request.amount)

    def parse_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        raise BadNotice("The wallet tells nothing by itself.")

    def fetch_bill(self, day: date) -> Bill:
        raise NoBills("The wallet writes no bills.")

    def identify_url(self, return_url: str, state: str) -> str | None:
        return f"{return_url}?code=openid-4711&state={state}"

    def identify(self, code: str) -> str:
        if not code.startswith("openid-"):
            raise GatewayError("Nobody has this code.")
        return code
