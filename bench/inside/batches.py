"""Notices one by one, and twenty in one transaction, on the database of this installation."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from multiprocessing import get_context
from typing import Any

from django.db import connection, connections, transaction

from bench.inside import shop
from bench.inside.provider import Provider
from sishu.accounts.models import User
from sishu.commerce import notices, orders, payments
from sishu.gateways.base import Redirect, Started
from sishu.gateways.sandbox import SandboxGateway

BATCH = 20
WORKERS = (1, 8)
# Batches of each row and process; with more processes fewer, for as long a run.
BATCHES = {1: 15, 8: 4}
# From this gain on, by one process and by many, it would be built.
WORTH_IT = 2.0

Signed = tuple[dict[str, str], bytes]


def begin(offer_id: int, readers: list[int]) -> list[str]:
    """One process of `begun`: the references of the payments."""
    # The provider's own work is not measured.
    SandboxGateway.start = lambda self, request: Started(Redirect("/"))  # type: ignore[method-assign]
    found = []
    for user in User.objects.filter(pk__in=readers):
        order = orders.place(user, offer_id, language="en")
        payment, _ = payments.start(order.pk, "sandbox", notify_url="/", return_url="/")
        found.append(payment.reference)
    return found


def receive(signed: list[Signed], size: int) -> tuple[list[float], float]:
    """One process: notices, `size` to a transaction (1: as the site does it). Seconds of each notice, CPU of all."""
    around: Callable[[], AbstractContextManager[Any]] = transaction.atomic if size > 1 else nullcontext
    connection.ensure_connection()
    times, cpu = [], time.process_time()
    for first in range(0, len(signed), size):
        began, part = time.perf_counter(), signed[first : first + size]
        with around():
            for headers, body in part:
                notices.receive("sandbox", headers, body)
        # Each is answered when all are committed.
        times += [time.perf_counter() - began] * len(part)
    return times, time.process_time() - cpu


def crowd(task: Callable[..., Any], parts: list[tuple[Any, ...]]) -> list[Any]:
    """`task` in a process for each part, all at once."""
    connections.close_all()
    context = get_context("fork")
    with ProcessPoolExecutor(len(parts), context, initializer=context.Barrier(len(parts)).wait) as pool:
        return list(pool.map(task, *zip(*parts, strict=True)))


def row(signed: list[Signed], size: int, workers: int) -> dict[str, Any]:
    """Figures of so many processes."""
    share = len(signed) // workers
    results = crowd(receive, [(signed[n * share : (n + 1) * share], size) for n in range(workers)])
    times = sorted(one for part, _cpu in results for one in part)
    return {
        "case": f"{size} notices in one transaction" if size > 1 else "baseline: one by one", "on": connection.vendor,
        "workers": workers, "per_s": round(sum(len(part) * size / sum(part) for part, _cpu in results)),
        "p50_ms": round(1000 * statistics.median(times), 2), "p99_ms": round(1000 * times[int(len(times) * 0.99)], 2),
        "cpu_ms": round(1000 * sum(cpu for _part, cpu in results) / len(times), 2),
    }  # fmt: skip


def rows() -> Iterator[dict[str, Any]]:
    wanted = sum(2 * workers * BATCHES[workers] * BATCH for workers in WORKERS)
    offer_id, readers = shop.fill(readers=wanted + 1)
    provider = Provider()
    receive([provider.signed(begin(offer_id, [readers.pop()])[0])], 1)  # opens the accounts
    parts = [(offer_id, readers[n::8]) for n in range(8)]
    signed = [provider.signed(reference) for part in crowd(begin, parts) for reference in part]
    gains = {}
    for workers in WORKERS:
        share = workers * BATCHES[workers] * BATCH
        found = {}
        for size in (1, BATCH):
            part, signed = signed[:share], signed[share:]
            found[size] = row(part, size, workers)
            yield found[size]
        gains[workers] = found[BATCH]["per_s"] / found[1]["per_s"]
    told = ", ".join(f"{gain:.1f} times as many with {workers}" for workers, gain in gains.items())
    verdict = (
        "worth building"
        if min(gains.values()) >= WORTH_IT
        else f"not worth building: less than {WORTH_IT:.0f} times as many with either does not pay for an inbox, its"
        " worker, and one by one again whenever one of twenty fails"
    )
    yield {"remark": f"Twenty notices in one transaction: {told} processes. It is {verdict}."}


if __name__ == "__main__":
    for line in rows():
        print(json.dumps(line), flush=True)
