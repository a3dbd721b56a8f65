"""Posting: the one way money moves in the books."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import IntegrityError, connection, transaction
from django.db.models import F

from sishu.core import clock, rows
from sishu.core.errors import DomainError
from sishu.core.money import check_amount
from sishu.ledger import chart
from sishu.ledger.models import Account, Balance, Book, Journal, PeriodLock


class AlreadyPosted(DomainError):
    """The business fact of this key is in the books."""

    code = "already_posted"


class NotEnough(DomainError):
    """A guarded account would pass its floor."""

    code = "not_enough"


class PeriodClosed(DomainError):
    """The month is closed, or not yet closable."""

    code = "period_closed"


@dataclass(frozen=True, slots=True)
class Move:
    """One transfer to be posted: `amount` minor units from the debit account's code to the credit account's."""

    debit: str
    credit: str
    amount: int
    code: str


# Account ids of committed rows; rows are never deleted, so an id once seen stays true.
_known: dict[tuple[str, str, str], int] = {}


def forget_accounts() -> None:
    """Empty the process's memory of account ids, where a database was replaced under it (tests, restore)."""
    _known.clear()


def post(
    *,
    key: str,
    kind: str,
    ref: str,
    book: Book,
    currency: str,
    moves: Sequence[Move],
    actor: str = "",
    reverses: Journal | None = None,
) -> Journal:
    """Post one business fact. The caller's transaction holds the fact itself, so both stand or fall together.

    Raises AlreadyPosted when the key was used (the transaction is then unusable), NotEnough when a guarded account
    would pass its floor, PeriodClosed, and TypeError or ValueError for amounts that are not positive ints.
    """
    if not connection.in_atomic_block:
        raise RuntimeError(f"Journal {key!r} must be posted inside the transaction of what it records.")
    if not moves:
        raise ValueError(f"Journal {key!r} moves nothing.")
    for move in moves:
        check_amount(move.amount, least=1)
    ids = _account_ids(book, currency, {code for move in moves for code in (move.debit, move.credit)})
    moment = clock.now()
    period = f"{moment:%Y-%m}"
    try:
        journal = rows.insert(Journal(
            key=key, kind=kind, ref=ref, book=book, period=period, actor=actor, reverses=reverses, posted_at=moment,
            digest=digest(key=key, kind=kind, ref=ref, book=book, period=period, currency=currency, moves=moves),
        ))  # fmt: skip
    except IntegrityError as error:
        raise AlreadyPosted(f"Journal {key!r} is already in the books.") from error
    _write_transfers(journal, ids, currency, moves)
    _move_guards(ids, moves)
    return journal


def reverse(journal: Journal, *, key: str, kind: str, actor: str = "") -> Journal:
    """Undo a journal by its mirror image. Raises AlreadyPosted when it was reversed before."""
    transfers = list(journal.transfers.select_related("debit", "credit").order_by("line"))
    return post(
        key=key, kind=kind, ref=journal.ref, book=Book(journal.book), currency=transfers[0].currency,
        moves=[Move(t.credit.code, t.debit.code, t.amount, t.code) for t in reversed(transfers)],
        actor=actor, reverses=journal,
    )  # fmt: skip


def close_period(period: str, *, actor: str) -> PeriodLock:
    """Close a month that ended more than a day ago. PeriodClosed when it has not, or already is."""
    year, month = int(period[:4]), int(period[5:])
    end = date(year + month // 12, month % 12 + 1, 1)
    # A posting takes its month from the clock when it starts; a day outlives any transaction still in flight.
    if clock.now().date() < end + timedelta(days=1):
        raise PeriodClosed(f"{period} has not been over for a day yet; close it from {end + timedelta(days=1)} on.")
    lock, made = PeriodLock.objects.get_or_create(
        period=period, defaults={"closed_at": clock.now(), "closed_by": actor}
    )
    if not made:
        raise PeriodClosed(f"{period} is already closed.")
    return lock


def digest(*, key: str, kind: str, ref: str, book: str, period: str, currency: str, moves: Sequence[Move]) -> str:
    """SHA-256 over what a journal says, so that the check finds a row changed behind the triggers' back."""
    body = [key, kind, ref, str(book), period, currency, [[m.debit, m.credit, m.amount, m.code] for m in moves]]
    return hashlib.sha256(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def _write_transfers(journal: Journal, ids: dict[str, int], currency: str, moves: Sequence[Move]) -> None:
    # By hand: the ORM takes longer for three rows than the database for a whole journal (bench/orders.py).
    values = [
        (journal.pk, line, ids[move.debit], ids[move.credit], currency, move.amount, move.code)
        for line, move in enumerate(moves, start=1)
    ]
    marks = "(%s, %s, %s, %s, %s, %s, %s)"
    statement = "INSERT INTO ledger_transfer (journal_id, line, debit_id, credit_id, currency, amount, code) VALUES "
    with connection.cursor() as cursor:
        cursor.execute(statement + ", ".join([marks] * len(values)), [value for row in values for value in row])


def _account_ids(book: Book, currency: str, codes: set[str]) -> dict[str, int]:
    """Ids by code, opening accounts that are new."""
    ids = {code: _known[key] for code in codes if (key := (book.value, currency, code)) in _known}
    if missing := sorted(codes - ids.keys()):
        found = _find(book, currency, missing)
        if fresh := [code for code in missing if code not in found]:
            Account.objects.bulk_create(
                [Account(book=book, code=code, currency=currency, kind=chart.kind_of(code)) for code in fresh],
                ignore_conflicts=True,  # another process may open the same account at this moment
            )
            found |= _find(book, currency, fresh)
            Balance.objects.bulk_create(
                [Balance(account_id=found[code]) for code in fresh if chart.is_guarded(code)], ignore_conflicts=True
            )
        ids |= found
        transaction.on_commit(
            lambda: _known.update({(book.value, currency, code): pk for code, pk in found.items()}), robust=True
        )
    return ids


def _find(book: Book, currency: str, codes: list[str]) -> dict[str, int]:
    return dict(Account.objects.filter(book=book, currency=currency, code__in=codes).values_list("code", "id"))


def _move_guards(ids: dict[str, int], moves: Sequence[Move]) -> None:
    """Bring kept balances along, each by one conditional UPDATE, in id order so that two journals never deadlock."""
    change: Counter[str] = Counter()
    for move in moves:
        change[move.debit] -= move.amount
        change[move.credit] += move.amount
    for code in sorted(filter(chart.is_guarded, change), key=ids.__getitem__):
        # Written as posted >= floor - change, so that the database compares what it holds now.
        enough = Balance.objects.filter(account_id=ids[code], posted__gte=F("floor") - change[code])
        if not enough.update(posted=F("posted") + change[code]):
            raise NotEnough(f"{code} holds less than {-change[code]} above its floor.")
