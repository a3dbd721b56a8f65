"""Where a provider's own books and the house's ledger part, charge by charge, with all that a person needs to see why."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime

from django.db.models import Q

from paysim.bank import Charge, DisputeStatus, RefundStatus
from paysim.simulator import Simulator
from sishu.commerce import bills, merchants
from sishu.commerce.models import Payment, ReceivedNotice
from sishu.ledger import chart
from sishu.ledger.models import Book, Transfer

# Kind of a journal → what it says of a charge, in the words of `Bank.books`.
SAYS = {
    "sale": "captured", "unapplied": "captured", "refund": "refunded", "refund_paid": "refunded",
    "foreign_refund": "refunded", "dispute": "disputed", "dispute_won": "disputed",
}  # fmt: skip
Sums = dict[str, int]


def differences(sim: Simulator, provider: str) -> list[str]:
    """A paragraph for each charge of which the two say different things, and a line for each move that is of no charge.

    Fees are left out: nobody but the bill tells of them.
    """
    ours, found = _ledger(sim, provider)
    for charge in sim.bank.charges(provider):
        theirs = _books(charge)
        if theirs != ours[charge.reference]:
            found.append("\n  ".join(_paragraph(sim, charge, theirs, ours[charge.reference])))
    return found


def _books(charge: Charge) -> Sums:
    """As `Bank.books`, of one charge."""
    return {
        "captured": charge.captured,
        "refunded": sum(one.amount for one in charge.refunds if one.status == RefundStatus.SUCCEEDED),
        "disputed": sum(one.amount for one in charge.disputes if one.status != DisputeStatus.WON),
    }


def _ledger(sim: Simulator, provider: str) -> tuple[dict[str, Sums], list[str]]:
    """What the provider's account says of each charge, and its moves that are of none."""
    account, owners = chart.provider(provider), _owners(sim, provider)
    sums: dict[str, Sums] = defaultdict(lambda: {"captured": 0, "refunded": 0, "disputed": 0})
    strays: list[str] = []
    moves = Transfer.objects.filter(Q(debit__code=account) | Q(credit__code=account), journal__book=Book.SANDBOX)
    for move in moves.exclude(code="fee").select_related("journal", "debit").order_by("id"):
        what, reference = SAYS.get(move.journal.kind, ""), owners.get(move.journal.key.split(":")[1], "")
        came_in = move.amount if move.debit.code == account else -move.amount
        if what and reference:
            sums[reference][what] += came_in if what == "captured" else -came_in
        else:
            strays.append(f"{move.journal.key} ({move.journal.ref}) moved {came_in}, and is of no charge")
    return sums, strays


def _owners(sim: Simulator, provider: str) -> dict[str, str]:
    """Reference of a charge, a refund or a dispute → the charge's."""
    asked = Payment.objects.filter(gateway=provider, refunds__isnull=False)
    owners: dict[str, str] = dict(asked.values_list("refunds__reference", "reference"))
    for charge in sim.bank.charges(provider):
        names = [charge.reference, *(one.reference for one in charge.refunds)]
        # Stripe calls what is begun at its dashboard by numbers of its own.
        names += [f"re_{one.provider_reference}" for one in charge.refunds]
        names += [f"du_{one.provider_reference}" for one in charge.disputes]
        owners |= dict.fromkeys(names, charge.reference)
    return owners


def _paragraph(sim: Simulator, charge: Charge, theirs: Sums, ours: Sums) -> list[str]:
    """What both sides know of a charge, and by which ways the house could have heard of it."""
    lines = [f"{charge.provider} {charge.reference} of {charge.amount}: provider {theirs}, ledger {ours}"]
    lines.append(f"provider: {charge.status}, begun {_at(charge.created_at)}, expires {_at(charge.expires_at)}")
    lines += [f"provider captured {one.amount} {one.currency} at {_at(one.at)}" for one in charge.captures]
    lines += [
        f"provider's refund {one.reference} of {one.amount}: {one.status}, asked {_at(one.at)}, ended "
        f"{_at(one.settled_at)}{', at its console' if one.is_external else ''}"
        for one in charge.refunds
    ]
    payment = Payment.objects.filter(reference=charge.reference).select_related("order").first()
    if payment is None:
        return [*lines, "house: knows no such payment"]
    order = payment.order
    lines.append(
        f"house: payment {payment.status}{', settled the order' if payment.is_applied else ''}, captured "
        f"{payment.captured_amount} at {_at(payment.captured_at)}; asked {payment.poll_count} times, again "
        f"{_at(payment.next_poll_at)}; order {order.number} {order.status}, expires {_at(order.expires_at)}"
    )
    lines += [
        f"house's refund {one.reference} of {one.amount} ({one.part}): {one.status}, tried {one.try_count} times, again "
        f"{_at(one.next_try_at)}"
        for one in payment.refunds.order_by("id")
    ]
    return [*lines, *_notices(sim, charge), *_bills(charge)]


def _notices(sim: Simulator, charge: Charge) -> list[str]:
    sent = [one for one in sim.notifier.deliveries if one.reference == charge.reference]
    heard = ReceivedNotice.objects.filter(reference=charge.reference).order_by("id")
    return [
        *(f"notice sent: answered {one.answers}, {'done' if one.is_done else f'due {_at(one.due_at)}'}" for one in sent),
        *(f"notice {one} received {_at(one.received_at)}, {one.count} times, applied {_at(one.applied_at)}" for one in heard),
    ]  # fmt: skip


def _bills(charge: Charge) -> list[str]:
    """The lines about a charge, and which of its days' bills was compared when."""
    zone = merchants.gateway(charge.provider).zone
    moments = [one.at for one in charge.captures] + [one.at for one in charge.refunds]
    lines = []
    for day in sorted({moment.astimezone(zone).date() for moment in moments}):
        bill = bills.find(charge.provider, day)
        lines.append(f"bill of {day}: {f'compared {_at(bill.reconciled_at)}' if bill else 'was never fetched'}")
    told = bills.lines(charge.provider).filter(reference=charge.reference).select_related("bill").order_by("id")
    return lines + [
        f"bill of {one.bill.day}, line {one.number}: {one.kind} {one.amount} {one.refund_reference} {one.outcome}"
        for one in told
    ]


def _at(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if moment else "never"
