"""`sishu restore`: a backup into an empty house."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sishu.cli import doctor
from sishu.cli.backups import restoring
from sishu.cli.backups.errors import BackupError
from sishu.cli.backups.progress import Meter


class Command(BaseCommand):
    help = "Fill an empty database and an empty data folder from a backup. Nothing is written over."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="a backup")
        parser.add_argument("--json", action="store_true", help="say in JSON what was restored")

    def handle(self, *_args: Any, **options: Any) -> None:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
        meter = Meter("Restoring")
        try:
            manifest = restoring.restore(options["file"], meter)
        except BackupError as error:
            raise CommandError(str(error)) from error
        finally:
            meter.end()
        waiting = doctor.waiting_migrations()
        if options["json"]:
            facts = {
                "created_at": manifest.created_at, "version": manifest.version, "tables": manifest.tables,
                "files": len(manifest.files), "waiting_migrations": waiting,
            }  # fmt: skip
            self.stdout.write(json.dumps(facts, ensure_ascii=False))
            return
        rows = sum(manifest.tables.values())
        self.stdout.write(f"Restored {rows} rows and {len(manifest.files)} files of {manifest.created_at}.")
        if waiting:
            self.stdout.write(f"{len(waiting)} migrations wait. Run: sishu migrate")
