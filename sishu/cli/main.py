"""The `sishu` command line: every command of the house, with refusals a person can read."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured
from django.core.management import ManagementUtility
from django.db import DatabaseError, connection

import config
from sishu.core.database import first_line

ENV_FILE = Path(config.__file__).resolve().parents[1] / ".env"


def main() -> None:
    """Run the command of `sys.argv`. `DJANGO_SETTINGS_MODULE` may stand in `.env`; unset it is the trying-out settings."""
    environ.Env.read_env(ENV_FILE)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    utility = ManagementUtility(["sishu", *map(module_name, sys.argv[1:2]), *sys.argv[2:]])
    utility.prog_name = "sishu"
    try:
        utility.execute()
    except (ImproperlyConfigured, PermissionError, DatabaseError) as error:
        sentence = explain(error)
        if not sentence or "--traceback" in sys.argv:
            raise
        sys.exit(sentence)


def module_name(command: str) -> str:
    """A command is a module: rehearse-restore is looked for as rehearse_restore. Options stay as they are."""
    return command if command.startswith("-") else command.replace("-", "_")


def explain(error: Exception) -> str:
    """One sentence for what an operator can put right; empty for what only a developer can."""
    if isinstance(error, ImproperlyConfigured):
        return str(error)
    if isinstance(error, PermissionError):
        return (
            f"No permission for {error.filename}: {error.strerror}. Give this user the file, or set DATA_DIR elsewhere."
        )
    try:
        connection.ensure_connection()
    except DatabaseError as reason:
        return f"The database does not answer: {first_line(reason)}. Start it, or correct DATABASE_URL."
    return ""


if __name__ == "__main__":
    main()
