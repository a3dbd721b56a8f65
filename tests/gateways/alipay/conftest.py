"""Alipay, its merchant's gateway, and a payment whose page was opened."""

from __future__ import annotations

import environ
import pytest
import requests

from config.settings import gateways
from sishu.gateways.alipay import AlipayGateway
from tests.gateways.test_conformance import make_request


@pytest.fixture
def gateway_class():
    return AlipayGateway


@pytest.fixture
def alipay(simulator):
    """The provider's side."""
    return simulator.providers["alipay"]


@pytest.fixture
def certified(simulator, alipay):
    """The options of a merchant who uses certificates."""
    env = environ.Env()
    env.ENVIRON = alipay.certificate_environment(simulator.base_url)
    return gateways.alipay(env)


@pytest.fixture
def begun(gateway):
    """The request of a payment whose buyer is at Alipay's page: before, Alipay knows nothing of it."""
    request = make_request()
    assert requests.get(gateway.start(request).instruction.url).ok
    return request
