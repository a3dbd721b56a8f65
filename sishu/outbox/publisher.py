"""Publishing a fact: one INSERT beside the rows that make it true."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from django.db import transaction

from sishu.core import clock, rows
from sishu.outbox.models import Fact


def publish(fact: object) -> Fact:
    """Write `fact` down in the caller's transaction; reactions follow after it commits.

    `fact` is a frozen dataclass of ints, strs and bools, named in the past tense: `OrderPaid(order_id=1, user_id=2)`.
    Raises TransactionManagementError outside a transaction, TypeError for anything that is not such a dataclass.
    """
    name = type(fact).__name__
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError(
            f"{name} was published outside a transaction; open transaction.atomic() around it and what makes it true."
        )
    now = clock.now()
    return rows.insert(Fact(name=name, body=body_of(fact), created_at=now, next_attempt_at=now))


def body_of(fact: object) -> dict[str, Any]:
    """The fields of a fact as JSON keeps them."""
    name = type(fact).__name__
    if not is_dataclass(fact) or isinstance(fact, type) or not fact.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise TypeError(f"{name} is not an instance of a frozen dataclass; facts are.")
    body = {field.name: getattr(fact, field.name) for field in fields(fact)}
    for key, value in body.items():
        if not isinstance(value, int | str):  # bool is an int
            raise TypeError(f"{name}.{key} is {type(value).__name__}; facts carry ints, strs and bools only.")
    return body
