"""Nothing lost, nobody charged twice, nobody in without paying: thousands of random steps through each provider's protocol.

RANDOM_STEPS says how many. Every run takes the same ones, unless RANDOM=1 or a --hypothesis-seed asks for others.
"""

from __future__ import annotations

import os

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from paysim.simulator import Simulator
from sishu.core import clock
from tests.flows.machine import Shop

pytestmark = [pytest.mark.django_db, pytest.mark.money]

STEPS = int(os.environ.get("RANDOM_STEPS", "300"))
STEPS_AT_ONCE = 50
# Some runs end early, and the first is the shortest there is.
STEPS_ON_AVERAGE = 35
PROVIDERS = ("alipay", "wechat", "stripe")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_whatever_happens_the_books_are_the_providers(simulator: Simulator, provider: str, monkeypatch):
    # What the framework writes down too: a payment's next question is counted from its beginning.
    for asked in (clock, timezone):
        monkeypatch.setattr(asked, "now", simulator.clock.now)
    monkeypatch.setattr(Shop, "sim", simulator, raising=False)
    monkeypatch.setattr(Shop, "provider", provider, raising=False)
    monkeypatch.setattr(Shop, "steps", 0)
    run_state_machine_as_test(
        Shop,
        settings=settings(
            max_examples=1 + STEPS // STEPS_ON_AVERAGE, stateful_step_count=STEPS_AT_ONCE, deadline=None,
            suppress_health_check=list(HealthCheck), phases=[Phase.generate], database=None,
            derandomize=not os.environ.get("RANDOM"),
        ),
    )  # fmt: skip
    assert Shop.steps >= STEPS
    books = simulator.bank.books(provider)["CNY"]
    assert books["captured"] > 0, "nobody paid"
    assert books["refunded"] > 0, "nothing went back"
