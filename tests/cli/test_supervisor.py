"""The supervisor with small children: prefixes, restarts, giving up, and no orphans, however it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest

from sishu.cli.supervisor import Plan

pytestmark = pytest.mark.processes

ROOT = Path(__file__).resolve().parents[2]
UP = "import os, time; print('up', os.getpid(), flush=True); time.sleep(60)"
# Starts a helper; neither of the two minds TERM, and the first says so.
STUBBORN = (
    "import os, signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "helper = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    "signal.signal(signal.SIGTERM, lambda *_: print('not yet', flush=True));"
    "print('up', os.getpid(), flush=True); print('up', helper.pid, flush=True); time.sleep(60)"
)


class Stage:
    """A supervisor under test and what it printed so far."""

    def __init__(self, plan: Plan) -> None:
        command = [sys.executable, "-m", "sishu.cli.supervisor", plan.to_json()]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.output = ""

    def read(self) -> str:
        self.output += (self.process.stdout.read() or b"").decode()
        return self.output

    def wait_for(self, condition: Callable[[], object], seconds: float = 20) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, self.read()
            time.sleep(0.05)

    def pids(self, name: str = ".*") -> list[int]:
        return [int(pid) for pid in re.findall(rf"^{name} *\| up (\d+)$", self.read(), re.MULTILINE)]

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=20)


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def supervise() -> Iterator[Callable[..., Stage]]:
    stages: list[Stage] = []

    def start(probe: str = "", greeting: str = "", **programs: str) -> Stage:
        children = {name: [sys.executable, "-c", program] for name, program in programs.items()}
        stages.append(Stage(Plan(children, probe, greeting)))
        return stages[-1]

    yield start
    for stage in stages:
        for pid in [stage.process.pid, *stage.pids()]:
            if is_alive(pid):
                os.kill(pid, signal.SIGKILL)
        stage.process.wait()
        stage.process.stdout.close()


def test_both_children_run_and_say_who_they_are(supervise):
    stage = supervise(web=UP, work=UP)
    stage.wait_for(lambda: len(stage.pids()) == 2)
    assert stage.end() == 0
    assert re.search(r"^web  \| up \d+$", stage.read(), re.MULTILINE)
    assert re.search(r"^work \| up \d+$", stage.output, re.MULTILINE)
    assert "\x1b" not in stage.output, "colours are for terminals"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ending_leaves_no_orphans(supervise, number):
    stage = supervise(web=UP, work=UP)
    stage.wait_for(lambda: len(stage.pids()) == 2)
    assert stage.end(number) == 0
    assert not any(map(is_alive, stage.pids()))


def test_a_killed_child_is_started_again(supervise):
    stage = supervise(web=UP, work=UP)
    stage.wait_for(lambda: len(stage.pids()) == 2)
    (first,) = stage.pids("web")
    os.kill(first, signal.SIGKILL)
    stage.wait_for(lambda: len(stage.pids("web")) == 2)
    assert "web ended by signal 9; starting it again." in stage.output
    assert len(stage.pids("work")) == 1


def test_a_child_that_cannot_live_is_given_up_with_a_sentence(supervise):
    stage = supervise(web="print('no luck'); raise SystemExit(7)", work=UP)
    assert stage.process.wait(timeout=20) == 1
    stage.read()
    assert "web died 3 times right after its start, with exit code 7; giving up." in stage.output
    assert stage.output.count("web  | no luck") == 3
    assert not any(map(is_alive, stage.pids()))


def test_the_stubborn_and_their_helpers_are_killed_when_someone_is_in_a_hurry(supervise):
    stage = supervise(work=STUBBORN)
    stage.wait_for(lambda: len(stage.pids()) == 2)
    stage.process.send_signal(signal.SIGTERM)
    stage.wait_for(lambda: "work | not yet" in stage.read())
    assert stage.process.poll() is None, "it waits for its children first"
    assert stage.end() == 0
    stage.wait_for(lambda: not any(map(is_alive, stage.pids())))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_children_do_not_outlive_a_killed_supervisor(supervise):
    stage = supervise(web=UP, work=UP)
    stage.wait_for(lambda: len(stage.pids()) == 2)
    stage.end(signal.SIGKILL)
    stage.wait_for(lambda: not any(map(is_alive, stage.pids())))


def test_it_greets_once_the_site_answers(supervise):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serve = f"import http.server as h; h.test(h.SimpleHTTPRequestHandler, port={port}, bind='127.0.0.1')"
    stage = supervise(f"127.0.0.1:{port}", "Good morning.", web=serve)
    stage.wait_for(lambda: "Good morning." in stage.read())
    for path in (
        "/one",
        "/two",
    ):  # each line the site writes wakes the supervisor, which looks again what there is to do
        site = HTTPConnection("127.0.0.1", port, timeout=20)
        site.request("GET", path)
        site.getresponse()
        site.close()
        stage.wait_for(lambda path=path: f"GET {path} " in stage.read())
    assert stage.output.count("Good morning.") == 1


def test_a_half_line_at_the_end_is_not_lost(supervise):
    stage = supervise(web="import sys; sys.stdout.write('whole\\nhalf')", work=UP)
    stage.wait_for(lambda: "web  | half" in stage.read())
    assert "web  | whole" in stage.output
