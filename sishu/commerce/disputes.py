"""A buyer's objection to a charge: the provider takes the money away, and gives it back or not."""

from __future__ import annotations

from collections.abc import Iterable

from sishu.commerce import splits, unwinding
from sishu.commerce.models import Dispute, Order, Payment
from sishu.core import clock
from sishu.gateways.base import DisputeOutcome, DisputeSnapshot
from sishu.ledger import chart, journal
from sishu.ledger.models import Book
from sishu.moderation import cases


def apply(order: Order, payment: Payment, snapshots: Iterable[DisputeSnapshot]) -> None:
    """Bring a payment's disputes to what the provider says. The caller holds the locks of order and payment."""
    for snapshot in snapshots:
        dispute = Dispute.objects.select_for_update().filter(reference=snapshot.reference).first()
        if dispute is None:
            dispute = begin(payment, snapshot)
        if snapshot.outcome == DisputeOutcome.WON and dispute.status != Dispute.Status.WON:
            win(order, payment, dispute)
        elif snapshot.outcome == DisputeOutcome.LOST and dispute.status == Dispute.Status.OPEN:
            lose(order, payment, dispute)


def begin(payment: Payment, snapshot: DisputeSnapshot) -> Dispute:
    """The money is away. What it bought stays open until somebody has decided; a person must answer in time."""
    money, fee = snapshot.disputed, snapshot.fee.amount if snapshot.fee else 0
    dispute = Dispute.objects.create(
        payment=payment, reference=snapshot.reference, amount=money.amount, currency=money.currency
    )
    journal.post(
        key=f"dispute:{snapshot.reference}", kind="dispute", ref=payment.order.ref, book=Book(payment.book),
        currency=money.currency, moves=splits.of_dispute(payment.gateway, money.amount, fee),
    )  # fmt: skip
    cases.open(ref=dispute.ref, kind="dispute", code="dispute_open", data=payment.told(money))
    return dispute


def win(order: Order, payment: Payment, dispute: Dispute) -> None:
    """The money is back, also to everyone whose part was taken for it; what it was charged for is not."""
    if dispute.status == Dispute.Status.LOST:
        unwinding.undo_charge_back(order, payment, dispute)
    dispute.move_to(Dispute.Status.WON, decided_at=clock.now())
    back = journal.Move(chart.provider(payment.gateway), chart.disputed(payment.gateway), dispute.amount, "dispute")
    journal.post(
        key=f"dispute_won:{dispute.reference}", kind="dispute_won", ref=payment.order.ref, book=Book(payment.book),
        currency=dispute.currency, moves=[back],
    )  # fmt: skip


def lose(order: Order, payment: Payment, dispute: Dispute) -> None:
    """The buyer keeps the money: everyone gives back their part as for a refund, and what it bought closes."""
    dispute.move_to(Dispute.Status.LOST, decided_at=clock.now())
    if not unwinding.charge_back(order, payment, dispute):
        cases.open(ref=dispute.ref, kind="dispute", code="dispute_odd", data=payment.told(dispute.money))
