"""Folders in the data folder for what lies open while a backup is made, restored or rehearsed: as secret as the data.

Each is held by a lock for as long as its process lives, so that what a killed one has left is known, and removed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from sishu.cli.backups.errors import told

KINDS = (".backup-", ".restore-", ".rehearsal-")
LOCK = ".lock"


@contextmanager
def room(kind: str) -> Iterator[Path]:
    """A new folder for this user alone, gone at the end. What earlier runs have left goes first."""
    clear()
    root = Path(settings.DATA_DIR)
    with told("write", root):
        path, lock = _made(root, kind)
        try:
            yield path
        finally:
            shutil.rmtree(path)
            os.close(lock)


def leftovers() -> list[Path]:
    """What runs that were killed have left."""
    found = (path for kind in KINDS for path in Path(settings.DATA_DIR).glob(f"{kind}*"))
    return sorted(path for path in found if path.is_dir() and not _is_held(path))


def clear() -> None:
    """Remove what runs that were killed have left. BackupError when it cannot be."""
    for path in leftovers():
        with told("remove", path):
            shutil.rmtree(path)


def _made(root: Path, kind: str) -> tuple[Path, int]:
    """The folder, and its lock."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=kind, dir=root))
        lock = os.open(path / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (path / LOCK).exists():
            return path, lock
        os.close(lock)  # somebody cleared it away before it was held


def _is_held(path: Path) -> bool:
    """Whether the process that made it lives."""
    try:
        lock = os.open(path / LOCK, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False
