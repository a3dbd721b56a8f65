"""Buying. An order names an offer and nothing else: price, payee and state are the server's."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language, gettext_noop
from ninja import Path, Query, Router, Status

from sishu.commerce import orders, payments, selectors
from sishu.commerce.models import Order
from sishu.core import money
from sishu.gateways.base import Device
from sishu.web import paying, shop
from sishu.web.api import auth, offers, schemas
from sishu.web.api.paging import Paging
from sishu.web.api.problems import refusals

router = Router(tags=["orders"], auth=auth.KNOWN)


@router.get("/orders", response=schemas.OrderList, summary=gettext_noop("List your orders"))
def list_orders(request: HttpRequest, paging: Query[Paging]) -> schemas.OrderList:
    own = Order.objects.filter(user=auth.person(request)).prefetch_related("lines", "payments")
    return schemas.OrderList(items=[_describe(order) for order in paging.cut(own)], **paging.of(own.count()))


@router.post(
    "/orders",
    response={201: schemas.PlacedOrder, refusals(404, 409, 503): None},
    summary=gettext_noop("Place an order"),
    description=gettext_noop(
        "Asked again for the same offer, the answer is the same order. It is settled when the provider says so: "
        "read the order to learn it. What is free is settled at once."
    ),
)
def place_order(request: HttpRequest, asked: schemas.PlaceOrder) -> Status[schemas.PlacedOrder]:
    user = auth.person(request)
    language = get_language() or settings.LANGUAGE_CODE
    way = shop.way_in(offers.get(asked.offer), language)
    order = orders.place(user, way.offer.pk, language=language, title=way.title, gateway=asked.gateway)
    told: dict[str, Any] = {"payment_url": None, "instruction": None, "payment_expires_at": None}
    if order.status == Order.Status.AWAITING_PAYMENT:
        gateway = payments.choose_gateway(asked.gateway, order.currency)
        told = paying.begin(request, order, gateway, Device(asked.device)).as_json(request)
    return Status(201, schemas.PlacedOrder(order=_describe(order), **told))


@router.get(
    "/orders/{number}",
    response={200: schemas.Order, refusals(404): None},
    summary=gettext_noop("Read one of your orders"),
)
def read_order(request: HttpRequest, number: Path[schemas.Number]) -> schemas.Order:
    return _describe(selectors.get_own_order(auth.person(request), number))


@router.post(
    "/orders/{number}/cancel",
    response={200: schemas.Order, refusals(404, 409): None},
    summary=gettext_noop("Cancel an order that is not paid"),
)
def cancel_order(request: HttpRequest, number: Path[schemas.Number]) -> schemas.Order:
    user = auth.person(request)
    return _describe(orders.cancel(selectors.get_own_order(user, number).pk, user))


def _describe(order: Order) -> schemas.Order:
    lines = [
        schemas.OrderLine(
            offer_id=line.offer_id,
            title=line.title,
            price=offers.amount_of(money.Money(line.amount, order.currency)),
        )
        for line in order.lines.all()
    ]
    return schemas.Order(
        number=order.number,
        status=order.status,  # type: ignore[arg-type]
        total=offers.amount_of(order.total),
        lines=lines,
        created_at=order.created_at,
        expires_at=orders.open_until(order),
        paid_at=order.paid_at,
    )
