"""A long stream under one key: chunks of AES-256-GCM that can be neither cut off, reordered nor taken from elsewhere."""

from __future__ import annotations

from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CHUNK = 1024 * 1024
TAG_BYTES = 16


class Damaged(Exception):
    """The stream was changed, cut off, or sealed with another key."""


class Writer:
    """Seals what is written to it. The key must be used for one stream only: chunk numbers are its nonces.

    Each chunk is bound to its number, to whether it is the last, and to `bound`. Without `finish` the stream has no end,
    and no reader accepts it.
    """

    def __init__(self, file: BinaryIO, key: bytes, bound: bytes) -> None:
        self._file, self._cipher, self._bound = file, AESGCM(key), bound
        self._rest = bytearray()
        self._number = 0

    def write(self, data: bytes) -> int:
        """Take the bytes; whole chunks go on to the file."""
        self._rest += data
        # One byte is always kept: the last chunk must be known as such, and only `finish` knows.
        while len(self._rest) > CHUNK:
            self._seal(bytes(self._rest[:CHUNK]), is_last=False)
            del self._rest[:CHUNK]
        return len(data)

    def flush(self) -> None:
        """Nothing: half a chunk cannot be sealed."""

    def finish(self) -> None:
        """Write the last chunk."""
        self._seal(bytes(self._rest), is_last=True)

    def _seal(self, chunk: bytes, *, is_last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._number), chunk, _about(self._bound, self._number, is_last)))
        self._number += 1


class Reader:
    """Opens what a Writer sealed; gives out no byte that was not verified. Damaged for everything else."""

    def __init__(self, file: BinaryIO, key: bytes, bound: bytes) -> None:
        self._file, self._cipher, self._bound = file, AESGCM(key), bound
        self._ahead = file.read(CHUNK + TAG_BYTES)
        self._rest = bytearray()
        self._number = 0
        self._is_over = False

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes, fewer only at the end; all that is left for a negative one."""
        while not self._is_over and (size < 0 or len(self._rest) < size):
            self._rest += self._open()
        end = len(self._rest) if size < 0 else size
        data = bytes(self._rest[:end])
        del self._rest[:end]
        return data

    def _open(self) -> bytes:
        sealed, self._ahead = self._ahead, self._file.read(CHUNK + TAG_BYTES)
        self._is_over = not self._ahead
        try:
            chunk = self._cipher.decrypt(_nonce(self._number), sealed, _about(self._bound, self._number, self._is_over))
        except (InvalidTag, ValueError):
            raise Damaged(f"Chunk {self._number} was changed, or the stream is cut off there.") from None
        self._number += 1
        return chunk


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _about(bound: bytes, number: int, is_last: bool) -> bytes:
    return bound + number.to_bytes(8, "big") + bytes([is_last])
