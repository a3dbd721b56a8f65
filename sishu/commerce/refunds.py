"""Giving money back. Requested in one transaction, asked of the provider outside any, settled in another."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from sishu.accounts.models import User
from sishu.commerce import merchants, unwinding
from sishu.commerce.locks import lock_payment
from sishu.commerce.models import Order, Payment, Refund, RefundLine
from sishu.core import addresses, clock
from sishu.core.errors import DomainError, Missing, NotAllowed
from sishu.core.models import WrongStatus
from sishu.core.money import Money
from sishu.gateways.base import GatewayError, RefundOutcome, RefundRequest
from sishu.moderation import cases
from sishu.moderation.models import Decision

log = logging.getLogger(__name__)

RETRY_AFTER = tuple(timedelta(seconds=s) for s in (30, 300, 3600, 6 * 3600, 24 * 3600))


class NothingToRefund(DomainError):
    """The payment holds no such money, or it was given back."""

    code = "nothing_to_refund"


class TooLate(DomainError):
    """The time that the checkout promised is over."""

    code = "too_late"

    def __init__(self) -> None:
        super().__init__(_("The time to ask for this money back is over. Please write to us."))


def refund(
    payment_id: int, part: str, *, by: User | None, reason: str = "", lines: Mapping[int, int] | None = None,
    closes_access: bool = True, form_key: str | None = None,
) -> Refund:  # fmt: skip
    """Give back all of one part of a payment, or `lines` (line id → minor units) of a sale.

    Pressing twice refunds once: a part of a line by its `form_key`, all that is left by itself. Above the house's limit
    it waits for a second person. Raises Missing, NothingToRefund, WrongStatus while another refund is under way.
    """
    return submit(
        request(payment_id, part, by=by, reason=reason, lines=lines, closes_access=closes_access, form_key=form_key)
    )


@transaction.atomic
def request(
    payment_id: int, part: str, *, by: User | None, reason: str = "", lines: Mapping[int, int] | None = None,
    closes_access: bool = True, form_key: str | None = None,
) -> Refund:  # fmt: skip
    """Write down that money is to go back, or find that this was written down before."""
    payment = lock_payment(id=payment_id)
    known = Refund.objects.filter(payment=payment, part=part)
    if form_key and (same := known.filter(form_key=form_key).first()):
        return same
    under_way = known.filter(open_key=unwinding.open_key(payment, part)).first()
    if under_way is not None and lines is None:
        return under_way
    if under_way is not None:
        raise WrongStatus(
            _("Refund %(reference)s of %(money)s is still under way. Please wait until it has ended.")
            % {"reference": under_way.reference, "money": under_way.money}
        )
    wanted = _wanted_lines(payment.order, lines) if part == Refund.Part.SALE and payment.is_applied else {}
    money = Money(sum(wanted.values()), payment.order.currency) if wanted else _unapplied(payment, part)
    if not money:
        latest = known.filter(status=Refund.Status.SUCCEEDED).first()
        if latest is not None and lines is None:
            return latest
        raise NothingToRefund(
            _("Payment %(reference)s holds nothing to give back here.") % {"reference": payment.reference}
        )
    given_up = next((one for one in known.filter(status=Refund.Status.FAILED) if _is_same(one, money, wanted)), None)
    return (
        _retry(given_up, by, reason, closes_access, form_key)
        if given_up
        else _propose(payment, part, money, wanted, by, reason, closes_access, form_key)
    )


def _wanted_lines(order: Order, lines: Mapping[int, int] | None) -> dict[int, int]:
    """Line id → minor units: what was asked for, or all that is left."""
    held = {line.pk: line.refundable_amount for line in order.lines.all()}
    if lines is None:
        return {pk: amount for pk, amount in held.items() if amount} if order.status == Order.Status.PAID else {}
    for pk, amount in lines.items():
        if pk not in held:
            raise Missing(_("Order %(number)s has no such line.") % {"number": order.number})
        if not 0 < amount <= held[pk]:
            raise NothingToRefund(
                _("Of this line, %(held)s can still be given back.") % {"held": Money(held[pk], order.currency)}
            )
    return dict(lines)


def _unapplied(payment: Payment, part: str) -> Money:
    return unwinding.held_unapplied(payment) if part == Refund.Part.UNAPPLIED else Money(0, payment.currency)


def _is_same(one: Refund, money: Money, wanted: Mapping[int, int]) -> bool:
    return one.money == money and dict(one.lines.values_list("line_id", "amount")) == wanted


def _retry(given_up: Refund, by: User | None, reason: str, closes_access: bool, form_key: str | None) -> Refund:
    """Ask once more under the reference by which the provider knows it; above the limit, with a second person.

    What is asked for now counts, and this form's key in place of the last one's: it too may be pressed twice.
    """
    if not unwinding.reserve(given_up):
        raise NothingToRefund(_("Refund %(reference)s holds nothing any more.") % {"reference": given_up.reference})
    payment, is_agreed = given_up.payment, by is None or given_up.approved_by_id is not None
    asked: dict[str, Any] = {
        "open_key": unwinding.open_key(payment, given_up.part), "form_key": form_key or given_up.form_key,
        "closes_access": closes_access, "reason": reason[:300] or given_up.reason,
        "requested_by": given_up.requested_by if is_agreed else by,
    }  # fmt: skip
    if not is_agreed and needs_second_person(_alone(payment) + given_up.money):
        given_up.move_to(Refund.Status.PROPOSED, **asked)
        cases.open(ref=given_up.ref, kind="refund_proposed", code="refund_proposed", data=payment.told(given_up.money))
        return given_up
    given_up.move_to(Refund.Status.REQUESTED, next_try_at=clock.now() + RETRY_AFTER[0], **asked)
    return given_up


def _propose(
    payment: Payment, part: str, money: Money, wanted: Mapping[int, int], by: User | None, reason: str,
    closes_access: bool, form_key: str | None,
) -> Refund:  # fmt: skip
    needs_another = by is not None and needs_second_person(_alone(payment) + money)
    one = Refund.objects.create(
        payment=payment, part=part, reference=secrets.token_hex(12), amount=money.amount, currency=money.currency,
        status=Refund.Status.PROPOSED if needs_another else Refund.Status.REQUESTED, closes_access=closes_access,
        reason=reason[:300], requested_by=by, next_try_at=None if needs_another else clock.now() + RETRY_AFTER[0],
        open_key=unwinding.open_key(payment, part), form_key=form_key,
    )  # fmt: skip
    RefundLine.objects.bulk_create(RefundLine(refund=one, line_id=pk, amount=amount) for pk, amount in wanted.items())
    if not unwinding.reserve(one):
        raise NothingToRefund(_("Payment %(reference)s holds less by now.") % {"reference": payment.reference})
    if needs_another:
        cases.open(ref=one.ref, kind="refund_proposed", code="refund_proposed", data=payment.told(money))
    return one


def _alone(payment: Payment) -> Money:
    """What of a payment was given back, or is about to be, by people who asked nobody: ten parts are one sum."""
    asked_nobody = payment.refunds.filter(requested_by__isnull=False, approved_by=None)
    counted = asked_nobody.exclude(status__in=[Refund.Status.FAILED, Refund.Status.REJECTED])
    return Money(counted.aggregate(total=Sum("amount"))["total"] or 0, payment.captured.currency)


def needs_second_person(money: Money) -> bool:
    """Whether a refund of this is more than one person may give back alone."""
    limits: dict[str, int] = settings.REFUND_APPROVAL_ABOVE
    return bool(limits) and money.amount > limits.get(money.currency, 0)


def approve(refund_id: int, *, by: User) -> Refund:
    """A second person agrees, and the provider is asked. Raises Missing, NotAllowed for who requested it, WrongStatus."""
    with transaction.atomic():
        one = _locked(refund_id)
        if by in (one.requested_by, one.payment.order.user):
            raise NotAllowed(
                _("Neither who asked for this refund nor who gets it can approve it. It takes another person.")
            )
        one.move_to(Refund.Status.REQUESTED, approved_by=by, next_try_at=clock.now() + RETRY_AFTER[0])
        _decide(one, Decision.Outcome.SETTLED, by, "")
    return submit(one)


@transaction.atomic
def reject(refund_id: int, *, by: User, reason: str) -> Refund:
    """It does not go back. Whoever asked for it may also take it back so. Raises Missing, WrongStatus."""
    one = _locked(refund_id)
    one.move_to(Refund.Status.REJECTED, open_key=None)
    unwinding.release(one)
    unwinding.charge_back_lost(one.payment.order, one.payment)
    _decide(one, Decision.Outcome.SETTLED, by, reason)
    return one


def refundable(payment: Payment, order: Order, part: str) -> Money:
    """What the part still holds and nobody asked back."""
    if part == Refund.Part.UNAPPLIED:
        return unwinding.held_unapplied(payment)
    is_held = payment.is_applied and order.status == Order.Status.PAID
    held = sum(line.refundable_amount for line in order.lines.all()) if is_held else 0
    return Money(held, order.currency)


def refund_until(order: Order) -> datetime | None:
    """Until when the buyer gets an order back by asking; None when it was not paid, or promised nothing."""
    days = min((line.refund_days for line in order.lines.all()), default=0)
    return order.paid_at + timedelta(days=days) if order.paid_at and days and order.amount else None


def open_until(order: Order) -> datetime | None:
    """Until when the buyer may still ask; None when they may not, or there is nothing left to ask for."""
    is_held = order.status == Order.Status.PAID and any(line.refundable_amount for line in order.lines.all())
    until = refund_until(order) if is_held else None
    return until if until and clock.now() <= until else None


def ask_back(order: Order, *, by: User, reason: str = "") -> Refund:
    """The buyer asks for their money within the time that the checkout promised. Raises TooLate afterwards."""
    until = refund_until(order)
    payment = order.payments.filter(is_applied=True).first()
    if order.user_id != by.pk or payment is None:
        raise Missing(_("There is no such order."))
    if until is None or clock.now() > until:
        raise TooLate
    return submit(request(payment.pk, Refund.Part.SALE, by=None, reason=reason or _("asked for by the buyer in time")))


def give_back_unapplied(payment_id: int) -> Refund | None:
    """Give back what a payment brought without buying anything, if it still holds any. Nobody asked for it."""
    try:
        one = refund(payment_id, Refund.Part.UNAPPLIED, by=None, reason=_("it bought nothing"))
    except NothingToRefund:
        return None
    case = cases.find_open(ref=one.payment.ref, kind="unapplied")
    if case is not None and one.status == Refund.Status.SUCCEEDED:
        cases.decide(case, Decision.Outcome.SETTLED, reason=one.reason)
    return one


def submit(refund: Refund) -> Refund:
    """Ask the provider, under the refund's own reference however often it is asked, and apply the answer."""
    if refund.status not in (Refund.Status.REQUESTED, Refund.Status.PROCESSING):
        return refund
    payment = refund.payment
    request = RefundRequest(
        reference=refund.reference, payment_reference=payment.reference, amount=refund.money, reason=refund.reason,
        captured=payment.captured, provider_reference=payment.provider_reference,
        notify_url=addresses.absolute(addresses.webhook(payment.gateway)), attempt=refund.failure_count,
    )  # fmt: skip
    try:
        gateway = merchants.gateway(payment.gateway)
        answer = gateway.query_refund(request) if refund.try_count else None
        if answer is None or answer.outcome == RefundOutcome.UNKNOWN:
            answer = gateway.refund(request)
    except GatewayError as error:
        # Unknown whether it was taken: asked again later under the same reference.
        log.warning("Gateway %s did not answer about refund %s: %s", payment.gateway, refund.reference, error)
        return refund
    with transaction.atomic():
        payment = lock_payment(id=payment.pk)
        unwinding.apply(payment.order, payment, [answer])
    refund.refresh_from_db()
    return refund


