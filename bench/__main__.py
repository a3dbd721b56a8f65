"""`python -m bench`: every measurement, one after the other, written to bench/results.md.

`python -m bench payments estimators:lists …` takes those of the modules or parts named only. Each section says when, on what and beside which load
it was measured; those that were not measured stay as they are.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results.md"
PARTS = {
    "Pages": ["bench.pages"],
    "Orders on PostgreSQL": ["bench.orders"],
    "Orders on SQLite": ["bench.orders", "--database", "sqlite"],
    "Orders over HTTP on PostgreSQL": ["bench.payments", "http"],
    "Orders over HTTP on SQLite": ["bench.payments", "http", "--database", "sqlite"],
    "Verifying notices": ["bench.payments", "signatures"],
    "Twenty notices in one transaction, on PostgreSQL": ["bench.payments", "batches"],
    "Sixteen buyers and the worker on SQLite for a minute": ["bench.contention"],
    "Start and memory": ["bench.startup", "--cold"],
    "Lists, a fifth of each user's positives asked about": ["bench.estimators", "lists"],
    "Lists, the last thing of each user asked about": ["bench.estimators", "next"],
    "Ratings, five folds": ["bench.estimators", "ratings"],
    "Items nobody had yet": ["bench.estimators", "cold"],
    "One list for a reader, from the model's file": ["bench.estimators", "serving"],
    "Fits as users and items grow": ["bench.estimators", "growth"],
    "Learning clicks row by row": ["bench.ads", "learning"],
    "Click models on the Open Bandit logs": ["bench.ads", "clicks"],
    "What another policy would have earned": ["bench.ads", "policies"],
}
HOUSE = ("Django", "wagtail", "granian", "psycopg", "cryptography")
MODELS = ("numpy", "scipy", "scikit-learn", "implicit", "scikit-surprise", "lightgbm", "river")
HEAD = """# Measured

Written by `make bench`. Compare rows of one table with each other: they come from one run on one machine. CPU is the
servers' own (user and system) per request or order; seconds of the clock include whatever else the machine was doing.
"""


def main() -> None:
    asked, known = sys.argv[1:], sorted(set().union(*map(_names, PARTS.values())))
    if unknown := [name for name in asked if name not in known]:
        sys.exit(f"Nothing called {', '.join(unknown)} is measured; known: {', '.join(known)}.")
    for title, part in PARTS.items():
        if not asked or _names(part) & set(asked):
            section = _section(part)
            sections = {**_kept(), title: section}  # read late: another measurement may run beside this one
            parts = [HEAD, *(f"## {name}\n\n{sections[name]}" for name in PARTS if name in sections)]
            RESULTS.write_text("\n\n".join(parts), encoding="utf-8")
    print(f"Written to {RESULTS.relative_to(Path.cwd())}")


def _kept() -> dict[str, str]:
    """The sections that stand in the results, by title."""
    if not RESULTS.exists():
        return {}
    _head, *sections = RESULTS.read_text(encoding="utf-8").split("\n## ")
    return {title: text.strip() + "\n" for title, _, text in (section.partition("\n") for section in sections)}


def _section(part: list[str]) -> str:
    """One measurement, and under which circumstances."""
    load = os.getloadavg()[0]  # before our own work raises it
    lines = _lines(part)
    packages = MODELS if part[0] in ("bench.estimators", "bench.ads") else HOUSE
    circumstances = (
        f"`python -m {' '.join(part)}`, {date.today():%Y-%m-%d}. {os.cpu_count()} cores, {platform.machine()},"
        f" {platform.system()}, Python {platform.python_version()}; load before: {load:.1f}."
        f" {', '.join(f'{name} {version(name)}' for name in packages)}.\n"
    )
    return "\n".join([circumstances, _table(lines), *_remarks(lines)])


def _names(part: list[str]) -> set[str]:
    """By what a measurement can be asked for: its module, and its part of that."""
    module = part[0].removeprefix("bench.")
    return {module, ":".join([module, *(word for word in part[1:2] if not word.startswith("-"))])}


def _lines(part: list[str]) -> list[dict[str, Any]]:
    """What a measurement wrote: rows of its table, and remarks about it."""
    print(f"{' '.join(part)} …", file=sys.stderr, flush=True)
    done = subprocess.run([sys.executable, "-m", *part], check=False, capture_output=True, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        sys.exit(f"{' '.join(part)} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return lines


def _table(found: list[dict[str, Any]]) -> str:
    rows = [row for row in found if "remark" not in row]
    if not rows:
        return ""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(str(row.get(name, "")) for name in columns) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _remarks(lines: list[dict[str, Any]]) -> list[str]:
    return [f"{line['remark']}\n" for line in lines if "remark" in line]


if __name__ == "__main__":
    main()
