"""After something happened to a creator's money."""

from __future__ import annotations

from sishu.payouts import notices
from sishu.payouts.facts import PayeeChanged, PayoutPaid, PayoutReleased, PayoutRequested


def tell_payee_changed(fact: PayeeChanged) -> None:
    notices.send_payee_changed.enqueue(fact.user_id)


def tell_payout_requested(fact: PayoutRequested) -> None:
    notices.send_payout_requested.enqueue(fact.payout_id)


def tell_payout_paid(fact: PayoutPaid) -> None:
    notices.send_payout_paid.enqueue(fact.payout_id)


def tell_payout_released(fact: PayoutReleased) -> None:
    notices.send_payout_released.enqueue(fact.payout_id)