def retry_due(limit: int = 50) -> int:
    """Ask again about refunds the provider has not confirmed. Returns how many were asked."""
    asked = 0
    unconfirmed = (Refund.Status.REQUESTED, Refund.Status.PROCESSING)
    due = Refund.objects.filter(status__in=unconfirmed, next_try_at__lte=clock.now())
    for refund in due.select_related("payment").order_by("next_try_at")[:limit]:
        tries = refund.try_count + 1
        next_try_at = clock.now() + RETRY_AFTER[min(tries, len(RETRY_AFTER) - 1)]
        mine = Refund.objects.filter(pk=refund.pk, try_count=refund.try_count, status__in=unconfirmed)
        if mine.update(try_count=tries, next_try_at=next_try_at):
            refund.try_count = tries
            asked += 1
            submit(refund)
    return asked


def _locked(refund_id: int) -> Refund:
    """The refund that waits for a second person, with its payment and order locked before it."""
    payment_id = Refund.objects.filter(pk=refund_id).values_list("payment_id", flat=True).first()
    if payment_id is None:
        raise Missing(_("There is no such refund."))
    lock_payment(id=payment_id)
    one = Refund.objects.select_for_update().get(pk=refund_id)
    if one.status != Refund.Status.PROPOSED:
        raise WrongStatus(_("Refund %(reference)s was decided meanwhile.") % {"reference": one.reference})
    return one


def _decide(one: Refund, outcome: str, by: User, reason: str) -> None:
    case = cases.find_open(ref=one.ref, kind="refund_proposed")
    if case is not None:
        cases.decide(case, outcome, who=by, reason=reason)
