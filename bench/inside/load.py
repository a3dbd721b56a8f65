"""Clients on threads that send requests as fast as the server answers, and what that took."""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection
from threading import Lock
from typing import Any

import psutil

from bench.serving import cpu_of

FOREVER = 3600.0


@dataclass(frozen=True, slots=True)
class Post:
    """One POST, as all clients send it."""

    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def send(self, connection: HTTPConnection) -> tuple[int, bytes]:
        connection.request("POST", self.path, self.body, dict(self.headers))
        answer = connection.getresponse()
        return answer.status, answer.read()


@dataclass(slots=True)
class Measured:
    """What came of one run: `row` for the table, `bodies` as they were answered."""

    row: dict[str, Any]
    bodies: list[bytes]
    seconds: float

    @property
    def count(self) -> int:
        return len(self.bodies)


# One client's turn with one thing: what was answered last.
Turn = Callable[[HTTPConnection, Any], bytes]


def run(
    port: int, process: psutil.Process, things: Iterable[Any], turn: Turn, *, clients: int, seconds: float = FOREVER
) -> Measured:
    """Let so many clients take turns until the things or the seconds are over. CPU is that of the process and its children."""
    waiting, times, bodies, lock = deque(things), list[float](), list[bytes](), Lock()
    end = time.perf_counter() + seconds

    def client(_which: int) -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        while time.perf_counter() < end:
            try:
                thing = waiting.popleft()
            except IndexError:
                break
            began = time.perf_counter()
            body = turn(connection, thing)
            took = time.perf_counter() - began
            with lock:
                times.append(took)
                bodies.append(body)
        connection.close()

    start, cpu = time.perf_counter(), cpu_of(process)
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(client, range(clients)))
    elapsed = time.perf_counter() - start
    return Measured(figures(times, elapsed, cpu_of(process) - cpu, clients), bodies, elapsed)


def figures(times: Sequence[float], seconds: float, cpu: float, clients: int) -> dict[str, Any]:
    """A row of the table."""
    times = sorted(times)
    return {
        "clients": clients, "per_s": round(len(times) / seconds), "p50_ms": round(1000 * statistics.median(times), 2),
        "p99_ms": round(1000 * times[int(len(times) * 0.99)], 2), "cpu_ms": round(1000 * cpu / len(times), 2),
    }  # fmt: skip


def expecting(status: int) -> Turn:
    """A turn that sends one Post, and is content with this answer only."""

    def turn(connection: HTTPConnection, post: Post) -> bytes:
        answered, body = post.send(connection)
        assert answered == status, (answered, post.path, body[:500])
        return body

    return turn
