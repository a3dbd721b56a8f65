"""Keeps the processes of `sishu run` alive, and takes all of them along when it ends.

It runs in a process of its own without Django, so that watching costs ten megabytes and not a hundred and fifty. One
thread and one loop: read what the children print, start again what died, end everything on TERM or INT.
"""

from __future__ import annotations

import ctypes
import http.client
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from types import FrameType
from typing import IO, cast

TICK_SECONDS = 0.2
# Signals and deaths wake it at once; so it need not look often.
QUIET_SECONDS = 5.0
STOP_SECONDS = 15.0
# A child that ends this soon after its start, so often in a row, will not live the next time either.
EARLY_SECONDS = 2.0
MAX_EARLY_EXITS = 3
COLOURS = ("36", "35", "33", "32")
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run: name → command; what to ask until it answers, "host:port"; what to say then."""

    children: dict[str, list[str]]
    probe: str = ""
    greeting: str = ""

    def to_json(self) -> str:
        """The plan as one argument of a command line."""
        return json.dumps(asdict(self), ensure_ascii=False)


def _tie_to_parent() -> Callable[[], None] | None:
    """On Linux: a function for the child that has the kernel end it when the supervisor itself is killed."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def tie() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # it died in between
            os._exit(1)

    return tie


class Child:
    """One process of the plan, in a session of its own: its helpers can be ended with it."""

    def __init__(self, name: str, command: list[str]) -> None:
        self.name = name
        self.command = command
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.start_at = 0.0
        self.early_exits = 0
        self.rest = b""

    def start(self) -> IO[bytes]:
        """Start it; returns its output, which may outlive it."""
        self.process = subprocess.Popen(  # noqa: S603  the command is ours
            self.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_tie_to_parent(),
        )
        self.started_at = time.monotonic()
        assert self.process.stdout is not None  # noqa: S101  it is a pipe
        os.set_blocking(self.process.stdout.fileno(), False)
        return self.process.stdout

    def lines(self, data: bytes) -> list[str]:
        """The whole lines that end in `data`; the last half is kept for the next time."""
        *whole, self.rest = (self.rest + data).split(b"\n")
        return [line.decode(errors="replace").rstrip("\r") for line in whole]

    def signal_group(self, number: int) -> None:
        """Signal the process and everything it started."""
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)

    def reap(self) -> int:
        """After its end: end its helpers, count, and set the time of the next start. Returns the exit code."""
        assert self.process is not None  # noqa: S101  only the started die
        self.signal_group(signal.SIGKILL)
        code = self.process.wait()
        is_early = time.monotonic() - self.started_at < EARLY_SECONDS
        self.early_exits = self.early_exits + 1 if is_early else 0
        self.start_at = time.monotonic() + (2.0 ** (self.early_exits - 1) if is_early else 0.0)
        self.process = None
        return code


class Supervisor:
    """Runs a plan until TERM or INT, or until a child cannot be kept alive."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.children = [Child(name, command) for name, command in plan.children.items()]
        self.selector = selectors.DefaultSelector()
        self.is_stopping = False
        self.is_greeted = not plan.probe
        self.stop_by = 0.0
        self.exit_code = 0
        self.width = max(len(child.name) for child in self.children)
        self.is_coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def run(self) -> int:
        """Returns the exit code for the shell."""
        self._listen_to_signals()
        while not self.is_stopping:
            self._start_what_is_due()
            is_quiet = self.is_greeted and all(child.process for child in self.children)
            self._pump(QUIET_SECONDS if is_quiet else TICK_SECONDS)
            self._look_for_deaths()
            self._greet()
        self._end_all()
        return self.exit_code

    def _listen_to_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        # Each signal writes a byte to this pipe, so that one which comes just before the select still ends it.
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        self.selector.register(reader, selectors.EVENT_READ)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        # The second time somebody is in a hurry.
        self.stop_by = 0.0 if self.is_stopping else time.monotonic() + STOP_SECONDS
        self.is_stopping = True

    def _start_what_is_due(self) -> None:
        for child in self.children:
            if child.process is None and time.monotonic() >= child.start_at:
                self.selector.register(child.start(), selectors.EVENT_READ, child)

    def _pump(self, seconds: float) -> None:
        for key, _events in self.selector.select(seconds):
            data = b""
            with suppress(BlockingIOError):
                data = os.read(key.fd, 65536)
            if key.data is not None:  # None: a signal, which has been handled
                self._relay(cast(IO[bytes], key.fileobj), data, key.data)

    def _relay(self, output: IO[bytes], data: bytes, child: Child) -> None:
        ended = [] if data or not child.rest else [b"\n"]  # the last line may lack its end
        for line in child.lines(b"".join([data, *ended])):
            self._say(line, child)
        if not data:
            self.selector.unregister(output)
            output.close()

    def _look_for_deaths(self) -> None:
        for child in self.children:
            if child.process is None or child.process.poll() is None:
                continue
            code = child.reap()
            how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
            if child.early_exits >= MAX_EARLY_EXITS:
                self._say(
                    f"sishu: {child.name} died {child.early_exits} times right after its start, {how}; giving up."
                )
                self.is_stopping, self.exit_code = True, 1
                self.stop_by = time.monotonic() + STOP_SECONDS
            else:
                self._say(f"sishu: {child.name} ended {how}; starting it again.")

    def _greet(self) -> None:
        if not self.is_greeted and _answers(self.plan.probe):
            self.is_greeted = True
            self._say(self.plan.greeting)

    def _end_all(self) -> None:
        for child in self.children:
            if child.process is not None:
                child.process.terminate()
        while self._living() and time.monotonic() < self.stop_by:
            self._pump(TICK_SECONDS)
        for child in self.children:
            child.signal_group(signal.SIGKILL)  # the stubborn, and helpers that outlived their leader
            if child.process is not None:
                child.process.wait()
        self._pump(0)

    def _living(self) -> list[Child]:
        return [child for child in self.children if child.process is not None and child.process.poll() is None]

    def _say(self, text: str, child: Child | None = None) -> None:
        prefix = ""
        if child is not None:
            prefix = f"{child.name:{self.width}} | "
            if self.is_coloured:
                prefix = f"\x1b[{COLOURS[self.children.index(child) % len(COLOURS)]}m{prefix}\x1b[0m"
        try:
            print(f"{prefix}{text}", flush=True)  # noqa: T201
        except OSError:
            # Whoever read our output is gone, as after `make run | head`.
            self.is_stopping = True


def _answers(probe: str) -> bool:
    host, _, port = probe.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=TICK_SECONDS)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    else:
        return True
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(Supervisor(Plan(**json.loads(sys.argv[1]))).run())
