"""Placing and ending orders."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils.translation import gettext as _
from wagtail.models import Page

from sishu.accounts.models import User
from sishu.commerce import fulfil
from sishu.commerce.facts import OrderPaid
from sishu.commerce.models import Entitlement, Offer, Order, OrderLine, RevenueShare
from sishu.core import clock
from sishu.core.errors import DomainError, Missing
from sishu.core.models import WrongStatus
from sishu.outbox import publisher

# No 0 O 1 I L: numbers are read over the telephone.
NUMBER_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
# An order whose money may still be on its way is kept open this long after its end.
EXPIRY_MARGIN = timedelta(minutes=2)


class AlreadyOwned(DomainError):
    """The buyer has for good what the offer gives."""

    code = "already_owned"


def place(user: User, offer_id: int, *, language: str, return_path: str = "", title: str = "") -> Order:
    """The buyer's order for an offer, at the price the server knows now. A free one is settled at once.

    `title` is what the buyer saw it called, in their language; by default the offer's own title.
    Pressing twice, or in two tabs, gives the same order. Raises Missing when the offer is not on sale, AlreadyOwned.
    """
    for _attempt in range(2):
        try:
            return _place(user, offer_id, language, return_path, title)
        except IntegrityError:
            # Another tab placed it between our look and our insert; the second look finds it.
            continue
    raise DomainError(_("Two orders for this collided. Please try again."))


@transaction.atomic
def _place(user: User, offer_id: int, language: str, return_path: str, title: str) -> Order:
    offer = _on_sale(user, offer_id)
    if offer.owned:  # type: ignore[attr-defined]
        raise AlreadyOwned(_("You already own “%(title)s”. It is in your library.") % {"title": offer.title})
    if offer.open_order_id is not None:  # type: ignore[attr-defined]
        order = Order.objects.select_for_update().get(pk=offer.open_order_id)  # type: ignore[attr-defined]
        if _still_good(order, offer):
            if return_path and order.return_path != return_path:
                order.return_path = return_path
                order.save(update_fields=["return_path", "updated_at"])
            return order
        # The price changed, or time is nearly up: the old promise ends, a new one is made below.
        if order.status == Order.Status.AWAITING_PAYMENT:
            order.move_to(Order.Status.CANCELLED, open_key=None)
    shares = RevenueShare.objects.filter(offer_id=offer.pk).values_list("payee_id", "share_bps")
    order = Order.objects.create(
        number=new_number(), user=user, amount=offer.amount, currency=offer.currency, language=language,
        return_path=return_path, open_key=open_key(user.pk, offer.pk),
        expires_at=clock.now() + timedelta(minutes=settings.ORDER_LIFETIME_MINUTES),
    )  # fmt: skip
    line = OrderLine.objects.create(
        order=order,
        offer=offer,
        title=title[:160] or offer.title,
        amount=offer.amount,
        split=[list(share) for share in shares],
    )
    if not order.amount:
        settle_free(order, line)
    return order


def settle_free(order: Order, line: OrderLine) -> None:
    """A price of zero needs no gateway and moves no money; everything else is as for a paid order."""
    order.move_to(Order.Status.PAID, paid_at=clock.now(), open_key=None)
    fulfil.grant(order, [line])
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


def expire_due(limit: int = 200) -> int:
    """End orders whose time is up. Their payments stay watched: money paid in time still buys. Returns how many."""
    due = Order.objects.filter(
        status=Order.Status.AWAITING_PAYMENT, expires_at__lt=clock.now() - EXPIRY_MARGIN
    ).order_by("id")[:limit]
    ended = 0
    for order in due:
        try:
            order.move_to(Order.Status.EXPIRED, open_key=None)
            ended += 1
        except WrongStatus:
            continue  # paid at this moment
    return ended


def new_number() -> str:
    """A number to be read by people, which tells nothing about how many there are: 20261122-7KQ2M9XA."""
    return f"{clock.now():%Y%m%d}-" + "".join(secrets.choice(NUMBER_LETTERS) for _ in range(8))


def open_key(user_id: int, offer_id: int) -> str:
    """The key that two tabs share."""
    return f"{user_id}:{offer_id}"


def _on_sale(user: User, offer_id: int) -> Offer:
    """The offer, with what the buyer already has of it, in one query. What no reader finds is not sold."""
    for_good = Entitlement.objects.filter(
        user=user, page__translation_key=OuterRef("page__translation_key"), ends_at=None, revoked_at=None
    )
    opened = Order.objects.filter(open_key=open_key(user.pk, offer_id)).values("id")
    on_shelves = Page.objects.filter(translation_key=OuterRef("page__translation_key"), live=True)
    offer = (
        Offer.objects.filter(Q(page=None) | Exists(on_shelves), pk=offer_id, is_open=True)
        .annotate(owned=Exists(for_good), open_order_id=Subquery(opened))
        .first()
    )
    if offer is None:
        raise Missing(_("This is not on sale any more."))
    return offer


def _still_good(order: Order, offer: Offer) -> bool:
    if order.status != Order.Status.AWAITING_PAYMENT:
        return False
    if order.payments.exists():
        return True  # the buyer may be at the cashier with this price: it is honoured until it expires
    return order.amount == offer.amount and order.currency == offer.currency and order.expires_at > clock.now()
