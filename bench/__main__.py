"""`python -m bench`: every measurement, one after the other, written to bench/results.md."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results.md"
PARTS = {
    "Pages": ["bench.pages"],
    "Orders on PostgreSQL": ["bench.orders"],
    "Orders on SQLite": ["bench.orders", "--database", "sqlite"],
    "Sixteen buyers and the worker on SQLite for a minute": ["bench.contention"],
    "Start and memory": ["bench.startup", "--cold"],
}
PACKAGES = ("Django", "wagtail", "granian", "psycopg")
HEAD = """# Measured

Written by `make bench`. Compare rows of one table with each other: they come from one run on one machine. CPU is the
servers' own (user and system) per request or order; seconds of the clock include whatever else the machine was doing.
"""


def main() -> None:
    load = os.getloadavg()[0]  # before our own work raises it
    rows = {title: _rows(part) for title, part in PARTS.items()}
    machine = f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, Python {platform.python_version()}"
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    parts = [HEAD, f"Machine: {machine}. Load before the run: {load:.1f}. {versions}.\n"]
    for title, found in rows.items():
        parts += [f"\n## {title}\n\n`python -m {' '.join(PARTS[title])}`\n", _table(found)]
    RESULTS.write_text("\n".join(parts), encoding="utf-8")
    print(f"Written to {RESULTS.relative_to(Path.cwd())}")


def _rows(part: list[str]) -> list[dict[str, Any]]:
    print(f"{' '.join(part)} …", flush=True)
    done = subprocess.run([sys.executable, "-m", *part], check=False, capture_output=True, text=True)
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not rows:
        sys.exit(f"{' '.join(part)} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return rows


def _table(rows: list[dict[str, Any]]) -> str:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(str(row.get(name, "")) for name in columns) + " |" for row in rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
