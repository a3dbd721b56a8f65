"""`sishu run`: the whole site in one terminal."""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from sishu.accounts import roles
from sishu.cli import doctor
from sishu.cli.demo import seed
from sishu.cli.doctor import Problem
from sishu.cli.supervisor import Plan
from sishu.ledger import triggers


class Command(BaseCommand):
    help = "Prepare the database, then run web server and worker until told to stop. HOST and PORT are honoured."

    def handle(self, **_options: Any) -> None:
        for check in (check_port, doctor.check_storage, doctor.check_database):
            for problem in check():
                sys.exit(str(problem))
        # Seeding would tell of each page it makes.
        logging.getLogger("wagtail").setLevel(logging.WARNING)
        for label, action in preparations():
            self.step(label, action)
        plan = Plan(children=commands(), probe=f"{probed_host()}:{settings.PORT}", greeting="\n".join(greeting()))
        sys.stdout.flush()
        # Not a child but this very process: signals reach the supervisor, and Django's memory is given back.
        command = [sys.executable, "-m", "sishu.cli.supervisor", plan.to_json()]
        os.execve(sys.executable, command, {**os.environ, "PYTHONUNBUFFERED": "1"})  # noqa: S606

    def step(self, label: str, action: Callable[[], object]) -> None:
        start = time.monotonic()
        self.stdout.write(f"{label} … ", ending="")
        self.stdout.flush()
        action()
        self.stdout.write(f"{time.monotonic() - start:.1f} s")


def check_port() -> Iterator[Problem]:
    """Nobody else listens where we shall."""
    family = socket.AF_INET6 if ":" in settings.HOST else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.HOST, int(settings.PORT)))
        except OSError as error:
            fact = f"Cannot listen on {settings.HOST}:{settings.PORT}: {error.strerror or error}."
            yield Problem(fact, "End the program that does, or choose another: PORT=8001 make run")


def preparations() -> Iterator[tuple[str, Callable[[], object]]]:
    """What to do before the first request, with a word for each."""
    yield "Bringing the database up to date", migrate
    if str(settings.CACHES["default"]["BACKEND"]).endswith("DatabaseCache"):
        yield "Making the table of counters", lambda: call_command("createcachetable", database="cache", verbosity=0)
    if isinstance(staticfiles_storage, ManifestFilesMixin):
        yield "Collecting static files", lambda: call_command("collectstatic", interactive=False, verbosity=0)
    if seed.is_wanted():
        yield "Furnishing the demo school", lambda: call_command("seed_demo", verbosity=0)
    else:
        yield "Setting up the house", lambda: call_command("setup_house", verbosity=0)


def migrate() -> None:
    """Run the migrations that wait. Without any, only what the database keeps beside its tables is made anew."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=0)
    else:
        triggers.create()
        roles.sync()


def commands() -> dict[str, list[str]]:
    """The processes of the site."""
    sishu = [sys.executable, "-m", "sishu.cli.main"]
    return {"web": [*sishu, "web"], "work": [*sishu, "worker"]}


def probed_host() -> str:
    """Where this machine reaches its own web server."""
    host: str = settings.HOST
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104


def greeting() -> Iterator[str]:
    """What a person wants to know once the site answers."""
    yield f"\nSishu is at {settings.SITE_URL} (Ctrl-C ends it)."
    if settings.DEBUG:
        found = get_user_model().objects.filter(username__in=seed.PRINTED).values_list("username", flat=True)
        if accounts := [name for name in seed.PRINTED if name in set(found)]:
            yield f"Sign in as {', '.join(accounts)}; the password is {seed.PASSWORD}."
        yield f"Mails it sends can be read at {settings.SITE_URL}/dev/mail"
    yield ""
