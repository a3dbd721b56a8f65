"""What the shop does by the clock."""

from __future__ import annotations

from datetime import timedelta

from django_tasks import task

from sishu.commerce import maturity, merchant_keys, merchants, notices, orders, payments, reconcile, refunds, trials


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


@task(max_attempts=3)
def prune_notices() -> int:
    """Forget what providers wrote long ago."""
    return notices.prune()


@task(max_attempts=3)
def compare_bills() -> None:
    """Compare the last two whole days with each provider's bills: what could not be seen yesterday may be seen today."""
    for name in merchants.usable():
        last = reconcile.yesterday(name)
        for day in (last - timedelta(days=1), last):
            reconcile.reconcile(name, day)


@task(max_attempts=1)
def mature_earnings() -> int:
    """Make payable what buyers can take back no more."""
    return maturity.mature_due()


@task(max_attempts=1)
def follow_trials() -> int:
    """Ask about trial purchases, and give back what was paid."""
    return trials.follow_due()


@task(max_attempts=3)
def forget_replaced_keys() -> int:
    """Delete merchant keys whose notices are believed no more."""
    return merchant_keys.forget_replaced()
