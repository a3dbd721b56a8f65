"""What a sale of each kind gives."""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from sishu.accounts.models import User
from sishu.commerce.models import Entitlement, Offer, Order, OrderLine
from sishu.core import clock, plugins


class Fulfiller(Protocol):
    """Gives what one kind of offer promises, and takes it back. Both run inside the sale's own transaction."""

    def grant(self, order: Order, line: OrderLine) -> None:
        """Give; a second call for the same line gives nothing more."""

    def revoke(self, order: Order, line: OrderLine) -> None:
        """Take back what `grant` gave."""


def grant(order: Order, lines: Iterable[OrderLine]) -> None:
    """Give what each line promises, by its offer's kind."""
    for line in lines:
        plugins.load("fulfilment", line.offer.kind).grant(order, line)


def revoke(order: Order, lines: Iterable[OrderLine]) -> None:
    """Take back what each line gave."""
    for line in lines:
        plugins.load("fulfilment", line.offer.kind).revoke(order, line)


class AccessFulfiller:
    """Opens a page and everything below it: for good, or a month more of a plan."""

    def grant(self, order: Order, line: OrderLine) -> None:
        assert line.offer.page_id is not None, "an access offer has a page"  # noqa: S101
        starts_at, ends_at = clock.now(), None
        if line.offer.interval == Offer.Interval.MONTH:
            starts_at = self._end_of_plan(order, line) or starts_at
            ends_at = next_month(starts_at)
        Entitlement.objects.create(
            user_id=order.user_id, page_id=line.offer.page_id, starts_at=starts_at, ends_at=ends_at, source=line.ref
        )

    def revoke(self, order: Order, line: OrderLine) -> None:
        Entitlement.objects.filter(source=line.ref, revoked_at=None).update(revoked_at=clock.now())

    def _end_of_plan(self, order: Order, line: OrderLine) -> datetime | None:
        """Where a plan paid for already ends, so that a renewal adds to it."""
        # Two renewals paid at once would both read the same end: the buyer's row makes them take turns.
        User.objects.select_for_update().get(pk=order.user_id)
        held = Entitlement.objects.filter(user_id=order.user_id, page=line.offer.page_id, revoked_at=None)
        latest = held.filter(ends_at__gt=clock.now()).order_by("-ends_at").first()
        return latest.ends_at if latest else None


def next_month(moment: datetime) -> datetime:
    """The same day and time a month on; the last day where the month is shorter."""
    year, month = moment.year + moment.month // 12, moment.month % 12 + 1
    return moment.replace(year=year, month=month, day=min(moment.day, calendar.monthrange(year, month)[1]))
