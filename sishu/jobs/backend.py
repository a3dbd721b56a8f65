"""The Django Task API on `JobRun`: enqueueing is one INSERT in the caller's transaction, so a job exists if and only if
what asked for it was committed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.module_loading import import_string
from django_tasks.backends.base import BaseTaskBackend
from django_tasks.base import Task, TaskError, TaskResult, TaskResultStatus
from django_tasks.exceptions import TaskResultDoesNotExist
from django_tasks.signals import task_enqueued
from django_tasks.utils import normalize_json

from sishu.core import clock
from sishu.jobs.models import JobRun

# With the runner's pauses ten attempts span over three hours: longer than a mail server's bad morning.
MAX_ATTEMPTS = 10
STATUSES = {
    JobRun.Status.READY: TaskResultStatus.READY,
    JobRun.Status.RUNNING: TaskResultStatus.RUNNING,
    JobRun.Status.SUCCEEDED: TaskResultStatus.SUCCESSFUL,
    JobRun.Status.FAILED: TaskResultStatus.FAILED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTask(Task[..., Any]):
    """A task that may say how often it is tried: `@task(max_attempts=3)`."""

    max_attempts: int = MAX_ATTEMPTS


class JobRunBackend(BaseTaskBackend):
    """Keeps tasks in the main database; `sishu worker` runs them."""

    task_class = JobTask  # type: ignore[assignment]  # the library's own type cannot say "any task"
    supports_defer = True
    supports_priority = True
    supports_async_task = True
    supports_get_result = True

    def enqueue(self, task: Task[..., Any], args: Any, kwargs: Any) -> TaskResult[Any]:
        """Write the job down. Arguments must be JSON; anything else raises TypeError here, not in the worker."""
        self.validate_task(task)
        now = clock.now()
        job = JobRun.objects.create(
            task=task.module_path,
            args=normalize_json(args),
            kwargs=normalize_json(kwargs),
            queue=task.queue_name,
            priority=task.priority,
            max_attempts=getattr(task, "max_attempts", MAX_ATTEMPTS),
            run_after=task.run_after or now,
            created_at=now,
        )
        result = result_of(job, task)
        task_enqueued.send(type(self), task_result=result)
        return result

    def get_result(self, result_id: str) -> TaskResult[Any]:
        """The present state of a job by the id that `enqueue` gave. TaskResultDoesNotExist when it was pruned."""
        try:
            job = JobRun.objects.get(pk=int(result_id))
        except (JobRun.DoesNotExist, ValueError, OverflowError) as error:
            raise TaskResultDoesNotExist(result_id) from error
        return result_of(job)


def task_of(job: JobRun) -> Task[..., Any]:
    """The task a job calls, with the job's own queue and priority. ImportError when the code is gone."""
    task = import_string(job.task)
    if not isinstance(task, Task):
        raise ImportError(f"{job.task} is not a task any more.")
    return task.using(priority=job.priority, queue_name=job.queue, run_after=job.run_after)


def result_of(job: JobRun, task: Task[..., Any] | None = None) -> TaskResult[Any]:
    """A job in the words of the Task API."""
    task = task or task_of(job)
    error = TaskError(exception_class_path=job.error_class, traceback=job.last_error)
    result: TaskResult[Any] = TaskResult(
        task=task,
        id=str(job.pk),
        status=STATUSES[JobRun.Status(job.status)],
        enqueued_at=job.created_at,
        started_at=job.started_at,
        last_attempted_at=job.started_at,
        finished_at=job.finished_at,
        args=job.args,
        kwargs=job.kwargs,
        backend=task.backend,
        errors=[error] if job.last_error else [],
        worker_ids=[job.worker] * job.attempts,
    )
    object.__setattr__(result, "_return_value", job.result)  # frozen to callers; the library fills it the same way
    return result
