"""The protocols that the simulator speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paysim.providers.stripe import Stripe
from paysim.providers.wechat import Wechat

if TYPE_CHECKING:
    from paysim.simulator import Provider, Simulator


def all_of(sim: Simulator) -> list[Provider]:
    """One of each, over the simulator's bank."""
    return [Wechat(sim), Stripe(sim)]
