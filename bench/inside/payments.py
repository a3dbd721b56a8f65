"""The orders of bench.payments: over HTTP, step by step and as a whole, beside their baselines."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from http.client import HTTPConnection
from itertools import repeat
from typing import Any

import psutil
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench.inside import buyers, by_hand, pgbench, shop, wechat
from bench.inside.load import Post, expecting, run
from bench.inside.orders import account_ids, crowd, without_marks
from bench.inside.orders import by_hand as write_by_hand
from bench.inside.provider import Provider
from bench.serving import WORKERS, server
from sishu.moderation.models import Case

CLIENTS = (1, 8, 32)
WITH_WECHAT = 8
# What pretix says it will hardly exceed for one event, and why: doc/admin/scaling.rst.
PRETIX_TICKETS_A_MINUTE = (300, 400)
# Orders a second for which readers are made; on a faster machine they run out, and the measurement ends earlier.
FASTEST = 400
# Those in whose name rows are written by hand, many times each: they own the work then, and cannot buy it.
FLOOR_READERS, TIMES = 200, 40

Server = tuple[int, psutil.Process]


def statements(offer_id: int, cookies: Iterator[str]) -> tuple[int, int]:
    """SQL statements of POST /payment, and of the notice, in this process; after one of each that is not counted."""
    provider, counted = Provider(), (0, 0)
    for cookie in (next(cookies), next(cookies)):
        client = Client(HTTP_HOST="127.0.0.1")
        with CaptureQueriesContext(connection) as first:
            answer = _in_process(client, buyers.order(offer_id, cookie), 202)
        with CaptureQueriesContext(connection) as second:
            _in_process(client, provider.notice(answer), 200)
        counted = (len(without_marks(first)), len(without_marks(second)))
    return counted


def _in_process(client: Client, post: Post, expected: int) -> bytes:
    client.cookies.clear()
    headers = {name: value for name, value in post.headers.items() if name != "Content-Type"}
    answer = client.post(post.path, post.body, content_type="application/json", headers=headers)
    assert answer.status_code == expected, (answer.status_code, answer.content[:500])
    return answer.content


def steps(
    site: Server, bare: Server, offer_id: int, cookies: Iterator[str], clients: int, seconds: float,
    sql: tuple[int, int],
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """The rows of so many clients: each step beside a constant view that gets the same bytes, then whole orders."""
    provider, measure = Provider(), partial(run, *site, clients=clients)
    posts = _take(cookies, seconds, lambda cookie: buyers.order(offer_id, cookie, port=site[0]))
    began = measure(posts, expecting(202), seconds=seconds)
    yield {"case": "place and start: POST /payment", "sql": sql[0], **began.row}
    yield constant(bare, posts[0], clients)
    notices = [provider.notice(answer) for answer in began.bodies]
    heard = measure(notices, expecting(200))
    yield {"case": "notice and apply: POST /webhooks/sandbox", "sql": sql[1], **heard.row}
    yield constant(bare, notices[0], clients)

    def buy(http: HTTPConnection, cookie: str) -> bytes:
        answer = expecting(202)(http, buyers.order(offer_id, cookie, port=site[0]))
        return expecting(200)(http, provider.notice(answer))

    whole = measure(_take(cookies, seconds, str), buy, seconds=seconds)
    yield {"case": "an order: both, one after the other", "sql": sum(sql), **whole.row}


def constant(bare: Server, post: Post, clients: int) -> dict[str, Any]:
    """A view that answers "ok" to the same bytes, in a plain Django beside."""
    post = Post("/constant", post.body, post.headers)
    return {
        "case": "baseline: constant view, the same bytes",
        **run(*bare, repeat(post, 1500), expecting(200), clients=clients).row,
    }


def floor(offer_id: int, readers: list[int], clients: int, seconds: float) -> Iterator[dict[str, Any]]:
    """The same rows in plain SQL, by as many processes as there were clients, and by pgbench."""
    found = crowd(order_and_notice, readers * TIMES, offer_id, seconds, clients)
    figures = {"clients": found.pop("workers"), "per_s": found.pop("orders_per_s"), **found}
    yield {"case": "baseline: the same rows by hand", "sql": len(by_hand.ORDER + by_hand.NOTICE), **figures}
    if connection.vendor == "postgresql":
        script = by_hand.pgbench_script(offer_id, account_ids(), range(min(readers), max(readers) + 1))
        yield from pgbench.rows(script, clients, seconds)


def order_and_notice(readers: list[int], offer_id: int, seconds: float) -> Any:
    """One process of `floor`."""
    return write_by_hand(by_hand.order_and_notice_of, readers, offer_id, seconds)


def remarks(rows: list[dict[str, Any]]) -> Iterator[dict[str, str]]:
    """What to read in the table."""
    for clients in CLIENTS:
        mine = {row["case"]: row["per_s"] for row in rows if row["clients"] == clients}
        order = mine["an order: both, one after the other"]
        if clients == WITH_WECHAT:
            lowest, highest = sorted(order * 60 / known for known in PRETIX_TICKETS_A_MINUTE)
            yield {
                "remark": f"{clients} clients buy {order * 60} works a minute from one offer: {lowest:.0f} to {highest:.0f}"
                " times the 300 to 400 tickets a minute for one event that pretix names as its bound (doc/admin/scaling.rst)."
            }
        floor_of = mine["baseline: the same rows by hand"]
        yield {
            "remark": f"{clients} client{'s' * (clients > 1)}: {order / floor_of:.2f} of the rate of the same rows by hand."
        }


def warm_up(site: Server, bare: Server, offer_id: int, cookies: Iterator[str]) -> None:
    """Let each of the servers' processes meet each step."""
    provider = Provider()
    posts = [buyers.order(offer_id, next(cookies), port=site[0]) for _ in range(WORKERS * 20)]
    began = run(*site, posts, expecting(202), clients=WORKERS * 2)
    run(*site, map(provider.notice, began.bodies), expecting(200), clients=WORKERS * 2)
    constant(bare, posts[0], WORKERS * 2)


def _take(cookies: Iterator[str], seconds: float, make: Callable[[str], Any]) -> list[Any]:
    return [make(cookie) for cookie, _ in zip(cookies, range(int(seconds * FASTEST)), strict=False)]


def measure_all(seconds: float) -> Iterable[dict[str, Any]]:
    wanted = 2 + WORKERS * 20 + int(seconds * FASTEST) * 2 * len(CLIENTS) + wechat.READERS
    offer_id, readers = shop.fill(readers=wanted + FLOOR_READERS)
    cookies = iter(buyers.sign_in(readers[:wanted]))
    sql = statements(offer_id, cookies)
    connections.close_all()
    rows: list[dict[str, Any]] = []
    with server("config.settings.production") as site, server("bench.bare") as bare:
        warm_up(site, bare, offer_id, cookies)
        for clients in CLIENTS:
            rows += steps(site, bare, offer_id, cookies, clients, seconds, sql)
            rows += floor(offer_id, readers[wanted:], clients, seconds / 2)
    yield from rows
    if connection.vendor == "postgresql":
        yield from wechat.rows(offer_id, list(cookies)[: wechat.READERS], WITH_WECHAT)
    yield from remarks(rows)
    assert not Case.objects.exists(), "Some money bought nothing: that is not what was to be measured."


if __name__ == "__main__":
    for line in measure_all(float(sys.argv[1])):
        print(json.dumps(line, ensure_ascii=False), flush=True)
