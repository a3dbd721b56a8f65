"""One piece of work in a process of its own, so that its time and its memory are its own."""

from __future__ import annotations

import os
import pickle
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sishu.estimators.errors import InvalidInput, OverBudget

# One thread each: seconds of the processor compare, and a server's cores are for its readers.
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM", "NUMBA")}
T = TypeVar("T")
KILOBYTES = 1024 if sys.platform != "darwin" else 1  # ru_maxrss counts kilobytes on Linux, bytes on macOS


@dataclass(frozen=True)
class Outcome:
    """What a piece of work gave, or why it gave nothing; `peak` in bytes is its process's highest, libraries and all."""

    value: Any = None
    refusal: str = ""
    peak: int = 0


def run(function: Callable[..., Any], *args: Any) -> Outcome:
    """Call `function` of a module that can be imported, elsewhere. Ctrl-C ends that process too."""
    process = subprocess.Popen(  # noqa: S603 this Python, this module
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, **ONE_THREAD, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    try:
        answer, said = process.communicate(pickle.dumps((function, args)))
    except KeyboardInterrupt:
        process.kill()
        process.wait()
        raise
    if process.returncode == 0:
        return Outcome(*pickle.loads(answer))  # noqa: S301 our own child wrote it
    if process.returncode < 0:
        return Outcome(refusal=f"ended by signal {-process.returncode}; out of memory?")
    return Outcome(refusal=(said.decode(errors="replace").strip().splitlines() or ["ended without a word"])[-1])


def cpu_seconds(work: Callable[[], T]) -> tuple[T, float]:
    """What `work` returns, and the seconds of the processor it took, user and system."""
    before = time.process_time()
    value = work()
    return value, time.process_time() - before


def main() -> None:
    function, args = pickle.load(sys.stdin.buffer)  # noqa: S301 our own parent wrote it
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library that prints must not print into the answer
    value, refusal = None, ""
    try:
        value = function(*args)
    except (InvalidInput, OverBudget) as error:
        refusal = str(error)
    except MemoryError:
        refusal = "ran out of memory"
    with answers:
        pickle.dump((value, refusal, _peak()), answers)


def _peak() -> int:
    """The most memory this process held, in bytes."""
    try:
        status = Path("/proc/self/status").read_text()
    except FileNotFoundError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KILOBYTES
    # On Linux the other figure begins with the parent's, from which this process was forked.
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


if __name__ == "__main__":
    main()
