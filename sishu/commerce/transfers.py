"""Bank transfers, as finance reads them on the bank's statement. They are recorded here and go the road of all payments."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from django.db import IntegrityError, transaction
from django.utils.timezone import get_default_timezone, localdate
from django.utils.translation import gettext as _

from sishu.accounts.models import User
from sishu.commerce import payments, unwinding
from sishu.commerce.locks import lock_payment
from sishu.commerce.models import BankEntry, Payment, Refund
from sishu.core import clock
from sishu.core.errors import DomainError, Invalid
from sishu.core.models import WrongStatus
from sishu.core.money import Money
from sishu.gateways.base import Outcome, RefundOutcome, RefundSnapshot, Snapshot
from sishu.gateways.offline import OfflineGateway

GATEWAY = OfflineGateway.name


class AlreadyRecorded(DomainError):
    """This line of the bank's statement was counted before."""

    code = "already_recorded"


class NotATransfer(DomainError):
    """The payment came by a provider that tells of it itself."""

    code = "not_a_transfer"


@transaction.atomic
def record(payment_id: int, money: Money, *, booked_on: date, bank_reference: str, by: User) -> Payment:
    """A transfer arrived for a payment. Too much, too little and too late are set apart as for any other payment.

    The bank tells a day and no hour: it counts from the day's beginning, in the reader's favour.
    Raises NotATransfer, AlreadyRecorded, Invalid for a day that cannot be.
    """
    payment = lock_payment(id=payment_id)
    check_offline(payment)
    begun_on = localdate(payment.created_at)
    if not begun_on <= booked_on <= localdate(clock.now()):
        raise Invalid(
            _(
                "The payment was begun on %(begun)s. Give the day on which the bank booked the transfer, from then to today."
            )
            % {"begun": begun_on}
        )
    _write_down(BankEntry(
        payment=payment, amount=money.amount, currency=money.currency, booked_on=booked_on,
        bank_reference=bank_reference, recorded_by=by,
    ))  # fmt: skip
    midnight = datetime.combine(booked_on, time(), get_default_timezone()).astimezone(UTC)
    snapshot = Snapshot(
        payment.reference, Outcome.CAPTURED,
        captured=Money(payment.captured_amount, money.currency) + money,
        captured_at=max(midnight, payment.created_at),
        provider_reference=payment.provider_reference,
    )  # fmt: skip
    return payments.apply(snapshot, heard_from=GATEWAY)


@transaction.atomic
def record_refund(refund_id: int, *, booked_on: date, bank_reference: str, by: User) -> Refund:
    """The house has sent the money back: the refund is settled. Raises NotATransfer, AlreadyRecorded, Invalid, WrongStatus."""
    refund = Refund.objects.get(pk=refund_id)
    payment = lock_payment(id=refund.payment_id)
    check_offline(payment)
    refund.refresh_from_db()
    if refund.status == Refund.Status.SUCCEEDED:
        raise AlreadyRecorded(_("Refund %(reference)s went back before.") % {"reference": refund.reference})
    if refund.status not in (Refund.Status.REQUESTED, Refund.Status.PROCESSING):
        raise WrongStatus(
            _("Refund %(reference)s is not to be sent: %(status)s.")
            % {"reference": refund.reference, "status": refund.get_status_display()}
        )
    asked_on = localdate(refund.created_at)
    if not asked_on <= booked_on <= localdate(clock.now()):
        raise Invalid(
            _("The refund was asked for on %(asked)s. Give the day on which the bank booked it, from then to today.")
            % {"asked": asked_on}
        )
    _write_down(BankEntry(
        payment=payment, refund=refund, amount=refund.amount, currency=refund.currency, booked_on=booked_on,
        bank_reference=bank_reference, recorded_by=by,
    ))  # fmt: skip
    unwinding.apply(payment.order, payment, [RefundSnapshot(refund.reference, RefundOutcome.SUCCEEDED, refund.money)])
    refund.refresh_from_db()
    return refund


def check_offline(payment: Payment) -> None:
    """NotATransfer for a payment whose provider tells of it."""
    if payment.gateway != GATEWAY:
        raise NotATransfer(
            _("Payment %(reference)s came by %(gateway)s, which tells of it itself. Only bank transfers are recorded.")
            % {"reference": payment.reference, "gateway": payment.gateway_label}
        )


def _write_down(entry: BankEntry) -> None:
    entry.bank_reference = "".join(entry.bank_reference.split()).upper()
    if not entry.bank_reference:
        raise Invalid(_("Give the bank’s own reference of the transfer: it makes sure that nothing is counted twice."))
    try:
        with transaction.atomic():
            entry.save()
    except IntegrityError:
        known = BankEntry.objects.select_related("payment").get(bank_reference=entry.bank_reference)
        raise AlreadyRecorded(
            _("The bank’s reference %(bank)s was recorded before, with %(money)s for payment %(reference)s.")
            % {"bank": known.bank_reference, "money": known.money, "reference": known.payment.reference}
        ) from None
