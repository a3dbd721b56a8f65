"""All protocols over one bank, behind one address: what each merchant's client talks to, and what moves it from outside."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from paysim import cashier, control
from paysim.bank import Bank
from paysim.clock import Clock
from paysim.faults import Faults
from paysim.http import Answer, Asked, Server
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

    def serve(self, *, host: str = "127.0.0.1", port: int = 0) -> Server:
        """A server for all of it, bound and not yet running; its address is known from here on."""
        server = Server(self.handle, host=host, port=port)
        self.base_url = server.url
        return server

    def handle(self, asked: Asked) -> Answer:
        """Lead a request to whom it is for."""
        first = asked.path.split("/")[1]
        if first in self.providers:
            return self.providers[first].handle(asked)
        if first == "cashier":
            return cashier.handle(self, asked)
        if first == "control":
            return control.handle(self, asked)
        return Answer.of_json({"error": f"Nothing at {asked.path}.", "providers": list(self.providers)}, 404)

    def environment(self) -> dict[str, str]:
        """Everything a merchant must set to use this simulator."""
        return {
            key: value
            for provider in self.providers.values()
            for key, value in provider.environment(self.base_url).items()
        }
