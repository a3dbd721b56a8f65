"""After a sale, and after its end."""

from __future__ import annotations

from django.conf import settings
from django_tasks import task

from sishu.commerce import merchants, receipts, upkeep
from sishu.commerce.facts import MoneySetApart, OrderPaid, OrderRefunded
from sishu.gateways.sandbox import SandboxGateway


def send_receipt(fact: OrderPaid) -> None:
    receipts.send_receipt.enqueue(fact.order_id)


def send_refund_notice(fact: OrderRefunded) -> None:
    receipts.send_refund_notice.enqueue(fact.refund_id)


def give_back(fact: MoneySetApart) -> None:
    if settings.AUTO_REFUND:
        upkeep.give_back_unapplied.enqueue(fact.payment_id)


@task(max_attempts=1)
def send_sandbox_notices() -> int:
    """Play the provider: deliver the sandbox's due notices to our own webhook, over HTTP as a provider would."""
    gateway = merchants.gateway("sandbox") if "sandbox" in merchants.usable() else None
    return gateway.send_notices() if isinstance(gateway, SandboxGateway) else 0
