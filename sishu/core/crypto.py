"""Encryption at rest: every person has a key of their own, and deleting it makes all that was sealed for them noise.

The data key of a subject ("user:42", "house") stands in `SubjectKey`, wrapped by a key of ENCRYPTION_KEYS, which is in
neither the database nor its backups. Data keys are not remembered between calls: unwrapping costs microseconds, and a
key that some process still remembers is not shredded.
"""

from __future__ import annotations

import hmac
import os
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import transaction

from sishu.core import aead, rows
from sishu.core.models import SubjectKey

# First byte of a sealed cell: how the rest is to be read.
FORMAT = b"\x01"
# Lower case only: MariaDB looks "User:1" up as "user:1".
SUBJECT = re.compile(r"[a-z0-9][a-z0-9:._-]{0,79}")
MAX_TRIES = 5
BATCH = 100


class CryptoError(Exception):
    """Something sealed stays shut. No message holds a key or a plaintext."""


class EncryptionKeyMissing(CryptoError):
    """ENCRYPTION_KEYS lacks the key that is asked for."""


class SubjectKeyMissing(CryptoError):
    """The subject has no key: nothing was ever sealed for it, or all of it was shredded."""


class SubjectKeyDamaged(CryptoError):
    """The subject's wrapped key does not open."""


class UnknownFormat(CryptoError):
    """Not something sealed by this version: too short, or another first byte."""


class WrongPlace(CryptoError):
    """A sealed cell that belongs elsewhere, or whose bytes were changed."""


def place(table: str, column: str, key: object) -> str:
    """The one cell that a sealed value may stand in: "payouts_payee.account|42"."""
    return f"{table}.{column}|{key}"


def seal(subject: str, place: str, plaintext: bytes | str) -> bytes:
    """Encrypt a value for one cell with its subject's key, which is made on first use. 29 bytes longer."""
    data = plaintext.encode() if isinstance(plaintext, str) else plaintext
    return FORMAT + aead.encrypt(_make_key(subject), data, _bound(place))


def unseal(subject: str, place: str, sealed: bytes | memoryview) -> bytes:
    """What was sealed for this subject and this cell.

    Raises UnknownFormat, SubjectKeyMissing, SubjectKeyDamaged, EncryptionKeyMissing or WrongPlace.
    """
    data = bytes(sealed)
    if len(data) < len(FORMAT) + aead.OVERHEAD or not data.startswith(FORMAT):
        raise UnknownFormat(f"The {len(data)} bytes at {place} are nothing that this version of Sishu sealed.")
    row = _key_of(subject)
    if row is None:
        raise SubjectKeyMissing(f"Subject {subject} has no key: it was shredded, or its row is lost.")
    try:
        return aead.decrypt(unwrap(row), data[len(FORMAT) :], _bound(place))
    except aead.Refused:
        raise WrongPlace(
            f"What stands at {place} was not sealed there for {subject}, or was changed since. Restore the cell."
        ) from None


def unseal_text(subject: str, place: str, sealed: bytes | memoryview) -> str:
    """As `unseal`, for what was a string."""
    return unseal(subject, place, sealed).decode()


def shred(subject: str) -> bool:
    """Delete a subject's key: nothing sealed for it can be read again. False when there was none.

    Backups of the key's table bring it back: they must expire. Null the subject's blind indexes too.
    """
    return bool(SubjectKey.objects.filter(subject=_checked(subject)).delete()[0])


def blind_index(field: str, value: str) -> str:
    """32 hexadecimal characters, equal for equal values of one field: to find a sealed value, or keep it unique.

    Width, case and outer blanks do not count.
    """
    told = unicodedata.normalize("NFKC", value).strip().casefold()
    if not settings.BLIND_INDEX_KEY:
        raise EncryptionKeyMissing("BLIND_INDEX_KEY is not set; see docs/reference/settings.md.")
    return hmac.new(settings.BLIND_INDEX_KEY, f"{field}\0{told}".encode(), sha256).hexdigest()[:32]


# --- Keys -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rotation:
    """What `rewrap` did: rows wrapped anew, rows that did not open, versions still in use."""

    rewrapped: int
    damaged: int
    in_use: list[int]


