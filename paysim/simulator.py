"""All protocols over one bank: what they share, and what a merchant must know to reach them."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from paysim.bank import Bank
from paysim.clock import Clock
from paysim.faults import Faults
from paysim.http import Answer, Asked
from paysim.notices import Notifier


class Provider(Protocol):
    """One provider's protocol. It owns the paths below its name, and listens to the bank to owe notices."""

    name: str

    def handle(self, asked: Asked) -> Answer:
        """Answer a request to a path below /<name>/."""

    def environment(self, base_url: str) -> dict[str, str]:
        """The settings with which a merchant reaches this simulator, by the names of its environment."""


class Simulator:
    """The whole of it. `folder` keeps the keys, so that a merchant's settings stay valid over a restart."""

    def __init__(self, folder: Path, *, seed: int = 0) -> None:
        self.folder = folder
        self.clock = Clock()
        self.faults = Faults(seed=seed)
        self.bank = Bank(self.clock, self.faults)
        self.notifier = Notifier(self.clock, self.faults)
        self.providers: dict[str, Provider] = {}
        self.base_url = ""
        # Whether a day's bill is there while the day goes on, which no true provider does.
        self.bills_at_once = False

    def add(self, provider: Provider) -> None:
        """Speak one more protocol."""
        self.providers[provider.name] = provider

    def environment(self) -> dict[str, str]:
        """Everything a merchant must set to use this simulator."""
        return {
            key: value
            for provider in self.providers.values()
            for key, value in provider.environment(self.base_url).items()
        }
