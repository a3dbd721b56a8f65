"""After a sale, and after its end."""

from __future__ import annotations

from django_tasks import task

from sishu.commerce import receipts
from sishu.commerce.facts import OrderPaid, OrderRefunded
from sishu.core import plugins


def send_receipt(fact: OrderPaid) -> None:
    receipts.send_receipt.enqueue(fact.order_id)


def send_refund_notice(fact: OrderRefunded) -> None:
    receipts.send_refund_notice.enqueue(fact.refund_id)


@task(max_attempts=1)
def send_sandbox_notices() -> int:
    """Play the provider: deliver the sandbox's due notices to our own webhook, over HTTP as a provider would."""
    if "sandbox" not in plugins.names("gateways"):
        return 0
    return plugins.load("gateways", "sandbox").send_notices()
