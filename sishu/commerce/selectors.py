"""Reading the shop: what happened to an order, what stands between a person and a page, what may not be taken away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from wagtail.models import Page

from sishu.accounts.models import User
from sishu.commerce import access, gateway_words, refunds
from sishu.commerce.access import Verdict
from sishu.commerce.facts import OrderPaid, OrderRefunded
from sishu.commerce.models import BankEntry, Dispute, Entitlement, Offer, Order, OrderLine, Payment, Refund
from sishu.content.models import Authorship, HomePage
from sishu.core.errors import Missing
from sishu.core.money import Money
from sishu.core.refs import parse_ref
from sishu.ledger import chart
from sishu.ledger.models import Journal, Transfer
from sishu.moderation.models import Case, Decision
from sishu.outbox.models import Fact


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: when, what, by whom (empty: by the house itself), and the particulars."""

    moment: datetime
    what: str
    who: str = ""
    detail: str = ""


def timeline(order: Order) -> list[Event]:
    """Everything that happened to an order, oldest first, in the language of the moment."""
    payments = list(order.payments.order_by("id"))
    given_back = list(
        Refund.objects.filter(payment__in=payments).select_related("requested_by", "payment").order_by("id")
    )
    disputes = list(Dispute.objects.filter(payment__in=payments).order_by("id"))
    lines = list(order.lines.all())
    events = [
        *_of_order(order, lines, payments),
        *(event for payment in payments for event in _of_payment(payment)),
        *_of_bank(payments),
        *_of_entitlements(lines),
        *_of_books(order),
        *(event for refund in given_back for event in _of_refund(refund)),
        *(event for dispute in disputes for event in _of_dispute(dispute)),
        *_of_cases([order.ref, *(one.ref for some in (payments, given_back, disputes) for one in some)]),
        *_of_facts(order),
    ]
    return sorted(events, key=attrgetter("moment"))  # stable: what shares a moment stays in the order above


def _of_order(order: Order, lines: Sequence[OrderLine], payments: Sequence[Payment]) -> Iterator[Event]:
    titles = pgettext("between names", ", ").join(line.title for line in lines)
    yield Event(order.created_at, _("Order placed"), order.user.name, f"{titles} · {order.total}")
    if order.status == Order.Status.CANCELLED:
        yield Event(order.updated_at, _("Order cancelled"), order.user.name)
    if order.status == Order.Status.EXPIRED:
        # Its own time, or that of a payment that took longer, unless a new order took its place before.
        over = max([order.expires_at, *(payment.expires_at for payment in payments)])
        yield Event(min(over, order.updated_at), _("Order expired"), detail=_("Nobody had paid in time."))
    if order.paid_at and not order.amount:
        yield Event(order.paid_at, _("Order settled"), detail=_("It was free."))


def _of_payment(payment: Payment) -> Iterator[Event]:
    name = f"{payment.gateway_label} {payment.reference}"
    yield Event(payment.created_at, _("Payment started"), detail=f"{name} · {payment.due}")
    if payment.captured_at:
        bought = _("it settled the order") if payment.is_applied else _("it bought nothing")
        yield Event(payment.captured_at, _("Money arrived"), detail=f"{name} · {payment.captured} · {bought}")
    elif payment.status == Payment.Status.FAILED:
        yield Event(payment.updated_at, _("Payment failed"), detail=name)
    elif payment.status == Payment.Status.CLOSED:
        yield Event(payment.updated_at, _("Payment closed without money"), detail=name)


def _of_bank(payments: Sequence[Payment]) -> Iterator[Event]:
    for entry in BankEntry.objects.filter(payment__in=payments).select_related("recorded_by").order_by("id"):
        what = _("Transfer back recorded") if entry.refund_id else _("Transfer recorded")
        yield Event(entry.created_at, what, entry.recorded_by.name, f"{entry.money} · {entry.bank_reference}")


