"""`sishu keys rotate`: the keys of sealed cells, wrapped anew."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sishu.core import crypto


class Command(BaseCommand):
    help = "Wrap all subjects' keys with the first of ENCRYPTION_KEYS. The site may run meanwhile; data is not touched."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        rotate = actions.add_parser("rotate", help="wrap every subject's key with the primary key")
        rotate.add_argument("--json", action="store_true", help="say in JSON what was done")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            primary, done = crypto.primary(), crypto.rewrap()
        except crypto.EncryptionKeyMissing as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps({"primary": primary, **asdict(done)}))
        if done.damaged:
            raise CommandError(f"{done.damaged} subjects' keys do not open. Run: sishu doctor")
        if not options["json"]:
            self.stdout.write(f"{done.rewrapped} keys wrapped with version {primary}. {advice(done.in_use)}")


def advice(in_use: list[int]) -> str:
    """Which versions must stay in ENCRYPTION_KEYS."""
    if not in_use:
        return "No version is in use yet."
    return f"In use: {', '.join(map(str, in_use))}. Every other version may leave ENCRYPTION_KEYS."
