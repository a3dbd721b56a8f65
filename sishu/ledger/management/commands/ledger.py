"""`sishu ledger check`: the audit of the books."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sishu.ledger import check, journal
from sishu.ledger.models import Journal, Transfer


class Command(BaseCommand):
    help = "Check the books against their transfers, or close a month."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        audit = actions.add_parser("check", help="recompute everything; exit 1 naming the first wrong row")
        audit.add_argument("--json", action="store_true")
        close = actions.add_parser("close", help="close a month that is over: nothing more is posted into it")
        close.add_argument("period", help="for instance 2026-10")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["action"] == "close":
            lock = journal.close_period(options["period"], actor="command line")
            self.stdout.write(f"{lock.period} is closed.")
            return
        wrong = list(check.faults())
        counts = {"journals": Journal.objects.count(), "transfers": Transfer.objects.count()}
        if options["json"]:
            self.stdout.write(json.dumps({**counts, "faults": [str(fault) for fault in wrong]}, ensure_ascii=False))
        if wrong:
            raise CommandError(f"The books are wrong in {len(wrong)} places; first: {wrong[0]}.", returncode=1)
        if not options["json"]:
            self.stdout.write(f"The books agree: {counts['journals']} journals, {counts['transfers']} transfers.")
