"""A creator's statement, as a page and as a file: what each sale brought them, what was paid to them, what is theirs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from sishu.accounts import roles
from sishu.accounts import selectors as people
from sishu.accounts.models import User
from sishu.core import plugins
from sishu.core.errors import Missing
from sishu.ledger.models import Book
from sishu.payouts import selectors as purses
from sishu.web import answers, context
from sishu.web.spreadsheets import csv_response
from sishu.web.statement_entries import ALL, Statement, books_of, month_of, statements_of

PDF = "statement_pdf"
MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])")


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
    held = {(purse.book, purse.currency): purse for purse in purses.purses_of(creator)}
    facts = {
        "creator": creator,
        "is_own": creator == request.user,
        "book": book,
        "books": books,
        "is_play_money": book == Book.SANDBOX,
        "months": [(key, month_label(key)) for key in [*months, ALL]],
        "month": month,
        "month_label": month_label(month),
        "statements": [(replace(one, month=month), held[book, one.currency]) for one in statements],
    }
    return render(request, "statement/statement.html", facts)


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
        _("Date"), _("What"), _("Title"), _("Number"), _("Currency"), _("Buyer paid"), _("Your part"),
        _("Can be paid out from now on"), _("Paid out"), _("Pending after"), _("Available after"), _("Balance after"), _("Book"),
    ]  # fmt: skip
    rows = [
        [
            localtime(entry.moment).isoformat(timespec="seconds"), entry.label, entry.title, entry.number, one.currency,
            entry.gross, entry.part, entry.matured, entry.paid_out, entry.pending, entry.available, entry.balance,
            one.book.label,
        ]
        for one in statements_of(creator, book)
        for entry in replace(one, month=month).shown
    ]  # fmt: skip
    return csv_response(f"statement-{creator.pk}-{book}-{month}.csv", heading, rows)


@dataclass(frozen=True)
class Sheet:
    """All that stands on a statement on paper."""

    house: str
    creator: str
    month: str
    book: str
    remark: str
    statements: Sequence[Statement]


class Document(Protocol):
    """A plug-in of kind `documents`: what is to be kept or printed, as the bytes of a file."""

    def __call__(self, sheet: Sheet) -> bytes: ...


@never_cache
@login_required
@require_safe
@answers.explain_refusals
def statement_pdf(request: HttpRequest) -> HttpResponse:
    """The same rows on paper."""
    creator = _creator(request)
    book = _book(request, books_of(creator))
    month = _month(request, ALL)
    remark = _("Play money: nobody paid anything, and nothing leaves any bank.") if book == Book.SANDBOX else ""
    shown = [replace(one, month=month) for one in statements_of(creator, book)]
    sheet = Sheet(context.house_now().name, creator.name, month_label(month), str(book.label), remark, shown)
    draw: Document = plugins.load("documents", PDF)
    response = HttpResponse(draw(sheet), content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="statement-{creator.pk}-{book}-{month}.pdf"'
    return response


def month_label(month: str) -> str:
    """A month in words."""
    if month == ALL:
        return _("All months")
    return date_format(date.fromisoformat(f"{month}-01"), "YEAR_MONTH_FORMAT")


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
    path("statement.pdf", statement_pdf, name="statement_pdf"),
]
