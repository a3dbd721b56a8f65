"""Bearer tokens: kept as hashes, found by secret, ended in three ways."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sishu.accounts import tokens
from sishu.accounts.models import ApiToken
from sishu.core import clock
from tests.factories.accounts import make_user

pytestmark = pytest.mark.django_db


def test_the_secret_is_nowhere_in_the_row():
    token, secret = tokens.issue(make_user(), "backup")
    assert secret.startswith("sishu_")
    assert len(secret) >= 6 + 43
    row = ApiToken.objects.filter(pk=token.pk).values().get()
    assert secret not in str(row)
    assert secret[len(row["prefix"]) :] not in str(row)
    assert len(row["digest"]) == 64


def test_a_secret_finds_its_person_and_no_other():
    alice, bob = make_user("alice"), make_user("bob")
    _token, secret = tokens.issue(alice, "one")
    tokens.issue(bob, "two")
    assert tokens.find_token(secret).user == alice
    for wrong in (secret[:-1], secret + "x", secret.upper(), "", "sishu_", "\0", "\ud800", "x" * 100_000):
        assert tokens.find_token(wrong) is None


@pytest.mark.parametrize("ending", ["revoked", "expired", "barred"])
def test_a_token_ends(ending: str):
    user = make_user()
    token, secret = tokens.issue(user, "one", expires_at=clock.now() + timedelta(hours=1))
    assert tokens.find_token(secret).user == user
    if ending == "revoked":
        tokens.revoke(token)
        assert token.revoked_at is not None
    elif ending == "expired":
        ApiToken.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    else:
        user.is_active = False
        user.save()
    assert tokens.find_token(secret) is None


def test_revoking_twice_keeps_the_first_moment():
    token, _secret = tokens.issue(make_user(), "one")
    tokens.revoke(token)
    first = token.revoked_at
    tokens.revoke(token)
    assert token.revoked_at == first


def test_use_is_noted_at_most_once_a_minute():
    token, secret = tokens.issue(make_user(), "one")
    tokens.find_token(secret)
    token.refresh_from_db()
    first = token.last_used_at
    assert first is not None
    tokens.find_token(secret)
    token.refresh_from_db()
    assert token.last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(minutes=2))
    tokens.find_token(secret)
    token.refresh_from_db()
    assert token.last_used_at >= first


def test_known_and_unknown_secrets_cost_the_same_search():
    token, secret = tokens.issue(make_user(), "one")
    tokens.revoke(token)
    with CaptureQueriesContext(connection) as known:
        tokens.find_token(secret)
    with CaptureQueriesContext(connection) as unknown:
        tokens.find_token("sishu_nothing")
    assert len(known) == len(unknown) == 1
