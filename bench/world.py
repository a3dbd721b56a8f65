"""A scratch installation to measure: its own data folder, its own database."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch(
    *, database_url: str = "", settings: str = "config.settings.production", has_tables: bool = True
) -> Iterator[Path]:
    """Point this process and its children at an empty installation, migrated; remove it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="sishu-bench-"))
    os.environ.update(
        DJANGO_SETTINGS_MODULE=settings, DATA_DIR=str(folder), DATABASE_URL=database_url, SECRET_KEY="b" * 50,
        ENCRYPTION_KEYS="1:" + "b" * 43 + "=", BLIND_INDEX_KEY="b" * 43 + "=",
        SANDBOX_SECRET="bench", SISHU_ALLOW_SANDBOX="1", GATEWAYS="sandbox", SITE_URL="http://127.0.0.1:8000",
        LOG_LEVEL="WARNING", DEBUG="0", STATIC_ROOT=str(folder / "static"),
    )  # fmt: skip
    (folder / "static").mkdir()
    commands = (["migrate"], ["createcachetable", "--database", "cache"], ["collectstatic", "--no-input"])
    try:
        for command in commands if has_tables else ():
            subprocess.run([sys.executable, "-m", "django", *command, "--verbosity", "0"], check=True)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run_inside(module: str, *arguments: object, database_url: str = "", has_tables: bool = True) -> int:
    """Run `bench.inside.<module>` in a scratch installation of its own; its exit code."""
    with scratch(database_url=database_url, has_tables=has_tables):
        command = [sys.executable, "-m", f"bench.inside.{module}", *map(str, arguments)]
        return subprocess.run(command, check=False).returncode
