"""A reader, a work, and a payment that waits for its buyer at the provider whose flows a module tests."""

from __future__ import annotations

import pytest

from sishu.commerce import orders, payments
from sishu.commerce.models import Order
from tests.factories.accounts import make_user
from tests.factories.commerce import make_offer


@pytest.fixture
def reader(transactional_db):
    return make_user("reader")


@pytest.fixture
def offer(transactional_db):
    return make_offer(amount=990)


@pytest.fixture
def order(live_server, simulator, settings, reader, offer) -> Order:
    """The reader's order, in a house that the provider can tell."""
    settings.SITE_URL = live_server.url
    return orders.place(reader, offer.pk, language="zh-hans")


@pytest.fixture
def begin(live_server, request, order):
    """Begins a payment of the order at `PROVIDER` of the module: the payment, and what the buyer was told to do."""
    name = request.module.PROVIDER

    def start(**more):
        return payments.start(
            order.pk, name, notify_url=payments.notify_url(name), return_url=f"{live_server.url}/payment/return", **more
        )

    return start


@pytest.fixture
def begun(begin):
    """A payment that waits for its buyer, and what the house told them to do."""
    return begin()


@pytest.fixture
def payment(begun):
    return begun[0]
