"""Stripe's objects read as snapshots. All objects come as plain dicts, as Stripe's JSON has them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sishu.core.money import Money
from sishu.gateways.base import (
    DisputeOutcome,
    DisputeSnapshot,
    Outcome,
    RefundOutcome,
    RefundSnapshot,
    Snapshot,
)

Json = dict[str, Any]

# Names in an object's metadata. A refund carries its own reference and that of its payment; tried anew, also the attempt.
REFERENCE, PAYMENT_REFERENCE, ATTEMPT = "reference", "payment_reference", "attempt"

# What has succeeded may still fail: the buyer's bank sends it back. What failed has failed for good.
REFUNDS = {
    "pending": RefundOutcome.PENDING, "requires_action": RefundOutcome.PENDING,
    "succeeded": RefundOutcome.SUCCEEDED, "failed": RefundOutcome.RETURNED, "canceled": RefundOutcome.FAILED,
}  # fmt: skip
# An inquiry ("warning_…") and a dispute that was prevented take no money, and so are none.
DISPUTES = {
    "needs_response": DisputeOutcome.OPEN, "under_review": DisputeOutcome.OPEN,
    "appeal_needs_response": DisputeOutcome.OPEN, "appeal_under_review": DisputeOutcome.OPEN,
    "won": DisputeOutcome.WON, "lost": DisputeOutcome.LOST,
}  # fmt: skip


def of_session(reference: str, session: Json, refunds: Iterable[Json], disputes: Iterable[Json]) -> Snapshot:
    """A Checkout Session with its PaymentIntent and that one's latest charge in their places."""
    outcome, intent = outcome_of(session), session["payment_intent"]
    if outcome != Outcome.CAPTURED:
        return Snapshot(reference, outcome, provider_reference=session["id"])
    return Snapshot(
        reference=reference, outcome=outcome, captured=money(intent["amount_received"], intent["currency"]),
        captured_at=moment(intent["latest_charge"]["created"]), provider_reference=session["id"],
        refunds=tuple(of_refund(one) for one in latest(refunds)),
        disputes=tuple(of_dispute(one) for one in disputes if one["status"] in DISPUTES),
    )  # fmt: skip


def outcome_of(session: Json) -> Outcome:
    """A completed session has the buyer's word; only `payment_status` says that the money is there."""
    if session["payment_status"] == "paid":
        return Outcome.CAPTURED
    if session["status"] == "expired":
        return Outcome.CLOSED
    intent = session["payment_intent"]
    if session["status"] == "complete" and intent and intent["status"] in ("requires_payment_method", "canceled"):
        return Outcome.FAILED  # its money was to come later, and did not
    return Outcome.PENDING  # open, also after a declined card; or under way


def of_refund(refund: Json) -> RefundSnapshot:
    """By our reference; by Stripe's id when it was made in Stripe's dashboard."""
    return RefundSnapshot(
        reference=refund_reference(refund) or refund["id"],
        outcome=REFUNDS.get(refund["status"], RefundOutcome.PENDING),
        refunded=money(refund["amount"], refund["currency"]),
        attempt=attempt_of(refund),
    )


def latest(refunds: Iterable[Json]) -> Iterable[Json]:
    """Of the refunds that were made for one of ours, since those before had failed, the last."""
    by_attempt = sorted(refunds, key=attempt_of)
    return {refund_reference(one) or one["id"]: one for one in by_attempt}.values()


def attempt_of(refund: Json) -> int:
    """How often it had failed before."""
    return int((refund.get("metadata") or {}).get(ATTEMPT, 0))


def of_dispute(dispute: Json) -> DisputeSnapshot:
    """Its fee stands in its balance transactions; one in another currency, that of the balance, is told by the bill alone."""
    disputed = money(dispute["amount"], dispute["currency"])
    fees = [money(row["fee"], row["currency"]) for row in dispute["balance_transactions"]]
    is_ours = bool(fees) and all(fee.currency == disputed.currency for fee in fees)
    fee = money(sum(fee.amount for fee in fees), disputed.currency) if is_ours else None
    return DisputeSnapshot(dispute["id"], DISPUTES[dispute["status"]], disputed, fee)


def refund_reference(refund: Json) -> str:
    """Ours; empty for a refund that we did not ask for."""
    return str((refund.get("metadata") or {}).get(REFERENCE, ""))


def money(amount: Any, currency: str) -> Money:
    """Stripe counts in minor units, as we do. Raises TypeError for what is no whole number."""
    return Money(amount, currency.upper())


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
