"""The orders of bench.orders: through the service layer, and by hand."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from bench.inside import shop
from bench.inside.by_hand import order_of
from sishu.accounts.models import User
from sishu.commerce import orders, payments
from sishu.core import clock
from sishu.core.money import Money
from sishu.gateways.base import Outcome, Redirect, Snapshot, Started
from sishu.gateways.sandbox import SandboxGateway
from sishu.ledger.models import Account

WORKERS = (1, 8, 16)
# Seconds of each order, the process's CPU seconds for all of them, and when it began and ended.
Figures = tuple[list[float], float, float, float]


def sell(readers: list[int], offer_id: int, seconds: float) -> Figures:
    """Orders through the service layer, as fast as one process can."""
    SandboxGateway.start = lambda self, request: Started(Redirect("/"))  # type: ignore[method-assign]  the provider's own work

    def one(user: Any) -> None:
        order = orders.place(user, offer_id, language="en")
        payment, _ = payments.start(order.pk, "sandbox", notify_url="/", return_url="/")
        payments.apply(Snapshot(payment.reference, Outcome.CAPTURED, Money(order.amount, "CNY"), clock.now()))

    return _loop(one, list(User.objects.filter(pk__in=readers)), seconds)


def write_by_hand(readers: list[int], offer_id: int, seconds: float) -> Figures:
    """The rows of an order in plain SQL over one connection, in one transaction: the floor."""
    return by_hand(order_of, readers, offer_id, seconds)


def by_hand(write: Callable[..., None], readers: list[int], offer_id: int, seconds: float) -> Figures:
    """`write` for one reader after the other."""
    accounts = account_ids()

    def one(user_id: int) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            write(cursor, user_id, offer_id, accounts)

    return _loop(one, readers, seconds)


def _loop(one: Callable[[Any], None], things: list[Any], seconds: float) -> Figures:
    one(things.pop())  # opens the connection and the accounts
    times, cpu, start = [], time.process_time(), time.perf_counter()
    while things and time.perf_counter() < start + seconds:
        began = time.perf_counter()
        one(things.pop())
        times.append(time.perf_counter() - began)
    return times, time.process_time() - cpu, start, time.perf_counter()


def account_ids() -> list[int]:
    """The accounts of a sale, once one was made."""
    return list(Account.objects.order_by("id").values_list("id", flat=True))


def crowd(
    task: Callable[..., Figures], readers: list[int], offer_id: int, seconds: float, workers: int
) -> dict[str, Any]:
    """Figures of `workers` processes doing `task` at once."""
    share = len(readers) // workers
    # Forked with nothing open: so many interpreters that start would take longer than what is measured.
    connections.close_all()
    context = get_context("fork")
    # All begin at the same moment.
    with ProcessPoolExecutor(workers, mp_context=context, initializer=context.Barrier(workers).wait) as pool:
        parts = [readers[n * share : (n + 1) * share] for n in range(workers)]
        results = list(pool.map(task, parts, [offer_id] * workers, [seconds] * workers))
    times = sorted(t for part, *_ in results for t in part)
    # Not the sum of their rates: on SQLite one that was kept waiting works when the others are done.
    span = max(ended for *_, ended in results) - min(start for _, _, start, _ in results)
    return {
        "workers": workers, "orders_per_s": round(len(times) / span),
        "p50_ms": round(1000 * statistics.median(times), 2), "p99_ms": round(1000 * times[int(len(times) * 0.99)], 2),
        "cpu_ms": round(1000 * sum(cpu for _, cpu, *_ in results) / len(times), 2),
    }  # fmt: skip


def statements(offer_id: int, user_id: int) -> list[str]:
    """The SQL of one order, in order, without the marks of transactions."""
    user = User.objects.get(pk=user_id)
    with CaptureQueriesContext(connection) as queries:
        order = orders.place(user, offer_id, language="en")
        payment, _ = payments.start(order.pk, "sandbox", notify_url="/", return_url="/")
        payments.apply(Snapshot(payment.reference, Outcome.CAPTURED, Money(order.amount, "CNY"), clock.now()))
    return without_marks(queries)


def without_marks(queries: CaptureQueriesContext) -> list[str]:
    """The statements that were captured, less those that begin and end transactions."""
    marks = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")
    return [query["sql"] for query in queries if not query["sql"].startswith(marks)]


def run(seconds: float) -> list[dict[str, Any]]:
    rates = {"service layer": sell, "the same rows by hand": write_by_hand}
    offer_id, readers = shop.fill(readers=int(seconds * 1500 * len(WORKERS) * len(rates)) + 2)
    statements(offer_id, readers.pop())  # the first order opens the accounts
    sql = statements(offer_id, readers.pop())
    vendor = connection.vendor
    connections.close_all()
    rows, share = [], len(readers) // (len(WORKERS) * len(rates))
    for workers in WORKERS:
        for name, task in rates.items():
            part, readers = readers[:share], readers[share:]
            rows.append({"case": name, "on": vendor, **crowd(task, part, offer_id, seconds, workers)})
    rows.append({"case": "SQL statements an order", "count": len(sql)})
    connections.close_all()
    return rows


if __name__ == "__main__":
    for row in run(float(sys.argv[1])):
        print(json.dumps(row))
