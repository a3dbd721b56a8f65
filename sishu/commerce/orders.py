"""Placing and ending orders."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from sishu.accounts.models import User
from sishu.commerce import fulfil
from sishu.commerce.facts import OrderPaid
from sishu.commerce.models import Order, OrderLine, Payment
from sishu.content.paywall import Level
from sishu.core import clock, rows
from sishu.core.errors import DomainError, Missing
from sishu.core.models import WrongStatus
from sishu.outbox import publisher

# No 0 O 1 I L: numbers are read over the telephone.
NUMBER_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
# An order whose money may still be on its way is kept open this long after its end.
EXPIRY_MARGIN = timedelta(minutes=2)


# All that placing an order must know, in one statement, by hand: through the ORM its building took a quarter of a
# purchase's time (bench/orders.py). A row for each share; none when the offer closed, or when no language of the work is
# live with something behind the paywall.
ON_SALE = """
SELECT offer.title, offer.amount, offer.currency, share.payee_id, share.share_bps,
    EXISTS (
        SELECT 1 FROM commerce_entitlement held JOIN wagtailcore_page held_page ON held_page.id = held.page_id
        WHERE held.user_id = %s AND held_page.translation_key = page.translation_key
            AND held.ends_at IS NULL AND held.revoked_at IS NULL
    ),
    (SELECT id FROM commerce_order WHERE open_key = %s)
FROM commerce_offer offer
LEFT JOIN wagtailcore_page page ON page.id = offer.page_id
LEFT JOIN commerce_revenueshare share ON share.offer_id = offer.id
WHERE offer.id = %s AND offer.is_open AND (
    offer.page_id IS NULL
    OR EXISTS (
        SELECT 1 FROM wagtailcore_page twin LEFT JOIN content_articlepage work ON work.page_ptr_id = twin.id
        WHERE twin.translation_key = page.translation_key AND twin.live
            AND (work.page_ptr_id IS NULL OR work.level = %s AND work.withdrawn_at IS NULL)
    )
)
ORDER BY share.id
"""


@dataclass(frozen=True, slots=True)
class OnSale:
    """An open offer as its buyer finds it: `split` as an OrderLine keeps it, the buyer's open order for it if any."""

    title: str
    amount: int
    currency: str
    split: list[list[int]]
    is_owned: bool
    open_order_id: int | None


class AlreadyOwned(DomainError):
    """The buyer has for good what the offer gives."""

    code = "already_owned"


def place(
    user: User, offer_id: int, *, language: str, return_path: str = "", title: str = "", gateway: str = ""
) -> Order:
    """The buyer's order for an offer, at the price the server knows now. A free one is settled at once.

    `title` is what the buyer saw it called, in their language; by default the offer's own title. `gateway` is how they
    mean to pay: who waits for a transfer and comes for it again finds its order, who comes to pay otherwise a new one.
    Pressing twice, or in two tabs, gives the same order. Raises Missing when the offer is not on sale, AlreadyOwned.
    """
    for _attempt in range(2):
        # Another tab may place or end it between our look and our lock or insert; the second look finds what it did.
        with suppress(IntegrityError, WrongStatus):
            return _place(user, offer_id, language, return_path, title, gateway)
    raise DomainError(_("Two orders for this collided. Please try again."))


@transaction.atomic
def _place(user: User, offer_id: int, language: str, return_path: str, title: str, gateway: str) -> Order:
    offer = _on_sale(user, offer_id)
    if offer.is_owned:
        raise AlreadyOwned(_("You already own “%(title)s”. It is in your library.") % {"title": offer.title})
    if offer.open_order_id is not None:
        order = Order.objects.select_for_update().get(pk=offer.open_order_id)
        if order.status != Order.Status.AWAITING_PAYMENT:
            raise WrongStatus(f"Order {order.number} is {order.status} by now.")
        if _still_good(order, offer, gateway):
            if return_path and order.return_path != return_path:
                order.return_path = return_path
                order.save(update_fields=["return_path", "updated_at"])
            return order
        _end(order)
    order = rows.insert(Order(
        number=new_number(), user=user, amount=offer.amount, currency=offer.currency, language=language,
        return_path=return_path, open_key=open_key(user.pk, offer_id),
        expires_at=clock.now() + timedelta(minutes=settings.ORDER_LIFETIME_MINUTES),
    ))  # fmt: skip
    rows.insert(OrderLine(
        order=order, offer_id=offer_id, title=title[:160] or offer.title, amount=offer.amount, split=offer.split,
        refund_days=settings.REFUND_WINDOW_DAYS,
    ))  # fmt: skip
    if not order.amount:
        settle_free(order)
    return order