def primary() -> int:
    """The version of the key that new subjects' keys are wrapped with: the first of ENCRYPTION_KEYS."""
    for version in settings.ENCRYPTION_KEYS:
        return int(version)
    raise EncryptionKeyMissing("ENCRYPTION_KEYS is empty; see docs/reference/settings.md for how to make one.")


def unwrap(row: SubjectKey) -> bytes:
    """A subject's key. Raises EncryptionKeyMissing, or SubjectKeyDamaged for a wrapping key of other bytes too."""
    try:
        return aead.decrypt(_wrapping_key(row.kek_version), bytes(row.wrapped), _bound_key(row.subject))
    except aead.Refused:
        raise SubjectKeyDamaged(
            f"The key of {row.subject} does not open with version {row.kek_version} of ENCRYPTION_KEYS. "
            "Was that version given other bytes?"
        ) from None


def derived_key(version: int, purpose: str) -> bytes:
    """A key for another purpose, made from one of ENCRYPTION_KEYS (HKDF-SHA256): the same whenever it is asked for."""
    return HKDF(hashes.SHA256(), aead.KEY_BYTES, salt=None, info=purpose.encode()).derive(_wrapping_key(version))


def rewrap() -> Rotation:
    """Wrap every subject's key with the primary key. Data stays as it is; others may seal, unseal and shred meanwhile."""
    version, last, rewrapped, damaged = primary(), 0, 0, 0
    old = SubjectKey.objects.exclude(kek_version=version).order_by("pk")
    while batch := list(old.filter(pk__gt=last)[:BATCH]):
        last = batch[-1].pk
        with transaction.atomic():
            for row in batch:
                try:
                    wrapped = _wrap(row.subject, unwrap(row), version)
                except CryptoError:
                    damaged += 1
                    continue
                # Somebody may have shredded it since: a row that is gone stays gone.
                unchanged = SubjectKey.objects.filter(pk=row.pk, kek_version=row.kek_version)
                rewrapped += unchanged.update(kek_version=version, wrapped=wrapped)
    return Rotation(rewrapped, damaged, versions_in_use())


def versions_in_use() -> list[int]:
    """The versions of ENCRYPTION_KEYS that some subject's key needs."""
    return sorted(SubjectKey.objects.values_list("kek_version", flat=True).distinct())


def refusals() -> Iterator[CryptoError]:
    """Why each of the wrapped keys that cannot be opened cannot."""
    for row in SubjectKey.objects.order_by("pk").iterator():
        try:
            unwrap(row)
        except CryptoError as error:
            yield error


def _make_key(subject: str) -> bytes:
    """The subject's key, made if there is none. Of two processes that make it at once, both get the same."""
    for _try in range(MAX_TRIES):
        row = _key_of(subject)
        if row is not None:
            return unwrap(row)
        key, version = os.urandom(aead.KEY_BYTES), primary()
        if rows.insert_if_new(SubjectKey(subject=subject, kek_version=version, wrapped=_wrap(subject, key, version))):
            return key
        # Another process was first: its key counts.
    raise SubjectKeyMissing(f"The key of {subject} is made and shredded again and again; see who does it.")


def _key_of(subject: str) -> SubjectKey | None:
    return rows.find(SubjectKey, "subject = %s", [_checked(subject)])


def _wrap(subject: str, key: bytes, version: int) -> bytes:
    return aead.encrypt(_wrapping_key(version), key, _bound_key(subject))


def _wrapping_key(version: int) -> bytes:
    key: bytes | None = settings.ENCRYPTION_KEYS.get(version)
    if key is None:
        raise EncryptionKeyMissing(f"ENCRYPTION_KEYS has no version {version}. Put it back; nothing else opens this.")
    return key


def _bound(place: str) -> bytes:
    return FORMAT + place.encode()


def _bound_key(subject: str) -> bytes:
    return b"key of " + subject.encode()


def _checked(subject: str) -> str:
    if not SUBJECT.fullmatch(subject):
        raise ValueError(f"{subject!r} names no subject; write one like user:42, in lower case.")
    return subject
