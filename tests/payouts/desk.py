"""Creators with money, as a test needs them. Sales and maturity are posted by hand: these tests are of what follows."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

from django.db import transaction

from sishu.accounts.models import User
from sishu.core import clock
from sishu.core.money import Money
from sishu.ledger import chart, journal
from sishu.ledger.journal import Move
from sishu.ledger.models import Book
from sishu.payouts import payees, payouts
from sishu.payouts.models import Method, PayeeAccount, Payout
from tests.factories.accounts import make_user

DETAILS = payees.PayeeDetails("Zhou Lan", "6222020200112234821", "ICBC, Hangzhou West Lake")
_numbers = count(1)


def make_payee(name: str = "", *held_roles: str) -> User:
    """A creator whose account has stood for a month."""
    user = make_user(name, *(held_roles or ("creator",)), verified=True)
    payees.change(user, Method.BANK, DETAILS)
    PayeeAccount.objects.filter(user=user).update(changed_at=clock.now() - timedelta(days=30))
    return user


def earn(
    user: User, part: int, *, book: Book = Book.LIVE, currency: str = "CNY", is_mature: bool = True, ref: str = ""
) -> None:
    """A sale that brought them `part`, and, unless told otherwise, the end of its refund window."""
    number = next(_numbers)
    psp = chart.provider("alipay" if book == Book.LIVE else "sandbox")
    ref = ref or f"elsewhere:{number}"
    pending, available = chart.creator_pending(user.pk), chart.creator_available(user.pk)
    sale = [Move(psp, chart.CLEARING, part, "capture"), Move(chart.CLEARING, pending, part, "creator")]
    with transaction.atomic():
        journal.post(key=f"sale:desk{number}", kind="sale", ref=ref, book=book, currency=currency, moves=sale)
        if is_mature:
            journal.post(
                key=f"maturity:desk{number}", kind="maturity", ref=ref, book=book, currency=currency,
                moves=[Move(pending, available, part, "maturity")],
            )  # fmt: skip


def give_back(user: User, part: int, *, book: Book = Book.LIVE, currency: str = "CNY", ref: str = "") -> None:
    """A refund after maturity: the creator's part comes out of what they may be paid, or is owed."""
    number = next(_numbers)
    psp = chart.provider("alipay" if book == Book.LIVE else "sandbox")
    moves = [
        Move(chart.creator_available(user.pk), chart.CLEARING, part, "creator"),
        Move(chart.CLEARING, psp, part, "refund"),
    ]
    with transaction.atomic():
        journal.post(
            key=f"refund:desk{number}", kind="refund", ref=ref or f"elsewhere:{number}", book=book, currency=currency,
            moves=moves,
        )  # fmt: skip


def ask(user: User, amount: int, by: User, currency: str = "CNY") -> Payout:
    """A payout asked for."""
    return payouts.request(user, Money(amount, currency), by=by)


def ready(user: User, amount: int, by: User, approver: User) -> Payout:
    """A payout that waits to be transferred."""
    return payouts.approve(ask(user, amount, by).pk, by=approver)
