"""Giving money back. Requested in one transaction, asked of the provider outside any, settled in another."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from sishu.accounts.models import User
from sishu.commerce import fulfil, splits
from sishu.commerce.facts import OrderRefunded
from sishu.commerce.locks import lock_payment
from sishu.commerce.models import Order, Payment, Refund
from sishu.core import addresses, clock, plugins
from sishu.core.errors import DomainError
from sishu.core.money import Money
from sishu.gateways.base import GatewayError, PaymentGateway, RefundOutcome, RefundRequest, RefundSnapshot
from sishu.ledger import chart, journal
from sishu.ledger.models import Book, Journal
from sishu.ledger.selectors import balance
from sishu.moderation import cases
from sishu.outbox import publisher

log = logging.getLogger(__name__)

RETRY_AFTER = tuple(timedelta(seconds=s) for s in (30, 300, 3600, 6 * 3600, 24 * 3600))


class NothingToRefund(DomainError):
    """The payment holds no such money, or it was given back."""

    code = "nothing_to_refund"


def refund(payment_id: int, part: str, *, by: User | None, reason: str = "") -> Refund:
    """Give back all of one part of a payment. Pressing twice refunds once. Raises Missing, NothingToRefund."""
    return submit(request(payment_id, part, by=by, reason=reason))


@transaction.atomic
def request(payment_id: int, part: str, *, by: User | None, reason: str = "") -> Refund:
    """Write down that a part of a payment is to go back, or find that this was written down before."""
    payment = lock_payment(pk=payment_id)
    latest = Refund.objects.filter(payment=payment, part=part).first()
    if latest is not None and latest.status != Refund.Status.SUCCEEDED:
        return latest
    money = refundable(payment, payment.order, part)
    if not money:
        if latest is not None:
            return latest
        raise NothingToRefund(
            _("Payment %(reference)s holds nothing to give back here.") % {"reference": payment.reference}
        )
    return Refund.objects.create(
        payment=payment, part=part, reference=secrets.token_hex(12), amount=money.amount, currency=money.currency,
        reason=reason[:300], requested_by=by, next_try_at=clock.now() + RETRY_AFTER[0], open_key=open_key(payment, part),
    )  # fmt: skip


def open_key(payment: Payment, part: str) -> str:
    """The key that two people share who give back the same money."""
    return f"{payment.pk}:{part}"


def refundable(payment: Payment, order: Order, part: str) -> Money:
    """What the part still holds, by the books; a refund that is under way is not yet deducted."""
    if part == Refund.Part.SALE:
        is_held = payment.is_applied and order.status == Order.Status.PAID
        return Money(order.amount if is_held else 0, order.currency)
    currency = payment.captured.currency
    held = balance(chart.unapplied(payment.reference), book=Book(payment.book), currency=currency)
    return Money(held, currency)


def submit(refund: Refund) -> Refund:
    """Ask the provider, under the refund's own reference however often it is asked, and apply the answer."""
    if refund.status == Refund.Status.SUCCEEDED:
        return refund
    payment = refund.payment
    gateway: PaymentGateway = plugins.load("gateways", payment.gateway)
    request = RefundRequest(
        reference=refund.reference, payment_reference=payment.reference, amount=refund.money, reason=refund.reason,
        captured=payment.captured, provider_reference=payment.provider_reference,
        notify_url=addresses.absolute(addresses.webhook(payment.gateway)),
    )  # fmt: skip
    try:
        answer = gateway.query_refund(request) if refund.try_count else None
        if answer is None or answer.outcome == RefundOutcome.UNKNOWN:
            answer = gateway.refund(request)
    except GatewayError as error:
        # Unknown whether it was taken: asked again later under the same reference.
        log.warning("Gateway %s did not answer about refund %s: %s", payment.gateway, refund.reference, error)
        return refund
    with transaction.atomic():
        payment = lock_payment(pk=payment.pk)
        apply(payment.order, payment, [answer])
    refund.refresh_from_db()
    return refund


