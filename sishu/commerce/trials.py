"""Trying a gateway: buy nothing for a little money, and give it back. The money is booked as any that buys nothing."""

from __future__ import annotations

import logging
import secrets
from contextlib import suppress
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet, Sum
from django.utils.translation import gettext as _

from sishu.accounts.models import User
from sishu.commerce import merchants, splits
from sishu.commerce.models import BillLine, TrialPurchase
from sishu.core import addresses, clock
from sishu.core.errors import DomainError, Invalid
from sishu.gateways.base import (
    BankTransfer,
    Device,
    EntryKind,
    GatewayError,
    Notice,
    Outcome,
    PaymentGateway,
    PaymentRequest,
    RefundOutcome,
    RefundRequest,
    RefundSnapshot,
    Snapshot,
    Started,
)
from sishu.ledger import chart, journal
from sishu.ledger.journal import Move
from sishu.ledger.models import Book

log = logging.getLogger(__name__)

Status = TrialPurchase.Status
# How long one may be paid; and for how long the house keeps asking about money that has not gone back.
LIFETIME, ASK_FOR = timedelta(minutes=30), timedelta(days=7)
# Minor units to choose from: the least there is, and what providers accept that take no less.
AMOUNTS = (1, 50, 100)


class TrialFailed(DomainError):
    """The provider did not answer, or not as it must: what it said is in the message."""

    code = "trial_failed"
    status = 503


def begin(name: str, amount: int, *, by: User) -> TrialPurchase:
    """Write a trial down. Raises Invalid for an amount that is none of AMOUNTS, TrialFailed for a gateway without keys."""
    if amount not in AMOUNTS:
        raise Invalid(_("Choose one of the amounts."))
    try:
        gateway = merchants.gateway(name)
    except merchants.Unusable as error:
        raise TrialFailed(str(error)) from error
    return TrialPurchase.objects.create(
        gateway=name, product=gateway.product_for(Device.DESKTOP), book=gateway.book, amount=amount,
        currency=currency_of(gateway), reference=secrets.token_hex(11), begun_by=by,
    )  # fmt: skip


def currency_of(gateway: PaymentGateway) -> str:
    """What a gateway is tried in: the house's currency, where it takes that."""
    return settings.CURRENCY if settings.CURRENCY in gateway.currencies else min(gateway.currencies)


def start(trial: TrialPurchase, *, return_url: str) -> Started:
    """What to do to pay. Asking again gives the same payment. Raises TrialFailed."""
    request = PaymentRequest(
        reference=trial.reference, due=trial.money, title=trial.reference, notify_url=_notify_url(trial),
        return_url=return_url, expires_at=trial.created_at + LIFETIME, product=trial.product,
    )  # fmt: skip
    try:
        started = merchants.gateway(trial.gateway).start(request)
    except GatewayError as error:
        raise TrialFailed(_("The provider did not take it: %(why)s") % {"why": error}) from error
    if isinstance(started.instruction, BankTransfer):
        TrialPurchase.objects.filter(pk=trial.pk, status=Status.PENDING).update(status=Status.ENDED)
        raise TrialFailed(_("There is nothing to try: a person sees this gateway’s money, no provider tells of it."))
    if started.provider_reference and started.provider_reference != trial.provider_reference:
        trial.provider_reference = started.provider_reference
        TrialPurchase.objects.filter(pk=trial.pk).update(provider_reference=started.provider_reference)
    return started


def follow(trial: TrialPurchase) -> TrialPurchase:
    """Ask the provider what became of it, and give back what was paid. Raises TrialFailed when it does not answer."""
    try:
        gateway = merchants.gateway(trial.gateway)
        if trial.status in (Status.PENDING, Status.ENDED):
            trial = apply(trial, gateway.query(trial.reference, trial.provider_reference))
        if trial.status == Status.PENDING and clock.now() > trial.created_at + LIFETIME:
            closed = gateway.close(trial.reference, trial.provider_reference)
            gone = closed.outcome == Outcome.UNKNOWN
            trial = apply(trial, Snapshot(trial.reference, Outcome.CLOSED) if gone else closed)
        if trial.status == Status.CAPTURED:
            request = RefundRequest(
                reference=trial.refund_reference, payment_reference=trial.reference, amount=trial.held,
                captured=trial.captured, reason=_("trial purchase"), provider_reference=trial.provider_reference,
                notify_url=_notify_url(trial),
            )  # fmt: skip
            answer = gateway.query_refund(request)
            if answer.outcome == RefundOutcome.UNKNOWN:
                answer = gateway.refund(request)
            trial = give_back(trial, answer)
    except GatewayError as error:
        log.warning("Gateway %s did not answer about trial %s: %s", trial.gateway, trial.reference, error)
        raise TrialFailed(_("The provider did not answer: %(why)s") % {"why": error}) from error
    return trial


@transaction.atomic
def apply(trial: TrialPurchase, snapshot: Snapshot) -> TrialPurchase:
    """Bring a trial to what the provider says is true. Snapshots repeat and arrive out of order."""
    trial = TrialPurchase.objects.select_for_update().get(pk=trial.pk)
    captured = snapshot.captured
    if captured is not None and captured.currency == trial.currency and captured.amount > trial.captured_amount:
        more = captured.amount - trial.captured_amount
        values = {
            "captured_amount": captured.amount, "captured_at": snapshot.captured_at or clock.now(),
            "provider_reference": snapshot.provider_reference[:128] or trial.provider_reference,
            "refund_reference": f"{trial.reference}r{captured.amount}"[:32],
        }  # fmt: skip
        if trial.status == Status.CAPTURED:  # paid once more
            TrialPurchase.objects.filter(pk=trial.pk).update(**values)
            trial.refresh_from_db()
        else:
            trial.move_to(Status.CAPTURED, **values)
        _post(
            f"trial:{trial.reference}:{captured.amount}",
            trial,
            splits.of_unapplied(trial.gateway, trial.reference, more),
        )
    elif captured is None and snapshot.outcome in (Outcome.CLOSED, Outcome.FAILED) and trial.status == Status.PENDING:
        trial.move_to(Status.ENDED)
    for refund in snapshot.refunds:
        if refund.reference == trial.refund_reference:
            trial = give_back(trial, refund)
    return trial


