"""Stripe below /stripe/: Checkout Sessions that take one payment, their PaymentIntents and Charges, Refunds, Disputes,
the balance and events. A client's base address is <simulator>/stripe. Facts marked [M] are from memory.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import TYPE_CHECKING, Any

from paysim.bank import Capture, Charge, Dispute, DisputeStatus, Refund, RefundStatus, Refused, Status
from paysim.faults import FaultKind
from paysim.http import Answer, Asked
from paysim.keys import kept_text
from paysim.providers import stripe_objects as shapes
from paysim.providers.stripe_bill import BalanceBook
from paysim.providers.stripe_events import Events
from paysim.providers.stripe_wire import (
    Idempotency,
    Json,
    Problem,
    check_key,
    check_names,
    expand,
    need,
    new_id,
    page,
    read,
    whole,
)

if TYPE_CHECKING:
    from paysim.simulator import Simulator

PREFIX = "/stripe"
LEAST_LIFETIME, MOST_LIFETIME = timedelta(minutes=30), timedelta(hours=24)
SESSION_PARAMETERS = (
    "mode line_items client_reference_id metadata payment_intent_data expires_at success_url cancel_url locale "
    "customer_email adaptive_pricing payment_method_types submit_type"
)
LIST_PARAMETERS = "limit starting_after ending_before created"
REASONS = {"duplicate", "fraudulent", "requested_by_customer"}


class Stripe:
    """One merchant's account in test mode."""

    name = "stripe"

    def __init__(self, sim: Simulator) -> None:
        self.sim = sim
        self.key = kept_text(sim.folder / "stripe" / "secret-key", f"sk_test_{secrets.token_hex(24)}")
        self.events = Events(sim, self.name)
        self.balance = BalanceBook(sim, self.name)
        self.idempotency = Idempotency(sim.clock.now)
        # Everything that was asked for, oldest first: "POST /v1/refunds".
        self.calls: list[str] = []
        self._lock = RLock()
        self._routes: list[tuple[str, re.Pattern[str], Callable[..., Json]]] = [
            ("POST", re.compile(r"/v1/checkout/sessions"), self.create_session),
            ("GET", re.compile(r"/v1/checkout/sessions"), self.list_sessions),
            ("GET", re.compile(r"/v1/checkout/sessions/([^/]+)"), self.get),
            ("POST", re.compile(r"/v1/checkout/sessions/([^/]+)/expire"), self.expire_session),
            ("POST", re.compile(r"/v1/refunds"), self.create_refund),
            ("GET", re.compile(r"/v1/refunds"), self.list_refunds),
            ("GET", re.compile(r"/v1/disputes"), self.list_disputes),
            ("GET", re.compile(r"/v1/charges"), self.list_charges),
            ("GET", re.compile(r"/v1/balance_transactions"), self.list_balance),
            ("GET", re.compile(r"/v1/events"), self.list_events),
            ("GET", re.compile(r"/v1/(?:payment_intents|charges|refunds|disputes|events)/([^/]+)"), self.get),
        ]
        sim.bank.listen(self.name, self._hear)

    def environment(self, base_url: str) -> dict[str, str]:
        return {
            "STRIPE_URL": base_url + PREFIX,
            "STRIPE_SECRET_KEY": self.key,
            "STRIPE_WEBHOOK_SECRETS": ",".join(self.events.secrets),
        }

    def submit(self, reference: str) -> Charge:
        """The buyer pays by a method whose money comes later; `bank.pay` or `bank.fail` says what became of it."""
        with self.sim.bank.locked():
            charge = self._charge(reference)
            self._begin(charge)
            charge.extra |= {"is_submitted": True, "is_delayed": True}
            self.events.submitted(charge)
            return charge

    def decline(self, reference: str) -> Charge:
        """The buyer's card is declined; the session stays open."""
        with self.sim.bank.locked():
            charge = self._charge(reference)
            self._begin(charge)
            key = new_id("ch")
            charge.extra["declines"][key] = self.sim.clock.now()
            self.events.declined(charge, key)
            return charge

    def send_back(self, reference: str) -> Refund:
        """The buyer's bank sends back the last refund, of which Stripe had said that it succeeded."""
        with self.sim.bank.locked():
            charge = self._charge(reference)
            refund = charge.refunds[-1]
            refund.status, refund.settled_at = RefundStatus.FAILED, self.sim.clock.now()
            self.events.refunded(charge, refund)
            return refund

    def handle(self, asked: Asked) -> Answer:
        path = asked.path.removeprefix(PREFIX)
        self.calls.append(f"{asked.method} {path}")
        headers = {name.lower(): value for name, value in asked.headers.items()}
        try:
            check_key(headers.get("authorization", ""), self.key)
            said = read(asked)
            if asked.method == "POST":
                with self._lock:
                    return self._post(path, said, headers.get("idempotency-key", ""))
            return self._answer(self._route(asked.method, path, said))
        except Problem as problem:
            return problem.answer()

    def _post(self, path: str, said: Json, key: str) -> Answer:
        """An answer, kept under its key; errors from before the request was carried out are not kept."""
        kept = self.idempotency.find(key, path, said)
        if kept is not None:
            return kept
        reference = self._reference(path, said)
        if self.sim.faults.take(FaultKind.ERROR_BEFORE_EFFECT, reference):
            raise Problem("An unknown error occurred", status=500, kind="api_error")
        try:
            answer = self._answer(self._route("POST", path, said))
        except Problem as problem:
            if problem.is_decided:
                self.idempotency.keep(key, path, said, problem.answer())
            raise
        if self.sim.faults.take(FaultKind.ERROR_AFTER_EFFECT, reference):
            # Stripe keeps this answer, too, and says so: the same key has nothing else to expect.
            answer = Problem("An unknown error occurred", status=500, kind="api_error").answer()
            answer = Answer(answer.status, answer.body, {**answer.headers, "Stripe-Should-Retry": "false"})
        self.idempotency.keep(key, path, said, answer)
        if self.sim.faults.take(FaultKind.TIMEOUT, reference):
            return Answer(is_silent=True)
        return answer

    def _route(self, method: str, path: str, said: Json) -> Json:
        self._expire_due()
        for verb, pattern, function in self._routes:
            if verb == method and (found := pattern.fullmatch(path)):
                return expand(function(said, *found.groups()), said, self._load)
        raise Problem(
            f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we can help at "
            "https://support.stripe.com/.",
            status=404,
        )

    def create_session(self, said: Json) -> Json:
        """A page that takes one payment."""
        check_names(said, SESSION_PARAMETERS)
        if need(said, "mode") != "payment":
            raise Problem("This simulator knows mode=payment.", param="mode")
        item = need(said, "line_items")[0]
        price = need(item, "price_data", "line_items[0]")
        amount = whole(need(price, "unit_amount", "line_items[0][price_data]"), "unit_amount") * whole(
            item.get("quantity", "1"), "quantity"
        )
        if amount < 1:
            raise Problem("Amount must be positive.", code="amount_too_small", param="line_items[0]")
        product = need(price, "product_data", "line_items[0][price_data]")
        intent = said.get("payment_intent_data", {})
        now, reference = self.sim.clock.now(), said.get("client_reference_id", "")
        number = new_id("cs_test")
        # The bank knows a charge by one name, and Stripe does not mind if it is used twice.
        taken = not reference or self.sim.bank.find(self.name, reference) is not None
        success_url = need(said, "success_url").replace("{CHECKOUT_SESSION_ID}", number)
        name = number if taken else reference
        charge = Charge(
            provider=self.name, reference=name, provider_reference=number, amount=amount,
            currency=need(price, "currency", "line_items[0][price_data]").upper(), title=need(product, "name"),
            product="checkout", created_at=now, expires_at=self._end(said, now), return_url=success_url,
            extra={
                "client_reference_id": reference or None, "metadata": said.get("metadata", {}),
                "intent_metadata": intent.get("metadata", {}), "description": intent.get("description"),
                "payment_intent": None, "attempted_at": now, "declines": {}, "refunds": {}, "decided_at": {},
                "told": set(), "is_submitted": False, "is_delayed": False, "success_url": success_url,
                "cancel_url": said.get("cancel_url"), "url": f"{self.sim.base_url}/cashier/{self.name}/{name}",
            },
        )  # fmt: skip
        return shapes.session(self.sim.bank.open_charge(charge))

    def _end(self, said: Json, now: datetime) -> datetime:
        if "expires_at" not in said:
            return now + MOST_LIFETIME
        at = datetime.fromtimestamp(whole(said["expires_at"], "expires_at"), UTC)
        # Stripe counts whole seconds.
        if at < now.replace(microsecond=0) + LEAST_LIFETIME:
            raise Problem(
                "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.",
                param="expires_at",
            )
        if at > now + MOST_LIFETIME:
            raise Problem(
                "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
                param="expires_at",
            )
        return at

    def expire_session(self, said: Json, key: str) -> Json:
        """Let nobody pay any more."""
        charge = self._charge(key, "checkout session")
        status = shapes.session(charge)["status"]
        if status == "open":
            try:
                self.sim.bank.close(self.name, charge.reference)
            except Refused:
                status = shapes.session(charge)["status"]
        if status != "open":
            raise Problem(
                f'Only Checkout Sessions with a status in ["open"] can be expired. This Session has a status of '
                f"`{status}`.",
                is_decided=True,
            )
        return shapes.session(charge)

    def create_refund(self, said: Json) -> Json:
        """Give money back. Who sends this twice without the same Idempotency-Key gives back twice."""
        check_names(said, "payment_intent charge amount reason metadata")
        charge = self._charge(said.get("payment_intent") or need(said, "charge"), "payment_intent")
        left = charge.captured - charge.refunded
        amount = whole(said["amount"], "amount") if "amount" in said else left
        reason = said.get("reason", "")
        if reason and reason not in REASONS:
            raise Problem(f"Invalid reason: must be one of {', '.join(sorted(REASONS))}", param="reason")
        wanted = said.get("metadata", {}).get("reference", "")
        reference = wanted if wanted and wanted not in charge.extra["refunds"] else self.sim.bank.new_number()
        known: Json = {"metadata": said.get("metadata", {})}
        charge.extra["refunds"][reference] = known
        # Too little in the balance is not refused: the refund waits for money.
        waits = self.sim.faults.take(FaultKind.BALANCE_TOO_LOW, charge.reference)
        if waits:
            known["pending_reason"] = "insufficient_funds"
        is_slow = waits or self.sim.faults.take(FaultKind.REFUND_PENDING, charge.reference)
        try:
            refund, _new = self.sim.bank.refund(
                self.name, charge.reference, refund_reference=reference, amount=amount, reason=reason,
                settle=not is_slow,
            )  # fmt: skip
        except Refused as error:
            del charge.extra["refunds"][reference]
            raise self._no_refund(error, charge, amount, left) from error
        if is_slow:
            self.events.refunded(charge, refund)
        return shapes.refund(charge, refund)

    def _no_refund(self, error: Refused, charge: Charge, amount: int, left: int) -> Problem:
        if error.code == "too_much" and left == 0:
            text = f"Charge {shapes.charge_ids(charge)[-1]} has already been refunded."
            return Problem(text, code="charge_already_refunded", is_decided=True)
        if error.code == "too_much":
            text = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
            return Problem(text, param="amount", is_decided=True)
        if error.code == "not_paid":
            text = f"This PaymentIntent ({charge.extra['payment_intent']}) does not have a successful charge to refund."
            return Problem(text, is_decided=True)
        return Problem(str(error), code="charge_not_refundable", is_decided=True)

    def get(self, said: Json, key: str) -> Json:
        """Any object by its id."""
        check_names(said, "")
        return self._object(key)

    def list_sessions(self, said: Json) -> Json:
        check_names(said, f"{LIST_PARAMETERS} payment_intent status")
        rows = [shapes.session(charge) for charge in reversed(self._charges())]
        for name in ("payment_intent", "status"):
            rows = [row for row in rows if name not in said or row[name] == said[name]]
        return page("/v1/checkout/sessions", rows, said)

    def list_refunds(self, said: Json) -> Json:
        check_names(said, f"{LIST_PARAMETERS} payment_intent charge")
        rows = [shapes.refund(charge, one) for charge in self._charges() for one in charge.refunds]
        return page("/v1/refunds", self._of_payment(rows, said), said)

    def list_disputes(self, said: Json) -> Json:
        check_names(said, f"{LIST_PARAMETERS} payment_intent charge")
        rows = [shapes.dispute(charge, one) for charge in self._charges() for one in charge.disputes]
        return page("/v1/disputes", self._of_payment(rows, said), said)

    def list_charges(self, said: Json) -> Json:
        check_names(said, f"{LIST_PARAMETERS} payment_intent")
        rows = [shapes.attempt(charge, key) for charge in self._charges() for key in shapes.charge_ids(charge)]
        return page("/v1/charges", self._of_payment(rows, said), said)

    def list_balance(self, said: Json) -> Json:
        check_names(said, f"{LIST_PARAMETERS} currency payout source type")
        rows = self.balance.rows()
        for name in ("currency", "source", "type"):
            rows = [row for row in rows if name not in said or row[name] == said[name]]
        return page("/v1/balance_transactions", rows, said)

    def list_events(self, said: Json) -> Json:
        check_names(said, f"{LIST_PARAMETERS} type types")
        rows = [event for event in reversed(self.events.log) if said.get("type") in (None, event["type"])]
        return page("/v1/events", rows, said)

    def _of_payment(self, rows: list[Json], said: Json) -> list[Json]:
        """Those of one payment where the request names one, newest first."""
        for name in ("payment_intent", "charge"):
            rows = [row for row in rows if name not in said or row[name] == said[name]]
        return sorted(rows, key=lambda row: int(row["created"]))[::-1]

    def _object(self, key: str) -> Json:
        """What an id stands for."""
        for charge in self._charges():
            if key == charge.provider_reference:
                return shapes.session(charge)
            if key == charge.extra["payment_intent"]:
                return shapes.payment_intent(charge)
            if key in shapes.charge_ids(charge):
                return shapes.attempt(charge, key)
            for refund in charge.refunds:
                if key == f"re_{refund.provider_reference}":
                    return shapes.refund(charge, refund)
            for dispute in charge.disputes:
                if key == f"du_{dispute.provider_reference}":
                    return shapes.dispute(charge, dispute)
        for row in (*self.events.log, *self.balance.rows()):
            if row["id"] == key:
                return row
        raise Problem(f"No such object: '{key}'", status=404, code="resource_missing", param="id")

    def _load(self, what: Json, field: str) -> Any:
        """What is expanded at a field of an object."""
        if what["object"] == "charge" and field == "refunds":
            said = {"charge": what["id"]}
            return {**self.list_refunds(said), "url": f"/v1/charges/{what['id']}/refunds"}
        if field not in what:
            raise Problem(f"This property cannot be expanded ({field}).", param="expand")
        key = what[field]
        if not isinstance(key, str):
            return key
        try:
            return self._object(key)
        except Problem:
            return key  # of something that this simulator does not keep, such as a payout

    def _hear(self, what: str, charge: Charge, about: Refund | Dispute | Capture | None) -> None:
        if what in ("paid", "failed"):
            self._begin(charge)
            if what == "failed" and not charge.extra["is_submitted"]:
                # Only a method whose money comes later fails for good: a declined card may be tried again.
                charge.extra |= {"is_submitted": True, "is_delayed": True}
                self.events.submitted(charge)
            charge.extra["is_submitted"] = True
        if isinstance(about, Dispute) and about.status != DisputeStatus.OPEN:
            charge.extra["decided_at"][about.provider_reference] = self.sim.clock.now()
        self.events.hear(what, charge, about)

    def _begin(self, charge: Charge) -> None:
        """The first attempt makes the PaymentIntent."""
        if charge.extra["payment_intent"] is None:
            charge.extra |= {"payment_intent": new_id("pi"), "attempted_at": self.sim.clock.now()}

    def _expire_due(self) -> None:
        """Sessions end by themselves."""
        for charge in self._charges():
            is_open = charge.status == Status.WAITING and not charge.extra["is_submitted"]
            if is_open and charge.expires_at and charge.expires_at <= self.sim.clock.now():
                self.sim.bank.close(self.name, charge.reference)

    def _charges(self) -> list[Charge]:
        return self.sim.bank.charges(self.name)

    def _charge(self, key: str, what: str = "object") -> Charge:
        """The bank's charge by a reference, or by the id of session, PaymentIntent or Charge."""
        for charge in self._charges():
            names = {charge.reference, charge.provider_reference, charge.extra["payment_intent"]}
            if key in names or key in shapes.charge_ids(charge):
                return charge
        raise Problem(f"No such {what}: '{key}'", status=404, code="resource_missing", param=what)

    def _reference(self, path: str, said: Json) -> str:
        """The merchant's reference a request is about, by which faults are chosen."""
        keys = [said.get("client_reference_id"), said.get("payment_intent"), *path.split("/")]
        for key in (key for key in keys if isinstance(key, str) and key):
            if key == said.get("client_reference_id"):
                return key
            for charge in self._charges():
                if key in (charge.provider_reference, charge.extra["payment_intent"]):
                    return charge.reference
        return ""

    def _answer(self, what: Json) -> Answer:
        return Answer.of_json(what, headers={"Request-Id": new_id("req")})
