"""The sandbox provider as a test moves it, and what must be true after a purchase that went well or not at all."""

from __future__ import annotations

from django.test import Client

from sishu.commerce import access
from sishu.commerce.facts import OrderPaid
from sishu.commerce.models import Entitlement, Order, Payment
from sishu.content.paywall import Level
from sishu.core import plugins
from sishu.ledger.models import Book, Journal, Transfer
from sishu.ledger.selectors import balance
from sishu.outbox.models import Fact


def notify(payment: Payment, *, body: bytes | None = None, headers: dict[str, str] | None = None, number: int = 1):
    """The bank's notice about a payment as it stands at the bank, over the webhook, in bytes."""
    gateway = plugins.load("gateways", "sandbox")
    body = gateway.notice(number, payment.reference) if body is None else body
    headers = gateway.signed(body) if headers is None else headers
    client = Client(raise_request_exception=False)
    return client.post("/webhooks/sandbox", body, content_type="application/json", headers=headers)


def in_sandbox(code: str) -> int:
    return balance(code, book=Book.SANDBOX)


def assert_paid_once(reader, offer) -> None:
    order = Order.objects.get(user=reader, status=Order.Status.PAID)
    assert Entitlement.objects.filter(user=reader, revoked_at=None).count() == 1
    assert access.level(reader, offer.page) == Level.PAID
    assert [t.amount for t in Transfer.objects.filter(code="capture")] == [order.amount]
    assert [f.name for f in Fact.objects.filter(name=OrderPaid.__name__)] == ["OrderPaid"]


def assert_bought_nothing(reader, offer) -> None:
    assert not Entitlement.objects.exists()
    assert not Fact.objects.filter(name=OrderPaid.__name__).exists()
    assert access.level(reader, offer.page) == Level.SIGNED_IN
    assert not Journal.objects.filter(kind="sale").exists()
