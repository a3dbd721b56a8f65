"""Providers' bills: fetched, kept sealed, and read line by line."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max, QuerySet, Sum

from sishu.commerce import refund_names
from sishu.commerce.models import BillLine, ProviderBill
from sishu.core import crypto
from sishu.gateways.base import Bill, EntryKind, PaymentGateway

SUBJECT = "house"


def keep(gateway: PaymentGateway, bill: Bill) -> ProviderBill:
    """Write a bill down with its lines; the one that is there when the same file came before."""
    digest = hashlib.sha256(bill.raw).hexdigest()
    try:
        with transaction.atomic():
            kept = ProviderBill.objects.create(
                gateway=gateway.name, book=gateway.book, day=bill.day, digest=digest,
                closing=[[money.amount, money.currency] for money in bill.closing],
                sealed=crypto.seal(SUBJECT, _place(gateway.name, bill.day, digest), bill.raw),
            )  # fmt: skip
            BillLine.objects.bulk_create(
                BillLine(
                    bill=kept, number=number, kind=entry.kind, reference=entry.reference[:64],
                    refund_reference=entry.refund_reference[:64], provider_reference=entry.provider_reference[:128],
                    amount=entry.amount.amount, fee=entry.fee.amount, currency=entry.amount.currency, at=entry.at,
                )
                for number, entry in enumerate(bill.entries, start=1)
            )  # fmt: skip
            return kept
    except IntegrityError:
        return ProviderBill.objects.get(gateway=gateway.name, day=bill.day, digest=digest)


def read(kept: ProviderBill) -> bytes:
    """The file as it came. Raises CryptoError when it cannot be read any more."""
    return crypto.unseal(SUBJECT, _place(kept.gateway, kept.day, kept.digest), kept.sealed)


def find(gateway_name: str, day: date) -> ProviderBill | None:
    """The bill that counts for a day: of several, the last that came."""
    return ProviderBill.objects.filter(gateway=gateway_name, day=day).order_by("-pk").first()


def lines(gateway_name: str) -> QuerySet[BillLine]:
    """All lines of a provider that count: a corrected bill stands for those of its day that came before."""
    newest = ProviderBill.objects.filter(gateway=gateway_name).order_by().values("day").annotate(newest=Max("pk"))
    return BillLine.objects.filter(bill__in=newest.values("newest"))


def gone(gateway_name: str) -> QuerySet[Any, Any]:
    """Names (`refund_names.within`) of the refunds that by all bills together went, and did not come back."""
    of_refunds = lines(gateway_name).filter(kind=EntryKind.REFUND).annotate(name=refund_names.name_in_line())
    return of_refunds.order_by().values("name").annotate(moved=Sum("amount")).filter(moved__lt=0).values("name")


def _place(gateway_name: str, day: date, digest: str) -> str:
    return crypto.place("commerce_providerbill", "sealed", f"{gateway_name}:{day}:{digest}")
