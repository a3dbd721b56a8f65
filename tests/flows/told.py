"""What a provider was answered, and whether it and the house say the same of the money."""

from __future__ import annotations

from paysim.simulator import Simulator
from sishu.ledger import chart
from sishu.ledger.models import Book
from sishu.ledger.selectors import balance


def answers(simulator: Simulator) -> list[list[int]]:
    """What the site said to each notice, try by try."""
    return [one.answers for one in simulator.notifier.deliveries]


def assert_same_money(simulator: Simulator, provider: str) -> None:
    """What the house's books say of the provider is what the provider says."""
    theirs = simulator.bank.books(provider)["CNY"]
    held = balance(chart.provider(provider), book=Book.SANDBOX)
    assert held == theirs["captured"] - theirs["refunded"] - theirs["disputed"]
