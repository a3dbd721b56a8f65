"""Mails about orders, written and sent by the worker."""

from __future__ import annotations

from typing import Any

from django_tasks import task

from sishu.accounts import mail
from sishu.commerce.models import Entitlement, Order, Refund


@task()
def send_receipt(order_id: int) -> None:
    """To the buyer, once an order is settled: what, how much, where it stands now."""
    order = _find(order_id)
    mail.send("commerce/mail/receipt.txt", order.user.email, _language(order), **_facts(order))


@task()
def send_refund_notice(refund_id: int) -> None:
    """To the buyer, once money went back."""
    refund = Refund.objects.select_related("payment").get(pk=refund_id)
    order = _find(refund.payment.order_id)
    sources = [line.ref for line in order.lines.all()]
    # Money that bought nothing, or a part of it given back out of kindness, closes nothing.
    is_open = Entitlement.objects.filter(source__in=sources, revoked_at=None).exists()
    facts = {"refunded": refund.money, "is_open": is_open, **_facts(order)}
    mail.send("commerce/mail/refund.txt", order.user.email, _language(order), **facts)


def _find(order_id: int) -> Order:
    return Order.objects.select_related("user").prefetch_related("lines", "payments").get(pk=order_id)


def _language(order: Order) -> str:
    return order.user.language or order.language


def _facts(order: Order) -> dict[str, Any]:
    return {
        "name": order.user.name,
        "order": order,
        "lines": list(order.lines.all()),
        "is_play_money": any(payment.book == "sandbox" for payment in order.payments.all()),
        "order_url": mail.link("order", order.number),
        "library_url": mail.link("library"),
    }
