"""The provider that the simulator is, its merchant's gateway, and a payment that was made."""

from __future__ import annotations

import environ
import pytest
import requests

from config.settings import gateways
from paysim.faults import Fault, FaultKind
from sishu.gateways.alipay import AlipayGateway
from tests.gateways.test_conformance import make_request


@pytest.fixture
def alipay(simulator):
    """The provider's side."""
    return simulator.providers["alipay"]


@pytest.fixture
def make(simulator, settings):
    """A gateway of the simulator's merchant, with some options changed."""
    options = settings.PLUGINS["gateways"]["alipay"][1]
    return lambda **changes: AlipayGateway(**options | changes)


@pytest.fixture
def certified(simulator, alipay):
    """The options of a merchant who uses certificates."""
    env = environ.Env()
    env.ENVIRON = alipay.certificate_environment(simulator.base_url)
    return gateways.alipay(env)


@pytest.fixture
def gateway(make):
    return make()


@pytest.fixture
def fault(simulator):
    """Something goes wrong, once."""
    return lambda kind, value=0, times=1: simulator.faults.add(Fault(FaultKind(kind), "", value, times))


@pytest.fixture
def begun(gateway):
    """The request of a payment whose buyer is at Alipay's page."""
    request = make_request()
    assert requests.get(gateway.start(request).instruction.url).ok
    return request


@pytest.fixture
def paid(simulator, begun):
    """The request of a payment that was made."""
    simulator.bank.pay("alipay", begun.reference)
    return begun
