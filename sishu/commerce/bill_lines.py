"""One line of a provider's bill beside our books."""

from __future__ import annotations

import hashlib
from typing import Any

from django.db import transaction
from django.db.models import F, Sum

from sishu.commerce import bills, merchants, payments, refund_names, trials, unwinding
from sishu.commerce.models import BillLine, Dispute, Payment, ProviderBill, Refund, TrialPurchase
from sishu.core.money import Money
from sishu.gateways.base import (
    EntryKind,
    GatewayError,
    Outcome,
    RefundOutcome,
    RefundRequest,
    RefundSnapshot,
    Snapshot,
)
from sishu.ledger import chart, journal
from sishu.ledger.journal import Move
from sishu.ledger.models import Book, Journal, Transfer

Compared = tuple[BillLine.Outcome, dict[str, Any]]

# Refunds whose money has left the provider by our books.
UNBILLED_REFUNDS = {"status": Refund.Status.SUCCEEDED}


def compare(line: BillLine) -> Compared:
    """How a line compares with our books, after what can be put right was put right, and what there is to know of it."""
    if line.kind == EntryKind.PAYMENT:
        return _compare_payment(line)
    if line.kind == EntryKind.REFUND:
        return _compare_refund(line)
    if line.kind == EntryKind.DISPUTE:
        return _compare_dispute(line)
    if line.kind == EntryKind.PAYOUT:
        _post_once(
            line, "settlement", _between(chart.BANK, chart.provider(line.bill.gateway), -line.amount, "settlement")
        )
        return _with_fee(line, "")
    _post_once(line, "unclaimed", _unclaimed(line))
    return BillLine.Outcome.MISSING_LOCAL, {}


def billed(gateway_name: str, currency: str, bill: ProviderBill | None = None) -> Money:
    """What came in less what went out and the fees, by all bills that count, or by one of them."""
    lines = bill.lines.all() if bill else bills.lines(gateway_name)
    moved = lines.filter(currency=currency).aggregate(moved=Sum(F("amount") - F("fee")))["moved"]
    return Money(moved or 0, currency)


def unbilled(gateway_name: str, currency: str) -> Money:
    """What moved by our books and stands in no bill yet."""
    told = bills.lines(gateway_name)
    paid = Payment.objects.filter(gateway=gateway_name, captured_currency=currency, captured_amount__gt=0)
    total = 0
    for payment in paid.exclude(reference__in=told.filter(kind=EntryKind.PAYMENT).values("reference")):
        total += payment.captured_amount
    disputes = Dispute.objects.filter(payment__gateway=gateway_name, currency=currency)
    gone = bills.gone(gateway_name)
    refunds = refund_names.named(Refund.objects.filter(payment__gateway=gateway_name, currency=currency))
    ours = refunds.filter(**UNBILLED_REFUNDS)
    left = ours.exclude(name__in=gone).exclude(reference__in=disputes.values("reference"))
    total -= left.aggregate(total=Sum("amount"))["total"] or 0
    # What left by the bills, and is still here by our books.
    early = refunds.filter(name__in=gone).exclude(**UNBILLED_REFUNDS).select_related("payment")
    total += sum(refund.amount for refund in early if _is_awaited(refund))
    apart = unwinding.apart(gateway_name, currency)
    known = {*gone.filter(name__in=apart).values_list("name", flat=True)}
    known |= {*ours.filter(name__in=apart).values_list("name", flat=True)}
    total -= sum(amount for name, amount in apart.items() if name not in known)
    unseen = disputes.exclude(reference__in=told.filter(kind=EntryKind.DISPUTE).values("provider_reference"))
    total -= unseen.exclude(status=Dispute.Status.WON).aggregate(total=Sum("amount"))["total"] or 0
    return Money(total + trials.unbilled(gateway_name, currency, told), currency)


