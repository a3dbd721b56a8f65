"""What may be wrong with an installation: named checks, each answering with facts and ways out.

A check yields its problems; none means that all is well. `CHECKS` is the whole list.
"""

from __future__ import annotations

import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.db import DatabaseError, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.utils import translation

from sishu.cli.backups import rooms
from sishu.commerce import merchants
from sishu.core import clock, crypto, storage
from sishu.core.database import first_line
from sishu.gateways.base import GatewayError, Outcome
from sishu.jobs import heartbeat, selectors
from sishu.ledger import triggers
from sishu.ledger.models import Book
from sishu.outbox import relay

# Advice for whole domains, not for one site on them.
NOT_OURS = {"security.W003", "security.W005", "security.W021"}
MIN_SECRET_LENGTH = 40
MIN_FREE_BYTES = 500 * 1024 * 1024
MAX_CLOCK_SKEW = timedelta(seconds=5)
DATABASE_CLOCK = {"postgresql": "SELECT clock_timestamp()", "mysql": "SELECT utc_timestamp(6)"}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something to put right: what is so, and what to do."""

    fact: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.fact} {self.way_out}"


@dataclass(frozen=True, slots=True)
class Note:
    """Something that is as it should be, and worth knowing."""

    fact: str

    def __str__(self) -> str:
        return self.fact


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; no problems means OK."""

    name: str
    problems: list[Problem]
    notes: list[Note] = field(default_factory=list)

    @property
    def is_ok(self) -> bool:
        return not self.problems


Check = Callable[[], Iterator[Problem | Note]]


def check_settings() -> Iterator[Problem]:
    """Django's own checks; those for deployment too once DEBUG is off."""
    for message in checks.run_checks(include_deployment_checks=not settings.DEBUG):
        is_for_operators = message.level >= checks.ERROR or (message.id or "").startswith("security.")
        if is_for_operators and message.id not in NOT_OURS and not message.is_silenced():
            yield Problem(f"{message.id}: {message.msg}", message.hint or "See Django's page on system checks.")


def check_keys() -> Iterator[Problem]:
    """Secrets long enough, and readable by this user only."""
    for name in ("SECRET_KEY", "SANDBOX_SECRET"):
        secret = getattr(settings, name, "")
        if name == "SECRET_KEY" and len(secret) < MIN_SECRET_LENGTH:
            yield Problem(f"{name} has {len(secret)} characters.", f"Set at least {MIN_SECRET_LENGTH} random ones.")
    for file in Path(settings.DATA_DIR).glob("*.key"):
        if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield Problem(f"Other users of this machine can read {file}.", f"Run: chmod 600 {file}")


def check_storage() -> Iterator[Problem]:
    """The data folder and the file storage take a file, and there is room."""
    folder = Path(settings.DATA_DIR)
    probe = folder / ".probe"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        yield Problem(f"Cannot write in {folder}: {error.strerror}.", "Set DATA_DIR to a folder of yours.")
        return
    free = shutil.disk_usage(folder).free
    if free < MIN_FREE_BYTES:
        yield Problem(f"Only {free // 1024**2} MB are free in {folder}.", "Make room, or move DATA_DIR.")
    try:
        storage.probe()
    except Exception as error:  # noqa: BLE001  whatever a storage of any maker raises, files cannot be kept
        yield Problem(f"The file storage refuses a file: {error}.", "Check the folder “media” in DATA_DIR.")


def check_leftovers() -> Iterator[Problem]:
    """Nothing lies open that a backup, a restore or a rehearsal had open when it was killed."""
    for path in rooms.leftovers():
        fact = f"{path} was left by a run that was killed, and may hold the house's data as it is."
        yield Problem(fact, f"Run: rm -r {path}, or start the worker or the next backup, which remove it.")


def check_database() -> Iterator[Problem]:
    """Every database answers."""
    for alias in connections:
        try:
            connections[alias].ensure_connection()
        except DatabaseError as error:
            fact = f"The database {alias!r} does not answer: {first_line(error)}."
            yield Problem(fact, "Start it, or correct DATABASE_URL.")


def check_migrations() -> Iterator[Problem]:
    """The tables are those of this version."""
    if waiting := waiting_migrations():
        yield Problem(f"{len(waiting)} migrations are not applied, {waiting[0]} first.", "Run: sishu migrate")


def waiting_migrations() -> list[str]:
    """The migrations this version has and the database has not."""
    executor = MigrationExecutor(connection)
    return [str(migration) for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]


