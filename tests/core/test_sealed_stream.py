"""A sealed stream opens whole and unchanged, or not at all."""

from __future__ import annotations

import os
from io import BytesIO

import pytest

from sishu.core.sealed_stream import CHUNK, TAG_BYTES, Damaged, Reader, Writer

KEY = b"k" * 32
WHOLE = CHUNK + TAG_BYTES


def sealed(data: bytes, key: bytes = KEY, bound: bytes = b"one", piece: int = 300_007) -> bytes:
    file = BytesIO()
    writer = Writer(file, key, bound)
    for start in range(0, len(data), piece):
        writer.write(data[start : start + piece])
    writer.finish()
    return file.getvalue()


def opened(stream: bytes, key: bytes = KEY, bound: bytes = b"one") -> bytes:
    return Reader(BytesIO(stream), key, bound).read()


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 5])
def test_what_was_sealed_is_opened(size):
    data = os.urandom(size)
    assert opened(sealed(data)) == data
    reader = Reader(BytesIO(sealed(data)), KEY, b"one")
    pieces = iter(lambda: reader.read(65_537), b"")
    assert b"".join(pieces) == data


@pytest.mark.parametrize("lost", [1, TAG_BYTES, TAG_BYTES + 5, TAG_BYTES + 6, WHOLE, 2 * WHOLE, 2 * WHOLE + 21])
def test_a_stream_that_was_cut_off_is_refused(lost):
    stream = sealed(os.urandom(2 * CHUNK + 5))
    with pytest.raises(Damaged, match="cut off there"):
        opened(stream[:-lost])


def test_a_stream_that_was_lengthened_is_refused():
    stream = sealed(os.urandom(2 * CHUNK))
    for more in (b"\0", stream[-WHOLE:], sealed(b"")):
        with pytest.raises(Damaged):
            opened(stream + more)


def test_chunks_are_not_reordered_repeated_or_left_out():
    stream = sealed(os.urandom(3 * CHUNK))
    one, two, three = stream[:WHOLE], stream[WHOLE : 2 * WHOLE], stream[2 * WHOLE :]
    for changed in (two + one + three, one + one + three, one + three, two + three, three):
        with pytest.raises(Damaged):
            opened(changed)


@pytest.mark.parametrize("position", [0, 100, CHUNK, WHOLE, WHOLE + 1, -1])
def test_a_changed_byte_is_refused(position):
    changed = bytearray(sealed(os.urandom(CHUNK + 5)))
    changed[position] ^= 1
    with pytest.raises(Damaged):
        opened(bytes(changed))


def test_another_key_or_another_stream_is_refused():
    stream = sealed(b"text")
    for key, bound in ((b"o" * 32, b"one"), (KEY, b"two")):
        with pytest.raises(Damaged):
            opened(stream, key, bound)


def test_a_stream_that_was_never_finished_is_refused():
    file = BytesIO()
    Writer(file, KEY, b"one").write(os.urandom(2 * CHUNK + 5))
    with pytest.raises(Damaged):
        opened(file.getvalue())
