"""Two hundred purchases while web servers and workers are killed at random: all of each, or nothing of it."""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from importlib import import_module
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlencode, urlsplit

import psutil
import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import connections

from sishu.accounts.models import User
from sishu.commerce.models import Entitlement, Order, Payment
from sishu.core import plugins
from sishu.gateways.sandbox_bank import SandboxBank
from sishu.jobs.models import JobRun
from sishu.ledger.models import Book, Journal
from sishu.ledger.selectors import balance
from sishu.outbox.models import Fact
from sishu.web import devmail
from tests.crowd import environment
from tests.factories.commerce import make_offer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.money, pytest.mark.processes, pytest.mark.slow]

PURCHASES, AT_ONCE, KILLS = 200, 8, 12
ROOT = Path(__file__).resolve().parents[2]


def test_row_24_25_26_kill_nine_of_web_and_worker_loses_and_doubles_nothing(transactional_db, tmp_path):
    offer = make_offer(amount=990)
    cookies = [signed_in(user) for user in make_readers(PURCHASES)]
    connections.close_all()
    with site(tmp_path) as (port, supervisor):
        done = Event()
        killer = Thread(target=kill_at_random, args=(supervisor, done), daemon=True)
        killer.start()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            ends = list(pool.map(lambda cookie: buy(port, cookie, offer.pk), cookies))
        done.set()
        killer.join()
        wait_until(everything_is_told)
    assert set(ends) == {"paid"}, ends
    bank = SandboxBank(tmp_path / "sandbox.sqlite3")
    assert_whole(bank, offer)


def make_readers(number: int) -> list[User]:
    names = [f"buyer{n}" for n in range(number)]
    User.objects.bulk_create(User(username=n, username_key=n, email=f"{n}@example.org", password="!") for n in names)
    return list(User.objects.filter(username__startswith="buyer"))


def signed_in(user: User) -> str:
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.save()
    return f"{settings.SESSION_COOKIE_NAME}={store.session_key}"


@contextmanager
def site(data_dir: Path) -> Iterator[tuple[int, psutil.Process]]:
    """`sishu run` on the test's database: its port, and the supervisor that keeps it alive."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    variables = environment(data_dir) | {
        "DJANGO_SETTINGS_MODULE": "config.settings.dev", "PORT": str(port), "SITE_URL": f"http://127.0.0.1:{port}",
        "SECRET_KEY": settings.SECRET_KEY, "SANDBOX_SECRET": settings.SANDBOX_SECRET, "GATEWAYS": "sandbox",
    }  # fmt: skip
    with (data_dir / "run.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "sishu.cli.main", "run"], cwd=ROOT, env=variables, stdout=log, stderr=log
        )
        try:
            wait_until(lambda: ask(port, "GET", "/healthz")[0] == 200)
            yield port, psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(timeout=60)


def ask(port: int, method: str, path: str, cookie: str = "", form: dict[str, str] | None = None) -> tuple[int, bytes]:
    """One request; (0, reason) when the server died under it."""
    headers = {"Cookie": cookie, "Accept": "application/json", "Origin": f"http://127.0.0.1:{port}"}
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, urlencode(form) if form is not None else None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, HTTPException) as error:
        return 0, str(error).encode()
    finally:
        connection.close()


def buy(port: int, cookie: str, offer_id: int) -> str:
    """A reader who presses again whenever the site does not answer, for up to three minutes."""
    end = time.monotonic() + 180
    while time.monotonic() < end:
        status, body = ask(port, "POST", "/payment", cookie, {"offer": str(offer_id)})
        if status == 200:
            return "paid"
        if status == 202:
            ask(port, "POST", urlsplit(json.loads(body)["payment_url"]).path, "", {"ending": "pay"})
            number = json.loads(body)["order"]["number"]
            ask(port, "GET", f"/payment/{number}/return", cookie)
        else:
            time.sleep(0.2)  # the server is down: a person waits a moment before pressing again
    return f"gave up after {status} {body[:200]!r}"


def kill_at_random(supervisor: psutil.Process, done: Event) -> None:
    """kill -9 one of the processes under the supervisor, whichever comes; it starts them again."""
    chance = random.Random(20261122)
    for _ in range(KILLS):
        if done.wait(chance.uniform(1.5, 4)):
            return
        with suppress(psutil.Error, IndexError):
            chance.choice(supervisor.children(recursive=True)).kill()


def everything_is_told() -> bool:
    waits = (
        Payment.objects.filter(status="pending").exists()
        or Fact.objects.filter(delivered_at=None).exists()
        or JobRun.objects.filter(task__endswith="send_receipt").exclude(status=JobRun.Status.SUCCEEDED).exists()
    )
    connections.close_all()
    return not waits


def wait_until(true, seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.2)


def assert_whole(bank: SandboxBank, offer) -> None:
    plugins.load.cache_clear()
    paid = Order.objects.filter(status=Order.Status.PAID)
    assert paid.count() == PURCHASES
    assert not Order.objects.exclude(status=Order.Status.PAID).exists()
    assert Entitlement.objects.count() == PURCHASES
    assert Journal.objects.filter(kind="sale").count() == Journal.objects.count() == PURCHASES
    assert Fact.objects.filter(name="OrderPaid").count() == PURCHASES
    assert Payment.objects.filter(captured_amount=offer.amount).count() == PURCHASES
    assert balance("asset:psp:sandbox", book=Book.SANDBOX) == bank.totals()["CNY"] == PURCHASES * offer.amount
    receipts = [letter.to for file in (bank.path.parent / "mail").glob("*.log") for letter in devmail.letters(file)]
    assert len(set(receipts)) == PURCHASES  # each at least once; a worker killed behind the post office sends again
