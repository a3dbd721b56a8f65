"""Running jobs: claim, call, mark, try again. Any number of workers may run at once."""

from __future__ import annotations

import logging
import os
import random
import socket
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F
from django_tasks.base import Task, TaskContext
from django_tasks.signals import task_finished, task_started
from django_tasks.utils import get_exception_traceback, get_module_path, normalize_json

from sishu.core import clock
from sishu.core.database import delete_in_steps
from sishu.jobs.backend import JobRunBackend, result_of, task_of
from sishu.jobs.models import JobRun

logger = logging.getLogger(__name__)

# A worker that stops renewing its leases for this long is taken for dead.
LEASE = timedelta(seconds=60)
FIRST_PAUSE = timedelta(seconds=5)
MAX_PAUSE = timedelta(hours=1)
VANISHED = "The worker that ran this vanished before it could say how it went."


def worker_name() -> str:
    """This process among all workers of all machines."""
    return f"{socket.gethostname()[:60]}:{os.getpid()}"


def run_due(limit: int = 100) -> int:
    """Run up to `limit` due jobs one after another, the most urgent first. Returns how many were run, well or not."""
    for count in range(limit):
        job = claim(worker_name())
        if job is None:
            return count
        run(job)
    return limit


def claim(worker: str) -> JobRun | None:
    """Take the most urgent due job for `worker`, or None when nothing is due."""
    while True:
        now = clock.now()
        due = JobRun.objects.filter(status=JobRun.Status.READY, run_after__lte=now)
        job = due.order_by("-priority", "run_after", "pk").first()
        if job is None:
            return None
        # Several workers may have read this row; the database lets one of them change it.
        mine = JobRun.objects.filter(pk=job.pk, status=JobRun.Status.READY, attempts=job.attempts)
        values = {"status": JobRun.Status.RUNNING, "worker": worker, "lease_until": now + LEASE, "started_at": now}
        if mine.update(attempts=F("attempts") + 1, **values):
            return _set(job, attempts=job.attempts + 1, **values)


def run(job: JobRun) -> None:
    """Call a claimed job's task, outside any transaction: the task decides what must be true together."""
    try:
        task = task_of(job)
        value = _call(task, job)
    except (Exception, SystemExit) as error:  # noqa: BLE001  whatever a task throws is a failed attempt, not a dead worker
        _failed(job, error)
    else:
        _finish(job, JobRun.Status.SUCCEEDED, result=_plain(value), last_error="", error_class="")
        task_finished.send(JobRunBackend, task_result=result_of(job, task))


def _call(task: Task[..., Any], job: JobRun) -> Any:
    result = result_of(job, task)
    task_started.send(JobRunBackend, task_result=result)
    context = [TaskContext(task_result=result)] if task.takes_context else []
    return task.call(*context, *job.args, **job.kwargs)


def _failed(job: JobRun, error: BaseException) -> None:
    told = {"last_error": get_exception_traceback(error)[-8000:], "error_class": get_module_path(type(error))[:200]}
    if job.attempts >= job.max_attempts:
        logger.error("%s failed %d times and was given up.", job, job.attempts, exc_info=error)
        _finish(job, JobRun.Status.FAILED, **told)
    else:
        pause = pause_after(job.attempts)
        logger.warning("%s failed (%s); trying again in %.0f s.", job, error, pause.total_seconds())
        _finish(job, JobRun.Status.READY, run_after=clock.now() + pause, **told)


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts: 5 s, 15 s, 45 s … 1 h, each a fifth longer or shorter at random."""
    longer: int = 3 ** min(attempts - 1, 10)
    return min(FIRST_PAUSE * longer, MAX_PAUSE) * random.uniform(0.8, 1.2)  # noqa: S311  spreads retries out; no secret


def _finish(job: JobRun, status: JobRun.Status, **values: Any) -> None:
    finished_at = None if status == JobRun.Status.READY else clock.now()
    values = {"status": status, "lease_until": None, "finished_at": finished_at, **values}
    # If the lease was lost, another worker has the job by now and speaks for it.
    mine = JobRun.objects.filter(pk=job.pk, status=JobRun.Status.RUNNING, worker=job.worker, attempts=job.attempts)
    if not mine.update(**values):
        logger.warning("%s was taken from this worker while it ran; its outcome %s is not recorded.", job, status)
    _set(job, **values)


def _plain(value: Any) -> Any:
    try:
        return normalize_json(value)
    except (TypeError, ValueError):
        # The work is done; doing it again because its answer cannot be kept would be worse than losing the answer.
        return None


def _set(job: JobRun, **values: Any) -> JobRun:
    for name, value in values.items():
        setattr(job, name, value)
    return job


def renew(worker: str) -> int:
    """Move the leases of everything `worker` runs forward. Returns how many jobs that is."""
    running = JobRun.objects.filter(status=JobRun.Status.RUNNING, worker=worker)
    return running.update(lease_until=clock.now() + LEASE)


def reap(moment: datetime | None = None) -> int:
    """Give jobs whose lease ended before `moment` (now) back to the workers; the attempt counts. Returns how many."""
    lost = JobRun.objects.filter(status=JobRun.Status.RUNNING, lease_until__lt=moment or clock.now())
    told = {"lease_until": None, "last_error": VANISHED, "error_class": "builtins.RuntimeError"}
    dead = lost.filter(attempts__gte=F("max_attempts"))
    given_up = dead.update(status=JobRun.Status.FAILED, finished_at=clock.now(), **told)
    returned = lost.update(status=JobRun.Status.READY, **told)
    if given_up or returned:
        logger.warning("%d jobs of vanished workers wait again, %d were given up.", returned, given_up)
    return given_up + returned


def revive() -> int:
    """Give every job that was given up a new start. Returns how many there were."""
    failed = JobRun.objects.filter(status=JobRun.Status.FAILED)
    return failed.update(status=JobRun.Status.READY, attempts=0, run_after=clock.now(), finished_at=None)


def prune(days: int = 7) -> int:
    """Forget jobs that succeeded more than `days` ago. Failed ones stay. Returns how many went."""
    old = JobRun.objects.filter(status=JobRun.Status.SUCCEEDED, finished_at__lt=clock.now() - timedelta(days=days))
    return delete_in_steps(old)
