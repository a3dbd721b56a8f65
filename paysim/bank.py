"""What a provider knows: charges, refunds, disputes, and the order in which money moved. One bank serves all protocols."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from threading import RLock
from typing import Any

from paysim.clock import Clock
from paysim.faults import FaultKind, Faults


class Status(StrEnum):
    """Where a charge stands. One that was paid stays paid; what went back stands in its refunds."""

    WAITING = "waiting"
    PAID = "paid"
    FAILED = "failed"
    CLOSED = "closed"


class RefundStatus(StrEnum):
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CLOSED = "closed"  # given up before anything moved; under the same number it stays so


class DisputeStatus(StrEnum):
    OPEN = "open"
    WON = "won"
    LOST = "lost"


@dataclass(slots=True)
class Capture:
    """Money that was taken from the buyer, once."""

    provider_reference: str
    amount: int
    currency: str
    at: datetime


@dataclass(slots=True)
class Refund:
    """Money on its way back. `is_external`: by the provider's console, under a number of the provider's."""

    reference: str
    provider_reference: str
    amount: int
    status: RefundStatus
    at: datetime
    reason: str = ""
    notify_url: str = ""
    is_external: bool = False
    settled_at: datetime | None = None


@dataclass(slots=True)
class Dispute:
    """A buyer's objection, which takes the money away until it is decided."""

    provider_reference: str
    amount: int
    status: DisputeStatus
    at: datetime
    fee: int = 0


@dataclass(slots=True)
class Charge:
    """A payment as the provider sees it; amounts in minor units, `extra` what only one protocol knows of it."""

    provider: str
    reference: str
    provider_reference: str
    amount: int
    currency: str
    title: str
    product: str
    created_at: datetime
    expires_at: datetime | None = None
    notify_url: str = ""
    return_url: str = ""
    status: Status = Status.WAITING
    captures: list[Capture] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def captured(self) -> int:
        return sum(capture.amount for capture in self.captures)

    @property
    def refunded(self) -> int:
        """What went back or is on its way."""
        gone = (RefundStatus.PENDING, RefundStatus.SUCCEEDED)
        return sum(refund.amount for refund in self.refunds if refund.status in gone)

    @property
    def paid_at(self) -> datetime | None:
        return self.captures[0].at if self.captures else None


