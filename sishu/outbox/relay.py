"""The state of delivery: which facts are due, which reactions are open, done or failing.

The worker in `reactions` walks through it; this module knows rows, not reactions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from django.db import connection
from django.db.models import F, QuerySet

from sishu.core import clock
from sishu.core.database import delete_in_steps
from sishu.outbox.models import Delivery, Fact

MAX_PAUSE = timedelta(hours=1)
# From then on the delivery counts as failing; it is still tried every hour, and never dropped.
MANY_ATTEMPTS = 20


def due(limit: int) -> list[Fact]:
    """Facts with something to do now, the longest waiting first."""
    waiting = Fact.objects.filter(delivered_at=None, next_attempt_at__lte=clock.now())
    return list(waiting.order_by("next_attempt_at", "pk")[:limit])


def fan_out(reactions: Mapping[int, Sequence[str]]) -> dict[tuple[int, str], Delivery]:
    """The deliveries of facts (fact id → reaction names) by (fact id, reaction), made where they are missing."""
    wanted = {(fact_id, name) for fact_id, names in reactions.items() for name in names}
    found = _deliveries(reactions)
    if missing := wanted - found.keys():
        rows = [Delivery(fact_id=fact_id, reaction=name) for fact_id, name in sorted(missing)]
        # Another worker may fan the same fact out at this moment; the unique constraint keeps one row of each.
        Delivery.objects.bulk_create(rows, ignore_conflicts=True)
        found = _deliveries(reactions)
    return found


def _deliveries(fact_ids: Iterable[int]) -> dict[tuple[int, str], Delivery]:
    rows = Delivery.objects.filter(fact_id__in=list(fact_ids))
    return {(row.fact_id, row.reaction): row for row in rows}


def lock(delivery: Delivery) -> bool:
    """Lock an open delivery until the caller's transaction ends. False when it is done, or another worker has it."""
    # SQLite knows no row locks and needs none: its transactions begin IMMEDIATE and run one after another.
    skip = connection.features.has_select_for_update_skip_locked
    rows = Delivery.objects.select_for_update(skip_locked=skip)
    return rows.filter(pk=delivery.pk, done_at=None, attempts=delivery.attempts).first() is not None


def mark_done(delivery: Delivery) -> None:
    """Call inside the transaction of the reaction's effect."""
    Delivery.objects.filter(pk=delivery.pk).update(done_at=clock.now(), attempts=F("attempts") + 1, last_error="")


def mark_failed(delivery: Delivery, error: str) -> timedelta:
    """Note a failed attempt, after its effect was rolled back. Returns the pause: 1 s, 2 s, 4 s … 1 h."""
    pause = min(timedelta(seconds=2 ** min(delivery.attempts, 12)), MAX_PAUSE)
    Delivery.objects.filter(pk=delivery.pk, done_at=None).update(
        attempts=F("attempts") + 1, next_attempt_at=clock.now() + pause, last_error=error[-4000:]
    )
    return pause


def settle(reactions: Mapping[int, Sequence[str]]) -> None:
    """Close the facts (id → reaction names) whose reactions are all done; let the others wait for their next attempt."""
    open_ones: dict[int, list[Delivery]] = {fact_id: [] for fact_id in reactions}
    for delivery in Delivery.objects.filter(fact_id__in=list(reactions), done_at=None):
        if delivery.reaction in reactions[delivery.fact_id]:  # else the reaction was removed from the table
            open_ones[delivery.fact_id].append(delivery)
    told = [fact_id for fact_id, rows in open_ones.items() if not rows]
    Fact.objects.filter(pk__in=told, delivered_at=None).update(delivered_at=clock.now())
    for fact_id, rows in open_ones.items():
        if rows:
            next_attempt_at = min(row.next_attempt_at for row in rows)
            Fact.objects.filter(pk=fact_id, delivered_at=None).update(next_attempt_at=next_attempt_at)


def postpone(fact: Fact, pause: timedelta = MAX_PAUSE) -> None:
    """Leave a fact alone for a while."""
    Fact.objects.filter(pk=fact.pk, delivered_at=None).update(next_attempt_at=clock.now() + pause)


def failing() -> QuerySet[Delivery]:
    """Deliveries that failed so often that a person should look."""
    return Delivery.objects.filter(done_at=None, attempts__gte=MANY_ATTEMPTS)


def prune(days: int = 180) -> int:
    """Forget facts that were delivered more than `days` ago, with their deliveries. Returns how many facts went."""
    return delete_in_steps(Fact.objects.filter(delivered_at__lt=clock.now() - timedelta(days=days)))
