"""Known answers: AES-256 test cases 13 to 16 of "The Galois/Counter Mode of Operation (GCM)", submitted to NIST for SP 800-38D."""

from __future__ import annotations

import pytest

from sishu.core import aead

ZEROS = bytes(32)
KEY = bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2)
IV = bytes.fromhex("cafebabefacedbaddecaf888")
TEXT = bytes.fromhex(
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255"
)
CIPHER = bytes.fromhex(
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad"
)
BOUND = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
KNOWN = {
    "13": (ZEROS, bytes(12), b"", b"", b"", "530f8afbc74536b9a963b4f1c4cb738b"),
    "14": (
        ZEROS, bytes(12), bytes(16), b"", bytes.fromhex("cea7403d4d606b6e074ec5d3baf39d18"),
        "d0d1c8a799996bf0265b98b5d48ab919",
    ),
    "15": (KEY, IV, TEXT, b"", CIPHER, "b094dac5d93471bdec1a502270e3cc6c"),
    "16": (KEY, IV, TEXT[:60], BOUND, CIPHER[:60], "76fc6ece0f4e1768cddf8853bb2d551b"),
}  # fmt: skip


@pytest.mark.parametrize(("key", "nonce", "text", "bound", "cipher", "tag"), KNOWN.values(), ids=KNOWN)
def test_known_answers(key, nonce, text, bound, cipher, tag):
    assert aead.decrypt(key, nonce + cipher + bytes.fromhex(tag), bound) == text


def test_what_was_encrypted_is_long_enough_and_never_the_same_twice():
    sealed = {aead.encrypt(KEY, TEXT, BOUND) for _ in range(50)}
    assert len({one[: aead.NONCE_BYTES] for one in sealed}) == 50
    assert {len(one) for one in sealed} == {len(TEXT) + aead.OVERHEAD}
    assert {aead.decrypt(KEY, one, BOUND) for one in sealed} == {TEXT}


@pytest.mark.parametrize(("key", "bound"), [(ZEROS, BOUND), (KEY, b""), (KEY, BOUND + b"!")])
def test_another_key_or_another_place_is_refused(key, bound):
    with pytest.raises(aead.Refused):
        aead.decrypt(key, aead.encrypt(KEY, TEXT, BOUND), bound)
