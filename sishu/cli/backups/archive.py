"""The file of a backup: a readable line that says which key opens it, then a sealed, packed tar.

The tar holds the database's dump in parts, the files of the data folder, and at its end a manifest of all of them. The key that
seals it is made for this one file, and stands in the first line, wrapped.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import tarfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO, Protocol, cast

from django.conf import settings

from sishu.cli.backups.errors import BackupError
from sishu.core import aead, crypto, sealed_stream

FORMAT = b"sishu-backup 1\n"
SUFFIX = ".sishu-backup"
PURPOSE = "sishu backup"
MAX_HEADER_BYTES = 4096
MANIFEST, DATABASE, FILES = "manifest.json", "database", "files/"
PIECE = 1024 * 1024
# A tar says a member's size before the member: what is not known to its end goes in as several of one name.
PART = 8 * PIECE
DAMAGED = "is damaged: it was changed, cut off, or is no backup of this house. Take another one."


@dataclass(slots=True)
class Manifest:
    """What a backup holds. `files` and `tables` are checked when it is restored."""

    version: str
    created_at: str
    engine: str
    migrations: list[str]
    tables: dict[str, int] = field(default_factory=dict)
    database_sha256: str = ""
    # Name below the data folder → sha256
    files: dict[str, str] = field(default_factory=dict)


class Progress(Protocol):
    """Is told of every piece that went through."""

    def __call__(self, count: int, /) -> None: ...


class Packer:
    """Writes one archive. Members are streamed, and never held in memory."""

    def __init__(self, file: BinaryIO, progress: Progress) -> None:
        key = os.urandom(aead.KEY_BYTES)
        name, wrapping_key = _wrapping_key()
        wrapped = aead.encrypt(wrapping_key, key, name.encode())
        header = FORMAT + json.dumps({"key": name, "wrapped": base64.b64encode(wrapped).decode()}).encode() + b"\n"
        file.write(header)
        self._sealed = sealed_stream.Writer(file, key, sha256(header).digest())
        # Fast rather than small: pictures and videos do not shrink, and dumps do in any case.
        self._packed = gzip.GzipFile(fileobj=cast(BinaryIO, self._sealed), mode="wb", compresslevel=1, mtime=0)
        self._tar = tarfile.open(fileobj=self._packed, mode="w|")  # noqa: SIM115  `finish` closes it
        self._progress = progress

    def add(self, name: str, source: BinaryIO) -> str:
        """Add an open file; its sha256."""
        info = tarfile.TarInfo(name)
        info.size = os.fstat(source.fileno()).st_size
        reader = _Hashing(source, self._progress)
        self._tar.addfile(info, cast(BinaryIO, reader))
        return reader.digest.hexdigest()

    def growing(self, name: str) -> Growing:
        """A member that is written piece by piece. Nothing else is added before it is finished."""
        return Growing(self._tar, name, self._progress)

    def finish(self, manifest: Manifest) -> None:
        """Close the archive with its manifest."""
        text = json.dumps(asdict(manifest), ensure_ascii=False, sort_keys=True).encode()
        info = tarfile.TarInfo(MANIFEST)
        info.size = len(text)
        self._tar.addfile(info, BytesIO(text))
        self._tar.close()
        self._packed.close()
        self._sealed.finish()


class Growing:
    """A member whose size nobody knows yet."""

    def __init__(self, tar: tarfile.TarFile, name: str, progress: Progress) -> None:
        self._tar, self._name, self._progress = tar, name, progress
        self._rest, self._digest = bytearray(), sha256()

    def take(self, data: bytes) -> None:
        """The next piece."""
        self._digest.update(data)
        self._progress(len(data))
        self._rest += data
        while len(self._rest) >= PART:
            self._add(bytes(self._rest[:PART]))
            del self._rest[:PART]

    def finish(self) -> str:
        """That was all; its sha256."""
        self._add(bytes(self._rest))
        return self._digest.hexdigest()

    def _add(self, data: bytes) -> None:
        info = tarfile.TarInfo(self._name)
        info.size = len(data)
        self._tar.addfile(info, BytesIO(data))


def unpack(path: Path, folder: Path, progress: Progress) -> Manifest:
    """Open an archive into an empty folder, verified to the last byte.

    Raises BackupError for a wrong key and for a damaged file; what lies in the folder then is good for nothing.
    """
    digests: defaultdict[str, Any] = defaultdict(sha256)
    with _opened(path) as stream:
        try:
            packed = gzip.GzipFile(fileobj=cast(BinaryIO, stream), mode="rb")
            with tarfile.open(fileobj=packed, mode="r|") as tar:
                for member in tar:
                    source = tar.extractfile(member)
                    if source is None or not _is_inside(member.name):
                        raise BackupError(f"{path} {DAMAGED}")
                    _keep(source, folder / member.name, digests[member.name], progress)
            while stream.read(PIECE):
                pass  # to the end, which alone proves that nothing is missing
            manifest = Manifest(**json.loads((folder / MANIFEST).read_text()))
        except (sealed_stream.Damaged, tarfile.TarError, EOFError, ValueError, TypeError, FileNotFoundError) as error:
            raise BackupError(f"{path} {DAMAGED}") from error
    wanted = {DATABASE: manifest.database_sha256, **{FILES + name: told for name, told in manifest.files.items()}}
    del digests[MANIFEST]
    if {name: digest.hexdigest() for name, digest in digests.items()} != wanted:
        raise BackupError(f"{path} {DAMAGED}")
    return manifest


@contextmanager
def _opened(path: Path) -> Iterator[sealed_stream.Reader]:
    with path.open("rb") as file:
        header = file.readline(MAX_HEADER_BYTES) + (told := file.readline(MAX_HEADER_BYTES))
        if not header.startswith(FORMAT):
            raise BackupError(f"{path} is no backup that this version of Sishu made.")
        try:
            facts = json.loads(told)
            name, wrapped = str(facts["key"]), base64.b64decode(facts["wrapped"], validate=True)
        except (ValueError, KeyError, TypeError) as error:
            raise BackupError(f"{path} {DAMAGED}") from error
        try:
            key = aead.decrypt(_wrapping_key_named(name, path), wrapped, name.encode())
        except aead.Refused:
            raise BackupError(
                f"The {name} set here does not open {path}. Put back the one with which it was made."
            ) from None
        try:
            yield sealed_stream.Reader(file, key, sha256(header).digest())
        except sealed_stream.Damaged as error:
            raise BackupError(f"{path} {DAMAGED}") from error


def _wrapping_key() -> tuple[str, bytes]:
    if settings.BACKUP_KEY:
        return "BACKUP_KEY", settings.BACKUP_KEY
    try:
        version = crypto.primary()
    except crypto.EncryptionKeyMissing as error:
        raise BackupError(str(error)) from error
    return f"ENCRYPTION_KEYS {version}", crypto.derived_key(version, PURPOSE)


def _wrapping_key_named(name: str, path: Path) -> bytes:
    """The key a header asks for. BackupError when it is not set here."""
    setting, _, version = name.partition(" ")
    if setting == "BACKUP_KEY" and settings.BACKUP_KEY:
        return settings.BACKUP_KEY
    if setting == "ENCRYPTION_KEYS" and version.isascii() and version.isdigit():
        try:
            return crypto.derived_key(int(version), PURPOSE)
        except crypto.EncryptionKeyMissing:
            pass
    raise BackupError(f"{path} opens with {name[:40]}, which is not set here. Put it back from where you keep it.")


def _is_inside(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(parts) and not name.startswith("/") and ".." not in parts


def _keep(source: IO[bytes], target: Path, digest: Any, progress: Progress) -> None:
    """Write a member down, behind those of its name that came before."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("ab") as file:
        while data := source.read(PIECE):
            digest.update(data)
            file.write(data)
            progress(len(data))


class _Hashing:
    """A file that is read once, on the way into the archive."""

    def __init__(self, file: BinaryIO, progress: Callable[[int], None]) -> None:
        self._file, self._progress, self.digest = file, progress, sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.digest.update(data)
        self._progress(len(data))
        return data
