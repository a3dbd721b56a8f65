"""What becomes of books and access when money goes back: the provider's truth about refunds, applied."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from sishu.commerce import fulfil, refund_names, splits
from sishu.commerce.facts import OrderRefunded
from sishu.commerce.models import Dispute, Order, OrderLine, Payment, Refund, RefundLine
from sishu.core import clock
from sishu.core.money import Money
from sishu.gateways.base import RefundOutcome, RefundSnapshot
from sishu.ledger import chart, journal
from sishu.ledger.journal import Move
from sishu.ledger.models import Book, Journal, Transfer
from sishu.ledger.selectors import balance
from sishu.moderation import cases
from sishu.moderation.models import Decision
from sishu.outbox import publisher

UNDER_WAY = (Refund.Status.REQUESTED, Refund.Status.PROCESSING)
# What a provider says → the statuses in which that is believed. "Failed" may be late news about what then went.
FAILS = {RefundOutcome.FAILED: UNDER_WAY, RefundOutcome.RETURNED: (*UNDER_WAY, Refund.Status.SUCCEEDED)}


def apply(order: Order, payment: Payment, snapshots: Iterable[RefundSnapshot]) -> None:
    """Bring a payment's refunds to what the provider says. The caller holds the locks of order and payment."""
    for told in snapshots:
        snapshot = replace(told, reference=name_of(payment, told.reference))
        refund = Refund.objects.select_for_update().filter(reference=snapshot.reference, payment=payment).first()
        if refund is not None and _is_known(refund, snapshot):
            continue
        if snapshot.outcome == RefundOutcome.SUCCEEDED:
            if refund is None:
                recognise(order, payment, snapshot)
            elif refund.status != Refund.Status.SUCCEEDED:
                settle(order, payment, refund)
        elif refund is None and snapshot.outcome == RefundOutcome.RETURNED:
            _take_back_apart(snapshot.reference)
        elif refund is None:
            continue  # not ours, and nothing has moved yet
        elif snapshot.outcome == RefundOutcome.PENDING and refund.status == Refund.Status.REQUESTED:
            accept(order, payment, refund)
        elif refund.status in FAILS.get(snapshot.outcome, ()):
            fail(order, payment, refund)


def name_of(payment: Payment, number: str) -> str:
    """What a payment's refund is called here: as the provider calls it, unless one of another payment is called so."""
    owner = Refund.objects.filter(reference=number).values_list("payment_id", flat=True).first()
    if owner == payment.pk:
        return number
    apart = Transfer.objects.filter(journal__key=_apart_key(number)).exclude(
        debit__code=chart.suspense(payment.reference)
    )
    return refund_names.within(payment.reference, number) if owner is not None or apart.exists() else number


def _is_known(refund: Refund, snapshot: RefundSnapshot) -> bool:
    """Whether the provider speaks of an attempt that it gave up, late or once more."""
    return snapshot.attempt is not None and snapshot.attempt < refund.failure_count


def accept(order: Order, payment: Payment, refund: Refund) -> None:
    """The provider took it on: the money is out of everyone's part and on its way, and what it bought closes."""
    refund.move_to(Refund.Status.PROCESSING)
    take_out(payment, refund, chart.refund_in_transit(payment.reference))
    close_access(order, refund)


def settle(order: Order, payment: Payment, refund: Refund) -> None:
    """What must be true together once money went back: books, access, and the fact that tells. The caller holds the locks."""
    before = refund.status
    if before in (Refund.Status.FAILED, Refund.Status.REJECTED) and not reserve(refund):
        # It had been given up, and its money was given back by another: a person must look.
        set_apart(order, payment, RefundSnapshot(refund.reference, RefundOutcome.SUCCEEDED, refund.money))
        return
    refund.move_to(Refund.Status.SUCCEEDED, settled_at=clock.now(), next_try_at=None, open_key=None)
    if (proposal := cases.find_open(ref=refund.ref, kind="refund_proposed")) is not None:
        cases.decide(proposal, Decision.Outcome.SETTLED, reason=_("The provider gave it back after all."))
    account = _left(payment, refund)
    if before == Refund.Status.PROCESSING:
        transit = Move(chart.refund_in_transit(payment.reference), account, refund.amount, "refund")
        _post(payment, refund, _key("refund_paid", refund), "refund_paid", [transit])
    else:
        take_out(payment, refund, account)
        close_access(order, refund)
    publisher.publish(OrderRefunded(order_id=order.pk, user_id=order.user_id, refund_id=refund.pk))
    charge_back_lost(order, payment)


