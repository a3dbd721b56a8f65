"""A creator's money as a row of entries: sales, refunds, what can be paid out, what was; equal to the ledger to the cent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from sishu.accounts.models import User
from sishu.commerce.models import OrderLine
from sishu.core.money import Money
from sishu.core.refs import parse_ref
from sishu.ledger import chart, selectors
from sishu.ledger.models import Account, Book
from sishu.ledger.selectors import StatementRow
from sishu.payouts.models import Payout

ALL = "all"
SALE = "sale"


@dataclass(frozen=True, slots=True)
class StatementEntry:
    """One journal as the creator sees it: what the buyer paid or got back, what it changed for them, what they then had.

    `part` comes from sales and refunds, `matured` went from pending to available, `paid_out` left (or, below zero, came
    back). `gross` is None where nothing says how much of what a buyer got back was for this creator's works.
    """

    moment: datetime
    kind: str
    label: str
    title: str
    number: str
    gross: Money | None
    part: Money
    matured: Money
    paid_out: Money
    pending: Money
    available: Money
    payout: Payout | None = None

    @property
    def balance(self) -> Money:
        return self.pending + self.available

    @property
    def change(self) -> Money:
        """By how much the balance changed."""
        return self.part - self.paid_out


@dataclass(frozen=True)
class Statement:
    """All entries of one creator in one book and currency; `shown` are those of the chosen month."""

    creator_id: int
    book: Book
    currency: str
    entries: list[StatementEntry]
    month: str = ALL

    @cached_property
    def shown(self) -> list[StatementEntry]:
        return [entry for entry in self.entries if self.month in (ALL, month_of(entry.moment))]

    @property
    def gross(self) -> Money:
        return _sum((entry.gross for entry in self.shown if entry.gross), self.currency)

    @property
    def part(self) -> Money:
        return _sum((entry.part for entry in self.shown), self.currency)

    @property
    def refunded(self) -> Money:
        return _sum((entry.part for entry in self.shown if entry.kind != SALE), self.currency)

    @property
    def paid_out(self) -> Money:
        return _sum((entry.paid_out for entry in self.shown), self.currency)

    @property
    def change(self) -> Money:
        return self.part - self.paid_out

    @property
    def balance(self) -> Money:
        return self.entries[-1].balance if self.entries else Money(0, self.currency)

    @property
    def debt(self) -> Money:
        """What the creator owes after refunds of what they were paid; zero for most."""
        available = self.entries[-1].available.amount if self.entries else 0
        return Money(max(-available, 0), self.currency)

    @cached_property
    def in_ledger(self) -> Money:
        """What the creator's accounts hold, counted by the ledger itself."""
        return Money(
            sum(selectors.balance(code, book=self.book, currency=self.currency) for code in codes_of(self.creator_id)),
            self.currency,
        )

    @property
    def agrees(self) -> bool:
        moved = _sum((entry.change for entry in self.entries), self.currency)
        return self.balance == self.in_ledger == moved


def codes_of(user_id: int) -> tuple[str, str]:
    """The accounts that hold what is a creator's."""
    return chart.creator_pending(user_id), chart.creator_available(user_id)


def books_of(creator: User) -> list[Book]:
    """The books in which the creator ever had a part, real money first."""
    present = set(Account.objects.filter(code__in=codes_of(creator.pk)).values_list("book", flat=True))
    return [book for book in Book if book in present]


def statements_of(creator: User, book: Book) -> list[Statement]:
    """The creator's statements in one book, one a currency."""
    accounts = Account.objects.filter(code__in=codes_of(creator.pk), book=book)
    currencies = sorted(set(accounts.values_list("currency", flat=True)))
    return [Statement(creator.pk, book, one, _entries(creator, book, one)) for one in currencies]


def month_of(moment: datetime) -> str:
    """The month a moment falls into, by the clock of the house: "2026-11"."""
    return f"{localtime(moment):%Y-%m}"


