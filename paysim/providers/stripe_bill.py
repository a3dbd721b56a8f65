"""Balance transactions: how each movement of money, and what Stripe takes for it, stands in the merchant's balance."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from paysim.bank import Capture, Charge, Dispute, DisputeStatus, Refund, RefundStatus
from paysim.faults import FaultKind
from paysim.providers.stripe_wire import Json, unix

if TYPE_CHECKING:
    from paysim.simulator import Simulator

# 2.9 % and 30: the common price of a card. Fees are not given back with a refund.
FEE_PER_MILLE, FEE_FIXED = 29, 30


def of_capture(charge: Charge, capture: Capture) -> Json:
    """Money that came, less the fee."""
    fee = capture.amount * FEE_PER_MILLE // 1000 + FEE_FIXED
    key = capture.provider_reference
    return _row(f"txn_{key}", capture.at, "charge", capture.currency, capture.amount, fee, f"ch_{key}")


def of_refund(charge: Charge, refund: Refund) -> list[Json]:
    """Money that went back, and came again when that failed."""
    currency = charge.captures[-1].currency if charge.captures else charge.currency
    key = refund.provider_reference
    rows = [_row(f"txn_{key}", refund.at, "refund", currency, -refund.amount, 0, f"re_{key}")]
    if refund.status == RefundStatus.FAILED:
        at = refund.settled_at or refund.at
        rows.append(_row(f"txn_{key}f", at, "refund_failure", currency, refund.amount, 0, f"re_{key}"))
    return rows


def of_dispute(charge: Charge, dispute: Dispute) -> list[Json]:
    """Money that was taken away with a fee, and came again when the dispute was won."""
    currency, key = charge.captures[-1].currency, dispute.provider_reference
    rows = [_row(f"txn_{key}", dispute.at, "adjustment", currency, -dispute.amount, dispute.fee, f"du_{key}")]
    if dispute.status == DisputeStatus.WON:
        at = charge.extra["decided_at"].get(key, dispute.at)
        rows.append(_row(f"txn_{key}w", at, "adjustment", currency, dispute.amount, 0, f"du_{key}"))
    return rows


def _row(key: str, at: datetime, kind: str, currency: str, amount: int, fee: int, source: str | None) -> Json:
    details = [{"amount": fee, "application": None, "currency": currency.lower(),
                "description": "Stripe processing fees", "type": "stripe_fee"}] if fee else []  # fmt: skip
    category = {"adjustment": "dispute" if amount < 0 else "dispute_reversal", "payout": "payout"}.get(kind, kind)
    return {
        "id": key, "object": "balance_transaction", "amount": amount, "available_on": unix(at),
        "balance_type": "payments", "created": unix(at), "currency": currency.lower(), "description": None,
        "exchange_rate": None, "fee": fee, "fee_details": details, "net": amount - fee,
        "reporting_category": category, "source": source, "status": "available", "type": kind,
    }  # fmt: skip


class BalanceBook:
    """All rows of the merchant's balance, with the faults that a bill can have. What a fault made of a row stays."""

    def __init__(self, sim: Simulator, provider: str) -> None:
        self.sim, self.provider = sim, provider
        # Rows that belong to no charge of ours: payouts, Stripe's own fees.
        self.others: list[Json] = []
        self._seen: dict[str, Json | None] = {}

    def add(self, kind: str, amount: int, currency: str, *, source: str | None = None) -> Json:
        """A row of its own, such as a payout or a fee of Stripe's; amounts that leave are negative."""
        key = self.sim.bank.new_number()
        row = _row(f"txn_{key}", self.sim.clock.now(), kind, currency, amount, 0, source)
        self.others.append(row)
        return row

    def rows(self) -> list[Json]:
        """Newest first."""
        found: list[Json] = []
        for charge in self.sim.bank.charges(self.provider):
            own = [of_capture(charge, capture) for capture in charge.captures]
            own += [row for refund in charge.refunds for row in of_refund(charge, refund)]
            own += [row for dispute in charge.disputes for row in of_dispute(charge, dispute)]
            found += [row for one in own if (row := self._with_faults(charge, one)) is not None]
        found += self.others
        # Stable: of one second, what is listed first came first.
        return sorted(found, key=lambda row: int(row["created"]))[::-1]

    def _with_faults(self, charge: Charge, row: Json) -> Json | None:
        """The row as the bill has it: None for one that it misses."""
        if row["id"] in self._seen:
            return self._seen[row["id"]]
        take, reference = self.sim.faults.take, charge.reference
        shown: Json | None = dict(row)
        if amount := take(FaultKind.BILL_OTHER_AMOUNT, reference):
            shown = {**row, "amount": int(amount.value), "net": int(amount.value) - row["fee"]}
        elif fee := take(FaultKind.BILL_OTHER_FEE, reference):
            shown = {**row, "fee": int(fee.value), "net": row["amount"] - int(fee.value)}
        elif take(FaultKind.BILL_MISSES_ROW, reference):
            shown = None
        if take(FaultKind.BILL_HAS_MORE, reference):
            self.add("charge", row["amount"], row["currency"], source="ch_of_nobody")
        self._seen[row["id"]] = shown
        return shown
