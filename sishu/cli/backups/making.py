"""Making a backup while the site runs."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from sishu import __version__
from sishu.cli.backups import databases, rooms
from sishu.cli.backups.archive import DATABASE, FILES, SUFFIX, Manifest, Packer, Progress
from sishu.cli.backups.errors import BackupError, told
from sishu.core import clock

# Keys are never in a backup; the rest is made anew, or is a backup itself.
LEFT_OUT_SUFFIXES = (".key", SUFFIX, "-wal", "-shm")
LEFT_OUT = {"cache.sqlite3", "generation"}
DATABASE_SUFFIX, SQLITE_HEAD = ".sqlite3", b"SQLite format 3\0"


@dataclass(frozen=True, slots=True)
class Backup:
    """One that was made."""

    path: Path
    size: int
    manifest: Manifest


def make(target: Path, progress: Progress) -> Backup:
    """Write a backup to a new file, or into a folder under a name that tells the time. BackupError when it cannot be.

    The database first: a file too many harms nobody, and a row whose file came later would.
    """
    if target.is_dir():
        target /= f"sishu-{clock.now():%Y%m%d-%H%M%S}{SUFFIX}"
    if target.exists():
        raise BackupError(f"{target} exists. Name another file; no backup is written over.")
    manifest = Manifest(
        version=__version__,
        created_at=clock.now().isoformat(),
        engine=connection.vendor,
        migrations=applied_migrations(),
    )
    with rooms.room(".backup-") as room, _new_file(target) as file:
        packer = Packer(file, progress)
        dump = packer.growing(DATABASE)
        manifest.tables = databases.engine().dump(room, dump.take)
        manifest.database_sha256 = dump.finish()
        for name, path in data_files():
            with _steady(path, room) as opened:
                if opened is not None:
                    manifest.files[name] = packer.add(FILES + name, opened)
        packer.finish(manifest)
    return Backup(target, target.stat().st_size, manifest)


def applied_migrations() -> list[str]:
    """The migrations the database has, as "app.name"."""
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())


def data_files() -> Iterator[tuple[str, Path]]:
    """(name below the data folder, path) of each file that belongs into a backup. Links are followed."""
    root = Path(settings.DATA_DIR)
    own = Path(str(connection.settings_dict["NAME"])).resolve() if connection.vendor == "sqlite" else None
    static, seen = Path(settings.STATIC_ROOT).resolve(), set()

    def refuse(error: OSError) -> None:
        raise BackupError(f"Cannot read {error.filename}: {error.strerror}. A backup without it would not be whole.")

    for folder, folders, files in os.walk(root, followlinks=True, onerror=refuse):
        real = Path(folder).resolve()
        if real in seen or real == static:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(folder, name)
            is_left_out = name.startswith(".") or name.endswith(LEFT_OUT_SUFFIXES) or path.resolve() == own
            if not is_left_out and path.relative_to(root).as_posix() not in LEFT_OUT and path.is_file():
                yield path.relative_to(root).as_posix(), path


def total_bytes() -> int:
    """About how much a backup has to read, for the progress."""
    name = connection.settings_dict["NAME"]
    own = Path(str(name)).stat().st_size if connection.vendor == "sqlite" and Path(str(name)).is_file() else 0
    return own + sum(path.stat().st_size for _name, path in data_files())


@contextmanager
def _new_file(target: Path) -> Iterator[BinaryIO]:
    """A file that has its name only once all of it is on the disk."""
    partial = target.with_name(f".{target.name}.partial")
    with told("write", target):
        _clear(partial)
        # Never through what somebody else put there: a link would lead the backup, or its rights, elsewhere.
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(handle)
            partial.rename(target)
            folder = os.open(target.parent, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
        finally:
            partial.unlink(missing_ok=True)


def _may_be_database(path: Path) -> bool:
    """Whether a file is one that the house writes to. What people upload is bytes, whatever it begins with."""
    is_upload = path.resolve().is_relative_to(Path(settings.MEDIA_ROOT).resolve())
    return path.suffix == DATABASE_SUFFIX and not is_upload


def _clear(partial: Path) -> None:
    """Remove what a run that was killed has left. What is no plain file stays, and is refused when it is opened."""
    with suppress(FileNotFoundError):
        if stat.S_ISREG(partial.lstat().st_mode):
            partial.unlink()


@contextmanager
def _steady(path: Path, room: Path) -> Iterator[BinaryIO | None]:
    """The file, open; the house's own SQLite file as a copy of one moment; None when it was deleted since it was listed."""
    with told("read", path):
        try:
            file = path.open("rb")
        except FileNotFoundError:
            file = None
    if file is None:
        yield None
        return
    with file:
        is_sqlite = _may_be_database(path) and file.read(len(SQLITE_HEAD)) == SQLITE_HEAD
        file.seek(0)
        if not is_sqlite:
            yield file
            return
    with databases.snapshot(path, room) as (copy, _source):
        yield copy
