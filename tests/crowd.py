"""Real processes on the test's own database, let go at the same moment."""

from __future__ import annotations

import multiprocessing as mp
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.db import connection, connections


def database_url() -> str:
    """The DATABASE_URL of the database this test runs on."""
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{values['NAME']}"
    scheme = {"postgresql": "postgres", "mysql": "mysql"}[connection.vendor]
    login = quote(values["USER"] or "", safe="") + (
        f":{quote(values['PASSWORD'], safe='')}" if values["PASSWORD"] else ""
    )
    port = f":{values['PORT']}" if values["PORT"] else ""
    host = str(values["HOST"] or "")
    # A socket's folder is written where the path begins.
    return f"{scheme}://{login}@{'/' if host.startswith('/') else ''}{host}{port}/{values['NAME']}"


def environment(data_dir: Path) -> dict[str, str]:
    """What a process needs to work on this test's database and data folder."""
    return {
        **os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test", "DATABASE_URL": database_url(),
        "DATA_DIR": str(data_dir), "LOG_LEVEL": "ERROR",
    }  # fmt: skip


def rush(task: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Call `task` once for each tuple of arguments, each in a process of its own, all at once.

    Returns what each returned, or the exception's text as "Name: message", in the order they finished.
    """
    # Forked with nothing open: each child makes its own connections, and none shares a socket with the test.
    connections.close_all()
    context = mp.get_context("fork")
    gate, answers = context.Barrier(len(arguments)), context.Queue()
    crowd = [context.Process(target=_run, args=(task, args, gate, answers)) for args in arguments]
    for process in crowd:
        process.start()
    results = [answers.get(timeout=120) for _ in crowd]
    for process in crowd:
        process.join(timeout=30)
    return results


def _run(task: Callable[..., Any], args: tuple[Any, ...], gate: Any, answers: Any) -> None:
    connection.ensure_connection()
    gate.wait(timeout=60)
    try:
        answers.put(task(*args))
    except Exception as error:  # noqa: BLE001  the test reads it
        answers.put(f"{type(error).__name__}: {error}")
    connections.close_all()
