"""Why a backup, a restore or a rehearsal did not come to be."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WAYS_OUT = {
    errno.ENOSPC: "Make room there, or name another place.",
    errno.EROFS: "Name a place that can be written.",
    errno.EACCES: "Give this user the folder, or name another place.",
    errno.EPERM: "Give this user the folder, or name another place.",
    errno.ENOENT: "Check the name.",
    errno.EEXIST: "Remove it, or name another place.",
}


class BackupError(Exception):
    """One sentence for the operator: the thing, the fact, the way out."""


@contextmanager
def told(action: str, path: Path) -> Iterator[None]:
    """Turn what the operating system refuses within the block into a BackupError: "Cannot write /backup: …"."""
    try:
        yield
    except OSError as error:
        way_out = WAYS_OUT.get(error.errno or 0, "Look at that disk, then try again.")
        raise BackupError(f"Cannot {action} {error.filename or path}: {error.strerror or error}. {way_out}") from error