def fail(order: Order, payment: Payment, refund: Refund) -> None:
    """The provider gave it up, or the money came back: everything is as before, and a person is asked."""
    before = refund.status
    refund.move_to(
        Refund.Status.FAILED, next_try_at=None, open_key=None, settled_at=None, failure_count=refund.failure_count + 1
    )
    release(refund)
    if before != Refund.Status.REQUESTED:
        _undo(order, payment, refund)
    cases.open(ref=refund.ref, kind="refund_failed", code="refund_refused", data=payment.told(refund.money))
    charge_back_lost(order, payment)


def recognise(order: Order, payment: Payment, snapshot: RefundSnapshot) -> None:
    """Money went back at the provider, not from here. The caller holds the locks.

    Exactly what bought nothing gives that back; otherwise, when nothing else is held, it is of the sale. Whatever fits
    neither leaves the provider's account for one of its own, until it fits when it is heard of again, or a person says
    what it was for.
    """
    is_judged = is_apart(snapshot.reference) and cases.find_open(ref=payment.ref, kind="foreign_refund") is None
    refund = None if is_judged else _matching(order, payment, snapshot)
    if refund is None:
        set_apart(order, payment, snapshot)
        return
    settle(order, payment, refund)
    if refund.part == Refund.Part.SALE and not _is_whole(order):
        data = {**payment.told(snapshot.refunded), "refund": snapshot.reference}
        cases.open(ref=payment.ref, kind="foreign_refund", code="foreign_part", data=data)


def set_apart(order: Order, payment: Payment, snapshot: RefundSnapshot) -> None:
    """Book money that went back for what is not known, once, and open a case."""
    if is_apart(snapshot.reference):
        return
    journal.post(
        key=_apart_key(snapshot.reference), kind="foreign_refund", ref=order.ref, book=Book(payment.book), currency=snapshot.refunded.currency,
        moves=splits.of_foreign_refund(payment.gateway, payment.reference, snapshot.refunded.amount),
    )  # fmt: skip
    data = {**payment.told(snapshot.refunded), "refund": snapshot.reference}
    cases.open(ref=payment.ref, kind="foreign_refund", code="foreign_refund", data=data)


def apart(gateway_name: str, currency: str) -> dict[str, int]:
    """Name (`refund_names.within`) → minor units of all refunds that were booked before it was known what for."""
    moves = Transfer.objects.filter(journal__kind="foreign_refund", credit__code=chart.provider(gateway_name))
    rows = moves.filter(currency=currency, journal__reversal=None).values_list("debit__code", "journal__key", "amount")
    return {
        refund_names.within(code.removeprefix(chart.suspense("")), key.removeprefix(_apart_key(""))): amount
        for code, key, amount in rows
    }


def is_apart(reference: str) -> bool:
    """Whether a refund was booked before it was known what for."""
    return Journal.objects.filter(key=_apart_key(reference)).exists()


def held_unapplied(payment: Payment) -> Money:
    """What of a payment bought nothing and is still here, by the books."""
    currency = payment.captured.currency
    held = balance(chart.unapplied(payment.reference), book=Book(payment.book), currency=currency)
    return Money(held, currency)


def take_out(payment: Payment, refund: Refund, account: str) -> None:
    """Book a refund out of where its money stood, to `account`."""
    if refund.part == Refund.Part.UNAPPLIED:
        moves = [Move(chart.unapplied(payment.reference), account, refund.amount, "refund")]
    else:
        parts = [part for line in refund.lines.select_related("line") for part in _freeze_parts(line)]
        moves = splits.of_refund(parts, account, is_matured=_is_matured(payment))
    _post(payment, refund, _key("refund", refund), "refund", moves)


def reserve(refund: Refund) -> bool:
    """Speak for what a refund of a sale gives back. False when a line does not hold that much any more."""
    for part in refund.lines.order_by("line_id"):
        holds = OrderLine.objects.filter(pk=part.line_id, refunded_amount__lte=F("amount") - part.amount)
        if not holds.update(refunded_amount=F("refunded_amount") + part.amount):
            return False
    return True


def release(refund: Refund) -> None:
    """It does not go back: others may give it back."""
    for part in refund.lines.order_by("line_id"):
        OrderLine.objects.filter(pk=part.line_id).update(refunded_amount=F("refunded_amount") - part.amount)


def close_access(order: Order, refund: Refund) -> None:
    """Close what went back whole, and what the refund says; the order ends when nothing of it is left."""
    if refund.part == Refund.Part.UNAPPLIED:
        return
    fulfil.revoke(order, _touched(order, refund))
    if order.status == Order.Status.PAID and _is_whole(order):
        order.move_to(Order.Status.REFUNDED)


