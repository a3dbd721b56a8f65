"""A stage for real processes: `python -m tests.reactions.stage WORKERS KILLS CUPS` plays on the database of DATABASE_URL.

Facts and jobs are made, workers are forked and killed at random moments, and what is left at the end is printed as JSON.
Every effect is a row; every start is a line of the file STARTS, which no rollback takes back.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

import django

if __name__ == "__main__":
    django.setup()

from django.db import connection, connections, transaction
from django_tasks import task

from sishu.core import clock
from sishu.jobs import runner
from sishu.jobs.models import JobRun, Periodic, WorkerBeat
from sishu.outbox.models import Delivery, Fact
from sishu.outbox.publisher import publish
from sishu.reactions.worker import Worker

MOMENT = 0.01


@dataclass(frozen=True)
class TeaPoured:
    cup_id: int


@dataclass(frozen=True)
class TeaDrunk:
    cup_id: int


@dataclass(frozen=True)
class CupWashed:
    cup_id: int


def note_start(what: str, cup_id: int) -> None:
    if path := os.environ.get("STARTS"):
        with open(path, "a") as file:
            file.write(f"{what} {cup_id}\n")


def drink(fact: TeaPoured) -> None:
    note_start("drink", fact.cup_id)
    publish(TeaDrunk(fact.cup_id))
    time.sleep(MOMENT)  # to be killed between effect and done-mark


def wash(fact: TeaPoured) -> None:
    note_start("wash", fact.cup_id)
    time.sleep(MOMENT)
    publish(CupWashed(fact.cup_id))


@task()
def refill(cup_id: int) -> None:
    """Its effect stands outside the runner's transaction, so a row of its own remembers that it was done."""
    note_start("refill", cup_id)
    time.sleep(MOMENT)
    with transaction.atomic():
        _row, is_first = Periodic.objects.get_or_create(name=f"rest:{cup_id}", defaults={"next_run_at": clock.now()})
        if is_first:
            rest.enqueue(cup_id)
    time.sleep(MOMENT)


@task()
def rest(cup_id: int) -> None:
    note_start("rest", cup_id)


TABLE = {TeaPoured: (drink, wash), TeaDrunk: (), CupWashed: ()}


def build() -> None:
    """Make the tables this play needs, where they are missing."""
    present = connection.introspection.table_names()
    with connection.schema_editor() as editor:
        for model in (Fact, Delivery, JobRun, Periodic, WorkerBeat):
            if model._meta.db_table not in present:
                editor.create_model(model)


def make_cups(count: int) -> None:
    with transaction.atomic():
        for cup_id in range(count):
            publish(TeaPoured(cup_id))
            refill.enqueue(cup_id)


def fork_worker() -> int:
    connections.close_all()  # a connection must not be shared over a fork
    if pid := os.fork():
        return pid
    worker = Worker(TABLE, entries=())
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    worker.run()
    os._exit(0)


def is_done() -> bool:
    undone = Fact.objects.filter(delivered_at=None).exists()
    return not undone and not JobRun.objects.exclude(status=JobRun.Status.SUCCEEDED).exists()


def play(workers: int, kills: int) -> None:
    """Work with so many workers, killing and replacing one at a time, until all is done."""
    crew = [fork_worker() for _ in range(workers)]
    end = time.monotonic() + 200  # a busy machine with a slow disk
    while time.monotonic() < end and (kills or not is_done()):
        time.sleep(random.uniform(0.05, 0.3))
        if kills:
            kills -= 1
            victim = crew.pop(random.randrange(len(crew)))
            os.kill(victim, signal.SIGKILL)
            os.waitpid(victim, 0)
            crew.append(fork_worker())
        # As if the leases of the dead had run out; the living renew theirs too rarely for this play.
        runner.reap(clock.now() + runner.LEASE - timedelta(seconds=2))
    for pid in crew:
        os.kill(pid, signal.SIGTERM)
    json.dump({"exits": [os.waitpid(pid, 0)[1] for pid in crew], **report()}, sys.stdout)


def report() -> dict[str, object]:
    effects = Counter(f"{fact.name} {fact.body['cup_id']}" for fact in Fact.objects.exclude(name="TeaPoured"))
    effects.update(f"rest:{job.args[0]}" for job in JobRun.objects.filter(task=rest.module_path))
    ours = JobRun.objects.filter(task__in=[refill.module_path, rest.module_path])
    return {
        "effects": effects,
        "undelivered": Fact.objects.filter(delivered_at=None).count(),
        "unfinished": JobRun.objects.exclude(status=JobRun.Status.SUCCEEDED).count(),
        "attempts": sum(ours.values_list("attempts", flat=True)),
        "beats": WorkerBeat.objects.count(),
    }


if __name__ == "__main__":
    build()
    workers, kills, cups = map(int, sys.argv[1:])
    make_cups(cups)
    play(workers, kills)
