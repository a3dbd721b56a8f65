"""Jobs that come back: each entry is enqueued once per moment, however many workers look at the clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from croniter import croniter
from django.db import transaction
from django.utils import timezone
from django_tasks.base import Task

from sishu.core import clock
from sishu.jobs.models import Periodic


@dataclass(frozen=True, slots=True)
class Every:
    """A task to enqueue every so many `seconds`, or at the moments of a `cron` line in the site's time zone."""

    name: str
    task: Task[..., Any]
    seconds: int = 0
    cron: str = ""

    def __post_init__(self) -> None:
        if bool(self.seconds) == bool(self.cron) or self.seconds < 0:
            raise ValueError(f"Schedule entry {self.name!r} needs either seconds above 0 or a cron line.")
        if self.cron and not croniter.is_valid(self.cron):
            raise ValueError(f"Schedule entry {self.name!r} has {self.cron!r}, which is not a cron line.")

    def after(self, moment: datetime) -> datetime:
        """The first moment of this entry later than `moment`."""
        if self.seconds:
            return moment + timedelta(seconds=self.seconds)
        local = moment.astimezone(timezone.get_default_timezone())
        coming: datetime = croniter(self.cron, local).get_next(datetime)
        return coming


def tick(entries: Iterable[Every]) -> int:
    """Enqueue what is due. Moments missed while no worker ran are made up by one run, not by many."""
    now = clock.now()
    known = dict(Periodic.objects.values_list("name", "next_run_at"))
    count = 0
    for entry in entries:
        due_at, coming = known.get(entry.name), entry.after(now)
        if due_at is None:
            Periodic.objects.get_or_create(name=entry.name, defaults={"next_run_at": coming})
        elif due_at <= now:
            count += _enqueue(entry, due_at, coming, now)
        elif due_at > coming:  # the entry was made more frequent since
            Periodic.objects.filter(name=entry.name, next_run_at=due_at).update(next_run_at=coming)
    return count


def _enqueue(entry: Every, due_at: datetime, coming: datetime, now: datetime) -> int:
    with transaction.atomic():
        # Of several workers that read the same `due_at`, one moves the row on, and its job commits with the move.
        moved = Periodic.objects.filter(name=entry.name, next_run_at=due_at).update(next_run_at=coming, last_run_at=now)
        if moved:
            entry.task.enqueue()
    return moved
