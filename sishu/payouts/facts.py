"""What happened to creators' money, for whoever cares."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PayeeChanged:
    """A person named another account to be paid to, or their first."""

    user_id: int


@dataclass(frozen=True, slots=True)
class PayoutRequested:
    """Money of a creator was set on its way; nobody has agreed yet."""

    payout_id: int


@dataclass(frozen=True, slots=True)
class PayoutPaid:
    """A person of the house transferred the money, and wrote down the bank's reference."""

    payout_id: int


@dataclass(frozen=True, slots=True)
class PayoutReleased:
    """A payout was rejected, or did not arrive: the money can be paid out again."""

    payout_id: int
