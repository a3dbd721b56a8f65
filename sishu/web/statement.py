"""A creator's statement: what each sale brought them, line by line, equal to the ledger to the cent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from sishu.accounts import roles
from sishu.accounts import selectors as people
from sishu.accounts.models import User
from sishu.commerce.models import OrderLine
from sishu.core.errors import Missing
from sishu.core.money import Money
from sishu.core.refs import parse_ref
from sishu.ledger import chart, selectors
from sishu.ledger.models import Account, Book
from sishu.ledger.selectors import StatementRow
from sishu.web import answers
from sishu.web.spreadsheets import csv_response

ALL = "all"
MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class StatementEntry:
    """One sale, or its reversal, as the creator sees it: what the buyer paid, their own part, what they then had."""

    moment: datetime
    kind: str
    title: str
    number: str
    gross: Money | None
    part: Money
    balance: Money


@dataclass(frozen=True)
class Statement:
    """All entries of one creator in one book and currency; `shown` are those of the chosen month."""

    code: str
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
        return _sum((entry.part for entry in self.shown if entry.part.amount < 0), self.currency)

    @property
    def balance(self) -> Money:
        return self.entries[-1].balance if self.entries else Money(0, self.currency)

    @cached_property
    def in_ledger(self) -> Money:
        """The account's balance, counted by the ledger itself."""
        return Money(selectors.balance(self.code, book=self.book, currency=self.currency), self.currency)

    @property
    def agrees(self) -> bool:
        return self.balance == self.in_ledger == _sum((entry.part for entry in self.entries), self.currency)


@never_cache
@login_required
@require_safe
@answers.explain_refusals
def statement(request: HttpRequest) -> HttpResponse:
    """The page: the newest month first, any other or all of them by choice."""
    creator = _creator(request)
    books = books_of(creator)
    book = _book(request, books)
    statements = statements_of(creator, book)
    months = sorted({month_of(entry.moment) for one in statements for entry in one.entries}, reverse=True)
    month = _month(request, months[0] if months else ALL)
    context = {
        "creator": creator,
        "is_own": creator == request.user,
        "book": book,
        "books": books,
        "is_play_money": book == Book.SANDBOX,
        "months": [(key, month_label(key)) for key in [*months, ALL]],
        "month": month,
        "month_label": month_label(month),
        "statements": [replace(one, month=month) for one in statements],
    }
    return render(request, "statement/statement.html", context)


@never_cache
@login_required
@require_safe
@answers.explain_refusals
def statement_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The same rows as a file."""
    creator = _creator(request)
    book = _book(request, books_of(creator))
    month = _month(request, ALL)
    heading = [
        _("Date"), _("What"), _("Title"), _("Order number"), _("Currency"), _("Buyer paid"), _("Your part"), _("Balance after"),
        _("Book"),
    ]  # fmt: skip
    rows = [
        [
            localtime(entry.moment).isoformat(timespec="seconds"), entry.kind, entry.title, entry.number, one.currency,
            entry.gross, entry.part, entry.balance, one.book.label,
        ]
        for one in statements_of(creator, book)
        for entry in replace(one, month=month).shown
    ]  # fmt: skip
    return csv_response(f"statement-{creator.pk}-{book}-{month}.csv", heading, rows)


def books_of(creator: User) -> list[Book]:
    """The books in which the creator ever had a part, real money first."""
    code = chart.creator_pending(creator.pk)
    present = set(Account.objects.filter(code=code).values_list("book", flat=True))
    return [book for book in Book if book in present]


def statements_of(creator: User, book: Book) -> list[Statement]:
    """The creator's statements in one book, one a currency."""
    code = chart.creator_pending(creator.pk)
    found = []
    for account in Account.objects.filter(code=code, book=book).order_by("currency"):
        rows = list(selectors.statement(code, book=book, currency=account.currency))
        found.append(Statement(code, book, account.currency, _entries(creator, rows, account.currency)))
    return found


def month_of(moment: datetime) -> str:
    """The month a moment falls into, by the clock of the house: "2026-11"."""
    return f"{localtime(moment):%Y-%m}"


def month_label(month: str) -> str:
    """A month in words."""
    if month == ALL:
        return _("All months")
    return date_format(date.fromisoformat(f"{month}-01"), "YEAR_MONTH_FORMAT")


def _entries(creator: User, rows: Sequence[StatementRow], currency: str) -> list[StatementEntry]:
    lines = _own_lines(creator, {row.ref for row in rows})
    by_journal: dict[int, list[StatementRow]] = {}
    for row in rows:  # an order of two of their works moves twice to the same creator: one entry
        by_journal.setdefault(row.journal_id, []).append(row)
    return [_entry(moves, lines.get(moves[0].ref, []), currency) for moves in by_journal.values()]


def _entry(moves: Sequence[StatementRow], lines: Sequence[OrderLine], currency: str) -> StatementEntry:
    first, last = moves[0], moves[-1]
    kinds = {"sale": _("Sale"), "refund": _("Refunded sale")}
    sign = -1 if first.kind == "refund" else 1
    return StatementEntry(
        moment=first.posted_at,
        kind=kinds.get(first.kind, first.kind),
        title=pgettext("between names", ", ").join(line.title for line in lines),
        number=lines[0].order.number if lines else "",
        gross=Money(sign * sum(line.amount for line in lines), currency) if lines else None,
        part=Money(sum(move.amount for move in moves), currency),
        balance=Money(last.running, currency),
    )


def _own_lines(creator: User, refs: set[str]) -> dict[str, list[OrderLine]]:
    """The lines the creator has a share in, by the ref of their order."""
    keys = [int(key) for noun, key in map(parse_ref, refs) if noun == "order"]
    found: dict[str, list[OrderLine]] = {}
    for line in OrderLine.objects.filter(order__in=keys).select_related("order").order_by("id"):
        if any(payee == creator.pk for payee, _bps in line.split):
            found.setdefault(line.order.ref, []).append(line)
    return found


def _sum(amounts: Iterable[Money], currency: str) -> Money:
    return sum(amounts, Money(0, currency))


def _creator(request: HttpRequest) -> User:
    """Whose statement: one's own, or that of the creator asked for by who may read the books. Missing otherwise."""
    assert isinstance(request.user, User)  # noqa: S101  for the type checker: the views ask for a sign-in
    name = request.GET.get("creator", "")
    creator = people.find_by_login(name) if name else request.user
    # Whoever reads the books reads everyone's part of them.
    if creator is None or (creator != request.user and not request.user.has_perm(roles.VIEW_TRANSFER)):
        raise Missing(_("There is no such statement."))
    return creator


def _book(request: HttpRequest, present: Sequence[Book]) -> Book:
    wanted = request.GET.get("book", "")
    return next((book for book in present if book == wanted), present[0] if present else Book.LIVE)


def _month(request: HttpRequest, default: str) -> str:
    wanted = request.GET.get("month", "")
    return wanted if wanted == ALL or MONTH.fullmatch(wanted) else default


urlpatterns = [
    path("statement", statement, name="statement"),
    path("statement.csv", statement_csv, name="statement_csv"),
]
