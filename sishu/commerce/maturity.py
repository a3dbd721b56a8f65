"""Earnings become payable once the days are over in which the buyer may take the purchase back."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, OuterRef, Value
from django.db.models.functions import Concat

from sishu.commerce import refunds, splits
from sishu.commerce.locks import lock_payment
from sishu.commerce.models import Order, OrderLine, Payment, RefundLine
from sishu.core import clock
from sishu.ledger import chart, journal
from sishu.ledger.journal import Move
from sishu.ledger.models import Book, Journal


def mature_due() -> int:
    """Make payable what is left of everyone's part of sales whose days are over. Returns of how many."""
    posted = Journal.objects.filter(key=Concat(Value("maturity:"), OuterRef("reference")))
    sold = Payment.objects.filter(is_applied=True, order__status=Order.Status.PAID).exclude(Exists(posted))
    # What creators have no part in stays in the way of nobody: it is left out for good.
    shared = OrderLine.objects.filter(order=OuterRef("order")).exclude(split=[])
    due = sold.filter(Exists(shared)).select_related("order").prefetch_related("order__lines").order_by("id")
    return sum(_mature(payment.pk) for payment in due.iterator(chunk_size=500) if _is_over(payment.order))


def _is_over(order: Order) -> bool:
    until = refunds.refund_until(order)
    return (until or order.paid_at or clock.now()) < clock.now()


@transaction.atomic
def _mature(payment_id: int) -> bool:
    payment = lock_payment(id=payment_id)
    order, key = payment.order, f"maturity:{payment.reference}"
    is_under_way = payment.refunds.filter(open_key__isnull=False).exists()
    # A refund on its way has taken its part out of what is pending already; one that may fail must find it there again.
    if order.status != Order.Status.PAID or is_under_way or Journal.objects.filter(key=key).exists():
        return False
    moves = [
        Move(chart.creator_pending(payee), chart.creator_available(payee), left, "maturity")
        for line in order.lines.all()
        for payee, left in _left(line)
        if payee is not None and left
    ]
    if not moves:
        return False
    journal.post(key=key, kind="maturity", ref=order.ref, book=Book(payment.book), currency=order.currency, moves=moves)
    return True


def _left(line: OrderLine) -> list[tuple[int | None, int]]:
    """What everyone still holds of a sold line."""
    taken = RefundLine.objects.filter(line=line).values_list("parts", flat=True)
    return splits.remaining(splits.of_line(line.amount, line.split), taken)
