"""Hearing a provider: verified, kept as it came, applied."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F

from sishu.commerce import merchants, payments, trials
from sishu.commerce.models import Payment, ReceivedNotice
from sishu.core import clock, crypto
from sishu.core.errors import Missing
from sishu.core.refs import ref
from sishu.gateways.base import BadNotice, GatewayError, Notice, PaymentGateway
from sishu.moderation import cases

log = logging.getLogger(__name__)

# Headers that verifying a message again takes; no others are kept.
PROOFS = ("signature", "timestamp", "nonce", "serial")


def receive(gateway_name: str, headers: Mapping[str, str], body: bytes) -> None:
    """Verify a message, keep it, and apply what it says: all again however often it comes.

    Raises BadNotice when it is not believed, Missing when the payment is none of ours, GatewayError when the provider
    must be asked and does not answer.
    """
    gateway, notice = _verify(gateway_name, headers, body)
    kept = keep(gateway_name, notice, headers, body)
    try:
        payments.hear(gateway, notice)
    except Missing:
        if trials.hear(gateway, notice):
            ReceivedNotice.objects.filter(pk=kept, applied_at=None).update(applied_at=clock.now())
            return
        report_unknown(gateway_name, notice)
        raise
    ReceivedNotice.objects.filter(pk=kept, applied_at=None).update(applied_at=clock.now())


def _verify(gateway_name: str, headers: Mapping[str, str], body: bytes) -> tuple[PaymentGateway, Notice]:
    """Believe a message for the keys of today, or for those that were replaced lately: it may have been on its way.

    With the gateway that believed it: the account that told is the one to ask.
    """
    gateway = merchants.gateway(gateway_name)
    try:
        return gateway, gateway.parse_notice(headers, body)
    except BadNotice:
        for former in merchants.replaced(gateway_name):
            with suppress(BadNotice, GatewayError):
                return former, former.parse_notice(headers, body)
        raise


def keep(gateway_name: str, notice: Notice, headers: Mapping[str, str], body: bytes) -> int:
    """Write a message down before anything is done about it, or count that it came again. Returns its row's id."""
    same = ReceivedNotice.objects.filter(gateway=gateway_name, notice_id=notice.notice_id[:128])
    if same.update(count=F("count") + 1):
        return same.values_list("pk", flat=True)[0]
    subject = _subject(notice.reference)
    said = {
        "headers": {name: value for name, value in headers.items() if any(word in name.lower() for word in PROOFS)},
        "body": base64.b64encode(body).decode(),
    }
    sealed = crypto.seal(subject, _place(gateway_name, notice.notice_id), json.dumps(said))
    try:
        with transaction.atomic():
            return ReceivedNotice.objects.create(
                gateway=gateway_name, notice_id=notice.notice_id[:128], reference=notice.reference[:64],
                subject=subject, sealed=sealed, received_at=clock.now(),
            ).pk  # fmt: skip
    except IntegrityError:  # another process received it at this moment
        same.update(count=F("count") + 1)
        return same.values_list("pk", flat=True)[0]


def report_unknown(gateway_name: str, notice: Notice) -> None:
    """A genuine message about a payment that nobody here began: a person must look."""
    log.error("%s has a payment %s that we never asked for.", gateway_name, notice.reference)
    data: dict[str, Any] = {"gateway": gateway_name, "reference": notice.reference[:64]}
    if notice.snapshot and notice.snapshot.captured is not None:
        data["money"] = notice.snapshot.captured.as_json()
    code = "unknown_money" if "money" in data else "unknown_payment"
    cases.open(ref=ref(gateway_name, data["reference"]), kind="unknown_payment", code=code, data=data)


def read(kept: ReceivedNotice) -> tuple[dict[str, str], bytes]:
    """The headers and the body of a message as it came. Raises CryptoError when it cannot be read any more."""
    said = json.loads(crypto.unseal(kept.subject, _place(kept.gateway, kept.notice_id), kept.sealed))
    return said["headers"], base64.b64decode(said["body"])


def prune() -> int:
    """Forget what was received longer ago than the house keeps it. Returns how many."""
    old = clock.now() - timedelta(days=settings.NOTICE_DAYS)
    return ReceivedNotice.objects.filter(received_at__lt=old).delete()[0]


def _subject(reference: str) -> str:
    buyer = Payment.objects.filter(reference=reference).values_list("order__user_id", flat=True).first()
    return f"user:{buyer}" if buyer else "house"


def _place(gateway_name: str, notice_id: str) -> str:
    return crypto.place("commerce_receivednotice", "sealed", f"{gateway_name}:{notice_id[:128]}")
