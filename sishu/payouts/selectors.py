"""Reading what is owed to whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from django.db.models import Q, Sum
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from sishu.accounts.models import User
from sishu.core.money import Money
from sishu.ledger import chart
from sishu.ledger.models import Account, Book, Transfer
from sishu.payouts.models import Payout


@dataclass(frozen=True, slots=True)
class Purse:
    """One creator's money in one book and currency."""

    user: User
    book: Book
    pending: Money
    # Below zero: what they owe after refunds.
    available: Money
    in_transit: Money
    paid_out: Money

    @property
    def currency(self) -> str:
        return self.available.currency

    @property
    def owed(self) -> Money:
        """What the creator owes the house; zero for most."""
        return Money(max(-self.available.amount, 0), self.currency)

    @property
    def payable(self) -> Money:
        """What can be paid out now."""
        return Money(max(self.available.amount, 0), self.currency)

    @property
    def key(self) -> str:
        """Which of a person's purses, such as live:CNY."""
        return f"{self.book}:{self.currency}"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to a payout: when, what, by whom, and the particulars."""

    moment: datetime
    what: str
    who: str
    detail: str = ""


def timeline(payout: Payout) -> list[Step]:
    """Everything that happened to a payout, oldest first, in the language of the moment."""
    to = f"{payout.money} · {payout.get_method_display()} {payout.tail}"
    steps = [Step(payout.created_at, _("Payout asked for"), payout.requested_by.name, to)]
    if payout.approved_by and payout.approved_at:
        steps.append(Step(payout.approved_at, _("Payout approved"), payout.approved_by.name))
    if payout.settled_by and payout.settled_at and payout.paid_on:
        proof = _("paid on %(day)s, bank’s reference %(proof)s") % {
            "day": date_format(payout.paid_on),
            "proof": payout.proof,
        }
        steps.append(Step(payout.settled_at, _("Written down as paid"), payout.settled_by.name, proof))
    if payout.ended_by and payout.ended_at:
        what = _("Payout rejected") if payout.status == Payout.Status.REJECTED else _("Payout did not arrive")
        steps.append(Step(payout.ended_at, what, payout.ended_by.name, payout.reason))
    return sorted(steps, key=attrgetter("moment"))


def payable(users: Iterable[User] | None = None) -> list[Purse]:
    """The purses of these people, or of everybody who ever earned: real money first, then by name and currency."""
    wanted = None if users is None else {user.pk for user in users}
    held = _balances(wanted)
    paid = _paid_out(wanted)
    people = User.objects.in_bulk({user_id for user_id, _book, _currency in held})
    purses = [
        Purse(
            user=people[user_id], book=Book(book), pending=Money(pots.get("pending", 0), currency),
            available=Money(pots.get("available", 0), currency), in_transit=Money(pots.get("transit", 0), currency),
            paid_out=Money(paid.get((user_id, book, currency), 0), currency),
        )
        for (user_id, book, currency), pots in held.items() if user_id in people
    ]  # fmt: skip
    return sorted(purses, key=lambda one: (one.book, one.user.username_key, one.currency))


def purses_of(user: User) -> list[Purse]:
    """One person's purses."""
    return payable([user])


def _balances(users: set[int] | None) -> dict[tuple[int, str, str], dict[str, int]]:
    """(user id, book, currency) → balance by pot."""
    accounts = {account.pk: account for account in _accounts(users)}
    sums: defaultdict[int, int] = defaultdict(int)
    for side, sign in (("credit", 1), ("debit", -1)):
        rows = Transfer.objects.filter(**{f"{side}__in": list(accounts)}).values_list(side).annotate(Sum("amount"))
        for pk, total in rows.order_by():
            sums[pk] += sign * total
    held: defaultdict[tuple[int, str, str], dict[str, int]] = defaultdict(dict)
    for pk, account in accounts.items():
        user_id, pot = chart.creator_of(account.code)
        held[user_id, account.book, account.currency][pot] = sums[pk]
    return held


def _accounts(users: set[int] | None) -> list[Account]:
    if users is None:
        return list(
            Account.objects.filter(Q(code__startswith="liability:creator:") | Q(code__startswith="liability:payout:"))
        )
    codes = [
        code(pk) for pk in users for code in (chart.creator_pending, chart.creator_available, chart.payout_in_transit)
    ]
    return list(Account.objects.filter(code__in=codes))


def _paid_out(users: set[int] | None) -> dict[tuple[int, str, str], int]:
    paid = Payout.objects.filter(status=Payout.Status.PAID)
    if users is not None:
        paid = paid.filter(payee__in=users)
    rows = paid.order_by().values_list("payee_id", "book", "currency").annotate(Sum("amount"))
    return {(payee, book, currency): total for payee, book, currency, total in rows}
