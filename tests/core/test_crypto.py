"""What is sealed opens for the same subject in the same cell, with the right key, and in no other case."""

from __future__ import annotations

import base64
import json
import os

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from sishu.core import crypto
from sishu.core.models import SubjectKey
from tests.crowd import rush

pytestmark = pytest.mark.django_db

OLD, NEW = b"o" * 32, b"n" * 32
CELL = crypto.place("payouts_payee", "account", 42)


@pytest.fixture
def sealed() -> bytes:
    return crypto.seal("user:42", CELL, "上海银行 6222 0000")


@pytest.mark.parametrize("text", ["", "上海银行", b"", b"\0\xff" * 5_000], ids=["empty", "text", "no bytes", "bytes"])
def test_round_trip(text):
    sealed = crypto.seal("user:42", CELL, text)
    data = text.encode() if isinstance(text, str) else text
    assert crypto.unseal("user:42", CELL, sealed) == crypto.unseal("user:42", CELL, memoryview(sealed)) == data
    assert len(sealed) == len(data) + 29
    assert SubjectKey.objects.get().kek_version == 1


def test_the_same_text_is_sealed_differently_each_time(sealed):
    assert crypto.seal("user:42", CELL, "上海银行 6222 0000") != sealed
    assert crypto.unseal_text("user:42", CELL, sealed) == "上海银行 6222 0000"


def test_the_stored_key_is_read_back_as_it_was_written(sealed):
    """BinaryField comes back as bytes or memoryview, by database."""
    row = SubjectKey.objects.get()
    assert len(bytes(row.wrapped)) == 60
    assert len(crypto.unwrap(row)) == 32


@pytest.mark.parametrize(
    "cell",
    [
        crypto.place("payouts_payee", "account", 43),
        crypto.place("payouts_payee", "name", 42),
        crypto.place("other_table", "account", 42),
    ],
)
def test_a_cell_pasted_elsewhere_is_refused_and_named(sealed, cell):
    with pytest.raises(crypto.WrongPlace, match="was not sealed there for user:42") as refusal:
        crypto.unseal("user:42", cell, sealed)
    assert cell in str(refusal.value)


def test_a_cell_of_another_person_is_refused(sealed):
    crypto.seal("user:43", CELL, "")
    with pytest.raises(crypto.WrongPlace):
        crypto.unseal("user:43", CELL, sealed)


def test_a_key_pasted_to_another_person_is_refused(sealed):
    SubjectKey.objects.update(subject="user:43")
    with pytest.raises(crypto.SubjectKeyDamaged):
        crypto.unseal("user:43", CELL, sealed)


def test_every_truncation_is_refused(sealed):
    for length in range(len(sealed)):
        with pytest.raises((crypto.UnknownFormat, crypto.WrongPlace)):
            crypto.unseal("user:42", CELL, sealed[:length])


def test_every_changed_bit_is_refused(sealed):
    for bit in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises((crypto.UnknownFormat, crypto.WrongPlace)):
            crypto.unseal("user:42", CELL, bytes(changed))


def test_another_format_is_refused(sealed):
    with pytest.raises(crypto.UnknownFormat, match="nothing that this version of Sishu sealed"):
        crypto.unseal("user:42", CELL, b"\x02" + sealed[1:])


def test_the_wrong_wrapping_key_is_refused_and_not_told(sealed, settings):
    settings.ENCRYPTION_KEYS = {1: OLD}
    with pytest.raises(crypto.SubjectKeyDamaged, match="version 1 of ENCRYPTION_KEYS") as refusal:
        crypto.unseal("user:42", CELL, sealed)
    assert "ooo" not in str(refusal.value)


def test_a_missing_wrapping_key_is_named(sealed, settings):
    settings.ENCRYPTION_KEYS = {2: NEW}
    with pytest.raises(crypto.EncryptionKeyMissing, match="has no version 1"):
        crypto.unseal("user:42", CELL, sealed)
    settings.ENCRYPTION_KEYS = {}
    with pytest.raises(crypto.EncryptionKeyMissing, match="ENCRYPTION_KEYS is empty"):
        crypto.seal("user:43", CELL, "")


@pytest.mark.parametrize("subject", ["", "User:42", "user 42", "用户", "user:42\n", "u" * 81, ":"])
def test_what_names_no_subject_is_refused(subject):
    with pytest.raises(ValueError, match="names no subject"):
        crypto.seal(subject, CELL, "")


# --- Shredding ------------------------------------------------------------------------------------


def test_what_is_shredded_stays_shut(sealed):
    crypto.seal("user:43", CELL, "")
    assert crypto.shred("user:42")
    assert not crypto.shred("user:42")
    with pytest.raises(crypto.SubjectKeyMissing, match="shredded"):
        crypto.unseal("user:42", CELL, sealed)
    again = crypto.seal("user:42", CELL, "new")
    assert crypto.unseal_text("user:42", CELL, again) == "new"
    with pytest.raises(crypto.WrongPlace):
        crypto.unseal("user:42", CELL, sealed)
    assert SubjectKey.objects.count() == 2


def test_a_key_first_used_in_a_transaction_goes_with_it():
    with transaction.atomic():
        crypto.seal("user:42", CELL, "")
        transaction.set_rollback(True)
    assert not SubjectKey.objects.exists()


# --- Blind index ----------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["straße 42", "STRASSE 42", "  Straße 42\n", "Ｓｔｒａße ４２", "Stra\u00dfe 42"])
def test_spellings_of_one_value_share_an_index(written):
    assert crypto.blind_index("address", written) == crypto.blind_index("address", "Straße 42")


