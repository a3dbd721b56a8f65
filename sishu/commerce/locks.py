"""What is locked together, and in which order, so that no two transactions wait for each other."""

from __future__ import annotations

from django.db import connection
from django.utils.translation import gettext as _

from sishu.commerce.models import Order, Payment
from sishu.core import rows
from sishu.core.errors import Missing


def lock_order(order_id: int) -> Order | None:
    """The order, locked until the transaction ends."""
    return rows.find(Order, f"id = %s {rows.for_update()}", [order_id])


def lock_payment(**by: int | str) -> Payment:
    """The payment with these values, one of a unique field, with its `order`, both locked until the transaction ends.

    One statement, so that everybody takes the two in the same order; who holds an order alone asks for no payment.
    Refunds are locked after both. Raises Missing.
    """
    payments, orders = rows.columns(Payment, "payment"), rows.columns(Order, "ordered")
    condition = " AND ".join(f"payment.{name} = %s" for name in by)
    with connection.cursor() as cursor:
        # By hand: through the ORM its building took a tenth of a purchase's time (bench/orders.py).
        cursor.execute(
            f"SELECT {payments}, {orders} FROM commerce_payment payment"  # noqa: S608  our names
            f" JOIN commerce_order ordered ON ordered.id = payment.order_id WHERE {condition} {rows.for_update()}",
            list(by.values()),
        )
        values = cursor.fetchone()
    if values is None:
        raise Missing(_("There is no such payment."))
    width = len(Payment._meta.concrete_fields)
    payment = rows.make(Payment, values[:width])
    payment.order = rows.make(Order, values[width:])
    return payment
