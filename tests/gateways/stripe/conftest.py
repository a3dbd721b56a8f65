"""Stripe and its merchant's gateway."""

from __future__ import annotations

import pytest

from sishu.gateways.stripe import StripeGateway


@pytest.fixture
def gateway_class():
    return StripeGateway


@pytest.fixture
def provider(simulator):
    """The provider's side."""
    return simulator.providers["stripe"]
