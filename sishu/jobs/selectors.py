"""How the jobs are doing, for `sishu doctor` and `/readyz`."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Max

from sishu.jobs.models import JobRun, WorkerBeat


def find_last_beat() -> datetime | None:
    """When a worker was last seen; None when none ever was."""
    seen_at: datetime | None = WorkerBeat.objects.aggregate(seen_at=Max("seen_at"))["seen_at"]
    return seen_at


def failed_count() -> int:
    """How many jobs were given up and wait for a person."""
    return JobRun.objects.filter(status=JobRun.Status.FAILED).count()