@transaction.atomic
def give_back(trial: TrialPurchase, answer: RefundSnapshot) -> TrialPurchase:
    """Book what the provider says of the money's way back. An answer about another refund than the last is ignored."""
    trial = TrialPurchase.objects.select_for_update().get(pk=trial.pk)
    if trial.status not in (Status.CAPTURED, Status.REFUSED) or not trial.held:
        return trial
    if answer.reference != trial.refund_reference:
        return trial  # about a smaller sum: more was paid while the provider was asked
    if answer.outcome == RefundOutcome.SUCCEEDED:
        held, reference = trial.held.amount, trial.refund_reference
        trial.move_to(Status.RETURNED, returned_amount=trial.captured_amount, returned_at=clock.now())
        move = Move(chart.unapplied(trial.reference), chart.provider(trial.gateway), held, "refund")
        _post(f"trial_refund:{reference}", trial, [move])
    elif answer.outcome in (RefundOutcome.FAILED, RefundOutcome.RETURNED) and trial.status == Status.CAPTURED:
        trial.move_to(Status.REFUSED)
    return trial


def hear(gateway: PaymentGateway, notice: Notice) -> bool:
    """Apply what a provider told about a trial; False when it is about none. Raises GatewayError."""
    trial = TrialPurchase.objects.filter(gateway=gateway.name, reference=notice.reference).first()
    if trial is None:
        return False
    apply(trial, notice.snapshot or gateway.query(trial.reference, trial.provider_reference))
    return True


def follow_due(limit: int = 20) -> int:
    """Ask about trials that are not over, whether somebody looks at their page or not. Returns how many."""
    going = TrialPurchase.objects.filter(
        status__in=(Status.PENDING, Status.CAPTURED), created_at__gt=clock.now() - ASK_FOR
    )
    asked = 0
    for trial in going.order_by("updated_at")[:limit]:
        asked += 1
        try:
            follow(trial)
        except TrialFailed:
            TrialPurchase.objects.filter(pk=trial.pk).update(updated_at=clock.now())  # the others' turn first
    return asked


def find_latest(name: str) -> TrialPurchase | None:
    """The last trial of a gateway."""
    return TrialPurchase.objects.filter(gateway=name).first()


# --- Beside the provider's bill -------------------------------------------------------------------


def find_billed(line: BillLine) -> TrialPurchase | None:
    """The trial that a line of a bill is about, brought to what the line says moved."""
    by = Q(pk__in=())
    for name in ("reference", "refund_reference", "provider_reference"):
        if value := getattr(line, name):
            by |= Q(**{name: value})
    trial = TrialPurchase.objects.filter(by, gateway=line.bill.gateway).first()
    if trial is not None and line.kind == EntryKind.PAYMENT and trial.captured != line.money:
        with suppress(TrialFailed):
            trial = follow(trial)
    elif trial is not None and line.kind == EntryKind.REFUND and trial.held == -line.money:
        # Made at the provider's console, or not heard of: the bill is how we hear of it.
        trial = give_back(trial, RefundSnapshot(trial.refund_reference, RefundOutcome.SUCCEEDED, trial.held))
    return trial


def arrived_untold(gateway_name: str, told: QuerySet[BillLine]) -> QuerySet[TrialPurchase]:
    """Trials that were paid by our books, and stand in none of the lines that were `told`."""
    paid = told.filter(kind=EntryKind.PAYMENT)
    mine = TrialPurchase.objects.filter(gateway=gateway_name, captured_amount__gt=0)
    return mine.exclude(reference__in=paid.values("reference"))


def returned_untold(gateway_name: str, told: QuerySet[BillLine]) -> QuerySet[TrialPurchase]:
    """Trials that were given back by our books, and whose return stands in none of the lines that were `told`."""
    gone = told.filter(kind=EntryKind.REFUND)
    mine = TrialPurchase.objects.filter(gateway=gateway_name, returned_amount__gt=0)
    return mine.exclude(reference__in=gone.values("reference")).exclude(
        refund_reference__in=gone.exclude(refund_reference="").values("refund_reference")
    )


def unbilled(gateway_name: str, currency: str, told: QuerySet[BillLine]) -> int:
    """Minor units that moved for trials by our books, and stand in none of the lines that were `told`."""
    arrived = arrived_untold(gateway_name, told).filter(currency=currency)
    returned = returned_untold(gateway_name, told).filter(currency=currency)
    came = arrived.aggregate(total=Sum("captured_amount"))["total"] or 0
    went = returned.aggregate(total=Sum("returned_amount"))["total"] or 0
    return int(came - went)


def _post(key: str, trial: TrialPurchase, moves: list[Move]) -> None:
    journal.post(key=key, kind="trial", ref=trial.ref, book=Book(trial.book), currency=trial.currency, moves=moves)


def _notify_url(trial: TrialPurchase) -> str:
    return addresses.absolute(addresses.webhook(trial.gateway))
