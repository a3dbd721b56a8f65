"""What the parts of WeChat Pay's side ask of the whole: one direct merchant and its counterpart."""

from __future__ import annotations

from typing import Any, Protocol

from paysim.bank import Charge, Refund
from paysim.providers.wechat_keys import Signer, WechatKeys
from paysim.simulator import Simulator


class Counterpart(Protocol):
    """WeChat Pay as its notices, bills and pages know it."""

    name: str
    merchant: str
    app: str
    sim: Simulator
    keys: WechatKeys

    @property
    def url(self) -> str:
        """Where merchants reach it."""

    def notice_signer(self) -> Signer:
        """Who signs notices now."""

    def transaction(self, charge: Charge) -> dict[str, Any]:
        """A payment as WeChat tells of it."""

    def refunded(self, charge: Charge, refund: Refund) -> dict[str, Any]:
        """A refund as WeChat tells of it."""
