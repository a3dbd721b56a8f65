"""The audit: recompute everything from the transfers and name the first row that does not agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from sishu.ledger import chart, triggers
from sishu.ledger.journal import Move, digest
from sishu.ledger.models import Balance, Journal, PeriodLock


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the books that is wrong, and why."""

    row: str
    reason: str

    def __str__(self) -> str:
        return f"{self.row}: {self.reason}"


def faults() -> Iterator[Fault]:
    """Every disagreement, in the order of the books; empty when they are right."""
    totals: Counter[int] = Counter()
    closed = dict(PeriodLock.objects.values_list("period", "closed_at"))
    journals = Journal.objects.order_by("id").select_related("reverses")
    for journal in journals.prefetch_related("transfers__debit", "transfers__credit").iterator(chunk_size=500):
        yield from _faults_of(journal)
        if journal.period in closed and journal.posted_at > closed[journal.period]:
            yield Fault(f"journal {journal.pk}", f"was posted into {journal.period} after it was closed")
        for transfer in journal.transfers.all():
            totals[transfer.debit_id] -= transfer.amount
            totals[transfer.credit_id] += transfer.amount
    for kept in Balance.objects.order_by("account_id"):
        if kept.posted != totals[kept.account_id]:
            yield Fault(
                f"balance {kept.account_id}", f"holds {kept.posted}; its transfers sum to {totals[kept.account_id]}"
            )
    for name in triggers.missing():
        yield Fault(f"trigger {name}", "is not in the database; run `sishu migrate`")


def _faults_of(journal: Journal) -> Iterator[Fault]:
    row = f"journal {journal.pk} ({journal.key})"
    transfers = sorted(journal.transfers.all(), key=lambda t: t.line)
    if not transfers:
        yield Fault(row, "has no transfers")
        return
    if [t.line for t in transfers] != list(range(1, len(transfers) + 1)):
        yield Fault(row, "has a gap in its lines")
    for t in transfers:
        where = f"transfer {t.pk} of {journal.key}"
        if type(t.amount) is not int or t.amount <= 0:
            yield Fault(where, f"moves {t.amount!r}, which is not a positive whole number")
        if {t.debit.currency, t.credit.currency} != {t.currency}:
            yield Fault(where, "joins accounts of another currency")
        if {t.debit.book, t.credit.book} != {journal.book}:
            yield Fault(where, "joins accounts of another book")
    moves = [Move(t.debit.code, t.credit.code, t.amount, t.code) for t in transfers]
    if journal.digest != digest(
        key=journal.key, kind=journal.kind, ref=journal.ref, book=journal.book,
        period=journal.period, currency=transfers[0].currency, moves=moves,
    ):  # fmt: skip
        yield Fault(row, "does not match its digest: something in it was changed")
    passing = sum(m.amount * ((m.credit == chart.CLEARING) - (m.debit == chart.CLEARING)) for m in moves)
    if passing:
        yield Fault(row, f"leaves {passing} in clearing")
    if journal.reverses is not None:
        yield from _faults_of_mirror(row, moves, journal.reverses)


def _faults_of_mirror(row: str, moves: list[Move], original: Journal) -> Iterator[Fault]:
    lines = original.transfers.select_related("debit", "credit").order_by("line")
    mirror = [Move(t.credit.code, t.debit.code, t.amount, t.code) for t in reversed(lines)]
    if moves != mirror:
        yield Fault(row, f"is not the mirror of {original.key}")
