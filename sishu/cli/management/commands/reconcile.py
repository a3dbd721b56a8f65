"""`sishu reconcile`: our books beside the providers' bills."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import translation

from sishu.commerce import merchants, reconcile


class Command(BaseCommand):
    help = "Fetch the providers' bills of a day and compare every line with our books. Exit code 1 when they differ."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--date", help="the provider's day, 2026-11-25; default: its yesterday")
        parser.add_argument("--gateway", help="one gateway; default: all of the settings")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        names = merchants.names()
        if options["gateway"] and options["gateway"] not in names:
            raise CommandError(f"No gateway {options['gateway']!r} in GATEWAYS; there: {', '.join(names) or 'none'}.")
        try:
            day = date.fromisoformat(options["date"]) if options["date"] else None
        except ValueError:
            raise CommandError(f"{options['date']!r} is not a day; write it as 2026-11-25.") from None
        chosen = [options["gateway"]] if options["gateway"] else names
        try:
            reports = [reconcile.reconcile(name, day or reconcile.yesterday(name)) for name in chosen]
        except merchants.Unusable as error:
            with translation.override("en"):
                raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps([report.as_json() for report in reports], ensure_ascii=False))
        else:
            for report in reports:
                self.tell(report)
        if not all(report.is_clean for report in reports):
            raise CommandError("Books and bills differ, or a bill is not there; see above and the cases.")

    def tell(self, report: reconcile.Report) -> None:
        """One gateway's day in lines for people."""
        self.stdout.write(f"{report.gateway}, {report.day}: {report.status.replace('_', ' ')}")
        for outcome, count in sorted(report.outcomes.items()):
            self.stdout.write(f"  {count} lines: {outcome}")
        for ledger, billed, unbilled in report.balances:
            self.stdout.write(f"  held by the provider: {ledger} by our books, {billed + unbilled} by its bills")
        for code in report.differences:
            self.stdout.write(f"  difference: {code}")
