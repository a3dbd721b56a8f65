"""What a payment provider looks like from inside the house: pure adapters that know no models and no orders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from sishu.core.money import Money

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise


class Device(StrEnum):
    """What the buyer holds, as far as it decides how they can pay."""

    DESKTOP = "desktop"
    MOBILE = "mobile"
    WEIXIN = "weixin"  # WeChat's own browser, on any telephone


class Outcome(StrEnum):
    """What a provider says became of one payment."""

    UNKNOWN = "unknown"  # the provider has never heard of it; not yet, or never
    PENDING = "pending"
    CAPTURED = "captured"
    FAILED = "failed"
    CLOSED = "closed"


class RefundOutcome(StrEnum):
    """What a provider says became of one refund."""

    UNKNOWN = "unknown"  # the provider has never heard of it
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    # Failed for good, whatever was said before: had it gone, it is back.
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class RefundSnapshot:
    """The provider's present truth about one refund, by our reference.

    `attempt` is that of the request it answers; None where the provider knows one refund by one reference for good.
    """

    reference: str
    outcome: RefundOutcome
    refunded: Money
    attempt: int | None = None


class DisputeOutcome(StrEnum):
    """What became of a buyer's objection to a charge."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class DisputeSnapshot:
    """The provider's present truth about one dispute, by the provider's reference. `fee` is charged for it, whoever wins."""

    reference: str
    outcome: DisputeOutcome
    disputed: Money
    fee: Money | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The provider's present truth about one payment, by our reference. `captured` counts all that ever arrived."""

    reference: str
    outcome: Outcome
    captured: Money | None = None
    captured_at: datetime | None = None
    provider_reference: str = ""
    refunds: tuple[RefundSnapshot, ...] = field(default=())
    disputes: tuple[DisputeSnapshot, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Notice:
    """One message from a provider whose signature was right.

    Without a `snapshot` it only says that something happened to the payment, and the truth must be asked for; without a
    `reference` it is about no payment at all.
    """

    notice_id: str
    reference: str
    snapshot: Snapshot | None = None
    provider_reference: str = ""


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """What we ask a provider to collect. `reference` matches [0-9A-Za-z]{6,32} and is never used twice.

    `product` is one of the gateway's own (`product_for`); `payer` is how the provider knows the buyer, where a product
    needs it.
    """

    reference: str
    due: Money
    title: str
    notify_url: str
    return_url: str
    expires_at: datetime
    product: str = ""
    client_ip: str = ""
    payer: str = ""


@dataclass(frozen=True, slots=True)
class Redirect:
    """The buyer goes on at the provider's page."""

    url: str


@dataclass(frozen=True, slots=True)
class ScanCode:
    """The buyer scans a QR code that says `text` with the provider's app."""

    text: str


@dataclass(frozen=True, slots=True)
class WeixinBridge:
    """WeChat's own browser is asked to pay, with these `parameters` of getBrandWCPayRequest."""

    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BankTransfer:
    """The buyer transfers money to this account, and names `code` so that it is recognised."""

    payee: str
    account: str
    bank: str
    code: str


Instruction = Redirect | ScanCode | WeixinBridge | BankTransfer


@dataclass(frozen=True, slots=True)
class Started:
    """What the buyer does next, and how the provider calls the payment, where it already has a name for it."""

    instruction: Instruction
    provider_reference: str = ""


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """Money to give back from one payment of `captured` in all. The same `reference` sent twice gives it back once.

    `attempt` is how often the provider gave it up before, and people asked for it anew.
    """

    reference: str
    payment_reference: str
    amount: Money
    reason: str
    captured: Money
    provider_reference: str = ""
    notify_url: str = ""
    attempt: int = 0


class EntryKind(StrEnum):
    """What a line of a provider's bill is about."""

    PAYMENT = "payment"
    REFUND = "refund"
    DISPUTE = "dispute"
    PAYOUT = "payout"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class BillEntry:
    """One line of a provider's bill: what came in (positive) or went out (negative), and what the provider took for it.

    `reference` is ours for the payment, `refund_reference` ours for a refund; empty where the provider names none.
    """

    kind: EntryKind
    reference: str
    provider_reference: str
    amount: Money
    fee: Money
    at: datetime
    refund_reference: str = ""


@dataclass(frozen=True, slots=True)
class Bill:
    """A provider's account of one of its days: the file as it came, its entries, and what it then held for us, if it says."""

    day: date
    raw: bytes
    entries: tuple[BillEntry, ...]
    closing: tuple[Money, ...] = ()


class GatewayError(Exception):
    """The provider did not answer, or not clearly: what happened is unknown and must be asked again.

    Give it a lazily translated sentence, with the values for its {places}: an owner reads it in the studio in their own
    language, an operator on the command line and in the log in English.
    """

    def __init__(self, sentence: _StrOrPromise = "", **values: object) -> None:
        super().__init__(format_lazy(sentence, **values) if values else sentence)


class PlayMoneyRefused(ImproperlyConfigured):
    """Play money would buy real works: DEBUG is off, and nobody allowed it. The house does not start so."""


class BillNotReady(GatewayError):
    """The provider has not yet written the bill of that day."""


class NoBills(GatewayError):
    """Nobody writes bills here: the money is seen by a person."""


class BadNotice(Exception):
    """A message that is not the provider's, or not for us. Nothing in it may be believed. Why is for the log alone."""


@runtime_checkable
class PaymentGateway(Protocol):
    """An adapter to one provider. All calls may raise GatewayError; none is made inside a database transaction.

    `reference` is ours, `provider_reference` what `start` or a snapshot called the payment, if it did. `zone` is the clock
    by which the provider's days end. `time_to_pay` is how long after its order a payment may come by this way; None
    where the order's own time is enough.
    """

    name: str
    book: str
    currencies: frozenset[str]
    zone: tzinfo
    time_to_pay: timedelta | None

    def product_for(self, device: Device) -> str:
        """Which of the provider's products a buyer with this device pays by; payments by two products are two attempts."""

    def start(self, request: PaymentRequest) -> Started:
        """Ask for a payment. Repeating a request with the same reference gives the same payment."""

    def query(self, reference: str, provider_reference: str = "") -> Snapshot:
        """The present truth about a payment."""

    def close(self, reference: str, provider_reference: str = "") -> Snapshot:
        """Stop a payment that was not made; the truth afterwards, which may be that it was made after all."""

    def refund(self, request: RefundRequest) -> RefundSnapshot:
        """Give money back; idempotent by the request's reference."""

    def query_refund(self, request: RefundRequest) -> RefundSnapshot:
        """The present truth about a refund that was asked for; UNKNOWN when the provider never got it."""

    def parse_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Verify first, then read, and ask for what it does not say. Raises BadNotice."""

    def fetch_bill(self, day: date) -> Bill:
        """What the provider wrote down for one of its days, which end by its own clock. Raises BillNotReady, NoBills."""


@runtime_checkable
class KnowsPayers(Protocol):
    """A gateway with a product that needs to know the buyer as the provider does, before the payment is begun."""

    def identify_url(self, return_url: str, state: str) -> str | None:
        """Where the buyer's browser is sent to be recognised; it comes back to `return_url` with `code` and `state`."""

    def identify(self, code: str) -> str:
        """The payer that a `code` stands for. Raises GatewayError."""


def book_of(url: str, production: str) -> str:
    """The book for a provider at `url`: real money is counted at its `production` address, play money everywhere else.

    PlayMoneyRefused for play money where DEBUG is off and nobody allowed it.
    """
    if url.rstrip("/") == production.rstrip("/"):
        return "live"
    if not (settings.DEBUG or settings.ALLOW_SANDBOX):
        raise PlayMoneyRefused(
            format_lazy(
                _("{url} is not the provider's own address ({production}), so its money is play money, and DEBUG is off. "
                  "Set the provider's own address, or SISHU_ALLOW_SANDBOX=1 if play money is what you want."),
                url=url, production=production,
            )
        )  # fmt: skip
    return "sandbox"
