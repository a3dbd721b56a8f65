"""Everything that happened to an order, as people read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from sishu.commerce import case_words, ledger_words
from sishu.commerce.facts import OrderPaid, OrderRefunded
from sishu.commerce.models import BankEntry, Dispute, Entitlement, Order, OrderLine, Payment, Refund
from sishu.ledger.models import Journal
from sishu.moderation.models import Case, Decision
from sishu.outbox.models import Fact


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: when, what, by whom (empty: by the house itself), and the particulars."""

    moment: datetime
    what: str
    who: str = ""
    detail: str = ""


def of_order(order: Order) -> list[Event]:
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
    for journal in Journal.objects.filter(ref=order.ref).order_by("id"):
        moves = journal.transfers.select_related("debit", "credit").order_by("line")
        detail = _("; ").join(ledger_words.move_label(move) for move in moves)
        yield Event(journal.posted_at, ledger_words.kind_label(journal.kind), journal.actor, detail)


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
        yield Event(
            case.opened_at, _("Case opened"), detail=f"{case_words.kind_label(case.kind)} · {case_words.remark(case)}"
        )
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
