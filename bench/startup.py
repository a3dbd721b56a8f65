"""From a clone to the first page, warm start, and memory.

    python -m bench.startup [--cold]

--cold clones the repository into an empty folder and runs `make run` there: it needs the package registries. Memory is
the whole process group of `sishu run` (supervisor, two web processes with their parent, worker) as the kernel shares it
out (PSS).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from bench.serving import free_port, get

ROOT = Path(__file__).resolve().parents[1]


def run(*, cold: bool) -> list[dict[str, Any]]:
    folder = Path(tempfile.mkdtemp(prefix="sishu-start-"))
    try:
        return [*(_cold(folder) if cold else []), *_warm(folder / "data")]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _cold(folder: Path) -> list[dict[str, Any]]:
    start = time.perf_counter()
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder / "clone")], check=True)
    seconds, _memory = _serve(["make", "run"], folder / "clone", {}, start)
    used = subprocess.run(["du", "-sm", str(folder / "clone")], check=True, capture_output=True, text=True).stdout
    return [{"case": "clone to the first page", "s": round(seconds, 1), "disk_mb": int(used.split()[0])}]


def _warm(data: Path) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "sishu.cli.main", "run"]
    variables = {"DATA_DIR": str(data), "DJANGO_SETTINGS_MODULE": "config.settings.dev"}
    first, _memory = _serve(command, ROOT, variables, time.perf_counter())
    again, memory = _serve(command, ROOT, variables, time.perf_counter(), load=600)
    return [
        {"case": "first start of an empty house, demo and all", "s": round(first, 1)},
        {"case": "warm start to the first page", "s": round(again, 1)},
        {"case": "memory, process group", **memory},
    ]


def _serve(
    command: list[str], folder: Path, variables: dict[str, str], start: float, *, load: int = 0
) -> tuple[float, dict[str, int]]:
    """Seconds until the first page, and memory in MB idle and after `load` pages."""
    port = free_port()
    process = subprocess.Popen(
        command, cwd=folder, env={**os.environ, **variables, "PORT": str(port)}, stdout=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        while True:
            try:
                if get(port, "/")[0] == 200:
                    break
            except OSError:
                time.sleep(0.05)
        seconds = time.perf_counter() - start
        memory = {"idle_mb": _pss(process)}
        for n in range(load):
            get(port, f"/?n={n}" if n % 2 else "/articles")
        return seconds, {**memory, "after_load_mb": _pss(process)}
    finally:
        process.terminate()
        process.wait(timeout=60)


def _pss(process: subprocess.Popen[bytes]) -> int:
    first = psutil.Process(process.pid)
    return round(sum(p.memory_full_info().pss for p in [first, *first.children(recursive=True)]) / 2**20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cold", action="store_true")
    for row in run(cold=parser.parse_args().cold):
        print(json.dumps(row))


if __name__ == "__main__":
    main()
