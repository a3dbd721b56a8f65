"""Stripe's events: an object as it was when something happened to it, signed, and sent until the merchant says 2xx."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from paysim.bank import Capture, Charge, Dispute, DisputeStatus, Refund, RefundStatus
from paysim.faults import FaultKind
from paysim.keys import kept_text
from paysim.providers import stripe_objects as shapes
from paysim.providers.stripe_wire import Json, new_id, unix

if TYPE_CHECKING:
    from paysim.simulator import Simulator

API_VERSION = "2026-10-28.endive"
# "Up to three days with an exponential back-off", says Stripe; the steps are not published. [M]
RETRY_AFTER = (300, 1800, 7200, 18000, 36000, 43200, 43200, 43200, 43200)


class Events:
    """All events, oldest first, and the one webhook endpoint of this merchant."""

    def __init__(self, sim: Simulator, provider: str) -> None:
        self.sim, self.provider = sim, provider
        # Several while one is being replaced: each notice is then signed with all of them.
        self.secrets = [kept_text(sim.folder / "stripe" / "webhook-secret", f"whsec_{secrets.token_hex(16)}")]
        # Where events go; empty: to /webhooks/stripe of the site to which the buyer is sent back.
        self.url = ""
        self.log: list[Json] = []

    def hear(self, what: str, charge: Charge, about: Refund | Dispute | Capture | None) -> None:
        """The bank moved: say so as Stripe does."""
        if isinstance(about, Capture):
            self.paid(charge, about)
        elif isinstance(about, Refund):
            self.refunded(charge, about)
        elif isinstance(about, Dispute):
            self.disputed(charge, about)
        elif what == "failed":
            self.add("payment_intent.payment_failed", charge, shapes.payment_intent(charge))
            self.add("checkout.session.async_payment_failed", charge, shapes.session(charge))
        elif what == "closed":
            self.add("checkout.session.expired", charge, shapes.session(charge))

    def paid(self, charge: Charge, capture: Capture) -> None:
        self.add("charge.succeeded", charge, shapes.attempt(charge, f"ch_{capture.provider_reference}"))
        self.add("payment_intent.succeeded", charge, shapes.payment_intent(charge))
        if len(charge.captures) == 1:
            how = "async_payment_succeeded" if charge.extra["is_delayed"] else "completed"
            self.add(f"checkout.session.{how}", charge, shapes.session(charge))

    def submitted(self, charge: Charge) -> None:
        """The buyer chose a method whose money comes later: complete, and not paid."""
        self.add("payment_intent.processing", charge, shapes.payment_intent(charge))
        self.add("checkout.session.completed", charge, shapes.session(charge))

    def declined(self, charge: Charge, key: str) -> None:
        """A card was declined; the session stays open for another."""
        self.add("charge.failed", charge, shapes.attempt(charge, key))
        self.add("payment_intent.payment_failed", charge, shapes.payment_intent(charge))

    def refunded(self, charge: Charge, refund: Refund) -> None:
        """A refund was made or settled: said once as made, and again when it failed."""
        shape = shapes.refund(charge, refund)
        told: set[str] = charge.extra["told"]
        if refund.provider_reference not in told:
            told.add(refund.provider_reference)
            self.add("refund.created", charge, shape)
            self.add("charge.refunded", charge, shapes.attempt(charge, shape["charge"]))
        else:
            self.add("refund.updated", charge, shape)
        if refund.status == RefundStatus.FAILED:
            self.add("refund.failed", charge, shape)

    def disputed(self, charge: Charge, dispute: Dispute) -> None:
        shape = shapes.dispute(charge, dispute)
        if dispute.status == DisputeStatus.OPEN:
            self.add("charge.dispute.created", charge, shape)
            self.add("charge.dispute.funds_withdrawn", charge, shape)
            return
        self.add("charge.dispute.closed", charge, shape)
        if dispute.status == DisputeStatus.WON:
            self.add("charge.dispute.funds_reinstated", charge, shape)

    def add(self, kind: str, charge: Charge, about: Json) -> Json:
        """Write an event down, and owe it to the merchant."""
        event = self.event(kind, about)
        if self.sim.faults.take(FaultKind.OTHER_MERCHANT, charge.reference):
            event["account"] = "acct_of_somebody_else"
        self.log.append(event)
        self.sim.notifier.add(
            reference=charge.reference, url=self.url or self._site(charge),
            compose=lambda: self.compose(event, charge.reference),
            understood=lambda status, _body: 200 <= status < 300, schedule=RETRY_AFTER,
        )  # fmt: skip
        return event

    def event(self, kind: str, about: Json) -> Json:
        """An event that happens now."""
        return {
            "id": new_id("evt"), "object": "event", "api_version": API_VERSION, "created": unix(self.sim.clock.now()),
            "data": {"object": copy.deepcopy(about)}, "livemode": False, "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None}, "type": kind,
        }  # fmt: skip

    def compose(self, event: Json, reference: str) -> tuple[dict[str, str], bytes]:
        """Headers and body of one delivery, with the faults that wait for it."""
        body = json.dumps(event, indent=2, ensure_ascii=False).encode()
        old = self.sim.faults.take(FaultKind.OLD_TIMESTAMP, reference)
        forged = self.sim.faults.take(FaultKind.FORGED_SIGNATURE, reference)
        moment = unix(self.sim.clock.now()) - (int(old.value) if old else 0)
        return self.signed(body, moment=moment, keys=["whsec_of_nobody"] if forged else None), body

    def signed(self, body: bytes, *, moment: int | None = None, keys: list[str] | None = None) -> dict[str, str]:
        """The headers that make `body` this Stripe's."""
        at = unix(self.sim.clock.now()) if moment is None else moment
        signatures = [_sign(key, at, body) for key in (self.secrets if keys is None else keys)]
        # v0 is what Stripe adds in test mode: to be ignored.
        parts = [f"t={at}", *(f"v1={one}" for one in signatures), f"v0={_sign('whsec_test_scheme', at, body)}"]
        return {
            "Content-Type": "application/json; charset=utf-8", "User-Agent": "Stripe/1.0 (paysim)",
            "Stripe-Signature": ",".join(parts),
        }  # fmt: skip

    def notice(self, reference: str) -> tuple[dict[str, str], bytes]:
        """Headers and body of the latest event about a payment: by the merchant's reference, for tests."""
        found = self.about(reference)[-1]
        return self.compose(found, reference)

    def about(self, reference: str) -> list[Json]:
        """The events of a payment, oldest first."""
        charge = self.sim.bank.find(self.provider, reference)
        names = {charge.provider_reference, charge.extra["payment_intent"]} if charge else set()
        return [
            event
            for event in self.log
            if (names - {None}) & {event["data"]["object"]["id"], event["data"]["object"].get("payment_intent")}
        ]

    def _site(self, charge: Charge) -> str:
        site = urlsplit(charge.extra["success_url"])
        return f"{site.scheme}://{site.netloc}/webhooks/stripe"


def _sign(secret: str, moment: int, body: bytes) -> str:
    return hmac.new(secret.encode(), b"%d.%s" % (moment, body), hashlib.sha256).hexdigest()
