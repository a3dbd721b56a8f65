"""The pages of bench.pages."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psutil
from django.conf import settings
from django.core.cache import caches
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench.serving import WORKERS, cpu_of, get, server
from sishu.web import paths
from tests.factories.commerce import buy, make_offer
from tests.factories.content import make_article, make_creator, make_house, make_person, paywall, prose
from tests.flows.test_killed import signed_in

CLIENTS = 16


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
    free, paid, cookie = fill()
    sql = {"home": statements("/"), "article": statements(free), "entitled": statements(paid, cookie)}
    connections.close_all()
    generation = settings.DATA_DIR / "generation"
    unkept = lambda path, n: f"{path}?n={n}"  # noqa: E731  a query the page does not know leads past the page cache
    with server("config.settings.production") as (port, process):
        rows = [
            {"case": "constant view (/healthz)", **measure(port, process, "/healthz", requests * 4)},
            {"case": "article, from the page cache", **measure(port, process, free, requests * 4)},
            {"case": "home, from the page cache", **measure(port, process, "/", requests * 4)},
            {"case": "article, past the page cache", "sql": sql["article"], **measure(port, process, free, requests, number=unkept)},
            {"case": "home, past the page cache", "sql": sql["home"], **measure(port, process, "/", requests, number=unkept)},
            {"case": "article, new generation each time",
             **measure(port, process, free, requests // 4, before=lambda: touch(generation))},
            {"case": "home, new generation each time",
             **measure(port, process, "/", requests // 4, before=lambda: touch(generation))},
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


if __name__ == "__main__":
    for row in run(int(sys.argv[1])):
        print(json.dumps(row, ensure_ascii=False))
