"""The same orders with WeChat Pay, whose messages are signed with RSA both ways: the provider is paysim, a process beside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import psutil
from django.conf import settings

from bench.inside import buyers
from bench.inside.load import Measured, Post, expecting, run
from bench.serving import WORKERS, cpu_of, free_port, get, server

READERS = 240
WARM = WORKERS * 10


class Collector(ThreadingHTTPServer):
    """Where paysim believes the house to be: keeps its notices, so that as many clients as wanted bring them."""

    daemon_threads = True

    def __init__(self) -> None:
        self.notices: list[Post] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        sent = {name: value for name, value in self.headers.items() if name.startswith(("Wechatpay-", "Content-Type"))}
        self.server.notices.append(Post(self.path, body, sent))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # the base class's name
        pass


@contextmanager
def collector() -> Iterator[Collector]:
    """A Collector that listens until the block ends."""
    found = Collector()
    Thread(target=found.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield found
    finally:
        found.shutdown()
        found.server_close()


@contextmanager
def paysim() -> Iterator[tuple[int, psutil.Process]]:
    """`python -m paysim serve` with keys of its own: its port and its process."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "paysim",
        "serve",
        "--port",
        str(port),
        "--folder",
        str(settings.DATA_DIR / "paysim"),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            try:
                if get(port, "/control/environment")[0] == 200:
                    break
            except OSError:
                time.sleep(0.1)
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(timeout=30)


def rows(offer_id: int, cookies: list[str], clients: int) -> Iterator[dict[str, Any]]:
    """The steps of an order by so many clients, and what both together come to."""
    with collector() as house, paysim() as (bank_port, bank):
        environment = json.loads(get(bank_port, "/control/environment")[1])
        os.environ.update(environment, GATEWAYS="sandbox,wechat", SITE_URL=house.url)
        with server("config.settings.production") as site:
            posts = [buyers.order(offer_id, cookie, port=site[0], gateway="wechat") for cookie in cookies]
            run(*site, posts[:WARM], expecting(202), clients=clients)
            hear(house, site, bank_port, clients)
            used = cpu_of(bank)
            began = run(*site, posts[WARM:], expecting(202), clients=clients)
            used = cpu_of(bank) - used
            provider_ms = round(1000 * used / began.count, 2)
            yield {"case": "WeChat Pay: place and start", **began.row, "provider_cpu_ms": provider_ms}
            heard = hear(house, site, bank_port, clients)
            yield {"case": "WeChat Pay: notice and apply", **heard.row}
            yield {
                "case": "WeChat Pay: an order, from the two", "clients": clients,
                "per_s": round(1 / (began.seconds / began.count + heard.seconds / heard.count)),
                "cpu_ms": round(began.row["cpu_ms"] + heard.row["cpu_ms"], 2),
            }  # fmt: skip


def hear(house: Collector, site: tuple[int, psutil.Process], bank_port: int, clients: int) -> Measured:
    """All that waits for its buyer is paid; so many clients bring the notices of it to the site."""
    charges = json.loads(get(bank_port, "/control/state")[1])["charges"]
    bank = HTTPConnection("127.0.0.1", bank_port, timeout=60)
    house.notices.clear()
    waiting = [one["reference"] for one in charges if one["status"] == "waiting"]
    for reference in waiting:
        status, body = Post("/control/pay", json.dumps({"provider": "wechat", "reference": reference}).encode()).send(
            bank
        )
        assert status == 200, body
    end = time.monotonic() + 60
    while len(house.notices) < len(waiting):
        assert time.monotonic() < end, f"paysim sent {len(house.notices)} of {len(waiting)} notices."
        time.sleep(0.05)
    return run(*site, house.notices, expecting(200), clients=clients)
