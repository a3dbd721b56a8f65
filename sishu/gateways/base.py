"""What a payment provider looks like from inside the house: pure adapters that know no models and no orders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from sishu.core.money import Money


class Outcome(StrEnum):
    """What a provider says became of one payment."""

    UNKNOWN = "unknown"  # the provider has never heard of it; not yet, or never
    PENDING = "pending"
    CAPTURED = "captured"
    FAILED = "failed"
    CLOSED = "closed"


class RefundOutcome(StrEnum):
    """What a provider says became of one refund."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class RefundSnapshot:
    """The provider's present truth about one refund, by our reference."""

    reference: str
    outcome: RefundOutcome
    refunded: Money


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The provider's present truth about one payment, by our reference. `captured` counts all that ever arrived."""

    reference: str
    outcome: Outcome
    captured: Money | None = None
    captured_at: datetime | None = None
    provider_reference: str = ""
    refunds: tuple[RefundSnapshot, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Notice:
    """One message from a provider whose signature was right."""

    notice_id: str
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """What we ask a provider to collect. `reference` matches [0-9A-Za-z]{6,32} and is never used twice."""

    reference: str
    due: Money
    title: str
    notify_url: str
    return_url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Instruction:
    """Where the buyer goes to pay."""

    url: str


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """Money to give back from one payment. The same `reference` sent twice gives it back once."""

    reference: str
    payment_reference: str
    amount: Money
    reason: str


class GatewayError(Exception):
    """The provider did not answer, or not clearly: what happened is unknown and must be asked again."""


class BadNotice(Exception):
    """A message that is not the provider's, or not for us. Nothing in it may be believed."""


@runtime_checkable
class PaymentGateway(Protocol):
    """An adapter to one provider. All calls may raise GatewayError; none is made inside a database transaction."""

    name: str
    book: str
    currencies: frozenset[str]

    def start(self, request: PaymentRequest) -> Instruction:
        """Ask for a payment. Repeating a request with the same reference gives the same payment."""

    def query(self, reference: str) -> Snapshot:
        """The present truth about a payment."""

    def close(self, reference: str) -> Snapshot:
        """Stop a payment that was not made; the truth afterwards, which may be that it was made after all."""

    def refund(self, request: RefundRequest) -> RefundSnapshot:
        """Give money back; idempotent by the request's reference."""

    def parse_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Verify first, then read. Raises BadNotice."""