def _of_entitlements(lines: Sequence[OrderLine]) -> Iterator[Event]:
    titles = {line.ref: line.title for line in lines}
    for held in Entitlement.objects.filter(source__in=titles).order_by("id"):
        until = _("until %(moment)s") % {"moment": moment_label(held.ends_at)} if held.ends_at else _("for good")
        yield Event(held.created_at, _("Access opened"), detail=f"{titles[held.source]} · {until}")
        if held.revoked_at:
            yield Event(held.revoked_at, _("Access closed"), detail=titles[held.source])


def _of_books(order: Order) -> Iterator[Event]:
    names = {
        "sale": _("Sale booked"),
        "unapplied": _("Money set apart in the books"),
        "refund": _("Refund booked"),
        "refund_paid": _("Refund arrived"),
        "refund_failed": _("Refund taken back in the books"),
        "maturity": _("Earnings can be paid out"),
        "fee": _("Provider’s fee"),
        "dispute": _("Money taken for a dispute"),
        "dispute_won": _("Dispute won, money back"),
        "foreign_refund": _("Refund made at the provider set apart in the books"),
    }
    for journal in Journal.objects.filter(ref=order.ref).order_by("id"):
        moves = journal.transfers.select_related("debit", "credit").order_by("line")
        detail = _("; ").join(move_label(move) for move in moves)
        yield Event(journal.posted_at, names.get(journal.kind, journal.kind), journal.actor, detail)


def _of_refund(refund: Refund) -> Iterator[Event]:
    asked_by = refund.requested_by.name if refund.requested_by else ""
    detail = " · ".join(filter(None, [str(refund.money), refund.get_part_display(), refund.reason]))
    yield Event(refund.created_at, _("Refund requested"), asked_by, detail)
    if refund.settled_at:
        yield Event(refund.settled_at, _("Money given back"), detail=f"{refund.money} · {refund.reference}")
    elif refund.status == Refund.Status.FAILED:
        yield Event(refund.updated_at, _("Refund refused by the provider"), detail=refund.reference)
    elif refund.status == Refund.Status.REJECTED:
        yield Event(refund.updated_at, _("Refund rejected"), detail=refund.reference)


def _of_dispute(dispute: Dispute) -> Iterator[Event]:
    detail = f"{dispute.money} · {dispute.reference}"
    yield Event(dispute.created_at, _("Dispute opened"), detail=detail)
    if dispute.decided_at:
        won = dispute.status == Dispute.Status.WON
        yield Event(dispute.decided_at, _("Dispute won") if won else _("Dispute lost"), detail=detail)


def _of_cases(refs: Sequence[str]) -> Iterator[Event]:
    for case in Case.objects.filter(ref__in=refs).order_by("id"):
        yield Event(case.opened_at, _("Case opened"), detail=f"{case_kind_label(case.kind)} · {case_remark(case)}")
        for ruling in Decision.objects.filter(case=case).select_related("who"):
            who = ruling.who.name if ruling.who else ""
            yield Event(ruling.created_at, _("Case decided"), who, f"{ruling.get_outcome_display()} · {ruling.reason}")


def _of_facts(order: Order) -> Iterator[Event]:
    names = [OrderPaid.__name__, OrderRefunded.__name__]
    for fact in Fact.objects.filter(name__in=names, body__order_id=order.pk).order_by("id"):
        said = _("The house was told") if fact.delivered_at else _("The house is being told")
        yield Event(fact.created_at, said, detail=fact.name)
        for told in fact.deliveries.order_by("id"):
            if told.done_at:
                yield Event(told.done_at, _("Followed up"), detail=told.reaction)
            elif told.attempts:
                last_line = told.last_error.strip().rpartition("\n")[2]
                tried = _("tried %(count)d times") % {"count": told.attempts}
                yield Event(
                    fact.created_at, _("Not followed up yet"), detail=f"{told.reaction} · {tried} · {last_line}"
                )


