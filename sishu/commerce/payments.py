"""Collecting an order through a gateway. `apply` is the only way a payment changes."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from sishu.commerce import disputes, fulfil, gateway_words, merchants, orders, splits, unwinding, ways_to_pay
from sishu.commerce.facts import MoneySetApart, OrderPaid
from sishu.commerce.locks import lock_order, lock_payment
from sishu.commerce.models import Order, Payment
from sishu.core import addresses, clock, rows
from sishu.core.errors import DomainError, Invalid, Missing
from sishu.core.models import WrongStatus
from sishu.core.money import Money
from sishu.gateways.base import Device, GatewayError, Notice, Outcome, PaymentGateway, PaymentRequest, Snapshot, Started
from sishu.ledger import journal
from sishu.ledger.models import Book
from sishu.moderation import cases
from sishu.outbox import publisher

log = logging.getLogger(__name__)

DEAD_ENDS = {Outcome.FAILED: Payment.Status.FAILED, Outcome.CLOSED: Payment.Status.CLOSED}
# When to ask about a payment whose notice has not come, counted from its start.
POLL_AFTER = tuple(timedelta(seconds=s) for s in (10, 30, 60, 300, 900, 3600, 6 * 3600, 24 * 3600))

# How long after its time a payment may still come, of which the provider knew nothing when it was to be closed.
WATCH_MARGIN = timedelta(minutes=5)


class ProviderSilent(DomainError):
    """The provider did not answer; whether it took the request is unknown."""

    code = "provider_silent"
    status = 503


def choose_gateway(asked: object, currency: str) -> str:
    """The gateway a buyer asked for, or the first that takes the currency.

    Invalid for one that is not there, and when there is none at all.
    """
    names = merchants.usable()
    if not names:
        raise Invalid(_("This house takes no money yet: its owner has not set up a payment provider."), status=503)
    if asked and asked not in names:
        raise Invalid(_("There is no payment provider “%(name)s” here.") % {"name": str(asked)[:40]}, code="gateway")
    fitting = (way.name for way in ways_to_pay.offered(currency))
    return str(asked or next(fitting, names[0]))


@dataclass(frozen=True, slots=True)
class Buyer:
    """What a provider wants to know about who pays: `payer` is its own name for them, where a product needs it."""

    device: Device = Device.DESKTOP
    client_ip: str = ""
    payer: str = ""


def start(
    order_id: int,
    gateway_name: str,
    *,
    notify_url: str,
    return_url: str,
    buyer: Buyer = Buyer(),
) -> tuple[Payment, Started]:
    """Open an attempt to collect an order, or find the open one, and learn what the buyer does next.

    The payment is committed before the provider hears of it, so that a notice that overtakes the answer finds it.
    Raises WrongStatus when the order awaits no payment, ProviderSilent when the provider did not answer (asking again
    repeats the same reference).
    """
    gateway = _reached(gateway_name)
    payment = _open_payment(order_id, gateway, gateway.product_for(buyer.device))
    order = payment.order
    request = PaymentRequest(
        reference=payment.reference, due=payment.due, title=order.number, notify_url=notify_url, return_url=return_url,
        expires_at=payment.expires_at, product=payment.product, client_ip=buyer.client_ip, payer=buyer.payer,
    )  # fmt: skip
    try:
        started = gateway.start(request)
    except GatewayError as error:
        log.warning("Gateway %s did not start %s: %s", gateway_name, payment.reference, error)
        raise _silent() from error
    if started.provider_reference and started.provider_reference != payment.provider_reference:
        payment.provider_reference = started.provider_reference
        Payment.objects.filter(pk=payment.pk).update(provider_reference=started.provider_reference)
    return payment, started


def _reached(gateway_name: str) -> PaymentGateway:
    try:
        return merchants.gateway(gateway_name)
    except merchants.Unusable as error:
        log.error("Gateway %s cannot be used: %s", gateway_name, error)
        raise _silent() from error


def _silent() -> ProviderSilent:
    return ProviderSilent(_("The payment provider is not answering. No money has moved; please try again in a moment."))


def _open_payment(order_id: int, gateway: PaymentGateway, product: str) -> Payment:
    for _attempt in range(3):
        try:
            return _begin_payment(order_id, gateway, product)
        except IntegrityError:
            # One is open: the buyer pressed twice, or came back. Too rare to ask first.
            opened = Payment.objects.filter(open_key=f"{order_id}:{gateway.name}").select_related("order").first()
            if opened is None:
                continue  # it ended in between; the next attempt says what became of the order
            if (opened.product, opened.book) == (product, gateway.book):
                return opened
            # Begun on another device for another product, or before the keys were changed: only one of them may be paid.
            give_up(opened)
    raise WrongStatus(_("This order is being paid at this moment. Please look again."))


@transaction.atomic
def _begin_payment(order_id: int, gateway: PaymentGateway, product: str) -> Payment:
    order = lock_order(order_id)
    if order is None:
        raise Missing(_("There is no such order."))
    if not orders.is_open(order, gateway.name):
        raise WrongStatus(_("Order %(number)s is not open for payment. Please start again.") % {"number": order.number})
    if order.currency not in gateway.currencies:
        raise DomainError(
            _("%(gateway)s does not take %(currency)s.")
            % {"gateway": gateway_words.label_of(gateway.name), "currency": order.currency}
        )
    expires_at = order.expires_at
    first_poll: dict[str, Any] = {"next_poll_at": clock.now() + POLL_AFTER[0]}
    if gateway.time_to_pay is not None:
        # Money that takes days, counted from the order's beginning, so that it cannot be put off for ever; and nobody is
        # asked before that, but once, to end the attempt.
        expires_at = max(expires_at, order.created_at + gateway.time_to_pay)
        first_poll = {"next_poll_at": expires_at + POLL_AFTER[-1], "poll_count": len(POLL_AFTER) - 1}
    return rows.insert(Payment(
        order=order, gateway=gateway.name, product=product, book=gateway.book, reference=secrets.token_hex(12),
        amount=order.amount, currency=order.currency, expires_at=expires_at, open_key=f"{order_id}:{gateway.name}",
        **first_poll,
    ))  # fmt: skip


def apply(snapshot: Snapshot, *, heard_from: str = "", heard_in: str = "") -> Payment:
    """Bring one payment to what the provider says is true. Snapshots repeat, race and arrive out of order.

    `heard_from` and `heard_in` name the gateway whose signature vouches for the snapshot, and its book: one provider's key
    settles none of another's payments, and a key of play money none of real money. Raises Missing when the reference is
    none of ours, or another's.
    """
    by = {"reference": snapshot.reference, "gateway": heard_from, "book": heard_in}
    by = {name: value for name, value in by.items() if value}
    try:
        return _apply(snapshot, by)
    except IntegrityError:
        # Another order may have given the same since this one was placed. Too rare to ask first.
        return _apply(snapshot, by, is_second_look=True)


@transaction.atomic
def _apply(snapshot: Snapshot, by: dict[str, str], *, is_second_look: bool = False) -> Payment:
    payment = lock_payment(**by)
    order = payment.order
    if snapshot.captured is not None:
        if payment.status != Payment.Status.CAPTURED:
            is_owned = is_second_look and fulfil.is_owned(order, fulfil.sold_lines(order))
            capture(order, payment, snapshot, is_owned=is_owned)
        elif snapshot.captured.amount > payment.captured_amount:
            capture_more(payment, snapshot.captured)
    elif snapshot.outcome in DEAD_ENDS and payment.status == Payment.Status.PENDING:
        payment.move_to(DEAD_ENDS[snapshot.outcome], open_key=None, next_poll_at=None)
    unwinding.apply(order, payment, snapshot.refunds)
    disputes.apply(order, payment, snapshot.disputes)
    return payment


def hear(gateway: PaymentGateway, notice: Notice) -> None:
    """Apply what a provider told, or ask it for the truth when it only told that something happened.

    `gateway` is the one whose keys the notice was signed for, which may have been replaced since.

    Raises Missing when the payment is none of ours, GatewayError when the provider must be asked and does not answer.
    """
    if not notice.reference:
        return  # about no payment
    snapshot = notice.snapshot
    if snapshot is None:
        payment = Payment.objects.filter(reference=notice.reference, gateway=gateway.name).first()
        if payment is None:
            raise Missing(_("There is no such payment."))
        known = notice.provider_reference or payment.provider_reference
        snapshot = gateway.query(notice.reference, known)
    apply(snapshot, heard_from=gateway.name, heard_in=gateway.book)


def capture(order: Order, payment: Payment, snapshot: Snapshot, *, is_owned: bool) -> None:
    """Money arrived. It settles the order, or stands apart until a person decides. The caller holds the locks.

    With `is_owned` the buyer has by another order what this one would give.
    """
    assert snapshot.captured is not None  # noqa: S101  for the type checker: the caller looked
    captured, fits = snapshot.captured, order.accepts(snapshot, payment.expires_at) and not is_owned
    payment.move_to(
        Payment.Status.CAPTURED,
        captured_amount=captured.amount, captured_currency=captured.currency,
        captured_at=snapshot.captured_at or clock.now(),
        provider_reference=snapshot.provider_reference[:128] or payment.provider_reference,
        is_applied=fits, open_key=None, next_poll_at=None,
    )  # fmt: skip
    if fits:
        settle(order, payment)
        if captured.amount > order.amount:
            set_apart(payment, Money(captured.amount - order.amount, captured.currency), "surplus")
        return
    if order.status == Order.Status.AWAITING_PAYMENT and not orders.is_open(order):
        order.move_to(Order.Status.EXPIRED, open_key=None)
    code, data = ("already_owned", {}) if is_owned else _why_unapplied(order, captured)
    if is_owned and order.status == Order.Status.AWAITING_PAYMENT:
        order.move_to(Order.Status.CANCELLED, open_key=None)
    set_apart(payment, captured, code, **data)


def capture_more(payment: Payment, captured: Money) -> None:
    """The provider took money again for a payment that was captured: the surplus stands apart."""
    surplus = Money(captured.amount - payment.captured_amount, captured.currency)
    Payment.objects.filter(pk=payment.pk).update(captured_amount=captured.amount)
    payment.captured_amount = captured.amount
    set_apart(payment, surplus, "captured_again", captured=captured.as_json())


def settle(order: Order, payment: Payment) -> None:
    """What must be true together once an order is paid. The caller holds the locks."""
    order.move_to(Order.Status.PAID, paid_at=payment.captured_at, open_key=None)
    lines = fulfil.sold_lines(order)
    fulfil.grant(order, lines)
    journal.post(
        key=f"sale:{payment.reference}", kind="sale", ref=order.ref, book=Book(payment.book), currency=order.currency,
        moves=splits.of_sale(payment.gateway, order.amount, [(line.amount, line.split) for line in lines]),
    )  # fmt: skip
    publisher.publish(OrderPaid(order_id=order.pk, user_id=order.user_id))


def set_apart(payment: Payment, money: Money, code: str, **data: Any) -> None:
    """Book money that did arrive but buys nothing, and open a case: the ledger always equals the provider's bill.

    `code` says why it buys nothing, `data` what more there is to know; `case_words.remark` puts it into words.
    """
    journal.post(
        key=f"unapplied:{payment.reference}:{payment.captured_amount}", kind="unapplied", ref=payment.order.ref,
        book=Book(payment.book), currency=money.currency,
        moves=splits.of_unapplied(payment.gateway, payment.reference, money.amount),
    )  # fmt: skip
    cases.open(ref=payment.ref, kind="unapplied", code=code, data={**payment.told(money), **data})
    publisher.publish(MoneySetApart(payment_id=payment.pk))


def refresh(payment: Payment) -> Payment:
    """Ask the provider what is true and apply it. An unanswered question changes nothing."""
    try:
        gateway = merchants.gateway(payment.gateway)
        snapshot = gateway.query(payment.reference, payment.provider_reference)
    except GatewayError as error:
        log.warning("Gateway %s did not answer about %s: %s", payment.gateway, payment.reference, error)
        return payment
    if gateway.book != payment.book:
        log.warning("%s was begun with other keys of %s (%s).", payment.reference, payment.gateway, payment.book)
        return payment
    return apply(snapshot)


def poll_due(limit: int = 50) -> int:
    """Ask about payments whose notice is overdue. Each is claimed by one worker. Returns how many were asked.

    The last of POLL_AFTER ends the attempt; where the provider then says nothing, or leaves it open, again every day.
    """
    asked = 0
    for payment in Payment.objects.filter(next_poll_at__lte=clock.now()).order_by("next_poll_at")[:limit]:
        later = payment.poll_count + 1
        is_last = later >= len(POLL_AFTER)
        next_poll_at = clock.now() + POLL_AFTER[-1] if is_last else payment.created_at + POLL_AFTER[later]
        mine = Payment.objects.filter(pk=payment.pk, poll_count=payment.poll_count, next_poll_at__isnull=False)
        if not mine.update(poll_count=later, next_poll_at=next_poll_at):
            continue
        asked += 1
        fresh = refresh(payment)
        if is_last and fresh.status == Payment.Status.PENDING:
            give_up(fresh)
    return asked


def give_up(payment: Payment) -> Payment:
    """Close at the provider an attempt that nobody paid; if it was paid after all, the answer says so.

    What the provider does not know cannot be closed, and somebody may still pay it until its time ends (a code that
    nobody scanned yet): it makes room for another attempt, and stays watched.
    """
    try:
        snapshot = _close(payment)
    except GatewayError as error:
        log.warning("Gateway %s did not close %s: %s", payment.gateway, payment.reference, error)
        return payment
    if snapshot.outcome != Outcome.UNKNOWN:
        return apply(snapshot)
    if clock.now() < payment.expires_at + WATCH_MARGIN:
        Payment.objects.filter(pk=payment.pk, status=Payment.Status.PENDING).update(open_key=None)
        payment.refresh_from_db()
        return payment
    return _close_unknown(payment)


def _close(payment: Payment) -> Snapshot:
    gateway = merchants.gateway(payment.gateway)
    if gateway.book != payment.book:
        return Snapshot(payment.reference, Outcome.UNKNOWN)  # begun with keys of another kind of money: nobody to ask
    return gateway.close(payment.reference, payment.provider_reference)


@transaction.atomic
def _close_unknown(payment: Payment) -> Payment:
    """End an attempt that the provider does not know. Begun before its keys were changed, it may be known to another account."""
    closed = apply(Snapshot(payment.reference, Outcome.CLOSED))
    if closed.status == Payment.Status.CLOSED and merchants.were_changed(closed.gateway, since=closed.created_at):
        data = {**closed.told(closed.due), "gateway": closed.gateway}
        cases.open(ref=closed.ref, kind="former_account", code="former_account", data=data)
    return closed


def notify_url(gateway_name: str) -> str:
    """The address a provider sends its notices to."""
    return addresses.absolute(addresses.webhook(gateway_name))


def _why_unapplied(order: Order, captured: Money) -> tuple[str, dict[str, Any]]:
    """The code of a case, and what it needs to be told."""
    if captured.currency != order.currency:
        return "other_currency", {"currency": order.currency}
    if captured.amount < order.amount:
        return "too_little", {"due": order.total.as_json()}
    if order.status in {Order.Status.PAID, Order.Status.REFUNDED, Order.Status.CANCELLED}:
        return "order_closed", {"status": order.status}
    return "too_late", {}
