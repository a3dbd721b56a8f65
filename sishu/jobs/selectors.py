"""How the jobs are doing, for `sishu doctor` and `/readyz`."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Max

from sishu.jobs.models import JobRun, WorkerBeat


def find_last_beat() -> datetime | None:
    """When a worker was last seen; None when none ever was."""
    return WorkerBeat.objects.aggregate(seen=Max("seen_at"))["seen"]


def failed_count() -> int:
    """How many jobs were given up and wait for a person."""
    return JobRun.objects.filter(status=JobRun.Status.FAILED).count()