def test_fields_values_and_keys_are_told_apart(settings):
    one = crypto.blind_index("phone", "13800000000")
    assert len(one) == 32
    others = {crypto.blind_index("phone", "13800000001"), crypto.blind_index("fax", "13800000000")}
    settings.BLIND_INDEX_KEY = OLD
    others.add(crypto.blind_index("phone", "13800000000"))
    assert len(others | {one}) == 4
    settings.BLIND_INDEX_KEY = b""
    with pytest.raises(crypto.EncryptionKeyMissing, match="BLIND_INDEX_KEY is not set"):
        crypto.blind_index("phone", "1")


# --- Rotation -------------------------------------------------------------------------------------


def test_a_rotation_wraps_anew_and_touches_no_data(settings):
    settings.ENCRYPTION_KEYS = {1: OLD}
    cells = {number: crypto.seal(f"user:{number}", CELL, str(number)) for number in range(crypto.BATCH + 3)}
    settings.ENCRYPTION_KEYS = {2: NEW, 1: OLD}
    assert crypto.rewrap() == crypto.Rotation(rewrapped=crypto.BATCH + 3, damaged=0, in_use=[2])
    assert crypto.rewrap() == crypto.Rotation(rewrapped=0, damaged=0, in_use=[2])
    settings.ENCRYPTION_KEYS = {2: NEW}
    assert all(crypto.unseal_text(f"user:{n}", CELL, cell) == str(n) for n, cell in cells.items())


def test_a_key_that_does_not_open_is_counted_and_left(settings, sealed):
    crypto.seal("user:43", CELL, "")
    SubjectKey.objects.filter(subject="user:43").update(wrapped=os.urandom(60))
    settings.ENCRYPTION_KEYS = {2: NEW, **settings.ENCRYPTION_KEYS}
    assert crypto.rewrap() == crypto.Rotation(rewrapped=1, damaged=1, in_use=[1, 2])


def test_the_command_tells_people_machines_and_the_shell(settings, sealed, capsys):
    settings.ENCRYPTION_KEYS = {2: NEW, **settings.ENCRYPTION_KEYS}
    call_command("keys", "rotate", json=True)
    assert json.loads(capsys.readouterr().out) == {"primary": 2, "rewrapped": 1, "damaged": 0, "in_use": [2]}
    call_command("keys", "rotate")
    told = "0 keys wrapped with version 2. In use: 2. Every other version may leave ENCRYPTION_KEYS.\n"
    assert capsys.readouterr().out == told
    settings.ENCRYPTION_KEYS = {3: OLD}
    with pytest.raises(CommandError, match="1 subjects' keys do not open"):
        call_command("keys", "rotate")
    settings.ENCRYPTION_KEYS = {}
    with pytest.raises(CommandError, match="ENCRYPTION_KEYS is empty"):
        call_command("keys", "rotate")


# --- Many at once ---------------------------------------------------------------------------------


def seal_one(subject: str, number: int) -> str:
    return base64.b64encode(crypto.seal(subject, crypto.place("t", "c", number), str(number))).decode()


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_of_many_first_uses_at_once_one_key_comes(transactional_db):
    for subject in ("user:1", "user:2", "user:3"):
        cells = rush(seal_one, [(subject, number) for number in range(6)])
        assert SubjectKey.objects.filter(subject=subject).count() == 1
        opened = {crypto.unseal_text(subject, crypto.place("t", "c", n), cell) for n, cell in readable(subject, cells)}
        assert opened == {str(number) for number in range(6)}


def readable(subject: str, cells: list[str]):
    """(number, cell): a cell says where it belongs by opening there."""
    for text in cells:
        cell = base64.b64decode(text)
        for number in range(len(cells)):
            try:
                crypto.unseal(subject, crypto.place("t", "c", number), cell)
            except crypto.WrongPlace:
                continue
            yield number, cell


def seal_and_unseal(worker: int, rounds: int) -> int:
    """A busy process of the site: old people, new people, and some who leave."""
    for number in range(rounds):
        subject = f"user:{worker}.{number % 7}"
        cell = crypto.place("t", "c", number)
        assert crypto.unseal_text(subject, cell, crypto.seal(subject, cell, str(number))) == str(number)
        if number % 11 == 10:
            crypto.shred(subject)
    return rounds


def rotate_until_done(rounds: int) -> int:
    from django.conf import settings

    keys = dict(settings.ENCRYPTION_KEYS)
    for version in range(2, 2 + rounds):
        keys = {version: bytes([version]) * 32, **keys}
        settings.ENCRYPTION_KEYS = keys
        assert crypto.rewrap().damaged == 0
    return rounds


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_rotation_under_load_loses_nothing(transactional_db, settings):
    # Every process knows every version, as after the first step of a rotation; only the primary differs.
    settings.ENCRYPTION_KEYS = {
        **settings.ENCRYPTION_KEYS,
        **{version: bytes([version]) * 32 for version in range(2, 8)},
    }
    kept = {n: crypto.seal(f"house:{n}", CELL, str(n)) for n in range(40)}
    done = rush(in_turn, [("rotate", 6), *((str(worker), 40) for worker in range(3))])
    assert sorted(map(str, done)) == ["40", "40", "40", "6"]
    assert all(crypto.unseal_text(f"house:{n}", CELL, cell) == str(n) for n, cell in kept.items())
    assert list(crypto.refusals()) == []


def in_turn(role: str, rounds: int) -> int:
    return rotate_until_done(rounds) if role == "rotate" else seal_and_unseal(int(role), rounds)
