"""`sishu backup`: database and files into one sealed file, while the site runs."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sishu.cli.backups import making
from sishu.cli.backups.errors import BackupError
from sishu.cli.backups.progress import Meter


class Command(BaseCommand):
    help = "Write database and files into one sealed file. The site may run meanwhile. Keys are not in it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("target", type=Path, help="a new file, or a folder that is there")
        parser.add_argument("--json", action="store_true", help="say in JSON what was written")

    def handle(self, *_args: Any, **options: Any) -> None:
        # What is half written goes away with us.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
        meter = Meter("Backing up", making.total_bytes() if sys.stderr.isatty() else 0)
        try:
            backup = making.make(options["target"], meter)
        except BackupError as error:
            raise CommandError(str(error)) from error
        finally:
            meter.end()
        manifest = backup.manifest
        rows = sum(manifest.tables.values())
        if options["json"]:
            facts = {"path": str(backup.path), "bytes": backup.size, "created_at": manifest.created_at}
            self.stdout.write(
                json.dumps({**facts, "tables": manifest.tables, "files": len(manifest.files)}, ensure_ascii=False)
            )
        else:
            size = f"{backup.size / 1_000_000:.1f} MB"
            self.stdout.write(f"{backup.path}: {size}, {rows} rows, {len(manifest.files)} files.")