def check_constraints() -> Iterator[Problem]:
    """The rules that the database itself must keep are there."""
    if waiting_migrations():
        yield Problem("Not looked at while migrations wait.", "Run: sishu migrate")
        return
    for model in apps.get_models():
        wanted = {constraint.name for constraint in model._meta.constraints}
        if not wanted or not model.__module__.startswith("sishu."):
            continue
        with connection.cursor() as cursor:
            present = connection.introspection.get_constraints(cursor, model._meta.db_table)
        for name in sorted(wanted - set(present)):
            yield Problem(f"{model._meta.label} has lost its constraint {name}.", "Restore the table from a backup.")
    for name in triggers.missing():
        yield Problem(f"The ledger's trigger {name} is missing.", "Run: sishu migrate, which makes it anew.")


def check_encryption() -> Iterator[Problem]:
    """The primary key is there, and every wrapped key can be opened."""
    try:
        crypto.primary()
    except crypto.EncryptionKeyMissing as error:
        yield Problem(str(error), "Nothing can be sealed until then.")
    if refusals := list(crypto.refusals()):
        way_out = "Put the old keys back into ENCRYPTION_KEYS, or restore the table core_subjectkey."
        yield Problem(f"{len(refusals)} subjects' keys cannot be opened; the first: {refusals[0]}", way_out)


def check_jobs() -> Iterator[Problem]:
    """A worker lives; nothing was given up."""
    seen_at = selectors.find_last_beat()
    if seen_at is None:
        yield Problem("No worker is at work.", "Start one: sishu worker, or sishu run.")
    elif clock.now() - seen_at > heartbeat.SILENCE:
        yield Problem(f"No worker was seen since {seen_at:%Y-%m-%d %H:%M:%S} UTC.", "Start one: sishu worker.")
    if failed := selectors.failed_count():
        way_out = "Read their last_error, put its cause right, then run: sishu worker --revive"
        yield Problem(f"{failed} jobs were given up.", way_out)
    if failing := relay.failing().count():
        way_out = "Read last_error of outbox_delivery and put its cause right; they are tried every hour."
        yield Problem(f"{failing} reactions to facts keep failing.", way_out)


def check_clock() -> Iterator[Problem]:
    """This machine and the database agree on the time."""
    question = DATABASE_CLOCK.get(connection.vendor)
    if not question:
        return  # an embedded database has this machine's clock
    with connection.cursor() as cursor:
        cursor.execute(question)
        told: datetime = cursor.fetchone()[0]
    skew = abs(clock.now() - (told if told.tzinfo else told.replace(tzinfo=UTC)))
    if skew > MAX_CLOCK_SKEW:
        yield Problem(f"The database's clock is {skew.total_seconds():.0f} s off ours.", "Run NTP on both machines.")


def check_gateways() -> Iterator[Problem | Note]:
    """Every gateway of the settings can be used."""
    for name in merchants.names():
        if why := merchants.problem(name):
            way_out = "Enter its keys in the studio, Selling › Merchant keys, or set them in the environment."
            yield Problem(f"{name} cannot be used: {why}", way_out)
        else:
            yield Note(f"{name} can be used, with {Book(merchants.gateway(name).book).value} money.")


def check_providers() -> Iterator[Problem | Note]:
    """Each provider answers, believes our keys and our clock, and does not know a payment that nobody began."""
    for name in merchants.usable():
        reference = secrets.token_hex(12)
        try:
            snapshot = merchants.gateway(name).query(reference)
        except GatewayError as error:
            yield Problem(
                f"{name} does not answer as it should: {error}", "Look at its keys, this clock, and the network."
            )
            continue
        if snapshot.outcome == Outcome.UNKNOWN:
            yield Note(f"{name} answers.")
        elif snapshot.captured is not None:
            yield Problem(f"{name} knows a payment {reference} that nobody began.", "Look at its address and keys.")
        else:
            yield Note(f"{name} asks no provider.")


CHECKS: tuple[Check, ...] = (
    check_settings,
    check_keys,
    check_storage,
    check_leftovers,
    check_database,
    check_migrations,
    check_constraints,
    check_encryption,
    check_jobs,
    check_clock,
    check_gateways,
)
# Only when asked for: they call providers.
ONLINE_CHECKS: tuple[Check, ...] = (check_providers,)


@translation.override("en")  # what gateways say is translated, and all that the command line says is English
def examine(check: Check) -> Finding:
    """Run one check. A database that fails under it is a problem, not a crash."""
    name = check.__name__.removeprefix("check_")
    try:
        found = list(check())
    except DatabaseError as error:
        return Finding(name, [Problem(f"Not looked at: {first_line(error)}.", "See the database first.")])
    problems = [one for one in found if isinstance(one, Problem)]
    return Finding(name, problems, [one for one in found if isinstance(one, Note)])
