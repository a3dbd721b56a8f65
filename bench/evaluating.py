"""`sishu recommend evaluate` and `sishu ads evaluate` as a measurement: their JSON as rows of a table."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

Lines = Iterator[dict[str, Any]]


def evaluate(command: str, *arguments: str) -> dict[str, Any]:
    """What `sishu <command> evaluate … --json` prints; ends this process with its error."""
    asked = [sys.executable, "-m", "sishu.cli.main", command, "evaluate", *arguments, "--json"]
    done = subprocess.run(asked, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def lines(found: dict[str, Any], name: str = "", digits: int = 4) -> Lines:
    """A row a model, each on the data of that name, and what models said of their choice."""
    data = {"data": name} if name else {}
    for row in found["models"]:
        yield data | short(row, digits)
    for model, said in found["about"].items():
        yield {"remark": ", ".join(filter(None, [name, f"{model}: {said}"]))}


def short(row: dict[str, Any], digits: int = 4) -> dict[str, Any]:
    """The row with its numbers as people read them; an interval is its value ± half of it."""
    return {column: _short(value, digits) for column, value in row.items()}


def _short(value: Any, digits: int) -> Any:
    match value:
        case {"value": mean, "low": low, "high": high}:
            return f"{mean:.{digits}f} ±{(high - low) / 2:.{digits}f}"
        case float():
            return round(value, 4 if abs(value) < 10 else 1)
        case None:
            return ""
    return value
