"""`sishu doctor`: is this installation well?"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from sishu.cli import doctor


class Command(BaseCommand):
    help = "Check settings, keys, storage, database, jobs, clock and gateways; say what is wrong and what to do. Exit code 1 then."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print the findings as JSON.")
        parser.add_argument("--online", action="store_true", help="Ask the payment providers too.")

    def handle(self, **options: Any) -> None:
        checks = [*doctor.CHECKS, *(doctor.ONLINE_CHECKS if options["online"] else ())]
        findings = [doctor.examine(check) for check in checks]
        if options["json"]:
            self.stdout.write(json.dumps([as_json(finding) for finding in findings], indent=2, ensure_ascii=False))
        else:
            self.tell(findings)
        if not all(finding.is_ok for finding in findings):
            sys.exit(1)

    def tell(self, findings: list[doctor.Finding]) -> None:
        for finding in findings:
            if finding.is_ok:
                self.stdout.write(f"{self.style.SUCCESS('OK'):8} {finding.name}")
            for note in finding.notes:
                self.stdout.write(f"{'':8} {note}")
            for problem in finding.problems:
                self.stdout.write(f"{self.style.ERROR('PROBLEM')}  {finding.name}: {problem}")


def as_json(finding: doctor.Finding) -> dict[str, Any]:
    problems = [{"fact": problem.fact, "way_out": problem.way_out} for problem in finding.problems]
    notes = [note.fact for note in finding.notes]
    return {"name": finding.name, "status": "OK" if finding.is_ok else "PROBLEM", "problems": problems, "notes": notes}
