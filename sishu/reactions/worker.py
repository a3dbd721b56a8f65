"""The delivering worker: facts to reactions, the clock to jobs, jobs to their tasks."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable

from django.db import InterfaceError, OperationalError, close_old_connections, connections, transaction
from django_tasks.utils import get_exception_traceback

from sishu.core import clock
from sishu.jobs import heartbeat, runner, schedule
from sishu.jobs.schedule import Every
from sishu.outbox import relay
from sishu.outbox.models import Delivery, Fact
from sishu.reactions.schedule import SCHEDULE
from sishu.reactions.table import TABLE, Reaction, Table

logger = logging.getLogger(__name__)

IDLE_SECONDS = 0.5
A_ROUND = 20
MAX_DATABASE_WAIT = 10.0


def deliver_due(limit: int = 100, table: Table = TABLE) -> int:
    """Run the due reactions of up to `limit` facts. Returns how many reactions were done.

    A reaction that raises is rolled back and tried again later; it stops neither its neighbours nor other facts.
    """
    kinds = {kind.__name__: kind for kind in table}
    facts = [fact for fact in relay.due(limit) if _is_known(fact, kinds)]
    if not facts:
        return 0
    names = {fact.pk: [reaction.__name__ for reaction in table[kinds[fact.name]]] for fact in facts}
    deliveries = relay.fan_out(names)
    done = 0
    for fact in facts:
        for reaction in table[kinds[fact.name]]:
            done += _deliver(deliveries[fact.pk, reaction.__name__], fact, kinds[fact.name], reaction)
    relay.settle(names)
    return done


def _is_known(fact: Fact, kinds: dict[str, type]) -> bool:
    if fact.name in kinds:
        return True
    # Code was removed or rolled back. The fact did happen: keep it, say so once an hour.
    logger.error("%s stays undelivered: sishu/reactions/table.py knows no %s.", fact, fact.name)
    relay.postpone(fact)
    return False


def _deliver(delivery: Delivery, fact: Fact, kind: type, reaction: Reaction) -> bool:
    if delivery.done_at is not None or delivery.next_attempt_at > clock.now():
        return False
    try:
        # One transaction for effect and done-mark: a worker killed here leaves neither.
        with transaction.atomic(durable=True):
            if not relay.lock(delivery):
                return False
            reaction(kind(**fact.body))
            relay.mark_done(delivery)
    except Exception as error:
        pause = relay.mark_failed(delivery, get_exception_traceback(error))
        logger.exception("%s failed; trying again in %.0f s.", delivery, pause.total_seconds())
        return False
    return True


class Worker:
    """One worker process: `run()` until `stop()`, or `drain()` what is due now."""

    def __init__(self, table: Table = TABLE, entries: Iterable[Every] = SCHEDULE) -> None:
        self.table = table
        self.entries = tuple(entries)
        self.name = runner.worker_name()
        self.is_stopping = False

    def run(self) -> None:
        """Work until told to stop; a database that restarts is waited for."""
        signs_of_life = heartbeat.Heartbeat(self.name)
        signs_of_life.start()
        wait = IDLE_SECONDS
        while not self.is_stopping:
            try:
                close_old_connections()
                busy, wait = self.round(), IDLE_SECONDS
            except (OperationalError, InterfaceError) as error:
                busy, wait = 0, min(wait * 2, MAX_DATABASE_WAIT)
                logger.warning("The database does not answer (%s); trying again in %.0f s.", error, wait)
                connections.close_all()
            if not busy:
                self._sleep(wait)
        signs_of_life.stop()

    def drain(self) -> int:
        """Do everything that is due, and what that makes due. Returns how many things were done."""
        runner.reap()
        total = 0
        while busy := self.round():
            total += busy
        return total

    def round(self) -> int:
        """Some facts, the schedule, some jobs: neither a flood of facts nor a long queue starves the other."""
        busy = deliver_due(A_ROUND, self.table)
        busy += schedule.tick(self.entries)
        for _ in range(A_ROUND):
            if self.is_stopping or not runner.run_due(1):
                break
            busy += 1
        return busy

    def stop(self) -> None:
        """End after the job under way. Only sets a flag, so that a signal handler may call it at any moment."""
        self.is_stopping = True

    def _sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self.is_stopping and time.monotonic() < end:
            time.sleep(min(IDLE_SECONDS, max(0.0, end - time.monotonic())))
