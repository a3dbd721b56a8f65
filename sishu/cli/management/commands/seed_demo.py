"""`sishu seed_demo`: the demo school, for a house that is still empty."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from sishu.accounts.models import User
from sishu.cli.demo.seed import seed


class Command(BaseCommand):
    help = "Fill an empty house with a demo school (only while DEBUG is on)."

    def handle(self, *_args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The demo's accounts have a public password; with DEBUG off it is not seeded.")
        if User.objects.exists():
            raise CommandError("This house has people already; the demo is for an empty one.")
        pages = seed()
        if options["verbosity"]:
            self.stdout.write(f"The demo school stands: {pages} pages.")