def _compare_payment(line: BillLine) -> Compared:
    payment = _payment_of(line)
    if payment is None and (trial := trials.find_billed(line)):
        return _compare_trial(line, trial, trial.captured, line.money)
    if payment is None:
        _post_once(line, "unclaimed", _unclaimed(line))
        return BillLine.Outcome.MISSING_LOCAL, {}
    same = bills.lines(line.bill.gateway).filter(kind=line.kind, reference=line.reference)
    said = Money(same.aggregate(total=Sum("amount"))["total"] or line.amount, line.currency)
    if payment.status != Payment.Status.CAPTURED or payment.captured != said:
        payment = payments.refresh(payment)
    if payment.status != Payment.Status.CAPTURED:
        return BillLine.Outcome.STATUS_DIFFERS, {"status": payment.status}
    if payment.captured != said:
        twins = same.filter(provider_reference=line.provider_reference).count()
        outcome = BillLine.Outcome.DUPLICATE if twins > 1 else BillLine.Outcome.AMOUNT_DIFFERS
        return outcome, {"ours": payment.captured.as_json()}
    return _with_fee(line, payment.order.ref)


def _compare_refund(line: BillLine) -> Compared:
    payment, money = _payment_of(line), Money(-line.amount, line.currency)
    number = line.refund_reference or line.provider_reference
    refund = _refund_of(line, payment, number)
    payment = refund.payment if refund else payment
    if payment is None and (trial := trials.find_billed(line)):
        return _compare_trial(line, trial, Money(trial.returned_amount, trial.currency), money)
    is_back = refund is None and line.amount > 0
    if payment is not None and is_back and unwinding.is_apart(unwinding.name_of(payment, number)):
        payments.refresh(payment)
        return _with_fee(line, payment.order.ref)
    if payment is None or is_back:
        _post_once(line, "unclaimed", _unclaimed(line))
        return BillLine.Outcome.MISSING_LOCAL, {}
    if refund is None:
        return _hear_of_refund(line, payment, number, money)
    return _compare_known_refund(line, refund, _went(line))


def _compare_known_refund(line: BillLine, refund: Refund, went: Money) -> Compared:
    """A refund of ours, of which by the bills `went` has gone in all: nothing where it came back."""
    if not went and refund.status == Refund.Status.SUCCEEDED:
        payments.refresh(refund.payment)
        refund.refresh_from_db()
    has_gone = refund.status == Refund.Status.SUCCEEDED
    if went == (refund.money if has_gone else Money(0, refund.currency)):
        return _with_fee(line, refund.payment.order.ref)
    if went and went != refund.money:
        return BillLine.Outcome.AMOUNT_DIFFERS, {"ours": refund.money.as_json()}
    if _is_awaited(refund):
        return BillLine.Outcome.TIMING, {}
    if has_gone:
        return BillLine.Outcome.AMOUNT_DIFFERS, {"ours": refund.money.as_json()}
    return BillLine.Outcome.STATUS_DIFFERS, {"status": refund.status}


def _went(line: BillLine) -> Money:
    """What of the refund that a line is about went by all bills together."""
    if not line.refund_reference:
        return Money(-line.amount, line.currency)
    same = bills.lines(line.bill.gateway).filter(kind=line.kind, reference=line.reference)
    same = same.filter(refund_reference=line.refund_reference)
    return Money(-sum(same.values_list("amount", flat=True)), line.currency)


def _is_awaited(refund: Refund) -> bool:
    """Whether its end is still to be told: it is under way, or the bill of the day on which it ended is not here."""
    if refund.status in (Refund.Status.REQUESTED, Refund.Status.PROCESSING):
        return True
    gateway = merchants.gateway(refund.payment.gateway)
    ended_at = refund.settled_at or refund.updated_at
    return bills.find(gateway.name, ended_at.astimezone(gateway.zone).date()) is None


def _hear_of_refund(line: BillLine, payment: Payment, number: str, money: Money) -> Compared:
    """A refund made at the provider's console: the bill is how we hear of it. Some bills tell of those that then failed."""
    asked = RefundRequest(number, payment.reference, money, "", payment.captured, payment.provider_reference)
    try:
        known = merchants.gateway(payment.gateway).query_refund(asked)
    except GatewayError:
        return BillLine.Outcome.TIMING, {}
    if known.outcome in (RefundOutcome.FAILED, RefundOutcome.RETURNED):
        return BillLine.Outcome.STATUS_DIFFERS, {"status": Refund.Status.FAILED}
    if known.outcome == RefundOutcome.PENDING:
        return BillLine.Outcome.TIMING, {}
    told = RefundSnapshot(number, RefundOutcome.SUCCEEDED, money)
    payments.apply(Snapshot(payment.reference, Outcome.UNKNOWN, refunds=(told,)))
    return _with_fee(line, payment.order.ref)


