"""A gateway that speaks to the simulator, in English: its `gateway_class` is said by each provider's folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import pytest
from django.utils import translation

from paysim.china import CHINA
from tests.gateways.test_conformance import make_request


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def make(simulator, settings, gateway_class):
    """A gateway of the simulator's merchant, with some options changed."""
    options = settings.PLUGINS["gateways"][gateway_class.name][1]
    return lambda **changes: gateway_class(**options | changes)


@pytest.fixture
def gateway(make):
    return make()


@pytest.fixture
def begun(gateway):
    """The request of a payment whose buyer is at the provider's page."""
    request = make_request()
    gateway.start(request)
    return request


@pytest.fixture
def paid(simulator, gateway, begun):
    """The request of a payment that was made."""
    simulator.bank.pay(gateway.name, begun.reference)
    return begun


@pytest.fixture
def next_day(simulator, set_clock) -> Callable[[], date]:
    """Lets China's day end; the day that ended."""

    def end() -> date:
        day = simulator.clock.now().astimezone(CHINA).date()
        set_clock(simulator.clock.advance(36 * 3600))
        return day

    return end
