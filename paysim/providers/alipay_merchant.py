"""What the parts of Alipay's side ask of the whole: one application of one seller, and its counterpart."""

from __future__ import annotations

from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import rsa

from paysim.bank import Charge
from paysim.providers.alipay_keys import AlipayKeys
from paysim.simulator import Simulator


class Counterpart(Protocol):
    """Alipay as its notices and bills know it."""

    name: str
    app: str
    seller: str
    sim: Simulator
    keys: AlipayKeys
    signing_key: rsa.RSAPrivateKey

    def trade(self, charge: Charge) -> dict[str, str]:
        """A payment as Alipay tells of it."""

    def status(self, charge: Charge) -> str:
        """Alipay's word for where a payment stands."""

    def refunded(self, charge: Charge) -> int:
        """Fen that went back so far."""
