"""What a page costs the server: CPU and SQL per request, beside the same page through bare Wagtail and a constant view.

    python -m bench.pages [--requests 1500]

granian with two workers on SQLite, production settings; sixteen clients on the same machine. CPU is the servers' own
(user + system of the process group), so that the clients' share of the cores does not count.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote

import django
import psutil

from bench import world

CLIENTS = 16
WORKERS = 2


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(settings: str) -> Iterator[tuple[int, psutil.Process]]:
    """granian on a free port with those settings: (port, its first process)."""
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--log-level", "error",
               "--port", str(port), "--workers", str(WORKERS), "--blocking-threads", "4", "config.wsgi:application"]  # fmt: skip
    process = subprocess.Popen(command, env={**os.environ, "DJANGO_SETTINGS_MODULE": settings})
    try:
        for _ in range(600):
            try:
                if get(port, "/constant" if settings == "bench.bare" else "/healthz")[0] == 200:
                    break
            except OSError:
                time.sleep(0.1)
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(timeout=30)


def get(port: int, path: str, cookie: str = "", connection: HTTPConnection | None = None) -> tuple[int, bytes]:
    connection = connection or HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", quote(path, safe="/?=&"), headers={"Cookie": cookie} if cookie else {})
    answer = connection.getresponse()
    return answer.status, answer.read()


def cpu_of(process: psutil.Process) -> float:
    return sum(sum(p.cpu_times()[:2]) for p in [process, *process.children(recursive=True)])


def measure(
    port: int, process: psutil.Process, path: str, requests: int, *, cookie: str = "",
    number: Callable[[str, int], str] = lambda path, n: path, before: Callable[[], None] = lambda: None,
) -> dict[str, Any]:  # fmt: skip
    """CPU ms per request and requests per second of `requests` GETs by sixteen clients."""
    for n in range(WORKERS * 40):  # let both workers meet the page
        assert get(port, number(path, -n), cookie)[0] == 200, path

    def client(which: int) -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        for n in range(which, requests, CLIENTS):
            before()
            status, _body = get(port, number(path, n), cookie, connection)
            assert status == 200, (status, path)

    start, cpu = time.perf_counter(), cpu_of(process)
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(client, range(CLIENTS)))
    seconds = time.perf_counter() - start
    return {
        "cpu_ms": round(1000 * (cpu_of(process) - cpu) / requests, 3),
        "per_s": round(requests / seconds),
    }


def statements(path: str, cookie: str = "", *, warm: int = 1) -> int:
    """SQL statements of one request in this process, after `warm` others."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(HTTP_HOST="127.0.0.1")
    if cookie:
        name, _, value = cookie.partition("=")
        client.cookies[name] = value
    for _ in range(warm):
        client.get(path)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(f"{path}?uncached=1" if not cookie else path).status_code == 200
    return len(queries)


def fill() -> tuple[str, str, str]:
    """A house with a free and a paid article of about 5 kB, and an entitled reader: (free, paid path, cookie)."""
    from django.core.cache import caches

    from sishu.web import paths
    from tests.factories.commerce import buy, make_offer
    from tests.factories.content import make_article, make_creator, make_house, make_person, paywall, prose
    from tests.flows.test_killed import signed_in

    make_house()
    author = make_creator("author")
    words = "写复盘时，先把人名全部删掉，再看纸上还剩下多少**原因**。报告里没有坏人，只有没写清楚的环境。\n\n"
    body = [prose(f"## 第{n}节\n\n{words * 4}") for n in range(6)]
    free = make_article(author, title="免费的一篇", body=[*body, *body])
    paid = make_article(author, title="付费的一篇", body=[*body, paywall(), *body])
    for n in range(20):
        make_article(author, title=f"另一篇 {n}")
    reader = make_person("reader")
    buy(reader, make_offer(paid))
    caches["pages"].clear()
    return paths.page_path(free), paths.page_path(paid), signed_in(reader)


def run(requests: int) -> list[dict[str, Any]]:
    with world.scratch() as folder:
        django.setup()
        from django.db import connections

        free, paid, cookie = fill()
        sql = {"home": statements("/"), "article": statements(free), "entitled": statements(paid, cookie)}
        connections.close_all()
        generation = folder / "generation"
        unkept = lambda path, n: f"{path}?n={n}"  # noqa: E731  a query the page does not know leads past the page cache
        with server("config.settings.production") as (port, process):
            rows = [
                {"case": "constant view (/healthz)", **measure(port, process, "/healthz", requests * 4)},
                {"case": "article, from the page cache", **measure(port, process, free, requests * 4)},
                {"case": "home, from the page cache", **measure(port, process, "/", requests * 4)},
                {"case": "article, uncached", "sql": sql["article"], **measure(port, process, free, requests, number=unkept)},
                {"case": "home, uncached", "sql": sql["home"], **measure(port, process, "/", requests, number=unkept)},
                {"case": "paid article, entitled reader, warm", "sql": sql["entitled"],
                 **measure(port, process, paid, requests, cookie=cookie)},
                {"case": "paid article, entitled reader, new generation each time",
                 **measure(port, process, paid, requests // 4, cookie=cookie, before=lambda: touch(generation))},
            ]  # fmt: skip
        with server("bench.bare") as (port, process):
            rows += [
                {"case": "baseline: constant view, plain Django", **measure(port, process, "/constant", requests * 4)},
                {"case": "baseline: the article through bare Wagtail", **measure(port, process, free, requests)},
            ]
    return rows


def touch(path: Path) -> None:
    path.touch()
    now = time.time_ns()
    os.utime(path, ns=(now, now))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1500)
    for row in run(parser.parse_args().requests):
        print(json.dumps(row, ensure_ascii=False))


if __name__ == "__main__":
    main()
