"""The provider that the simulator is, its merchant's gateway, and a payment that was made."""

from __future__ import annotations

import pytest

from paysim.faults import Fault, FaultKind
from sishu.gateways.stripe import StripeGateway
from tests.gateways.test_conformance import make_request


@pytest.fixture
def provider(simulator):
    """The provider's side."""
    return simulator.providers["stripe"]


@pytest.fixture
def make(simulator, settings):
    """A gateway of the simulator's merchant, with some options changed."""
    options = settings.PLUGINS["gateways"]["stripe"][1]
    return lambda **changes: StripeGateway(**options | changes)


@pytest.fixture
def gateway(make):
    return make()


@pytest.fixture
def fault(simulator):
    """Something goes wrong, once."""
    return lambda kind, value=0, times=1: simulator.faults.add(Fault(FaultKind(kind), "", value, times))


@pytest.fixture
def paid(simulator, gateway):
    """The request of a payment that was made."""
    request = make_request()
    gateway.start(request)
    simulator.bank.pay("stripe", request.reference)
    return request