def settle_free(order: Order) -> None:
    """A price of zero needs no gateway and moves no money; everything else is as for a paid order."""
    order.move_to(Order.Status.PAID, paid_at=clock.now(), open_key=None)
    fulfil.grant(order, fulfil.sold_lines(order))
    publisher.publish(OrderPaid(order_id=order.pk, user_id=order.user_id))


@transaction.atomic
def cancel(order_id: int, user: User) -> Order:
    """The buyer thought better of it. Money that arrives all the same is kept apart and given back by a person."""
    order = Order.objects.select_for_update().filter(pk=order_id, user=user).first()
    if order is None:
        raise Missing(_("There is no such order."))
    if order.status != Order.Status.AWAITING_PAYMENT:
        raise WrongStatus(
            _("Order %(number)s is %(status)s and cannot be cancelled.")
            % {"number": order.number, "status": order.get_status_display()}
        )
    order.move_to(Order.Status.CANCELLED, open_key=None)
    return order


def open_until(order: Order, gateway: str = "") -> datetime:
    """When an unpaid order ends: with its own time, or with a pending payment that has longer.

    With `gateway`, as far as that one goes.
    """
    pending = (one for one in order.payments.all() if one.status == Payment.Status.PENDING)
    return max([order.expires_at, *(one.expires_at for one in pending if gateway in ("", one.gateway))])


def is_open(order: Order, gateway: str = "") -> bool:
    """Whether an order waits for money: in its own time by any gateway, then only by one whose pending payment has longer.

    Without `gateway`, whether it waits at all.
    """
    now = clock.now()
    return order.status == Order.Status.AWAITING_PAYMENT and (
        order.expires_at > now or open_until(order, gateway) > now
    )


def expire_due(limit: int = 200) -> int:
    """End orders that wait for nothing more. Their payments stay watched: money paid in time still buys. Returns how many."""
    over = clock.now() - EXPIRY_MARGIN
    longer = Payment.objects.filter(order=OuterRef("pk"), status=Payment.Status.PENDING, expires_at__gte=over)
    due = Order.objects.filter(~Exists(longer), status=Order.Status.AWAITING_PAYMENT, expires_at__lt=over)
    ended = 0
    for order in due.order_by("id")[:limit]:
        try:
            order.move_to(Order.Status.EXPIRED, open_key=None)
            ended += 1
        except WrongStatus:
            continue  # paid at this moment
    return ended


def new_number() -> str:
    """A number to be read by people, which tells nothing about how many there are: 20261122-7KQ2M9XA."""
    return f"{localtime(clock.now()):%Y%m%d}-" + "".join(secrets.choice(NUMBER_LETTERS) for _ in range(8))


def open_key(user_id: int, offer_id: int) -> str:
    """The key that two tabs share."""
    return f"{user_id}:{offer_id}"


def _on_sale(user: User, offer_id: int) -> OnSale:
    """The offer, with what the buyer already has of it. What no reader finds is not sold: Missing."""
    with connection.cursor() as cursor:
        cursor.execute(ON_SALE, [user.pk, open_key(user.pk, offer_id), offer_id, Level.PAID])
        shares = cursor.fetchall()
    if not shares:
        raise Missing(_("This is not on sale any more."))
    title, amount, currency, _payee, _bps, is_owned, open_order_id = shares[0]
    split = [[payee, bps] for _title, _amount, _currency, payee, bps, *_rest in shares if payee is not None]
    return OnSale(title, amount, currency, split, bool(is_owned), open_order_id)


def _still_good(order: Order, offer: OnSale, gateway: str) -> bool:
    """Whether an open order may be paid as it stands, by that gateway."""
    if order.expires_at <= clock.now():
        return bool(gateway) and is_open(order, gateway)
    # With a payment begun the buyer may be at the cashier with this price: it is honoured until it expires.
    return (order.amount, order.currency) == (offer.amount, offer.currency) or order.payments.exists()


def _end(order: Order) -> None:
    """Make room for a new order: time is up, or the price changed before anybody began to pay. The caller holds the lock."""
    # Money paid in time still buys an expired order, never a cancelled one.
    is_late = order.expires_at <= clock.now()
    order.move_to(Order.Status.EXPIRED if is_late else Order.Status.CANCELLED, open_key=None)
