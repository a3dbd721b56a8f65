"""Dumping and loading a whole database, by the means its maker gives for it."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, Protocol
from urllib.parse import quote, urlencode

from django.db import DatabaseError, connection, transaction
from django.db.backends.mysql.client import DatabaseClient as MySQLClient
from django.db.backends.postgresql.client import DatabaseClient as PostgreSQLClient

from sishu.cli.backups.errors import BackupError, told
from sishu.core.database import first_line

_INSERT = re.compile(rb"INSERT INTO `([^`]+)` VALUES")
_STAND_IN = "_rehearsal"
_PIECE = 1024 * 1024
# Where a SQLite file says by which journal it is written and read, and the value for the plain one.
_JOURNALS_AT, _PLAIN_JOURNALS = 18, b"\1\1"

# Is given the next piece of a dump.
Take = Callable[[bytes], None]


class Engine(Protocol):
    """What a backup asks of a database."""

    def dump(self, room: Path, take: Take) -> dict[str, int]:
        """Hand over the database as it is at one moment, piece by piece; table → rows in it. Others go on writing.

        No copy of it has a name on any disk; `room` is a folder for one that has none.
        """

    def load(self, path: Path) -> None:
        """Fill the empty database from such a file."""

    def stand_in(self, folder: Path) -> Any:
        """A context manager: an empty database for a rehearsal, by its DATABASE_URL; dropped at the end."""


def engine() -> Engine:
    """That of the database this installation runs on."""
    engines: dict[str, type[Engine]] = {"sqlite": SQLite, "postgresql": PostgreSQL, "mysql": MariaDB}
    return engines[connection.vendor]()


def is_empty() -> bool:
    """Whether there is not a single table."""
    return not connection.introspection.table_names()


def count_rows() -> dict[str, int]:
    """Table → rows, of every table of this version that exists."""
    tables = {*connection.introspection.django_table_names(only_existing=True), "django_migrations"}
    counts = {}
    with connection.cursor() as cursor:
        for table in sorted(tables):
            cursor.execute(f"SELECT COUNT(*) FROM {connection.ops.quote_name(table)}")  # noqa: S608  our names
            counts[table] = cursor.fetchone()[0]
    return counts


class SQLite:
    """By SQLite's own online copy: readers and writers go on meanwhile."""

    def dump(self, room: Path, take: Take) -> dict[str, int]:
        with snapshot(connection.settings_dict["NAME"], room) as (copy, source):
            present = {name for (name,) in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            tables = {*connection.introspection.django_table_names(), "django_migrations"} & present
            count = "SELECT COUNT(*) FROM {}"
            counts = {
                table: source.execute(count.format(connection.ops.quote_name(table))).fetchone()[0]
                for table in sorted(tables)
            }
            hand_over(copy, take)
        return counts

    def load(self, path: Path) -> None:
        connection.close()
        copy_sqlite(path, connection.settings_dict["NAME"])

    @contextmanager
    def stand_in(self, folder: Path) -> Iterator[str]:
        yield f"sqlite:///{folder / 'sishu.sqlite3'}"


class _Server:
    """What the two database servers have in common: programs of theirs do the work."""

    client: type[MySQLClient | PostgreSQLClient]
    package: str
    # Ends connections that the server has not noticed to be gone.
    even_if_used = ""

    def _run(self, program: str, *arguments: str, stdin: Any = None, take: Take | None = None, after: str = "") -> None:
        """Run a program of the server's, and hand over what it writes. BackupError with the first line of what it says."""
        found = shutil.which(program)
        if found is None:
            raise BackupError(
                f"The program {program} is not installed. On Debian or Ubuntu: apt install {self.package}"
            )
        environment = {**os.environ, **(self._command()[1] or {})}  # the password, which no argument may show
        with tempfile.TemporaryFile() as errors:
            with subprocess.Popen(  # noqa: S603  our command, its values from the settings
                [found, *arguments], env=environment, stdin=stdin, stderr=errors,
                stdout=subprocess.PIPE if take else subprocess.DEVNULL,
            ) as process:  # fmt: skip
                if take and process.stdout:
                    hand_over(process.stdout, take)
            errors.seek(0)
            lines = errors.read().decode(errors="replace").strip().splitlines()
        if process.returncode:
            said = (lines or [f"exit code {process.returncode}"])[0]
            raise BackupError(f"{said.rstrip('.')}. {after or 'Put that right, then try again.'}")

    def _login(self) -> tuple[list[str], str]:
        """Where and as whom, as options; the name of the database."""
        _program, *options, name = self._command()[0]
        return options, name

    def _command(self) -> tuple[list[str], dict[str, str] | None]:
        return self.client.settings_to_cmd_args_env(connection.settings_dict, [])

    @contextmanager
    def _made(self, name: str) -> Iterator[None]:
        quoted = connection.ops.quote_name(name)
        with connection.cursor() as cursor:
            try:
                cursor.execute(f"CREATE DATABASE {quoted}")
            except DatabaseError as error:
                raise BackupError(
                    f"Cannot make the database {name} for the rehearsal: {first_line(error)}. "
                    "Drop it if an earlier rehearsal left it; or let this database user create databases."
                ) from error
        try:
            yield
        finally:
            connection.close()  # it has been idle for long
            with connection.cursor() as cursor:
                cursor.execute(f"DROP DATABASE IF EXISTS {quoted}{self.even_if_used}")


class PostgreSQL(_Server):
    """By pg_dump and pg_restore."""

    client = PostgreSQLClient
    package = "postgresql-client"
    even_if_used = " WITH (FORCE)"

    def dump(self, room: Path, take: Take) -> dict[str, int]:
        login, name = self._login()
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            # One look for the dump and for our counting.
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("SELECT pg_export_snapshot()")
            how = ["--format=custom", "--compress=0", "--no-owner", "--no-privileges"]
            self._run("pg_dump", *how, f"--snapshot={cursor.fetchone()[0]}", *login, name, take=take)
            return count_rows()

    def load(self, path: Path) -> None:
        login, name = self._login()
        connection.close()
        how = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
        self._run(
            "pg_restore", *how, *login, f"--dbname={name}", str(path), after="The database is as empty as before."
        )

    @contextmanager
    def stand_in(self, folder: Path) -> Iterator[str]:
        name = f"{connection.settings_dict['NAME']}{_STAND_IN}"
        with self._made(name):
            yield _url("postgres", name)


class MariaDB(_Server):
    """By mariadb-dump in one transaction, and mariadb."""

    client = MySQLClient
    package = "mariadb-client"

    def dump(self, room: Path, take: Take) -> dict[str, int]:
        login, name = self._login()
        counts, rest = Counter(dict.fromkeys(connection.introspection.table_names(), 0)), bytearray()

        def count_and_take(piece: bytes) -> None:
            rest.extend(piece)
            *lines, last = bytes(rest).split(b"\n")
            rest[:] = last
            counts.update(found[1].decode() for line in lines if (found := _INSERT.match(line)))
            take(piece)

        # One row a line, so that rows can be counted. Triggers bear their maker's name; ours are made anew instead.
        how = [
            "--single-transaction", "--quick", "--skip-triggers", "--no-tablespaces", "--hex-blob",
            "--skip-extended-insert", "--no-autocommit", "--skip-add-locks", "--skip-comments",
        ]  # fmt: skip
        self._run("mariadb-dump", *how, *login, name, take=count_and_take)
        return dict(counts)

    def load(self, path: Path) -> None:
        login, name = self._login()
        connection.close()
        with path.open("rb") as file:
            self._run("mariadb", "--batch", *login, name, stdin=file, after="Empty the database, then try again.")

    @contextmanager
    def stand_in(self, folder: Path) -> Iterator[str]:
        name = f"{connection.settings_dict['NAME']}{_STAND_IN}"
        with self._made(name):
            yield _url("mysql", name)


def _url(scheme: str, name: str) -> str:
    """The DATABASE_URL of another database on the same server."""
    values = connection.settings_dict
    login = ":".join(quote(str(part), safe="") for part in (values["USER"], values["PASSWORD"]) if part)
    host, port = str(values["HOST"] or ""), f":{values['PORT']}" if values["PORT"] else ""
    options = {key: value for key, value in values["OPTIONS"].items() if isinstance(value, str)}
    query = f"?{urlencode(options)}" if scheme == "postgres" and options else ""
    # A socket's folder is written where the path begins.
    return f"{scheme}://{login}@{'/' if host.startswith('/') else ''}{host}{port}/{quote(name, safe='')}{query}"


def hand_over(source: IO[bytes], take: Take) -> None:
    """All of an open file, piece by piece."""
    while piece := source.read(_PIECE):
        take(piece)


@contextmanager
def snapshot(source: str | Path, room: Path) -> Iterator[tuple[BinaryIO, sqlite3.Connection]]:
    """A SQLite database as it is at one moment: a file without a name in `room`, and the source, still at that moment.

    However this process ends, the file is gone with it. Readers and writers of the source go on meanwhile.
    """
    with told("write", room):
        handle, name = tempfile.mkstemp(dir=room)
    try:
        with os.fdopen(handle, "r+b") as file, _sqlite(source, read_only=True) as old:
            with _sqlite(name) as new:
                # A journal would need a name; nobody wants half a copy back.
                new.execute("PRAGMA journal_mode=OFF")
                new.execute("PRAGMA schema_version")  # opens the file
                os.unlink(name)
                old.execute("BEGIN")
                # All pages in one step: copied a few at a time, a busy house would make it begin again for ever.
                old.backup(new)
            # The source's own journals are none of the copy's.
            os.pwrite(handle, _PLAIN_JOURNALS, _JOURNALS_AT)
            file.seek(0)
            yield file, old
    except sqlite3.Error as error:
        raise BackupError(f"Cannot copy {source} to {room}: {error}. Look at that disk, then try again.") from error


def copy_sqlite(source: str | Path, target: str | Path) -> None:
    """A SQLite database as it is at one moment, into one file. Readers and writers of the source go on meanwhile."""
    try:
        # All pages in one step: copied a few at a time, a busy house would make it begin again for ever.
        with _sqlite(source, read_only=True) as old, _sqlite(target) as new:
            old.backup(new)
            new.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise BackupError(f"Cannot copy {source} to {target}: {error}. Look at that disk, then try again.") from error


@contextmanager
def _sqlite(path: str | Path, *, read_only: bool = False) -> Iterator[sqlite3.Connection]:
    where = f"{Path(path).resolve().as_uri()}?mode={'ro' if read_only else 'rwc'}"
    database = sqlite3.connect(where, uri=True, timeout=30)
    try:
        yield database
    finally:
        database.close()
