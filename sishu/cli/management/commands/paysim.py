"""`sishu paysim`: the payment simulator, which is a program of its own beside the house."""

from __future__ import annotations

import os
import sys
from argparse import REMAINDER, ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Serve the payment simulator, or say one thing to the one that runs: `sishu paysim serve`, `sishu paysim state`."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("said", nargs=REMAINDER, help="what `python -m paysim` takes; `serve --help` tells")

    def handle(self, *args: Any, **options: Any) -> None:
        os.execv(sys.executable, [sys.executable, "-m", "paysim", *options["said"]])  # noqa: S606  our own program
