"""The sign of life of a worker process, given beside its work: a job may take an hour."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

from django.db import DatabaseError, InterfaceError, connection

from sishu.core import clock
from sishu.jobs import runner
from sishu.jobs.models import WorkerBeat

logger = logging.getLogger(__name__)

BEAT_SECONDS = 15
# A worker that has said nothing for this long is not coming back by itself.
SILENCE = timedelta(seconds=4 * BEAT_SECONDS)
FORGET_AFTER = timedelta(days=1)


def beat(worker: str) -> None:
    """Say that `worker` lives, keep its leases, and give the jobs of dead workers back."""
    now = clock.now()
    runner.renew(worker)  # before reaping: a late beat must not reap its own jobs
    if not WorkerBeat.objects.filter(worker=worker).update(seen_at=now):
        WorkerBeat.objects.create(worker=worker, started_at=now, seen_at=now)
        WorkerBeat.objects.filter(seen_at__lt=now - FORGET_AFTER).delete()
    runner.reap(now)


def sign_off(worker: str) -> None:
    """Take back the sign of life of a worker that ends in order."""
    WorkerBeat.objects.filter(worker=worker).delete()


class Heartbeat(threading.Thread):
    """Beats every fifteen seconds until `stop()`; a database that is away for a while does not end it."""

    def __init__(self, worker: str, seconds: float = BEAT_SECONDS) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self.worker = worker
        self.seconds = seconds
        self._stopped = threading.Event()

    def run(self) -> None:
        self._say(beat)
        while not self._stopped.wait(self.seconds):
            self._say(beat)
        self._say(sign_off)

    def stop(self) -> None:
        """End the beating; waits for a beat under way."""
        self._stopped.set()
        self.join(timeout=5)

    def _say(self, message: Callable[[str], None]) -> None:
        try:
            message(self.worker)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("No beat: the database does not answer (%s).", error)
        finally:
            connection.close()
