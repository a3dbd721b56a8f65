"""Reading the books."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, Sum

from sishu.ledger.models import Account, Book, Transfer


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
    """One move on an account: when, by which journal, how much (positive adds), and what the account held after."""

    posted_at: datetime
    journal_id: int
    kind: str
    ref: str
    amount: int
    running: int


def statement(code: str, *, book: Book, currency: str) -> Iterator[StatementRow]:
    """All moves on an account, oldest first, with the running balance."""
    account = Account.objects.filter(book=book, code=code, currency=currency).first()
    if account is None:
        return
    moves = Transfer.objects.filter(Q(debit=account) | Q(credit=account)).select_related("journal").order_by("id")
    running = 0
    for move in moves.iterator():
        grows = (move.debit_id == account.pk) == account.is_debit_normal
        amount = move.amount if grows else -move.amount
        running += amount
        journal = move.journal
        yield StatementRow(journal.posted_at, journal.pk, journal.kind, journal.ref, amount, running)
