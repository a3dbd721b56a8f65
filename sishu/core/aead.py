"""AES-256-GCM over short texts: nonce, ciphertext and tag in one piece."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
OVERHEAD = NONCE_BYTES + TAG_BYTES


class Refused(Exception):
    """Another key, another place, or changed bytes: the three cannot be told apart, which is the point."""


def encrypt(key: bytes, plaintext: bytes, bound: bytes) -> bytes:
    """12 random bytes, then ciphertext and tag. `bound` is not kept: who decrypts must know it.

    Random nonces are safe for 2**32 messages under one key (NIST SP 800-38D, 8.3).
    """
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, bound)


def decrypt(key: bytes, sealed: bytes, bound: bytes) -> bytes:
    """The plaintext of what `encrypt` made with the same key and the same `bound`. Refused otherwise."""
    if len(sealed) < OVERHEAD:
        raise Refused(f"{len(sealed)} bytes are too few: nonce and tag alone are {OVERHEAD}.")
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound)
    except InvalidTag:
        raise Refused("The bytes do not fit key and place.") from None
