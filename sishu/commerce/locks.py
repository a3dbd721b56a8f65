"""What is locked together, and in which order, so that no two transactions wait for each other."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from sishu.commerce.models import Payment
from sishu.core.errors import Missing


def lock_payment(**by: Any) -> Payment:
    """The payment named by a unique field, with its `order`, both locked until the transaction ends. Raises Missing.

    One statement, so that everybody takes the two in the same order; who holds an order alone asks for no payment.
    Refunds are locked after both.
    """
    try:
        return Payment.objects.select_related("order").select_for_update().get(**by)
    except Payment.DoesNotExist:
        raise Missing(_("There is no such payment.")) from None
