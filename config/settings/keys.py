"""Secrets: read from the environment, or made once and kept beside the data for installations that set none."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

KEY_BYTES = 32
# The way out that every refusal names.
HOW = "Make one: openssl rand -base64 32"


def kept_secret(path: Path, make: Callable[[], str] = lambda: secrets.token_urlsafe(48)) -> str:
    """The secret in `path`, made on first use and readable by its owner only."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # O_EXCL: of two processes that start at once, one writes and both read the same.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        if path.is_file():
            return path.read_text().strip()
        raise ImproperlyConfigured(
            f"Cannot write {path}: {error.strerror}. Set DATA_DIR to a folder of yours."
        ) from error
    with os.fdopen(handle, "w") as file:
        file.write(secret := make())
        file.flush()
        os.fsync(handle)  # what is sealed with it must not outlive it in a power cut
    return secret


def new_key() -> str:
    """32 random bytes in base64."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def parse_key(name: str, text: str) -> bytes:
    """The 32 bytes of a key in base64; none of an empty text. ImproperlyConfigured, without the text, for others."""
    if not text.strip():
        return b""
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise ImproperlyConfigured(f"{name} is not base64. {HOW}") from None
    if len(key) != KEY_BYTES:
        raise ImproperlyConfigured(f"{name} has {len(key)} bytes instead of {KEY_BYTES}. {HOW}")
    return key


def parse_encryption_keys(text: str) -> dict[int, bytes]:
    """Version → key of "2:base64,1:base64", the primary first. ImproperlyConfigured, without the keys, for others."""
    keys: dict[int, bytes] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        version, colon, key = entry.partition(":")
        if not (colon and version.isascii() and version.isdigit() and 0 < int(version) < 2**15):
            raise ImproperlyConfigured("ENCRYPTION_KEYS has an entry without a version; write 1:KEY, or 2:KEY,1:KEY.")
        if int(version) in keys:
            raise ImproperlyConfigured(f"ENCRYPTION_KEYS names version {version} twice; give the new key a new number.")
        keys[int(version)] = parse_key(f"Version {version} of ENCRYPTION_KEYS", key)
        if not keys[int(version)]:
            raise ImproperlyConfigured(f"Version {version} of ENCRYPTION_KEYS is empty. {HOW}")
    return keys
