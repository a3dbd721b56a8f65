"""What buyers are offered to pay by."""

from __future__ import annotations

from dataclasses import dataclass

from sishu.commerce import merchants
from sishu.commerce.gateway_words import WORDS, label_of


@dataclass(frozen=True, slots=True)
class WayToPay:
    """A gateway as the checkout shows it."""

    name: str
    label: str
    note: str
    is_play_money: bool


def offered(currency: str) -> list[WayToPay]:
    """The gateways of the house that take this currency, in the order of the settings."""
    gateways = {name: merchants.gateway(name) for name in merchants.usable()}
    return [
        WayToPay(name, label_of(name), str(WORDS.get(name, ("", ""))[1]), gateway.book == "sandbox")
        for name, gateway in gateways.items()
        if currency in gateway.currencies
    ]
