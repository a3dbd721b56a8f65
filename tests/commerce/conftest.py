"""A reader, a work on sale, and the payment that is to buy it."""

from __future__ import annotations

import pytest

from sishu.core import plugins
from tests.factories.accounts import make_user
from tests.factories.commerce import make_offer, start


@pytest.fixture
def reader():
    return make_user("reader")


@pytest.fixture
def offer():
    return make_offer(amount=990)


@pytest.fixture
def payment(reader, offer):
    return start(reader, offer)


@pytest.fixture
def gateway():
    return plugins.load("gateways", "sandbox")
