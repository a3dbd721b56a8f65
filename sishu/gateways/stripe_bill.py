"""Stripe's balance transactions of one day as a bill."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date

from sishu.core.money import Money
from sishu.gateways.base import Bill, BillEntry, EntryKind
from sishu.gateways.stripe_events import payment_reference
from sishu.gateways.stripe_snapshot import Json, moment, money, refund_reference

# What stands behind a row decides, not its type alone: an adjustment may be a dispute or anything else.
KINDS = {
    "charge": EntryKind.PAYMENT, "refund": EntryKind.REFUND, "dispute": EntryKind.DISPUTE, "payout": EntryKind.PAYOUT,
}  # fmt: skip
# Kept of the object behind a row. The rest is about the buyer, and no matter of accounts.
KEPT = ("id", "object", "amount", "currency", "charge", "payment_intent", "metadata", "status")


def read(day: date, rows: Sequence[Json], find_charge: Callable[[str], Json]) -> Bill:
    """A bill of `rows`, oldest first, each with its source in place.

    `find_charge` is asked for the charge behind a refund or a dispute that does not say which payment it is of.
    """
    raw = "\n".join(json.dumps(_kept(row), ensure_ascii=False, sort_keys=True) for row in rows)
    moved: Counter[str] = Counter()
    for row in rows:
        if _is_failed_refund(row):
            moved[row["source"]["id"]] += row["net"]
    # Of a refund that came to nothing the money left and is back: on one day nothing at all.
    told = [row for row in rows if not _is_failed_refund(row) or moved[row["source"]["id"]]]
    return Bill(day, raw.encode(), tuple(_entry(row, find_charge) for row in told))


def _is_failed_refund(row: Json) -> bool:
    source = row["source"]
    return isinstance(source, dict) and source.get("object") == "refund" and source["status"] in ("failed", "canceled")


def _entry(row: Json, find_charge: Callable[[str], Json]) -> BillEntry:
    """What moved, in the currency of the balance."""
    source = row["source"] if isinstance(row["source"], dict) else {"id": row["source"] or row["id"]}
    kind = KINDS.get(source.get("object", ""), EntryKind.OTHER)
    if row["type"].startswith("payout"):
        kind = EntryKind.PAYOUT
    reference = payment_reference(source)
    if kind in (EntryKind.REFUND, EntryKind.DISPUTE) and not reference and source.get("charge"):
        reference = payment_reference(find_charge(source["charge"]))
    return BillEntry(
        kind=kind, reference=reference, provider_reference=source["id"], amount=money(row["amount"], row["currency"]),
        fee=Money(row["fee"], row["currency"].upper()), at=moment(row["created"]),
        refund_reference=(refund_reference(source) or source["id"]) if kind == EntryKind.REFUND else "",
    )  # fmt: skip


def _kept(row: Json) -> Json:
    if not isinstance(row["source"], dict):
        return row
    return {**row, "source": {name: row["source"][name] for name in KEPT if name in row["source"]}}