def moment_label(moment: datetime) -> str:
    """A moment as the reader's clock and language say it."""
    return date_format(localtime(moment), "DATETIME_FORMAT")


def case_kind_label(kind: str) -> str:
    """The question a case asks, in words."""
    known = {
        "unapplied": _("money that bought nothing"),
        "foreign_refund": _("refund made at the provider"),
        "refund_failed": _("refund refused by the provider"),
        "refund_proposed": _("refund that waits for a second person"),
        "dispute": _("buyer’s objection to a charge"),
        "reconciliation": _("difference between books and bill"),
        "unknown_payment": _("payment that nobody here asked for"),
        "review": _("review of a work"),
    }
    return known.get(kind, kind)


def case_remark(case: Case) -> str:
    """What is known about a case, in the language of the moment; what somebody noted stands behind it as it is."""
    known = {
        "surplus": _("%(money)s of %(reference)s: more than was due for order %(order)s."),
        "captured_again": _("%(money)s of %(reference)s: captured again, now %(captured)s in all."),
        "other_currency": _("%(money)s of %(reference)s: order %(order)s is in %(currency)s."),
        "too_little": _("%(money)s of %(reference)s: order %(order)s costs %(due)s."),
        "order_closed": _("%(money)s of %(reference)s: order %(order)s is %(status)s."),
        "already_owned": _("%(money)s of %(reference)s: by then the buyer owned what order %(order)s would give."),
        "too_late": _("%(money)s of %(reference)s: it came too late for order %(order)s."),
        "foreign_refund": _("%(money)s of %(reference)s: given back at the provider as %(refund)s."),
        "foreign_part": _(
            "%(money)s of %(reference)s: given back at the provider as %(refund)s, and booked as a part of order %(order)s."
        ),
        "refund_proposed": _("%(money)s of %(reference)s: more than one person may give back alone."),
        "dispute_open": _(
            "%(money)s of %(reference)s: the buyer of order %(order)s objects. Answer at the provider in time."
        ),
        "dispute_lost": _("%(money)s of %(reference)s: the objection to order %(order)s was upheld."),
        "dispute_odd": _(
            "%(money)s of %(reference)s: the objection was upheld, but order %(order)s holds less than that."
        ),
        "missing_local": _(
            "%(money)s of %(reference)s on the bill of %(gateway)s, %(day)s: nobody here knows of it. It stands apart in the books."
        ),
        "amount_differs": _(
            "%(money)s of %(reference)s on the bill of %(gateway)s, %(day)s: by our books it was %(ours)s."
        ),
        "status_differs": _("%(money)s of %(reference)s on the bill of %(gateway)s, %(day)s: here it is %(status)s."),
        "duplicate": _(
            "%(money)s of %(reference)s on the bill of %(gateway)s, %(day)s: it stands in the bills twice; our books have %(ours)s."
        ),
        "fee_differs": _(
            "%(money)s of %(reference)s on the bill of %(gateway)s, %(day)s: another fee than %(ours)s, which was booked."
        ),
        "missing_remote": _(
            "%(money)s of %(reference)s came on %(day)s; %(gateway)s confirms it, but no bill tells of it."
        ),
        "access_without_money": _(
            "Order %(order)s was opened for %(money)s of %(reference)s on %(day)s, and %(gateway)s knows of no such money."
        ),
        "trial_without_money": _(
            "%(money)s of trial purchase %(reference)s came on %(day)s by our books, and %(gateway)s knows of no such money."
        ),
        "refund_missing_remote": _(
            "%(money)s of %(reference)s went back on %(day)s by our books; no bill of %(gateway)s tells of it."
        ),
        "balance_differs": _("By our books %(gateway)s holds %(ours)s, by its bills up to %(day)s %(billed)s."),
        "closing_differs": _("On the evening of %(day)s %(gateway)s should hold %(ours)s; its bill says %(billed)s."),
        "refund_refused": _("%(money)s of %(reference)s: it did not go back."),
        "unknown_money": _("%(gateway)s took %(money)s for a payment %(reference)s that was not begun here."),
        "unknown_payment": _("%(gateway)s tells of a payment %(reference)s that was not begun here; it took no money."),
    }
    if case.code not in known:
        return case.note
    said = {name: _said(name, value) for name, value in case.data.items()}
    return f"{known[case.code] % said} {case.note}".rstrip()


