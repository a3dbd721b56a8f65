"""What the shop does by the clock."""

from __future__ import annotations

from django_tasks import task

from sishu.commerce import orders, payments, refunds


@task(max_attempts=1)
def poll_payments() -> int:
    """Ask providers about payments whose notice is overdue. Not tried again: it comes back in seconds."""
    return payments.poll_due()


@task(max_attempts=1)
def retry_refunds() -> int:
    """Ask providers again about refunds they have not confirmed."""
    return refunds.retry_due()


@task(max_attempts=1)
def expire_orders() -> int:
    """End orders whose time is up."""
    return orders.expire_due()


@task()
def give_back_unapplied(payment_id: int) -> None:
    """Send back money that bought nothing, by the way it came. The case about it closes once it went."""
    refunds.give_back_unapplied(payment_id)
