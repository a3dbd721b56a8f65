"""Stripe: one Checkout Session for each payment, on Stripe's own page. All that is believed is asked of Stripe itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta

import stripe
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from sishu.core import clock
from sishu.gateways import stripe_bill, stripe_events
from sishu.gateways.base import (
    Bill,
    BillNotReady,
    Device,
    GatewayError,
    Notice,
    Outcome,
    PaymentRequest,
    Redirect,
    RefundOutcome,
    RefundRequest,
    RefundSnapshot,
    Snapshot,
    Started,
    book_of,
)
from sishu.gateways.stripe_snapshot import (
    ATTEMPT,
    PAYMENT_REFERENCE,
    REFERENCE,
    Json,
    latest,
    of_refund,
    of_session,
    refund_reference,
)

PRODUCTION = "https://api.stripe.com"
# Stripe's keys say by themselves whose money they move. "rk" are restricted keys.
LIVE_KEYS, TEST_KEYS = ("sk_live_", "rk_live_"), ("sk_test_", "rk_test_")
# A Session lives 30 minutes to 24 hours; a minute stays free for clocks that differ.
LEAST_LIFETIME, MOST_LIFETIME = timedelta(minutes=31), timedelta(hours=23, minutes=59)
# How far back a Session is looked for whose id we never learnt: twice what one can live.
LOOK_BACK = timedelta(hours=48)
# What a Session is asked for with, so that one question says all.
WHOLE = ["payment_intent.latest_charge.refunds"]
PAGE = 100

# What the telemetry tells Stripe needs a file in the home folder and is of no use to the house.
stripe.enable_telemetry = False


class StripeGateway:
    """Collects on Stripe Checkout. `secret_key` decides whether its money is real; a test key needs DEBUG or permission.

    `webhook_secrets`: those of the endpoint, several while one is being replaced. `timeout` in seconds, for each call.
    """

    name = "stripe"
    zone = UTC
    time_to_pay: timedelta | None = None
    # Those which Stripe and we count alike: it wants Iceland's and Uganda's money in hundredths that do not exist, and
    # Kuwait's in steps of ten.
    currencies = frozenset(
        [
            "AUD",
            "BRL",
            "CAD",
            "CHF",
            "CNY",
            "CZK",
            "DKK",
            "EUR",
            "GBP",
            "HKD",
            "IDR",
            "ILS",
            "INR",
            "JPY",
            "KRW",
            "MOP",
            "MXN",
            "MYR",
            "NOK",
            "NZD",
            "PHP",
            "PLN",
            "RON",
            "SEK",
            "SGD",
            "THB",
            "USD",
            "VND",
            "ZAR",
        ]
    )

    def __init__(
        self, secret_key: str, webhook_secrets: Sequence[str], url: str = PRODUCTION, timeout: float = 8.0
    ) -> None:
        key, self.secrets = secret_key.strip(), [one.strip() for one in webhook_secrets if one.strip()]
        self.is_live = key.startswith(LIVE_KEYS)
        if not self.is_live and not key.startswith(TEST_KEYS):
            raise ImproperlyConfigured(
                _("STRIPE_SECRET_KEY is not set, or not a secret key of Stripe's: sk_live_…, sk_test_…, or restricted, "
                  "rk_live_…, rk_test_…. The dashboard shows it under Developers › API keys.")
            )  # fmt: skip
        if not self.secrets or not all(one.startswith("whsec_") for one in self.secrets):
            raise ImproperlyConfigured(
                _("STRIPE_WEBHOOK_SECRETS needs the signing secret of this site's webhook endpoint, whsec_…; several, "
                  "parted by commas, while one is being replaced. The dashboard shows it with the endpoint.")
            )  # fmt: skip
        self.book = _book(url, is_live=self.is_live)
        self.client = stripe.StripeClient(
            key, base_addresses={"api": url.rstrip("/")}, max_network_retries=1,
            http_client=stripe.RequestsClient(timeout=timeout),
        )  # fmt: skip

    def product_for(self, device: Device) -> str:
        return "checkout"

    def start(self, request: PaymentRequest) -> Started:
        """A Session's page; once it is paid or over, the way back to us. It may outlive the order: Stripe's least is half an hour."""
        session = self._create(request)
        return Started(Redirect(session["url"] or request.return_url), session["id"])

    def query(self, reference: str, provider_reference: str = "") -> Snapshot:
        session = self._session(reference, provider_reference)
        if session is None:
            return Snapshot(reference, Outcome.UNKNOWN)
        with _asking(_("tell of a payment")):
            is_paid = session["payment_status"] == "paid"
            charge = session["payment_intent"]["latest_charge"] if is_paid else None
            return of_session(
                reference, session, self._refunds(session) if charge else (), self._disputes(session) if charge else ()
            )

    def close(self, reference: str, provider_reference: str = "") -> Snapshot:
        session = self._session(reference, provider_reference)
        if session is None:
            return Snapshot(reference, Outcome.UNKNOWN)
        if session["status"] == "open":
            with _asking(_("expire a session")):
                try:
                    self.client.v1.checkout.sessions.expire(session["id"])
                except stripe.InvalidRequestError as error:
                    if error.http_status != 400:
                        raise
                    # It is not open any more: what it is now is asked next.
        return self.query(reference, session["id"])

    def refund(self, request: RefundRequest) -> RefundSnapshot:
        """Looks for the refund first: Stripe forgets after a day that a key was used, and we may ask for longer.

        One that failed stays so at Stripe. Tried anew it is another of Stripe's refunds, under a key of its own: the old
        key would answer as it did before.
        """
        session = self._paid_session(request)
        if session is None:
            return _failed(request)
        known = self._find_refund(session, request)
        if known is not None:
            return known
        again = {ATTEMPT: str(request.attempt)} if request.attempt else {}
        key = "-".join(["refund", request.reference, *again.values()])
        with _asking(_("give money back")):
            try:
                made = self.client.v1.refunds.create(
                    {
                        "payment_intent": session["payment_intent"]["id"], "amount": request.amount.amount,
                        "reason": "requested_by_customer",
                        "metadata": {
                            REFERENCE: request.reference, PAYMENT_REFERENCE: request.payment_reference, **again,
                        },
                    },
                    {"idempotency_key": key},
                )  # fmt: skip
            except stripe.InvalidRequestError as error:
                if error.http_status != 400:
                    raise
                return _failed(request)
            return of_refund(made.to_dict())

    def query_refund(self, request: RefundRequest) -> RefundSnapshot:
        session = self._paid_session(request)
        known = self._find_refund(session, request) if session else None
        return known or RefundSnapshot(request.reference, RefundOutcome.UNKNOWN, request.amount)

    def parse_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Events come late, twice and in any order: what one says of its object is not believed, only that it is worth asking.

        Raises GatewayError when Stripe must be asked which payment a dispute is of, and does not answer.
        """
        event = stripe_events.verified(headers, body, self.secrets, is_live=self.is_live)
        what = event["data"]["object"]
        is_session = what.get("object") == "checkout.session"
        reference = stripe_events.payment_reference(what)
        if not reference and what.get("object") in ("dispute", "refund") and what.get("payment_intent"):
            # These know their payment by Stripe's name for it only.
            with _asking(_("say whose payment it is")):
                intent = self.client.v1.payment_intents.retrieve(what["payment_intent"])
                reference = stripe_events.payment_reference(intent.to_dict())
        return Notice(event["id"], reference, provider_reference=what["id"] if is_session and reference else "")

    def fetch_bill(self, day: date) -> Bill:
        """The balance transactions of a day by UTC, up to now where it is not over."""
        since = datetime.combine(day, time(), UTC)
        if since > clock.now():
            raise BillNotReady(_("Stripe's day {day} has not begun."), day=day)
        charges: dict[str, Json] = {}

        def find_charge(key: str) -> Json:
            if key not in charges:
                charges[key] = self.client.v1.charges.retrieve(key).to_dict()
            return charges[key]

        with _asking(_("write a bill")):
            first, after = int(since.timestamp()), int((since + timedelta(days=1)).timestamp())
            found = self.client.v1.balance_transactions.list(
                {"created": {"gte": first, "lt": after}, "limit": PAGE, "expand": ["data.source"]}
            )
            rows = [row.to_dict() for row in found.auto_paging_iter()]
            return stripe_bill.read(day, rows[::-1], find_charge)

    def _create(self, request: PaymentRequest) -> Json:
        now = clock.now()
        ends_at = min(max(request.expires_at, now + LEAST_LIFETIME), now + MOST_LIFETIME)
        with _asking(_("begin a payment")):
            try:
                made = self.client.v1.checkout.sessions.create(
                    {
                        "mode": "payment", "client_reference_id": request.reference,
                        "line_items": [
                            {
                                "quantity": 1,
                                "price_data": {
                                    "currency": request.due.currency.lower(), "unit_amount": request.due.amount,
                                    "product_data": {"name": request.title},
                                },
                            }
                        ],
                        "metadata": {REFERENCE: request.reference},
                        "payment_intent_data": {
                            "description": request.title, "metadata": {REFERENCE: request.reference}
                        },
                        "expires_at": int(ends_at.timestamp()), "success_url": request.return_url,
                        "cancel_url": request.return_url,
                    },
                    {"idempotency_key": f"payment-{request.reference}"},
                )  # fmt: skip
                return made.to_dict()
            except (stripe.IdempotencyError, stripe.APIError):
                # Sent before, with an end that was near enough then; or made, and the answer lost for as long as Stripe
                # keeps the key. Either way the Session may be there.
                known = self._search(request.reference)
                if known is None:
                    raise
                return known

    def _session(self, reference: str, provider_reference: str) -> Json | None:
        """The Session of a payment with all that hangs on it. None when Stripe has none."""
        with _asking(_("tell of a payment")):
            key = provider_reference or (self._search(reference) or {}).get("id", "")
            if not key:
                return None
            try:
                session = self.client.v1.checkout.sessions.retrieve(key, {"expand": WHOLE}).to_dict()
            except stripe.InvalidRequestError as error:
                if error.http_status == 404:
                    return None
                raise
        if session["client_reference_id"] != reference:
            raise GatewayError(
                _("Stripe's session {session} is not of payment {reference}."), session=key, reference=reference
            )
        return session

    def _search(self, reference: str) -> Json | None:
        """The Session of a payment, newest first among those of the last days."""
        since = int((clock.now() - LOOK_BACK).timestamp())
        pages = self.client.v1.checkout.sessions.list({"created": {"gte": since}, "limit": PAGE})
        found = (one for one in pages.auto_paging_iter() if one.client_reference_id == reference)
        one = next(found, None)
        return one.to_dict() if one else None

    def _paid_session(self, request: RefundRequest) -> Json | None:
        session = self._session(request.payment_reference, request.provider_reference)
        return session if session and session["payment_status"] == "paid" else None

    def _find_refund(self, session: Json, request: RefundRequest) -> RefundSnapshot | None:
        """The refund as it is asked for now: what failed before that is none."""
        with _asking(_("tell of a refund")):
            ours = latest(one for one in self._refunds(session) if refund_reference(one) == request.reference)
            known = next(map(of_refund, ours), None)
            has_failed = known is not None and known.outcome in (RefundOutcome.FAILED, RefundOutcome.RETURNED)
            return None if known is None or (has_failed and known.attempt != request.attempt) else known

    def _refunds(self, session: Json) -> list[Json]:
        """All refunds of a paid Session: those that came with it, or all pages when there were more."""
        with_it: Json = session["payment_intent"]["latest_charge"]["refunds"]
        if not with_it["has_more"]:
            return list(with_it["data"])
        pages = self.client.v1.refunds.list({"payment_intent": session["payment_intent"]["id"], "limit": PAGE})
        return [one.to_dict() for one in pages.auto_paging_iter()]

    def _disputes(self, session: Json) -> list[Json]:
        if not session["payment_intent"]["latest_charge"]["disputed"]:
            return []
        pages = self.client.v1.disputes.list({"payment_intent": session["payment_intent"]["id"], "limit": PAGE})
        return [one.to_dict() for one in pages.auto_paging_iter()]