def reopen_access(order: Order, refund: Refund) -> None:
    """The money stayed: what was closed for it is open again."""
    if refund.part == Refund.Part.UNAPPLIED:
        return
    if order.status == Order.Status.REFUNDED:
        order.move_to(Order.Status.PAID)
    touched = set(refund.lines.values_list("line_id", flat=True))
    others = RefundLine.objects.filter(line__in=touched).exclude(refund=refund)
    closing = others.filter(refund__status__in=[*Refund.OPEN, Refund.Status.SUCCEEDED], refund__closes_access=True)
    stay_closed = set(closing.values_list("line_id", flat=True))
    fulfil.restore(order, [line for line in fulfil.sold_lines(order) if line.id in touched - stay_closed])


def _is_matured(payment: Payment) -> bool:
    """Whether creators' parts of a sale became payable."""
    return Journal.objects.filter(key=f"maturity:{payment.reference}").exists()


def _mature_again(payment: Payment, taken: Journal) -> None:
    """What a refund had taken of pending earnings is back among them; if the rest became payable meanwhile, so does it."""
    moves = [
        Move(move.debit.code, chart.creator_available(payee), move.amount, "maturity")
        for move in taken.transfers.filter(code="creator").select_related("debit").order_by("line")
        for payee, pot in [chart.creator_of(move.debit.code)]
        if pot == "pending"
    ]
    if moves and _is_matured(payment):
        journal.post(
            key=f"maturity:{payment.reference}:{taken.pk}", kind="maturity", ref=taken.ref, book=Book(taken.book),
            currency=payment.order.currency, moves=moves,
        )  # fmt: skip


def _left(payment: Payment, refund: Refund) -> str:
    """The account that a refund's money leaves: the provider's, unless it left that one when it was set apart."""
    return chart.suspense(payment.reference) if is_apart(refund.reference) else chart.provider(payment.gateway)


def _take_back_apart(reference: str) -> None:
    """What went for nobody knew what is back."""
    for went in Journal.objects.filter(key=_apart_key(reference), reversal=None):
        journal.reverse(went, key=f"refund_failed:{reference}:{went.pk}", kind="refund_failed")


def _apart_key(reference: str) -> str:
    return f"foreign_refund:{reference}"


def _touched(order: Order, refund: Refund) -> list[fulfil.SoldLine]:
    """The lines that a refund closes."""
    touched = set(refund.lines.values_list("line_id", flat=True))
    whole = set(order.lines.filter(refunded_amount=F("amount")).values_list("pk", flat=True))
    return [
        line for line in fulfil.sold_lines(order) if line.id in touched and (refund.closes_access or line.id in whole)
    ]


def _is_whole(order: Order) -> bool:
    return not order.lines.exclude(refunded_amount=F("amount")).exists()


def _freeze_parts(line: RefundLine) -> list[tuple[int | None, int]]:
    """Who gives back how much of a line; written down, so that the next refund starts from what is left."""
    sold = line.line
    taken = RefundLine.objects.filter(line=sold).exclude(pk=line.pk).values_list("parts", flat=True)
    legs = splits.remaining(splits.of_line(sold.amount, sold.split), taken)
    parts = splits.unwind(line.amount, legs)
    RefundLine.objects.filter(pk=line.pk).update(parts=[list(part) for part in parts])
    return parts


def _matching(order: Order, payment: Payment, snapshot: RefundSnapshot) -> Refund | None:
    """The refund that money given back at the provider was: one of ours that had failed, or a new one. None for neither."""
    if payment.refunds.filter(status__in=Refund.OPEN).exists():
        return None  # the provider may be telling of both
    money, unapplied = snapshot.refunded, held_unapplied(payment)
    lines = _shares_of_lines(order, money) if payment.is_applied and money.currency == order.currency else []
    part = Refund.Part.UNAPPLIED if unapplied == money else Refund.Part.SALE if lines and not unapplied else None
    if part is None:
        return None
    given_up = payment.refunds.filter(status=Refund.Status.FAILED, part=part, amount=money.amount).first()
    if given_up is not None:
        # Another of the provider's: nothing was ever said of it, so nothing said of it is old news.
        given_up.reference, given_up.failure_count = snapshot.reference, 0
        given_up.save(update_fields=["reference", "failure_count"])
        return given_up
    return _write_down(payment, part, snapshot.reference, money, lines if part == Refund.Part.SALE else [])


