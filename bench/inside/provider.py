"""The sandbox's bank as a load generator plays it: the signed bytes that say a payment was made."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import count

from bench.inside.load import Post
from sishu.core import clock, plugins
from sishu.gateways.sandbox_bank import Charge, notice_body


class Provider:
    """Numbers its notices, and signs them as SandboxGateway does. No file is kept."""

    def __init__(self) -> None:
        self.gateway = plugins.load("gateways", "sandbox")
        self.numbers = count(1)

    def signed(self, reference: str, amount: int = 990, currency: str = "CNY") -> tuple[dict[str, str], bytes]:
        """Headers and body of the notice that this payment was made."""
        now = clock.now()
        charge = Charge(
            reference=reference, amount=amount, currency=currency, title="", notify_url="", return_url="",
            expires_at=now + timedelta(minutes=30), outcome="captured", captured=amount, captured_at=now,
        )  # fmt: skip
        body = notice_body(next(self.numbers), charge, [], self.gateway.merchant)
        return self.gateway.signed(body), body

    def notice(self, answer: bytes) -> Post:
        """The notice about the payment that an answer of /payment began."""
        said = json.loads(answer)
        order = said["order"]
        headers, body = self.signed(said["payment_url"].rpartition("/")[2], order["amount"], order["currency"])
        return Post("/webhooks/sandbox", body, headers)