def _said(name: str, value: Any) -> str:
    """A value of a case's data as people read it."""
    if name == "status":
        labels = {**dict(Refund.Status.choices), **dict(Payment.Status.choices), **dict(Order.Status.choices)}
        return str(labels.get(value, value))
    if name == "gateway":
        return gateway_words.label_of(value)
    return str(Money(**value)) if isinstance(value, dict) else str(value)


def move_label(move: Transfer) -> str:
    """One move between two accounts: "¥8.91: provider sandbox → clearing"."""
    return f"{Money(move.amount, move.currency)}: {account_label(move.debit.code)} → {account_label(move.credit.code)}"


def account_label(code: str) -> str:
    """What an account is called by people."""
    _kind, _colon, rest = code.partition(":")
    noun, _colon, key = rest.partition(":")
    if code == chart.CLEARING:
        return _("clearing")
    if code == chart.PLATFORM_INCOME:
        return _("income of the house")
    if code == chart.BANK:
        return _("bank account of the house")
    if noun == "payout":
        payee = User.objects.filter(pk=key).first()
        return _("on its way to %(name)s") % {"name": payee.name if payee else key}
    if noun == "psp":
        return _("held by %(gateway)s") % {"gateway": gateway_words.label_of(key)}
    if noun == "refund":
        return _("on its way back from payment %(reference)s") % {"reference": key}
    if noun == "dispute":
        return _("disputed at %(gateway)s") % {"gateway": gateway_words.label_of(key)}
    if code == chart.PROVIDER_FEES:
        return _("fees of providers")
    if noun == "unclaimed":
        return _("on the bills of %(gateway)s, of nobody here") % {"gateway": gateway_words.label_of(key)}
    if code == chart.BANK:
        return _("the house’s bank account")
    if noun == "unapplied":
        return _("set apart for payment %(reference)s") % {"reference": key}
    if noun == "suspense":
        return _("given back by payment %(reference)s, for what is not known") % {"reference": key}
    if noun == "creator":
        user_id, _colon, state = key.partition(":")
        person = User.objects.filter(pk=user_id).first()
        known = {"name": person.name if person else user_id}
        return _("payable to %(name)s") % known if state == "available" else _("owed to %(name)s") % known
    return code


def refundable_part(payment: Payment, part: str) -> Money | None:
    """What one part of a payment still holds for the buyer; None when that is nothing."""
    return refunds.refundable(payment, payment.order, part) or None


def find_payment(ref: str) -> Payment | None:
    """The payment that a case is about: by its own link, or by that of one of its refunds."""
    noun, key = parse_ref(ref)
    payments = Payment.objects.select_related("order")
    if noun == "payment":
        return payments.filter(pk=int(key)).first()
    if noun in ("refund", "dispute"):
        return payments.filter(**{f"{noun}s": int(key)}).first()
    return None


def find_payment_by_reference(reference: str) -> Payment | None:
    """The payment of that reference, with its order."""
    return Payment.objects.select_related("order").filter(reference=reference).first()


@dataclass(frozen=True, slots=True)
class Sales:
    """What was sold for money in one book and one currency over a time."""

    book: str
    gross: Money
    count: int


