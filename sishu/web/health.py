"""How the house is doing, for those who watch over it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from secrets import compare_digest

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from sishu.commerce.models import Order, Payment
from sishu.core import clock, storage
from sishu.jobs import heartbeat
from sishu.jobs import selectors as jobs
from sishu.jobs.models import JobRun
from sishu.outbox import relay
from sishu.outbox.models import Fact

log = logging.getLogger(__name__)


def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """Whether database, jobs and storage work; 503 and the name of what does not."""
    faults = {name: fault for name, check in CHECKS.items() if (fault := _fault(check))}
    state = {name: faults.get(name, "ok") for name in CHECKS}
    return JsonResponse({"ready": not faults, **state}, status=503 if faults else 200)


def metrics(request: HttpRequest) -> HttpResponse:
    """Counts in Prometheus' text format, for who holds METRICS_TOKEN; for others there is nothing here."""
    token = settings.METRICS_TOKEN
    if not token or not compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode()):
        raise Http404
    return HttpResponse("\n".join(_lines()) + "\n", content_type="text/plain; version=0.0.4; charset=utf-8")


def _check_database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return ""


def _check_jobs() -> str:
    beat = jobs.find_last_beat()
    if beat is None:
        return "no worker has ever been seen"
    return f"no worker since {beat.isoformat()}" if clock.now() - beat > heartbeat.SILENCE else ""


def _check_storage() -> str:
    storage.probe()
    return ""


CHECKS: dict[str, Callable[[], str]] = {
    "database": _check_database,
    "jobs": _check_jobs,
    "storage": _check_storage,
}


def _fault(check: Callable[[], str]) -> str:
    try:
        return check()
    except (DatabaseError, OSError) as error:
        # What exactly is broken is for the log: anybody may ask here.
        log.exception("Not ready: %s", error)
        return "failed"


def _lines() -> Iterator[str]:
    yield from _by_status("sishu_jobs", "Jobs by status.", JobRun)
    yield from _by_status("sishu_orders", "Orders by status.", Order)
    yield from _by_status("sishu_payments", "Payments by status.", Payment)
    yield from _gauge(
        "sishu_facts_undelivered",
        "Facts whose reactions are not all done.",
        Fact.objects.filter(delivered_at=None).count(),
    )
    yield from _gauge("sishu_deliveries_failing", "Deliveries tried many times.", relay.failing().count())
    beat = jobs.find_last_beat()
    if beat is not None:
        silence = (clock.now() - beat).total_seconds()
        yield from _gauge("sishu_worker_silence_seconds", "Time since a worker was last seen.", round(silence, 1))


def _gauge(name: str, help_text: str, value: float) -> Iterator[str]:
    yield f"# HELP {name} {help_text}"
    yield f"# TYPE {name} gauge"
    yield f"{name} {value}"


def _by_status(name: str, help_text: str, model: type[JobRun | Order | Payment]) -> Iterator[str]:
    counted = dict(model.objects.order_by().values_list("status").annotate(Count("pk")))
    yield f"# HELP {name} {help_text}"
    yield f"# TYPE {name} gauge"
    for status in model.Status.values:
        yield f'{name}{{status="{status}"}} {counted.get(status, 0)}'


urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
]
