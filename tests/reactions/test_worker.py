"""The worker as one piece, and as real processes that race and die."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from urllib.parse import quote

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from sishu.jobs.models import JobRun, Periodic, WorkerBeat
from sishu.jobs.schedule import Every
from sishu.outbox.models import Fact
from sishu.outbox.publisher import publish
from sishu.reactions.schedule import SCHEDULE
from sishu.reactions.worker import Worker
from tests.jobs import tasks
from tests.reactions import stage

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.django_db
def test_draining_does_everything_that_is_due():
    with transaction.atomic():
        publish(stage.TeaPoured(7))
        stage.refill.enqueue(7)
    Periodic.objects.create(name="note", next_run_at=timezone.now())
    Worker(stage.TABLE, [Every("note", tasks.count_attempt, seconds=60)]).drain()
    assert not Fact.objects.filter(delivered_at=None).exists()
    assert set(JobRun.objects.values_list("task", "status")) == {
        ("tests.reactions.stage.refill", "succeeded"),
        ("tests.reactions.stage.rest", "succeeded"),
        ("tests.jobs.tasks.count_attempt", "succeeded"),
    }
    assert not WorkerBeat.objects.exists()


@pytest.mark.django_db
def test_the_command_drains_and_says_what_it_did(capsys):
    stage.rest.enqueue(1)
    call_command("worker", once=True, json=True)
    assert json.loads(capsys.readouterr().out) == {"revived": 0, "done": 1}


@pytest.mark.django_db
@pytest.mark.parametrize("entry", SCHEDULE, ids=lambda entry: entry.name)
def test_every_entry_of_the_schedule_runs(entry):
    entry.task.enqueue()
    Worker({}, ()).drain()
    assert JobRun.objects.get().status == "succeeded"


def database_url(tmp_path: Path) -> str:
    """A database that other processes can open: a file, or this lane's test database."""
    if connection.vendor == "sqlite":
        return f"sqlite:///{tmp_path / 'stage.sqlite3'}"
    told = connection.settings_dict
    scheme = {"postgresql": "postgres", "mysql": "mysql"}[connection.vendor]
    place = f"{told['HOST'] or 'localhost'}{':' + str(told['PORT']) if told['PORT'] else ''}"
    return f"{scheme}://{told['USER']}:{quote(told['PASSWORD'])}@{place}/{told['NAME']}"


def play(tmp_path: Path, *, workers: int, kills: int, cups: int) -> dict:
    starts = tmp_path / "starts"
    done = subprocess.run(
        [sys.executable, "-m", "tests.reactions.stage", str(workers), str(kills), str(cups)],
        env={**os.environ, "DATABASE_URL": database_url(tmp_path), "STARTS": str(starts)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return {**json.loads(done.stdout), "starts": Counter(starts.read_text().splitlines()), "log": done.stderr}


def once_each(cups: int) -> dict[str, int]:
    return {f"{name}{cup_id}": 1 for name in ("TeaDrunk ", "CupWashed ", "rest:") for cup_id in range(cups)}


def run_and_hang_up(worker: Worker) -> None:
    worker.run()
    connection.close()


@pytest.mark.usefixtures("transactional_db")
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="only PostgreSQL lets a test cut others' connections")
def test_a_worker_outlives_a_restart_of_the_database():
    worker = Worker(stage.TABLE, ())
    thread = threading.Thread(target=run_and_hang_up, args=(worker,))
    thread.start()
    try:
        for cup_id in range(3):
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            with transaction.atomic():
                publish(stage.TeaPoured(cup_id))
            end = time.monotonic() + 20
            while time.monotonic() < end and Fact.objects.filter(delivered_at=None).exists():
                time.sleep(0.05)
    finally:
        worker.stop()
        thread.join(timeout=20)
    assert Fact.objects.filter(name="TeaDrunk").count() == 3
    assert not Fact.objects.filter(delivered_at=None).exists()


@pytest.mark.processes
@pytest.mark.usefixtures("transactional_db")
def test_workers_side_by_side_do_everything_once(tmp_path):
    end = play(tmp_path, workers=3, kills=0, cups=40)
    assert end["effects"] == once_each(40), end["log"]
    assert set(end["starts"].values()) == {1}
    assert end["attempts"] == 80
    assert end["exits"] == [0, 0, 0]
    assert end["beats"] == 0


@pytest.mark.processes
@pytest.mark.usefixtures("transactional_db")
def test_killed_workers_lose_and_double_nothing(tmp_path):
    end = play(tmp_path, workers=2, kills=12, cups=80)
    assert end["effects"] == once_each(80), end["log"]
    assert (end["undelivered"], end["unfinished"]) == (0, 0)
    assert max(end["starts"].values()) > 1, "no kill hit a worker at work"