def sales_since(moment: datetime) -> list[Sales]:
    """Sales settled from `moment` on, real money first. One refunded since was a sale; a free order is none."""
    sold = Payment.objects.filter(is_applied=True, order__paid_at__gte=moment)
    rows = sold.values_list("book", "order__currency").annotate(Sum("order__amount"), Count("pk"))
    return [Sales(book, Money(gross, currency), count) for book, currency, gross, count in rows.order_by("book")]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The verdict about a person and a page, with every fact that could have decided it."""

    verdict: Verdict
    # Each with the order it was bought by, if it was bought.
    entitlements: Sequence[tuple[Entitlement, Order | None]]
    orders: Sequence[Order]
    authorships: Sequence[Authorship]

    @property
    def decisive_order(self) -> Order | None:
        """The order that bought what decided, if it was bought."""
        return next((order for held, order in self.entitlements if held.source == self.verdict.source), None)


def explain(user: User, page: Page) -> Explanation:
    """Why this person may read this page as far as they may."""
    keys = page.get_ancestors(inclusive=True).values("translation_key")
    held = list(Entitlement.objects.filter(user=user, page__translation_key__in=keys).select_related("page"))
    placed = Order.objects.filter(user=user, lines__offer__page__translation_key__in=keys).distinct()
    orders = list(placed.prefetch_related("lines"))
    bought_by = {line.ref: order for order in orders for line in order.lines.all()}
    wrote = Authorship.objects.filter(user=user, page__translation_key=page.translation_key).select_related("page")
    return Explanation(
        access.verdict(user, page), [(one, bought_by.get(one.source)) for one in held], orders, list(wrote)
    )


def plan_ends_at(user: User, moment: datetime) -> datetime | None:
    """How long this person reads the whole house without a gap, renewals counted; None when no month is valid now."""
    houses = HomePage.objects.values("translation_key")
    months = Entitlement.objects.not_over(moment).filter(
        user=user, page__translation_key__in=houses, ends_at__isnull=False
    )
    until = None
    for start, end in months.order_by("starts_at").values_list("starts_at", "ends_at"):
        if start <= (until or moment):
            until = max(until or end, end)  # type: ignore[type-var]  # the query asks for those that end
    return until


def get_own_order(user: User, number: str) -> Order:
    """This person's order of that number. Missing for a stranger's as for one that does not exist."""
    order = Order.objects.filter(number=number, user=user).first()
    if order is None:
        raise Missing(_("There is no such order."))
    return order


def sold_among(pages: Iterable[Page]) -> QuerySet[Page]:
    """The pages that were ordered or entitle somebody, among these and all that would go with them.

    With a page go its translations and what hangs below either; an alias counts as its original. A plan that covers a
    page from above does not count: it was not this page that was bought.
    """
    keys = {page.translation_key for page in pages}
    branches = _branches(Page.objects.filter(translation_key__in=keys).values_list("path", flat=True), "path")
    below = Page.objects.filter(branches).order_by()
    # An alias shows the same work under another key.
    works = Page.objects.filter(Q(pk__in=below.values("pk")) | Q(aliases__in=below.values("pk"))).order_by()
    ordered = OrderLine.objects.filter(offer__page__translation_key__in=works.values("translation_key"))
    entitled = Entitlement.objects.filter(page__translation_key__in=works.values("translation_key"))
    sold: QuerySet[Page] = Page.objects.filter(
        Q(pk__in=ordered.values("offer__page")) | Q(pk__in=entitled.values("page"))
    )
    return sold


def unsold_offers(pages: Iterable[Page]) -> QuerySet[Offer]:
    """Offers of these pages and all below them that nobody ever took up."""
    return Offer.objects.filter(_branches((page.path for page in pages), "page__path"), lines=None)


def _branches(paths: Iterable[str], field: str) -> Q:
    branches = Q(pk__in=())
    for path in paths:
        branches |= Q(**{f"{field}__startswith": path})
    return branches


def source_label(entitlement: Entitlement, order: Order | None) -> str:
    """Where an entitlement comes from, in words."""
    return _("order %(number)s") % {"number": order.number} if order else entitlement.source
