"""Reading the books."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, Sum

from sishu.ledger.models import Account, Book, Transfer


def turnover(code: str, journal_ids: Iterable[int]) -> dict[int, int]:
    """Journal's id → minor units that left an account in it; journals in which nothing did are left out."""
    rows = Transfer.objects.filter(journal__in=list(journal_ids), debit__code=code).values_list("journal")
    return dict(rows.annotate(Sum("amount")).order_by())


def balance(code: str, *, book: Book = Book.LIVE, currency: str = "CNY") -> int:
    """Minor units an account holds, counted from its transfers; 0 for an account never opened."""
    account = Account.objects.filter(book=book, code=code, currency=currency).first()
    if account is None:
        return 0
    debits = account.debits.aggregate(total=Sum("amount"))["total"] or 0
    credits = account.credits.aggregate(total=Sum("amount"))["total"] or 0
    return debits - credits if account.is_debit_normal else credits - debits


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One move on an account: when, by which journal, how much (positive adds), from or to which other account.

    `running` is what the accounts of the statement held together after it.
    """

    posted_at: datetime
    journal_id: int
    kind: str
    ref: str
    amount: int
    running: int
    code: str
    other: str


def statement(*codes: str, book: Book, currency: str) -> Iterator[StatementRow]:
    """All moves on these accounts, oldest first. A move between two of them is two rows."""
    accounts = {one.pk: one for one in Account.objects.filter(book=book, code__in=codes, currency=currency)}
    moves = Transfer.objects.filter(Q(debit__in=accounts) | Q(credit__in=accounts))
    running = 0
    for move in moves.select_related("journal", "debit", "credit").order_by("id").iterator():
        journal = move.journal
        for account, other in ((move.debit, move.credit), (move.credit, move.debit)):
            if account.pk not in accounts:
                continue
            grows = (account == move.debit) == account.is_debit_normal
            amount = move.amount if grows else -move.amount
            running += amount
            yield StatementRow(
                journal.posted_at, journal.pk, journal.kind, journal.ref, amount, running, account.code, other.code
            )  # fmt: skip
