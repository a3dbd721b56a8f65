"""Names, addresses, passwords: what the User table accepts and how a person is found."""

from __future__ import annotations

import pytest
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from sishu.accounts import names, selectors
from sishu.accounts.models import User
from tests.accounts.hashers import CountingHasher
from tests.factories.accounts import PASSWORD, make_user

pytestmark = pytest.mark.django_db

ARGON2 = ["django.contrib.auth.hashers.Argon2PasswordHasher"]


def make_valid(username: str) -> User:
    user = User(username=username, email="someone@example.org")
    user.set_password(PASSWORD)
    user.full_clean()
    return user


@pytest.mark.parametrize("username", ["abc", "沈砚之", "an.name_with-3", "Ünal", "Дарья", "x" * 30])
def test_letters_of_every_script_make_a_name(username: str):
    assert make_valid(username).username == username


@pytest.mark.parametrize(
    "username", ["ab", "x" * 31, "a b c", "someone@example.org", "<b>x</b>", "a\0b", "a\nb", "", "ﷺ" * 9]
)
def test_other_signs_and_lengths_do_not(username: str):
    with pytest.raises(ValidationError):
        make_valid(username)


@pytest.mark.parametrize("other", ["ALICE", "Ａlice", "aLiCe"])
def test_spellings_of_one_name_are_one_person(other: str):
    alice = make_user("Alice")
    assert User.objects.get_by_natural_key(other) == alice
    assert selectors.find_by_login(other) == alice
    with pytest.raises(ValidationError) as refusal:
        make_valid(other)
    assert "username" in refusal.value.error_dict
    with pytest.raises(IntegrityError), transaction.atomic():
        make_user(other, email="another@example.org")


def test_the_key_grows_with_letters_that_casefold_to_two():
    assert names.key("Straße") == "strasse"
    assert make_user("ß" * 30).username_key == "s" * 60


def test_addresses_are_stored_in_lower_case_and_once():
    make_user("alice", email="Alice@Example.ORG")
    assert User.objects.get().email == "alice@example.org"
    with pytest.raises(IntegrityError), transaction.atomic():
        make_user("bob", email="ALICE@example.org")


def test_a_change_of_name_alone_moves_the_key():
    alice = make_user("alice")
    alice.username = "Alicia"
    alice.save(update_fields=["username"])
    assert User.objects.get().username_key == "alicia"


def test_others_see_the_display_name_or_the_user_name():
    assert make_user("shen", display_name="沈砚").name == "沈砚"
    assert make_user("zhou").name == "zhou"


def test_people_sign_in_by_name_or_address_in_any_case():
    alice = make_user("Alice", email="alice@example.org")
    for login in ("alice", "ALICE", "Alice@Example.org"):
        assert authenticate(None, username=login, password=PASSWORD) == alice
    assert authenticate(None, username="alice", password="wrong") is None
    assert authenticate(None, username="alice@example.com", password=PASSWORD) is None


def test_a_barred_person_does_not_sign_in():
    make_user("alice", is_active=False)
    assert authenticate(None, username="alice", password=PASSWORD) is None


def test_passwords_are_kept_as_argon2(settings):
    settings.PASSWORD_HASHERS = ARGON2
    alice = make_user("alice")
    assert alice.password.startswith("argon2$argon2id$")
    assert PASSWORD not in alice.password
    assert authenticate(None, username="alice", password=PASSWORD) == alice


def test_one_password_is_hashed_however_the_search_ends(settings):
    settings.PASSWORD_HASHERS = ["tests.accounts.hashers.CountingHasher"]
    make_user("alice")
    make_user("barred", is_active=False)
    spent = {}
    for login in ("alice", "barred", "nobody", "alice@example.org", "nobody@example.org"):
        CountingHasher.count = 0
        authenticate(None, username=login, password="wrong")
        spent[login] = CountingHasher.count
    assert set(spent.values()) == {1}, spent