class Refused(Exception):
    """The bank does not do that; `code` is a word of the bank's own, which each protocol says in its."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


# Hears what happened: "paid", "failed", "closed", "refund", "dispute", the charge, and the refund or dispute, if it was one.
Listener = Callable[[str, Charge, "Refund | Dispute | Capture | None"], None]


class Bank:
    """All charges by provider and reference. Safe to use from several threads."""

    def __init__(self, clock: Clock, faults: Faults) -> None:
        self.clock = clock
        self.faults = faults
        self._charges: dict[tuple[str, str], Charge] = {}
        self._listeners: dict[str, Listener] = {}
        self._lock = RLock()

    def listen(self, provider: str, listener: Listener) -> None:
        """Tell the protocol of `provider` of all that happens to its charges."""
        self._listeners[provider] = listener

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nothing else happens meanwhile."""
        with self._lock:
            yield

    def open_charge(self, charge: Charge) -> Charge:
        """Accept a request to collect, or find the same one. Refused(`conflict`) for the same reference with other terms."""
        with self._lock:
            known = self._charges.setdefault((charge.provider, charge.reference), charge)
            if (known.amount, known.currency, known.product) != (charge.amount, charge.currency, charge.product):
                raise Refused("conflict", f"{charge.reference} was used with other terms.")
            return known

    def find(self, provider: str, reference: str) -> Charge | None:
        """The charge by the merchant's reference, or the provider's."""
        with self._lock:
            known = self._charges.get((provider, reference))
            return known or next((c for c in self.charges(provider) if c.provider_reference == reference), None)

    def charges(self, provider: str) -> list[Charge]:
        """All charges of a provider, oldest first."""
        with self._lock:
            return [charge for (name, _), charge in self._charges.items() if name == provider]

    def pay(
        self, provider: str, reference: str, *, times: int = 1, at: datetime | None = None, again: bool = False
    ) -> Charge:
        """The buyer pays, `times` over. Refused unless the charge waits; `again` pays one that was paid or closed.

        Now, or `at` a moment to come: no money moves on a day whose bill is written.
        """
        with self._lock:
            charge, now = self._get(provider, reference), self.clock.now()
            if charge.status != Status.WAITING and not again:
                raise Refused("not_waiting", f"{reference} is {charge.status}.")
            wrong, other = (
                self.faults.take(kind, reference) for kind in (FaultKind.WRONG_AMOUNT, FaultKind.WRONG_CURRENCY)
            )
            for _ in range(times):
                capture = Capture(
                    self.new_number(), int(wrong.value) if wrong else charge.amount,
                    str(other.value) if other else charge.currency, max(at or now, now),
                )  # fmt: skip
                charge.captures.append(capture)
                charge.status = Status.PAID
                self._tell("paid", charge, capture)
            return charge

    def fail(self, provider: str, reference: str) -> Charge:
        """The buyer's bank says no."""
        with self._lock:
            charge = self._get(provider, reference)
            if charge.status != Status.WAITING:
                raise Refused("not_waiting", f"{reference} is {charge.status}.")
            charge.status = Status.FAILED
            self._tell("failed", charge, None)
            return charge

    def close(self, provider: str, reference: str) -> Charge:
        """Take no more money for this charge. Refused(`paid`) for one that was paid."""
        with self._lock:
            charge = self._get(provider, reference)
            if self.faults.take(FaultKind.PAY_WHILE_CLOSING, reference) and charge.status == Status.WAITING:
                self.pay(provider, reference)
            if charge.status == Status.PAID:
                raise Refused("paid", f"{reference} is paid.")
            if not self.faults.take(FaultKind.CLOSE_WITHOUT_EFFECT, reference):
                charge.status = Status.CLOSED
                self._tell("closed", charge, None)
            return charge

    def refund(
        self,
        provider: str,
        reference: str,
        *,
        refund_reference: str,
        amount: int,
        reason: str = "",
        notify_url: str = "",
        is_external: bool = False,
        settle: bool = True,
    ) -> tuple[Refund, bool]:
        """Give money back, once per `refund_reference`; whether this call did it. With `settle` False it stays on its way.

        Refused: `not_paid`, `too_much`, `conflict` (the number was used for another amount), `low_balance`, `refused`.
        """
        with self._lock:
            charge = self._get(provider, reference)
            known = next((refund for refund in charge.refunds if refund.reference == refund_reference), None)
            if known is not None:
                if known.amount != amount:
                    raise Refused("conflict", f"Refund {refund_reference} was used for {known.amount}.")
                return known, False
            if charge.status != Status.PAID:
                raise Refused("not_paid", f"{reference} is {charge.status}.")
            if not 0 < amount <= charge.captured - charge.refunded:
                raise Refused("too_much", f"{reference} does not hold {amount}.")
            if self.faults.take(FaultKind.BALANCE_TOO_LOW, reference):
                raise Refused("low_balance", "The merchant's balance is too low.")
            if self.faults.take(FaultKind.REFUND_REFUSED, reference):
                raise Refused("refused", f"Refund {refund_reference} is refused.")
            refund = Refund(
                refund_reference, self.new_number(), amount, RefundStatus.PENDING, self.clock.now(), reason,
                notify_url, is_external,
            )  # fmt: skip
            charge.refunds.append(refund)
            if self.faults.take(FaultKind.REFUND_ABNORMAL, reference):
                self.settle_refund(provider, reference, refund_reference, ok=False)
            elif self.faults.take(FaultKind.REFUND_CLOSED, reference):
                self._end_refund(charge, refund, RefundStatus.CLOSED)
            elif settle:
                self.settle_refund(provider, reference, refund_reference)
            return refund, True

    def settle_refund(self, provider: str, reference: str, refund_reference: str, *, ok: bool = True) -> Refund:
        """A refund on its way arrives, or comes to nothing."""
        with self._lock:
            charge = self._get(provider, reference)
            refund = next((one for one in charge.refunds if one.reference == refund_reference), None)
            if refund is None:
                raise Refused("unknown", f"No refund {refund_reference}.")
            if refund.status == RefundStatus.PENDING:
                self._end_refund(charge, refund, RefundStatus.SUCCEEDED if ok else RefundStatus.FAILED)
            return refund

    def _end_refund(self, charge: Charge, refund: Refund, status: RefundStatus) -> None:
        refund.status, refund.settled_at = status, self.clock.now()
        self._tell("refund", charge, refund)

    def dispute(self, provider: str, reference: str, *, amount: int | None = None, fee: int = 0) -> Dispute:
        """The buyer objects: the money is taken away until somebody decides."""
        with self._lock:
            charge = self._get(provider, reference)
            dispute = Dispute(self.new_number(), amount or charge.captured, DisputeStatus.OPEN, self.clock.now(), fee)
            charge.disputes.append(dispute)
            self._tell("dispute", charge, dispute)
            return dispute

    def decide_dispute(self, provider: str, reference: str, *, won: bool) -> Dispute:
        """The objection is decided."""
        with self._lock:
            charge = self._get(provider, reference)
            dispute = next((one for one in charge.disputes if one.status == DisputeStatus.OPEN), None)
            if dispute is None:
                raise Refused("unknown", f"{reference} has no open dispute.")
            dispute.status = DisputeStatus.WON if won else DisputeStatus.LOST
            self._tell("dispute", charge, dispute)
            return dispute

    def books(self, provider: str) -> dict[str, dict[str, int]]:
        """By currency: minor units captured, refunded (arrived only) and lost to disputes. What the merchant's books must say."""
        found: dict[str, dict[str, int]] = {}
        with self._lock:
            for charge in self.charges(provider):
                for capture in charge.captures:
                    self._page(found, capture.currency)["captured"] += capture.amount
                currency = charge.captures[0].currency if charge.captures else charge.currency
                for refund in charge.refunds:
                    if refund.status == RefundStatus.SUCCEEDED:
                        self._page(found, currency)["refunded"] += refund.amount
                for dispute in charge.disputes:
                    if dispute.status != DisputeStatus.WON:
                        self._page(found, currency)["disputed"] += dispute.amount
        return found

    def new_number(self) -> str:
        """A number of the provider's own: the day and 18 digits."""
        return f"{self.clock.now():%Y%m%d}{secrets.randbelow(10**18):018d}"

    def _page(self, found: dict[str, dict[str, int]], currency: str) -> dict[str, int]:
        return found.setdefault(currency, {"captured": 0, "refunded": 0, "disputed": 0})

    def _get(self, provider: str, reference: str) -> Charge:
        charge = self.find(provider, reference)
        if charge is None:
            raise Refused("unknown", f"No charge {reference}.")
        return charge

    def _tell(self, what: str, charge: Charge, about: Refund | Dispute | Capture | None) -> None:
        if listener := self._listeners.get(charge.provider):
            listener(what, charge, about)