def apply(order: Order, payment: Payment, snapshots: Iterable[RefundSnapshot]) -> None:
    """Bring a payment's refunds to what the provider says. The caller holds the locks of order and payment."""
    for snapshot in snapshots:
        refund = Refund.objects.select_for_update().filter(reference=snapshot.reference, payment=payment).first()
        if refund is None:
            if snapshot.outcome == RefundOutcome.SUCCEEDED:
                recognise(order, payment, snapshot)
        elif snapshot.outcome == RefundOutcome.SUCCEEDED and refund.status != Refund.Status.SUCCEEDED:
            settle(order, payment, refund)
        elif snapshot.outcome == RefundOutcome.FAILED and refund.status == Refund.Status.REQUESTED:
            refund.move_to(Refund.Status.FAILED, next_try_at=None)
            data = payment.told(refund.money)
            cases.open(ref=refund.ref, kind="refund_failed", code="refund_refused", data=data)


def recognise(order: Order, payment: Payment, snapshot: RefundSnapshot) -> None:
    """Money went back at the provider, not from here. The caller holds the locks.

    All of what a part holds gives that part back, what bought nothing first. Any other amount leaves the provider's
    account for one of its own, and a person must say what it was for.
    """
    part = _matching_part(order, payment, snapshot.refunded)
    if part is not None:
        # One that the provider had refused to us, and that was made there after all, is the same refund.
        refund = Refund.objects.filter(open_key=open_key(payment, part)).first() or Refund(payment=payment, part=part)
        refund.reference, refund.open_key = snapshot.reference, open_key(payment, part)
        refund.amount, refund.currency = snapshot.refunded.amount, snapshot.refunded.currency
        refund.save()
        settle(order, payment, refund)
        return
    key = f"foreign_refund:{snapshot.reference}"
    if Journal.objects.filter(key=key).exists():
        return
    journal.post(
        key=key, kind="foreign_refund", ref=order.ref, book=Book(payment.book), currency=snapshot.refunded.currency,
        moves=splits.of_foreign_refund(payment.gateway, payment.reference, snapshot.refunded.amount),
    )  # fmt: skip
    data = {**payment.told(snapshot.refunded), "refund": snapshot.reference}
    cases.open(ref=payment.ref, kind="foreign_refund", code="foreign_refund", data=data)


def _matching_part(order: Order, payment: Payment, money: Money) -> str | None:
    """The part that holds exactly this. None while a refund of ours is under way: the provider may be telling of both."""
    if payment.refunds.filter(status=Refund.Status.REQUESTED).exists():
        return None
    parts = (Refund.Part.UNAPPLIED, Refund.Part.SALE)
    return next((part for part in parts if refundable(payment, order, part) == money), None)


def settle(order: Order, payment: Payment, refund: Refund) -> None:
    """What must be true together once money went back: books reversed, access closed. The caller holds the locks."""
    refund.move_to(Refund.Status.SUCCEEDED, settled_at=clock.now(), next_try_at=None, open_key=None)
    actor = refund.requested_by.username if refund.requested_by else ""
    if refund.part == Refund.Part.UNAPPLIED:
        for number, entry in enumerate(_unapplied_journals(payment, refund.amount), start=1):
            journal.reverse(entry, key=f"refund:{refund.reference}:{number}", kind="refund", actor=actor)
        return
    sale = Journal.objects.get(key=f"sale:{payment.reference}")
    journal.reverse(sale, key=f"refund:{refund.reference}", kind="refund", actor=actor)
    order.move_to(Order.Status.REFUNDED)
    fulfil.revoke(order, fulfil.sold_lines(order))
    publisher.publish(OrderRefunded(order_id=order.pk, user_id=order.user_id, refund_id=refund.pk))


def retry_due(limit: int = 50) -> int:
    """Ask again about refunds the provider has not confirmed. Returns how many were asked."""
    asked = 0
    due = Refund.objects.filter(status=Refund.Status.REQUESTED, next_try_at__lte=clock.now())
    for refund in due.select_related("payment").order_by("next_try_at")[:limit]:
        tries = refund.try_count + 1
        next_try_at = clock.now() + RETRY_AFTER[min(tries, len(RETRY_AFTER) - 1)]
        mine = Refund.objects.filter(pk=refund.pk, try_count=refund.try_count, status=Refund.Status.REQUESTED)
        if mine.update(try_count=tries, next_try_at=next_try_at):
            asked += 1
            submit(refund)
    return asked


def _unapplied_journals(payment: Payment, amount: int) -> Iterator[Journal]:
    """The oldest bookings of money set apart that make up `amount`: what came after a refund was asked for stays."""
    entries = Journal.objects.filter(key__startswith=f"unapplied:{payment.reference}:", reversal=None).order_by("id")
    for entry in entries.annotate(total=Sum("transfers__amount")):
        if amount <= 0:
            return
        amount -= entry.total
        yield entry
