"""Restoring a backup beside the house, and looking whether a house comes of it.

Nothing of the running site is touched: a folder and a database of its own, which go away again. No worker is started: it
would send mails and speak to payment providers.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage

from sishu.cli.backups import databases, rooms

SISHU = [sys.executable, "-m", "sishu.cli.main"]
# They speak of the site that runs: its address, its worker.
NOT_JUDGED = {"settings", "jobs"}
START_SECONDS = 90.0
PAGES = ("/healthz", "/readyz", "/")


@dataclass(frozen=True, slots=True)
class Step:
    """One part of a rehearsal: how it went, and what was seen."""

    name: str
    is_ok: bool
    seconds: float
    seen: str


class _Failed(Exception):
    """A step did not go well; the text says what was seen."""


def rehearse(path: Path) -> Iterator[Step]:
    """Restore, migrate, look with `doctor` and `ledger check`, serve a page. Ends after the first step that fails.

    BackupError when there is no room for a rehearsal.
    """
    with rooms.room(".rehearsal-") as room, databases.engine().stand_in(room) as url:
        environment = _environment(room, url)
        for name, act in _steps(path.resolve(), room, environment):
            start = time.monotonic()
            try:
                is_ok, seen = True, act()
            except _Failed as failure:
                is_ok, seen = False, str(failure)
            yield Step(name, is_ok, round(time.monotonic() - start, 1), seen)
            if not is_ok:
                return


def _steps(path: Path, room: Path, environment: dict[str, str]) -> Iterator[tuple[str, Callable[[], str]]]:
    yield "restore", lambda: _restored(_run(["restore", str(path), "--json"], environment))
    yield "migrate", lambda: _run(["migrate", "--no-input", "--verbosity", "0"], environment) or "up to date"
    yield "doctor", lambda: _examined(_run(["doctor", "--json"], environment, codes=(0, 1)))
    yield "ledger", lambda: _audited(_run(["ledger", "check", "--json"], environment))
    if isinstance(staticfiles_storage, ManifestFilesMixin):
        yield "static files", lambda: _run(["collectstatic", "--no-input"], environment)
    yield "web", lambda: _served(room, environment)


def _environment(room: Path, url: str) -> dict[str, str]:
    """That of this installation with its keys, but for another folder, database, port and address."""
    keys = ",".join(f"{version}:{_text(key)}" for version, key in settings.ENCRYPTION_KEYS.items())
    port = str(_free_port())
    changed = {
        "DATA_DIR": str(room), "DATABASE_URL": url, "CACHE_URL": "", "EMAIL_URL": "", "STATIC_ROOT": str(room / "static"),
        "HOST": "127.0.0.1", "PORT": port, "SITE_URL": f"http://127.0.0.1:{port}", "ALLOWED_HOSTS": "127.0.0.1",
        "PROXY_COUNT": "0", "WEB_WORKERS": "1", "WEB_THREADS": "1", "LOG_LEVEL": "WARNING",
        "SECRET_KEY": settings.SECRET_KEY, "SANDBOX_SECRET": settings.SANDBOX_SECRET, "ENCRYPTION_KEYS": keys,
        "BLIND_INDEX_KEY": _text(settings.BLIND_INDEX_KEY), "BACKUP_KEY": _text(settings.BACKUP_KEY),
    }  # fmt: skip
    # What stands in a file would win otherwise.
    return {**os.environ, **changed, **dict.fromkeys((f"{name}_FILE" for name in changed), "")}


def _run(arguments: list[str], environment: dict[str, str], codes: tuple[int, ...] = (0,)) -> str:
    """What a command of ours prints; _Failed with its last line for another exit code."""
    done = subprocess.run([*SISHU, *arguments], env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode not in codes:
        raise _Failed(_last_line(done.stderr or done.stdout).removeprefix("CommandError: "))
    return done.stdout.strip()


def _restored(text: str) -> str:
    facts = json.loads(text)
    rows = sum(facts["tables"].values())
    return f"{rows} rows and {facts['files']} files of {facts['created_at']}"


def _examined(text: str) -> str:
    findings = [finding for finding in json.loads(text) if finding["name"] not in NOT_JUDGED]
    for finding in findings:
        for problem in finding["problems"]:
            raise _Failed(f"{finding['name']}: {problem['fact']} {problem['way_out']}")
    return ", ".join(finding["name"] for finding in findings)


def _audited(text: str) -> str:
    facts = json.loads(text)
    return f"{facts['journals']} journals, {facts['transfers']} transfers"


def _served(room: Path, environment: dict[str, str]) -> str:
    with _web(room / "web.log", environment) as process:
        seen = [_look(page, int(environment["PORT"]), process, room / "web.log") for page in PAGES]
    return ", ".join(seen)


@contextmanager
def _web(log: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603
            [*SISHU, "web"], env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(15)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its workers too
        process.wait()


def _look(page: str, port: int, process: subprocess.Popen[bytes], log: Path) -> str:
    """Fetch a page, waiting for the server to come up; _Failed when it is not what a reader should get."""
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            status, body = _fetch(page, port)
            break
        except (OSError, http.client.HTTPException) as error:
            if process.poll() is not None or time.monotonic() > end:
                said = _last_line(log.read_text(errors="replace"))
                raise _Failed(f"{page} does not answer: {said or error}") from error
            time.sleep(0.2)
    if page == "/readyz":
        faults = {name: told for name, told in json.loads(body).items() if name not in {"ready", *NOT_JUDGED}}
        if any(told != "ok" for told in faults.values()):
            raise _Failed(f"{page} says {faults}")
    elif status != 200 or not body:
        raise _Failed(f"{page} answers {status}: {_last_line(log.read_text(errors='replace'))}")
    return f"{page} {len(body)} bytes"


def _fetch(page: str, port: int) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", page)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[-1].strip()


def _text(key: bytes) -> str:
    return base64.b64encode(key).decode()
