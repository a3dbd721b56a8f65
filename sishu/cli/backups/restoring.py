"""Putting a backup into an empty house."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from sishu.cli.backups import archive, databases, rooms
from sishu.cli.backups.archive import DATABASE, FILES, Manifest, Progress
from sishu.cli.backups.errors import BackupError, told
from sishu.ledger import triggers


def restore(path: Path, progress: Progress) -> Manifest:
    """Fill the empty database and the data folder of this installation from a backup.

    All of it is opened and verified before anything is put in place. BackupError when the database has tables, when a
    file would be written over, when the backup is damaged, of another database, or of a newer version.
    """
    with told("read", path), path.open("rb"):
        pass
    _refuse_a_full_house()
    root = Path(settings.DATA_DIR)
    with told("write", root):
        root.mkdir(parents=True, exist_ok=True)
        with rooms.room(".restore-") as room:
            manifest = archive.unpack(path, room, progress)
            _refuse_what_does_not_fit(manifest, root)
            databases.engine().load(room / DATABASE)
            _compare(manifest)
            # SQLite and PostgreSQL brought them along; MariaDB's would bear another installation's user.
            triggers.create()
            for name in manifest.files:
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (room / FILES / name).rename(root / name)
    return manifest


def _refuse_a_full_house() -> None:
    if not databases.is_empty():
        raise BackupError(
            f"The database {connection.settings_dict['NAME']} is not empty, and a restore writes nothing over. "
            "Make a new one, and name it in DATABASE_URL (SQLite: an empty DATA_DIR)."
        )


def _refuse_what_does_not_fit(manifest: Manifest, root: Path) -> None:
    if manifest.engine != connection.vendor:
        raise BackupError(
            f"The backup holds a database of {manifest.engine}; DATABASE_URL names one of {connection.vendor}. "
            "Restore into the same kind."
        )
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    if unknown := set(manifest.migrations) - known:
        raise BackupError(
            f"The backup was made by Sishu {manifest.version}, which has migrations that this version has not "
            f"({min(unknown)}). Install that version first."
        )
    if taken := [name for name in manifest.files if (root / name).exists()]:
        raise BackupError(f"{root / taken[0]} exists, and a restore writes nothing over. Name an empty DATA_DIR.")


def _compare(manifest: Manifest) -> None:
    counts = databases.count_rows()
    for table, count in manifest.tables.items():
        if counts.get(table, count) != count:
            raise BackupError(
                f"Table {table} has {counts[table]} rows after the restore, and had {count}. Do not use this database."
            )
