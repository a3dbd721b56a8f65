"""The sandbox gateway: play money over the same road as real money, with notices signed and verified."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from sishu.core import addresses, clock
from sishu.core.money import DIGITS, SYMBOLS, Money, check_amount
from sishu.gateways.base import (
    BadNotice,
    Bill,
    BillEntry,
    Device,
    EntryKind,
    GatewayError,
    Notice,
    Outcome,
    PaymentRequest,
    PlayMoneyRefused,
    Redirect,
    RefundOutcome,
    RefundRequest,
    RefundSnapshot,
    Snapshot,
    Started,
)
from sishu.gateways.sandbox_bank import Charge, Refused, SandboxBank, notice_body

# Seconds by which a notice's clock may differ from ours, either way.
CLOCK_WINDOW = 300


class SandboxGateway:
    """A full gateway whose provider lives beside the house (`bank`) and whose money is counted in a book of its own."""

    name = "sandbox"
    book = "sandbox"
    currencies = frozenset({*SYMBOLS, *DIGITS})
    zone = UTC
    time_to_pay: timedelta | None = None

    def __init__(self) -> None:
        if not (settings.DEBUG or settings.ALLOW_SANDBOX):
            raise PlayMoneyRefused(
                _("The sandbox gateway gives works away for play money, and DEBUG is off. "
                  "Take sandbox out of GATEWAYS, or set SISHU_ALLOW_SANDBOX=1 if that is what you want.")
            )  # fmt: skip
        if not settings.SANDBOX_SECRET:
            raise ImproperlyConfigured(_("The sandbox gateway signs its notices; set SANDBOX_SECRET."))
        self.key = settings.SANDBOX_SECRET.encode()
        # Bound to the key, so that a notice of another installation is never ours.
        self.merchant = hashlib.sha256(b"merchant" + self.key).hexdigest()[:16]
        self.bank = SandboxBank(Path(settings.DATA_DIR) / "sandbox.sqlite3")

    def product_for(self, device: Device) -> str:
        return "page"

    def start(self, request: PaymentRequest) -> Started:
        try:
            self.bank.open_charge(
                reference=request.reference, amount=request.due.amount, currency=request.due.currency,
                title=request.title, notify_url=request.notify_url, return_url=request.return_url,
                expires_at=request.expires_at,
            )  # fmt: skip
        except Refused as error:
            raise GatewayError(
                _("The sandbox knows {reference} with another amount."), reference=request.reference
            ) from error
        return Started(Redirect(addresses.cashier(request.reference)), _bank_name(request.reference))

    def query(self, reference: str, provider_reference: str = "") -> Snapshot:
        charge = self.bank.find(reference)
        if charge is None:
            return Snapshot(reference, Outcome.UNKNOWN)
        return self._snapshot(charge)

    def close(self, reference: str, provider_reference: str = "") -> Snapshot:
        self.bank.close(reference)
        return self.query(reference)

    def refund(self, request: RefundRequest) -> RefundSnapshot:
        try:
            self.bank.refund(
                reference=request.reference, charge=request.payment_reference, amount=request.amount.amount
            )
        except Refused:
            return RefundSnapshot(request.reference, RefundOutcome.FAILED, request.amount)
        return RefundSnapshot(request.reference, RefundOutcome.SUCCEEDED, request.amount)

    def query_refund(self, request: RefundRequest) -> RefundSnapshot:
        if any(reference == request.reference for reference, _amount in self.bank.refunds(request.payment_reference)):
            return RefundSnapshot(request.reference, RefundOutcome.SUCCEEDED, request.amount)
        return RefundSnapshot(request.reference, RefundOutcome.UNKNOWN, request.amount)

    def fetch_bill(self, day: date) -> Bill:
        rows = self.bank.entries(day)
        entries = tuple(
            BillEntry(
                kind=EntryKind.REFUND if refund else EntryKind.PAYMENT, reference=charge, refund_reference=refund,
                provider_reference=_bank_name(charge), amount=Money(amount, currency), fee=Money(0, currency), at=at,
            )
            for charge, refund, amount, currency, at in rows
        )  # fmt: skip
        raw = json.dumps([[*row[:4], row[4].isoformat()] for row in rows]).encode()
        closing = tuple(Money(amount, currency) for currency, amount in self.bank.totals(until=day).items())
        return Bill(day, raw, entries, closing)

    def parse_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        moment, nonce = headers.get("Sandbox-Timestamp", ""), headers.get("Sandbox-Nonce", "")
        signature = headers.get("Sandbox-Signature", "")
        if not hmac.compare_digest(self._sign(moment, nonce, body), signature.encode("ascii", "replace")):
            raise BadNotice("The signature is not the sandbox's.")
        if not moment.isdigit() or abs(clock.now().timestamp() - int(moment)) > CLOCK_WINDOW:
            raise BadNotice(f"The notice is more than {CLOCK_WINDOW} seconds away from our clock.")
        try:
            return self._read(json.loads(body))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise BadNotice(f"The notice is signed but makes no sense: {error!r}.") from error

    def send_notices(self) -> int:
        """The provider's duty: deliver due notices to the house over HTTP. Returns how many were tried."""
        return self.bank.send_notices(self._deliver)

    def signed(self, body: bytes, *, at: datetime | None = None) -> dict[str, str]:
        """The headers that make `body` a notice of this sandbox."""
        moment, nonce = str(int((at or clock.now()).timestamp())), secrets.token_hex(8)
        return {
            "Content-Type": "application/json",
            "Sandbox-Timestamp": moment,
            "Sandbox-Nonce": nonce,
            "Sandbox-Signature": self._sign(moment, nonce, body).decode(),
        }

    def notice(self, notice_id: int, reference: str) -> bytes:
        """The body of a notice about a charge as it stands now. Raises Refused for an unknown charge."""
        charge = self.bank.find(reference)
        if charge is None:
            raise Refused(f"No charge {reference}.")
        return notice_body(notice_id, charge, self.bank.refunds(reference), self.merchant)

    def _deliver(self, notice_id: int, charge: Charge) -> bool:
        body = self.notice(notice_id, charge.reference)
        # The address is the one we gave in start(): our own site.
        request = Request(charge.notify_url, data=body, headers=self.signed(body), method="POST")  # noqa: S310
        try:
            with urlopen(request, timeout=10) as answer:  # noqa: S310
                return answer.status in (200, 204)
        except (URLError, OSError):
            return False

    def _read(self, said: dict[str, Any]) -> Notice:
        if said["merchant"] != self.merchant:
            raise BadNotice("The notice is for another merchant.")
        currency, at = str(said["currency"]), said["captured_at"]
        captured = check_amount(said["captured"])
        refunds = tuple(
            RefundSnapshot(str(r["reference"]), RefundOutcome.SUCCEEDED, Money(check_amount(r["amount"]), currency))
            for r in said["refunds"]
        )
        snapshot = Snapshot(
            reference=str(said["reference"]),
            outcome=Outcome(str(said["outcome"])),
            captured=Money(captured, currency) if captured else None,
            captured_at=datetime.fromisoformat(str(at)) if at else None,
            provider_reference=_bank_name(str(said["reference"])),
            refunds=refunds,
        )
        return Notice(str(said["id"]), snapshot.reference, snapshot)

    def _snapshot(self, charge: Charge) -> Snapshot:
        refunds = tuple(
            RefundSnapshot(reference, RefundOutcome.SUCCEEDED, Money(amount, charge.currency))
            for reference, amount in self.bank.refunds(charge.reference)
        )
        return Snapshot(
            reference=charge.reference,
            outcome=Outcome(charge.outcome),
            captured=Money(charge.captured, charge.currency) if charge.captured else None,
            captured_at=charge.captured_at,
            provider_reference=_bank_name(charge.reference),
            refunds=refunds,
        )

    def _sign(self, moment: str, nonce: str, body: bytes) -> bytes:
        message = b"%s\n%s\n%s" % (moment.encode(), nonce.encode(), body)
        return hmac.new(self.key, message, hashlib.sha256).hexdigest().encode()


def _bank_name(reference: str) -> str:
    """What the bank calls a payment of ours."""
    return f"bank-{reference}"