def _compare_trial(line: BillLine, trial: TrialPurchase, ours: Money, said: Money) -> Compared:
    if ours != said:
        outcome = BillLine.Outcome.AMOUNT_DIFFERS if ours else BillLine.Outcome.TIMING
        return outcome, {"ours": ours.as_json()}
    return _with_fee(line, trial.ref)


def _compare_dispute(line: BillLine) -> Compared:
    dispute = Dispute.objects.filter(reference=line.provider_reference).first()
    if dispute is None and (payment := _payment_of(line)) is not None:
        payments.refresh(payment)
        dispute = Dispute.objects.filter(reference=line.provider_reference).first()
    if dispute is None:
        _post_once(line, "unclaimed", _unclaimed(line))
        return BillLine.Outcome.MISSING_LOCAL, {}
    if dispute.money != Money(abs(line.amount), line.currency):
        return BillLine.Outcome.AMOUNT_DIFFERS, {"ours": dispute.money.as_json()}
    if Transfer.objects.filter(journal__key=f"dispute:{dispute.reference}", code="fee").exists():
        return BillLine.Outcome.MATCHED, {}
    return _with_fee(line, dispute.payment.order.ref)


def _payment_of(line: BillLine) -> Payment | None:
    known = Payment.objects.filter(gateway=line.bill.gateway).select_related("order")
    by_ours = known.filter(reference=line.reference).first() if line.reference else None
    return by_ours or (
        known.filter(provider_reference=line.provider_reference).first() if line.provider_reference else None
    )


def _refund_of(line: BillLine, payment: Payment | None, number: str) -> Refund | None:
    """The refund of that number: of the payment that the line names, since another's may have the same."""
    known = Refund.objects.filter(payment__gateway=line.bill.gateway).select_related("payment")
    if payment is None:
        return known.filter(reference=number).first()
    return known.filter(payment=payment, reference=unwinding.name_of(payment, number)).first()


def _with_fee(line: BillLine, ref: str) -> Compared:
    """The fee is the provider's word: booked once, and a difference when a later bill says another."""
    posted = BillLine.Outcome.POSTED if line.kind == EntryKind.PAYOUT else BillLine.Outcome.MATCHED
    key = f"fee:{_key(line)}"
    said = Transfer.objects.filter(journal__key=key).aggregate(total=Sum("amount"))["total"]
    if said is not None and said != abs(line.fee):
        return BillLine.Outcome.FEE_DIFFERS, {"ours": Money(said, line.currency).as_json()}
    if line.fee and said is None:
        moves = _between(chart.PROVIDER_FEES, chart.provider(line.bill.gateway), line.fee, "fee")
        _post(line, key, "fee", ref or line.bill.ref, moves)
    return posted, {}


def _unclaimed(line: BillLine) -> list[Move]:
    return _between(
        chart.provider(line.bill.gateway), chart.unclaimed(line.bill.gateway), line.amount - line.fee, "unclaimed"
    )


def _between(debit: str, credit: str, amount: int, code: str) -> list[Move]:
    """One move; against its direction for less than nothing, none for nothing."""
    if not amount:
        return []
    return [Move(debit, credit, amount, code) if amount > 0 else Move(credit, debit, -amount, code)]


def _post_once(line: BillLine, kind: str, moves: list[Move]) -> None:
    key = f"{kind}:{_key(line)}"
    if moves and not Journal.objects.filter(key=key).exists():
        _post(line, key, kind, line.bill.ref, moves)


def _post(line: BillLine, key: str, kind: str, ref: str, moves: list[Move]) -> None:
    with transaction.atomic():
        journal.post(key=key, kind=kind, ref=ref, book=Book(line.bill.book), currency=line.currency, moves=moves)


def _key(line: BillLine) -> str:
    """The same for a line in a corrected bill: what it is about, not where it stands."""
    about = (
        line.bill.gateway,
        line.kind,
        line.reference,
        line.refund_reference,
        line.provider_reference,
        line.currency,
    )
    anonymous = "" if any(about[2:5]) else f"{line.bill.day}:{line.number}"
    return hashlib.sha256("\0".join([*about, anonymous]).encode()).hexdigest()[:32]