def _book(url: str, *, is_live: bool) -> str:
    """That of the address and of the key, which must agree."""
    book = book_of(url, PRODUCTION)
    if book == "sandbox" and is_live:
        raise ImproperlyConfigured(
            format_lazy(
                _("STRIPE_SECRET_KEY moves real money and may be shown to {production} only, not to {url}. Set a test "
                  "key, or leave STRIPE_URL out."),
                production=PRODUCTION, url=url,
            )
        )  # fmt: skip
    if book == "live" and not is_live:
        if not (settings.DEBUG or settings.ALLOW_SANDBOX):
            raise ImproperlyConfigured(
                _("STRIPE_SECRET_KEY is a test key, so its money is play money, and DEBUG is off. Set the live key, or "
                  "SISHU_ALLOW_SANDBOX=1 if play money is what you want.")
            )  # fmt: skip
        return "sandbox"
    return book


def _failed(request: RefundRequest) -> RefundSnapshot:
    return RefundSnapshot(request.reference, RefundOutcome.FAILED, request.amount, request.attempt)


@contextmanager
def _asking(what: Promise) -> Iterator[None]:
    """Turn all that is unclear into GatewayError: Stripe did not do `what` it was asked.

    Stripe's messages and bodies stay out of it: they may name the buyer.
    """
    try:
        yield
    except stripe.StripeError as error:
        facts = {
            "status": error.http_status, "code": error.code, "param": getattr(error, "param", None),
            "request": error.request_id,
        }  # fmt: skip
        said = ", ".join(f"{name} {value}" for name, value in facts.items() if value)
        raise GatewayError(
            _("Stripe did not {what}: {error} ({facts})."),
            what=what, error=type(error).__name__, facts=said or _("no answer"),
        ) from None  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise GatewayError(
            _("Stripe's answer cannot be read, asked to {what}: {error}."), what=what, error=type(error).__name__
        ) from error
