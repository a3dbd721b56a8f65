from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from sishu.content import house, workflow


class Command(BaseCommand):
    help = "Build what a house needs before anyone writes: languages, title pages, permissions, the review."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name-zh", default="", help="name of the house in Chinese")
        parser.add_argument("--name-en", default="", help="name of the house in English")

    def handle(self, *args: Any, **options: Any) -> None:
        names = {"zh-hans": options["name_zh"], "en": options["name_en"]}
        homes = house.ensure_house({code: name for code, name in names.items() if name})
        workflow.ensure_workflow()
        for code, home in homes.items() if options["verbosity"] else ():
            self.stdout.write(f"{code}: {home.site_name} {home.full_url or ''}".rstrip())