def _shares_of_lines(order: Order, money: Money) -> list[tuple[int, int]]:
    """(line id, minor units) of a sum that goes back without saying of what; empty when the lines hold less."""
    lines = list(order.lines.order_by("pk"))
    held = [line.refundable_amount for line in lines]
    if not 0 < money.amount <= sum(held):
        return []
    parts = splits.allocate(money.amount, held)
    return [(line.pk, part) for line, part in zip(lines, parts, strict=True) if part]


def charge_back(order: Order, payment: Payment, dispute: Dispute) -> bool:
    """A buyer's objection was upheld: their money, which is away already, comes out of everyone's part, and a case tells.

    False when the sale holds less than that (it was given back meanwhile) or a refund is under way, which may give it
    back: the money stays on the account of disputes.
    """
    money = dispute.money
    lines = _shares_of_lines(order, money) if payment.is_applied and money.currency == order.currency else []
    if not lines or payment.refunds.filter(status__in=Refund.OPEN).exists():
        return False
    refund = _write_down(payment, Refund.Part.SALE, dispute.reference, money, lines, closes_access=True)
    refund.move_to(Refund.Status.SUCCEEDED, settled_at=clock.now(), next_try_at=None, open_key=None)
    take_out(payment, refund, chart.disputed(payment.gateway))
    close_access(order, refund)
    cases.open(ref=dispute.ref, kind="dispute", code="dispute_lost", data=payment.told(money))
    return True


def charge_back_lost(order: Order, payment: Payment) -> None:
    """A refund has ended: what was lost while it held the money is charged back now. The caller holds the locks."""
    charged_back = payment.refunds.values("reference")
    for dispute in payment.disputes.filter(status=Dispute.Status.LOST).exclude(reference__in=charged_back):
        charge_back(order, payment, dispute)


def undo_charge_back(order: Order, payment: Payment, dispute: Dispute) -> None:
    """An objection that was upheld is rejected after all: everything is as before, and a case tells.

    What it had taken counts as rejected and not as failed, which people may try anew: nobody here asked for it.
    """
    refund = payment.refunds.filter(reference=dispute.reference, status=Refund.Status.SUCCEEDED).first()
    if refund is not None:
        refund.move_to(Refund.Status.REJECTED, settled_at=None)
        release(refund)
        _undo(order, payment, refund)
    cases.open(ref=dispute.ref, kind="dispute", code="dispute_appealed", data=payment.told(dispute.money))


def _write_down(
    payment: Payment, part: str, reference: str, money: Money, lines: Iterable[tuple[int, int]],
    *, closes_access: bool = False,
) -> Refund:  # fmt: skip
    """A refund that nobody here asked for. A part of a sale that went back at the console leaves open what it bought."""
    refund = Refund.objects.create(
        payment=payment, part=part, reference=reference, amount=money.amount, currency=money.currency,
        status=Refund.Status.REQUESTED, open_key=open_key(payment, part), closes_access=closes_access,
    )  # fmt: skip
    RefundLine.objects.bulk_create(RefundLine(refund=refund, line_id=pk, amount=amount) for pk, amount in lines)
    reserve(refund)
    return refund


def open_key(payment: Payment, part: str) -> str:
    """The key that two people share who give back the same money."""
    return f"{payment.pk}:{part}"


def _undo(order: Order, payment: Payment, refund: Refund) -> None:
    """Bring back what a refund took: books and access."""
    for taken in _booked("refund_paid", refund, reversal=None) | _booked("refund", refund, reversal=None):
        journal.reverse(taken, key=f"refund_failed:{refund.reference}:{taken.pk}", kind="refund_failed")
        _mature_again(payment, taken)
    _take_back_apart(refund.reference)
    refund.lines.update(parts=[])
    reopen_access(order, refund)


def _booked(kind: str, refund: Refund, **by: Any) -> QuerySet[Journal]:
    """What was booked of a refund, also of attempts before, latest first."""
    key = f"{kind}:{refund.reference}"  # and not those of a number that only begins like it
    return Journal.objects.filter(Q(key=key) | Q(key__startswith=f"{key}:"), **by).order_by("-id")


def _key(kind: str, refund: Refund) -> str:
    """A key for what is booked of a refund now."""
    again = _booked(kind, refund).count()
    return f"{kind}:{refund.reference}" + (f":{again}" if again else "")


def _post(payment: Payment, refund: Refund, key: str, kind: str, moves: list[Move]) -> None:
    actor = refund.requested_by.username if refund.requested_by else ""
    journal.post(
        key=key, kind=kind, ref=payment.order.ref, book=Book(payment.book), currency=refund.currency, moves=moves,
        actor=actor,
    )  # fmt: skip
