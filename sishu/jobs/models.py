"""Work to be done later, and what became of it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from sishu.core import clock


class JobRun(models.Model):
    """One call of a task: the only truth about whether it waits, runs, is done or was given up."""

    class Status(models.TextChoices):
        READY = "ready", _("Ready")
        RUNNING = "running", _("Running")
        SUCCEEDED = "succeeded", _("Succeeded")
        FAILED = "failed", _("Failed")

    task = models.CharField(_("task"), max_length=200)
    args = models.JSONField(_("arguments"), default=list)
    kwargs = models.JSONField(_("named arguments"), default=dict)
    queue = models.CharField(_("queue"), max_length=32, default="default")
    priority = models.SmallIntegerField(_("priority"), default=0)
    status = models.CharField(_("status"), max_length=9, choices=Status, default=Status.READY)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    max_attempts = models.PositiveSmallIntegerField(_("most attempts"), default=10)
    run_after = models.DateTimeField(_("not before"), default=clock.now)
    # While a worker runs the job it owns the row until this moment, and keeps moving it forward.
    lease_until = models.DateTimeField(_("leased until"), null=True, blank=True)
    worker = models.CharField(_("worker"), max_length=80, blank=True)
    last_error = models.TextField(_("last error"), blank=True)
    error_class = models.CharField(_("kind of error"), max_length=200, blank=True)
    result = models.JSONField(_("result"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), default=clock.now)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        indexes: ClassVar = [
            models.Index(fields=["status", "run_after"], name="jobrun_due"),
            models.Index(fields=["status", "lease_until"], name="jobrun_leases"),
            models.Index(fields=["status", "finished_at"], name="jobrun_finished"),
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.pk}"


class Periodic(models.Model):
    """When one entry of the schedule is due next."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    next_run_at = models.DateTimeField(_("next run at"), db_index=True)
    last_run_at = models.DateTimeField(_("last run at"), null=True, blank=True)

    class Meta:
        verbose_name = _("scheduled job")
        verbose_name_plural = _("scheduled jobs")

    def __str__(self) -> str:
        return self.name


class WorkerBeat(models.Model):
    """The last sign of life of one worker process."""

    worker = models.CharField(_("worker"), max_length=80, unique=True)
    started_at = models.DateTimeField(_("started at"), default=clock.now)
    seen_at = models.DateTimeField(_("seen at"), default=clock.now)

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")

    def __str__(self) -> str:
        return self.worker
