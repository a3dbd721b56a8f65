"""For those who watch over the house."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from sishu.core import clock
from sishu.jobs.models import JobRun, WorkerBeat

pytestmark = pytest.mark.django_db


def test_a_process_that_answers_is_healthy(client: Client) -> None:
    assert client.get("/healthz").content == b"ok\n"


def test_readiness_names_what_is_not_ready(client: Client) -> None:
    response = client.get("/readyz")
    assert (response.status_code, response.json()["ready"]) == (503, False)
    assert "no worker" in response.json()["jobs"]
    beat = WorkerBeat.objects.create(worker="one")
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (
        200, {"ready": True, "database": "ok", "jobs": "ok", "storage": "ok"},
    )  # fmt: skip
    WorkerBeat.objects.filter(pk=beat.pk).update(seen_at=clock.now() - timedelta(minutes=5))
    assert client.get("/readyz").status_code == 503


def test_metrics_are_for_who_holds_the_token(client: Client, settings) -> None:
    assert client.get("/metrics").status_code == 404
    settings.METRICS_TOKEN = "t" * 20
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 404
    JobRun.objects.create(task="x")
    text = client.get("/metrics", headers={"Authorization": "Bearer " + "t" * 20}).content.decode()
    assert 'sishu_jobs{status="ready"} 1' in text
    assert 'sishu_orders{status="paid"} 0' in text
    assert "sishu_facts_undelivered 0" in text
