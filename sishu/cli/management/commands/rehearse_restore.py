"""`sishu rehearse-restore`: does a house come of this backup?"""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sishu.cli.backups.errors import BackupError
from sishu.cli.backups.rehearsing import Step, rehearse


class Command(BaseCommand):
    help = (
        "Restore a backup beside the house, examine it, serve a page from it, and clean up. Exit code 1 on any failure."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="a backup")
        parser.add_argument("--json", action="store_true", help="say in JSON what was found")

    def handle(self, *_args: Any, **options: Any) -> None:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
        steps: list[Step] = []
        try:
            for step in rehearse(options["file"]):
                steps.append(step)
                if not options["json"]:
                    mark = self.style.SUCCESS("OK") if step.is_ok else self.style.ERROR("FAILED")
                    self.stdout.write(f"{mark:8} {step.name} ({step.seconds} s): {step.seen}")
                    self.stdout.flush()
        except BackupError as error:
            raise CommandError(str(error)) from error
        is_sound = all(step.is_ok for step in steps)
        if options["json"]:
            facts = {"file": str(options["file"]), "is_sound": is_sound, "steps": [asdict(step) for step in steps]}
            self.stdout.write(json.dumps(facts, indent=2, ensure_ascii=False))
        if not is_sound:
            raise CommandError(f"{options['file']} did not become a house: {steps[-1].name}: {steps[-1].seen}")