def _entries(creator: User, book: Book, currency: str) -> list[StatementEntry]:
    rows = list(selectors.statement(*codes_of(creator.pk), book=book, currency=currency))
    lines, payouts = _lines_of({row.ref for row in rows}), _payouts_of({row.ref for row in rows})
    by_journal: dict[int, list[StatementRow]] = {}
    for row in rows:  # an order of two of their works moves twice to the same creator: one entry
        by_journal.setdefault(row.journal_id, []).append(row)
    turnover = selectors.turnover(chart.CLEARING, by_journal)
    entries: list[StatementEntry] = []
    held = Money(0, currency), Money(0, currency)
    for journal_id, moves in by_journal.items():
        ref, through = moves[0].ref, turnover.get(journal_id, 0)
        entry = _entry(creator, moves, lines.get(ref, []), payouts.get(ref), through, held)
        entries.append(entry)
        held = entry.pending, entry.available
    return entries


def _entry(
    creator: User, moves: Sequence[StatementRow], lines: Sequence[OrderLine], payout: Payout | None, through: int,
    held: tuple[Money, Money],
) -> StatementEntry:  # fmt: skip
    first, currency = moves[0], held[0].currency
    pending_code, available_code = codes = codes_of(creator.pk)
    transit = chart.payout_in_transit(creator.pk)
    pending, available = (sum(move.amount for move in moves if move.code == code) for code in codes)
    paid_out = -sum(move.amount for move in moves if move.other == transit)
    matured = sum(move.amount for move in moves if move.code == available_code and move.other == pending_code)
    part = pending + available + paid_out
    own = [line for line in lines if any(payee == creator.pk for payee, _bps in line.split)]
    return StatementEntry(
        moment=first.posted_at, kind=first.kind, label=_label(first.kind), title=_title(own, payout),
        number=own[0].order.number if own else payout.reference if payout else "",
        gross=_gross(first, part, own, lines, through, currency) if part else None,
        part=Money(part, currency), matured=Money(matured, currency), paid_out=Money(paid_out, currency),
        pending=held[0] + Money(pending, currency), available=held[1] + Money(available, currency), payout=payout,
    )  # fmt: skip


def _gross(
    first: StatementRow, part: int, own: Sequence[OrderLine], lines: Sequence[OrderLine], through: int, currency: str
) -> Money | None:
    """What the buyer paid, or got back, for the creator's works, as far as the books say it."""
    if not own:
        return None
    whole = sum(line.amount for line in own)
    if first.kind == SALE:
        return Money(whole, currency)
    # A refund may be of any part of an order: what went through clearing is what the buyer had, if all of it was theirs.
    if len(own) == len(lines):
        return Money(through if part > 0 else -through, currency)
    return None


def _label(kind: str) -> str:
    labels = {
        SALE: _("Sale"),
        "refund": pgettext("statement", "Refund"),
        "refund_failed": _("Refund that was not made"),
        "maturity": _("Can be paid out from now on"),
        "payout": pgettext("statement", "Payout"),
        "payout_released": _("Payout that was not made"),
    }
    return labels.get(kind, kind)


def _title(own: Sequence[OrderLine], payout: Payout | None) -> str:
    if payout is not None:
        return _("To %(account)s") % {"account": f"{payout.get_method_display()} {payout.tail}"}
    return pgettext("between names", ", ").join(line.title for line in own)


def _lines_of(refs: set[str]) -> dict[str, list[OrderLine]]:
    """All lines of these orders, by the ref of their order."""
    found: dict[str, list[OrderLine]] = {}
    for line in OrderLine.objects.filter(order__in=_keys(refs, "order")).select_related("order").order_by("id"):
        found.setdefault(line.order.ref, []).append(line)
    return found


def _payouts_of(refs: set[str]) -> dict[str, Payout]:
    return {payout.ref: payout for payout in Payout.objects.filter(pk__in=_keys(refs, "payout"))}


def _keys(refs: set[str], wanted: str) -> list[int]:
    return [int(key) for noun, key in map(parse_ref, refs) if noun == wanted]


def _sum(amounts: Iterable[Money], currency: str) -> Money:
    return sum(amounts, Money(0, currency))
