"""What refunds are called. Ours have numbers of their own; a provider's may be unique within one payment only (Alipay's are)."""

from __future__ import annotations

from typing import Any

from django.db.models import Case, Q, QuerySet, Value, When
from django.db.models.functions import Concat, Right

from sishu.commerce.models import Refund

# How many of a number's last characters stand behind its payment's: with more, what is booked of it would find no room.
TAIL = 30


def within(payment_reference: str, number: str) -> str:
    """A number together with its payment's; that is no other refund's."""
    own = f"{payment_reference}_"
    return number if number.startswith(own) else own + number[-TAIL:]


def name_in_line() -> Concat:
    """`within`, of a bill's line, for the database."""
    return Concat("reference", Value("_"), Right("refund_reference", TAIL))


def named(refunds: QuerySet[Refund]) -> QuerySet[Any]:
    """Refunds with their `name`, as `within` has it."""
    own = Concat("payment__reference", Value("_"))
    name = Case(When(Q(reference__startswith=own), then="reference"), default=Concat(own, Right("reference", TAIL)))
    return refunds.annotate(name=name)
