"""What happened in the shop, for whoever cares."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OrderPaid:
    """An order was settled: paid for, or free."""

    order_id: int
    user_id: int


@dataclass(frozen=True, slots=True)
class OrderRefunded:
    """An order's money went back and what it opened is closed."""

    order_id: int
    user_id: int
    refund_id: int


@dataclass(frozen=True, slots=True)
class MoneySetApart:
    """Money arrived that bought nothing; it stands apart until a person decides, or goes back by itself."""

    payment_id: int
