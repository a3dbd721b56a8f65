"""`sishu run` as a whole, on embedded defaults."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest
from django.db import connection

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def lend_tables(data_dir: Path) -> None:
    """Spare the run the minute that all migrations take: it finds them applied, as on its second start."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        with sqlite3.connect(data_dir / "sishu.sqlite3") as copy:
            connection.connection.backup(copy)
        copy.close()


def answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def wait_for(condition, run: subprocess.Popen, log: Path, seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert run.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.2)


@pytest.mark.processes
@pytest.mark.usefixtures("transactional_db")
def test_the_house_opens_mends_itself_and_closes(tmp_path):
    lend_tables(tmp_path)
    port, log = free_port(), tmp_path / "log"
    unset = {"DATABASE_URL", "DJANGO_SETTINGS_MODULE", "DEBUG", "SECRET_KEY", "SITE_URL"}
    environment = {key: value for key, value in os.environ.items() if key not in unset}
    with log.open("w") as output:
        run = subprocess.Popen(
            [sys.executable, "-m", "sishu.cli.main", "run"],
            env={**environment, "DATA_DIR": str(tmp_path), "PORT": str(port)},
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    family: list[psutil.Process] = []
    try:
        wait_for(lambda: f"Sishu is at http://127.0.0.1:{port}" in log.read_text(), run, log)
        assert f"http://127.0.0.1:{port}/dev/mail" in log.read_text()
        assert answers(port)
        web = next(child for child in psutil.Process(run.pid).children() if child.cmdline()[-1] == "web")
        family = psutil.Process(run.pid).children(recursive=True)
        assert len(family) >= 4, "web server, two workers of its own, one worker of ours"
        web.send_signal(signal.SIGKILL)
        wait_for(lambda: "web ended by signal 9; starting it again." in log.read_text(), run, log)
        wait_for(lambda: answers(port), run, log)
        family += psutil.Process(run.pid).children(recursive=True)
    finally:
        run.terminate()
        code = run.wait(timeout=60)
    assert code == 0, log.read_text()
    _gone, orphans = psutil.wait_procs(family, timeout=5)
    assert orphans == []
    assert not re.search("Traceback", log.read_text()), log.read_text()
