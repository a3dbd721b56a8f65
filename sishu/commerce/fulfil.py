"""What a sale of each kind gives."""

from __future__ import annotations

import calendar
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from django.db import connection
from django.utils.timezone import localtime

from sishu.accounts.models import User
from sishu.commerce.models import Entitlement, Offer, Order
from sishu.core import clock, plugins, refs, rows

# By hand: through the ORM its building took a tenth of a purchase's time (bench/orders.py).
SOLD_LINES = """
SELECT line.id, line.offer_id, line.amount, line.split, offer.kind, offer.interval, offer.page_id, page.translation_key
FROM commerce_orderline line
JOIN commerce_offer offer ON offer.id = line.offer_id
LEFT JOIN wagtailcore_page page ON page.id = offer.page_id
WHERE line.order_id = %s
ORDER BY line.id
"""


@dataclass(frozen=True, slots=True)
class SoldLine:
    """A line of an order with what its offer promises: all that settling it needs.

    `split` is as an OrderLine keeps it; `work_key` is the translation key that the page has in every language.
    """

    id: int
    offer_id: int
    amount: int
    split: list[list[int]]
    kind: str
    interval: str
    page_id: int | None
    work_key: UUID | None

    @property
    def ref(self) -> str:
        return refs.ref("line", self.id)


def sold_lines(order: Order) -> list[SoldLine]:
    """The lines of an order, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(SOLD_LINES, [order.pk])
        found = cursor.fetchall()
    return [
        SoldLine(line_id, offer_id, amount, json.loads(split), kind, interval, page_id, key and UUID(str(key)))
        for line_id, offer_id, amount, split, kind, interval, page_id, key in found
    ]


class Fulfiller(Protocol):
    """Gives what one kind of offer promises, and takes it back. All run inside the sale's own transaction."""

    def is_owned(self, order: Order, line: SoldLine) -> bool:
        """Whether the buyer has for good what the line would give."""

    def grant(self, order: Order, line: SoldLine) -> None:
        """Give. Raises IntegrityError when the buyer owns it (the transaction is then unusable)."""

    def revoke(self, order: Order, line: SoldLine) -> None:
        """Take back what `grant` gave."""

    def restore(self, order: Order, line: SoldLine) -> None:
        """Give again what `revoke` took: the money did not go back after all."""


def is_owned(order: Order, lines: Iterable[SoldLine]) -> bool:
    """Whether the buyer has for good what any of the lines would give."""
    return any(plugins.load("fulfilment", line.kind).is_owned(order, line) for line in lines)


def grant(order: Order, lines: Iterable[SoldLine]) -> None:
    """Give what each line promises, by its offer's kind."""
    for line in lines:
        plugins.load("fulfilment", line.kind).grant(order, line)


def revoke(order: Order, lines: Iterable[SoldLine]) -> None:
    """Take back what each line gave."""
    for line in lines:
        plugins.load("fulfilment", line.kind).revoke(order, line)


def restore(order: Order, lines: Iterable[SoldLine]) -> None:
    """Give again what each line gave."""
    for line in lines:
        plugins.load("fulfilment", line.kind).restore(order, line)


class AccessFulfiller:
    """Opens a page and everything below it: for good, or a month more of a plan."""

    def is_owned(self, order: Order, line: SoldLine) -> bool:
        return not line.interval and Entitlement.objects.filter(owned_key=_owned_key(order, line)).exists()

    def grant(self, order: Order, line: SoldLine) -> None:
        assert line.page_id is not None, "an access offer has a page"  # noqa: S101
        starts_at, ends_at, owned_key = clock.now(), None, None
        if line.interval == Offer.Interval.MONTH:
            starts_at, ends_at = self._next_month_of_plan(order, line)
        else:
            owned_key = _owned_key(order, line)
        rows.insert(Entitlement(
            user_id=order.user_id, page_id=line.page_id, starts_at=starts_at, ends_at=ends_at, source=line.ref,
            owned_key=owned_key,
        ))  # fmt: skip

    def revoke(self, order: Order, line: SoldLine) -> None:
        Entitlement.objects.filter(source=line.ref, revoked_at=None).update(revoked_at=clock.now(), owned_key=None)

    def restore(self, order: Order, line: SoldLine) -> None:
        # Whoever bought the same again meanwhile has it by that order.
        owned_key = None if line.interval or self.is_owned(order, line) else _owned_key(order, line)
        revoked = Entitlement.objects.filter(source=line.ref, revoked_at__isnull=False)
        if owned_key or line.interval:
            revoked.update(revoked_at=None, owned_key=owned_key)

    def _next_month_of_plan(self, order: Order, line: SoldLine) -> tuple[datetime, datetime]:
        """From when until when one more month runs: after what is paid for already, or from now."""
        # Two renewals paid at once would both read the same end: the buyer's row makes them take turns.
        User.objects.select_for_update().get(pk=order.user_id)
        months = Entitlement.objects.filter(user_id=order.user_id, page=line.page_id, ends_at__isnull=False)
        latest = months.filter(revoked_at=None, ends_at__gt=clock.now()).order_by("-ends_at").first()
        if latest is None or latest.ends_at is None:
            start = clock.now()
            return start, month_after(start, start)
        # A month given back counts too: what follows it was reckoned from the same day.
        begun = {end: start for start, end in months.values_list("starts_at", "ends_at") if end is not None}
        first = latest.starts_at
        while first in begun:
            first = begun[first]
        return latest.ends_at, month_after(first, latest.ends_at)


def month_after(first: datetime, start: datetime) -> datetime:
    """When the month from `start` on ends, in an unbroken row of months that began at `first`.

    It keeps the first one's day and time on the house's calendar, or takes the last day where the month is shorter:
    31 January, 28 February, 31 March. A `start` that is none of that row's ends begins a row of its own.
    """
    count = _month_number(start) - _month_number(first)
    if months_on(first, count) != start:
        first, count = start, 0
    return months_on(first, count + 1)


def months_on(moment: datetime, count: int) -> datetime:
    """The same day and time `count` months on, on the house's calendar; the last day where the month is shorter."""
    local = localtime(moment)
    year, month = divmod(_month_number(moment) + count, 12)
    day = min(local.day, calendar.monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day).astimezone(UTC)


def _month_number(moment: datetime) -> int:
    local = localtime(moment)
    return local.year * 12 + local.month - 1


def _owned_key(order: Order, line: SoldLine) -> str:
    return f"{order.user_id}:{line.work_key}"
