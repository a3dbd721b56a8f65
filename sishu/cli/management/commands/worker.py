"""`sishu worker`: facts, schedule and jobs."""

from __future__ import annotations

import json
import logging
import signal
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from sishu.cli.backups import rooms
from sishu.cli.backups.errors import BackupError
from sishu.jobs import runner
from sishu.reactions.worker import Worker

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Deliver facts to their reactions, keep the schedule and run jobs, until told to stop."

    # `sishu run` and `sishu doctor` check; here they would only delay the first job.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="Do what is due now, then end.")
        parser.add_argument("--revive", action="store_true", help="First give every job that was given up a new start.")
        parser.add_argument("--json", action="store_true", help="With --once: say in JSON how much was done.")

    def handle(self, **options: Any) -> None:
        # Every job would leave two lines in the log; failures are logged by the runner.
        logging.getLogger("django_tasks").setLevel(logging.WARNING)
        try:
            rooms.clear()
        except BackupError as error:
            log.warning("%s", error)
        worker = Worker()
        revived = runner.revive() if options["revive"] else 0
        if options["once"]:
            done = worker.drain()
            self.stdout.write(json.dumps({"revived": revived, "done": done}) if options["json"] else f"{done} done.")
            return
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: worker.stop())
        worker.run()
