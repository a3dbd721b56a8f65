"""Signing up, tokens, sessions, scopes and limits over the API."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from sishu.accounts import tokens
from sishu.accounts.models import ApiToken, User
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.commerce import make_offer
from tests.web.api.programs import Program, is_problem

pytestmark = pytest.mark.django_db

NEW = {"username": "aheng", "email": "aheng@example.org", "password": PASSWORD}
ASKED = {"login": "shen", "password": PASSWORD, "name": "backup"}


def test_a_program_signs_up_and_makes_a_token_that_speaks_for_its_person():
    assert Program().post("/register", NEW).status_code == 201
    issued = Program().post("/tokens", {**ASKED, "login": "aheng@example.org", "scope": "write", "days": 30})
    assert issued.status_code == 201
    secret = issued.json()["secret"]
    assert secret.startswith("sishu_")
    assert not issued.cookies, "no session comes of it"
    program = Program(Authorization=f"Bearer {secret}")
    me = program.get("/me").json()
    assert (me["username"], me["is_email_verified"], me["may_publish"]) == ("aheng", False, False)
    (token,) = program.get("/me/tokens").json()["items"]
    assert "secret" not in token
    assert program.delete(f"/me/tokens/{token['id']}").status_code == 204
    assert is_problem(program.get("/me"), 401, "not_signed_in")


def test_sign_up_is_refused_as_at_the_page():
    make_user("aheng", email="first@example.org")
    taken = Program().post("/register", NEW)
    assert is_problem(taken, 422, "invalid")
    assert taken.json()["errors"].keys() == {"username"}
    assert is_problem(Program().post("/register", {**NEW, "username": "b" * 20, "password": "short"}), 422, "invalid")


def test_unknown_and_wrong_get_one_answer():
    make_user("shen")
    make_user("barred", is_active=False)
    answers = [
        Program().post("/tokens", {**ASKED, **said})
        for said in (
            {"login": "nobody"},
            {"password": "wrong-and-long"},
            {"login": "barred"},
            {"login": "no@example.org"},
        )
    ]
    assert all(is_problem(answer, 401, "no_match") for answer in answers)
    assert len({answer.content for answer in answers}) == 1
    assert not ApiToken.objects.exists()


def test_guessing_is_limited_as_at_the_page():
    make_user("shen")
    for _guess in range(5):
        assert Program().post("/tokens", {**ASKED, "password": "a-wrong-guess"}).status_code == 401
    limited = Program().post("/tokens", {**ASKED, "login": "SHEN"})
    assert is_problem(limited, 429, "too_many")
    assert int(limited["Retry-After"]) > 0
    assert Client().post("/login", {"login": "shen", "password": PASSWORD}).status_code == 429, "one limit for both"


def test_neither_a_token_nor_a_session_makes_tokens():
    program = Program(make_user("shen"))
    program.client.force_login(User.objects.get())
    for path in ("/tokens", "/me/tokens"):
        assert program.post(path, {"name": "more", "scope": "write"}).status_code in {405, 422}
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer "])
def test_a_wrong_token_is_refused_even_where_a_stranger_is_served(scheme):
    user = make_user()
    ended = tokens.issue(user, "ended", expires_at=timezone.now() - timedelta(1))[1]
    revoked_token, revoked = tokens.issue(user, "revoked")
    tokens.revoke(revoked_token)
    for secret in ("", "sishu_guess", ended, revoked, "\xff\x00"):
        answer = Program(Authorization=scheme + secret).get("/works")
        assert is_problem(answer, 401, "not_signed_in")
        assert answer["WWW-Authenticate"] == "Bearer"


def test_a_token_that_may_read_changes_nothing():
    user, offer = make_user(), make_offer()
    program = Program(user, scope="read")
    assert program.get("/me").status_code == 200
    assert is_problem(program.post("/orders", {"offer": offer.pk}), 403, "read_only_token")
    assert is_problem(program.delete("/me/tokens/1"), 403, "read_only_token")
    assert not user.orders.exists()


def test_a_session_needs_its_own_origin_or_the_csrf_token():
    make_user("shen")
    offer = make_offer()
    client = Client(enforce_csrf_checks=True)
    token = client.post("/login", {"login": "shen", "password": PASSWORD}, content_type="application/json").json()[
        "csrf_token"
    ]

    def order(**headers: str):
        return client.post("/api/v1/orders", {"offer": offer.pk}, content_type="application/json", headers=headers)

    assert is_problem(order(), 403, "csrf")
    assert is_problem(order(Origin="https://evil.example"), 403, "csrf")
    assert order(**{"X-CSRFToken": token}).status_code == 201
    assert order(Origin="http://testserver").status_code == 201
    assert client.get("/api/v1/me").json()["username"] == "shen"


def test_tokens_of_others_are_not_there():
    token, _secret = tokens.issue(make_user(), "theirs")
    assert is_problem(Program(make_user()).delete(f"/me/tokens/{token.pk}"), 404, "not_found")
    token.refresh_from_db()
    assert token.revoked_at is None


def test_so_many_requests_a_minute_for_each_token_and_address(settings, monkeypatch):
    settings.API_REQUESTS_PER_MINUTE = 3
    minute = time.time() // 60 * 60
    monkeypatch.setattr(time, "time", lambda: minute + 20)
    one, other = Program(make_user()), Program(make_user())
    assert [one.get("/me").status_code for _ in range(4)] == [200, 200, 200, 429]
    limited = one.get("/me")
    assert is_problem(limited, 429, "too_many")
    assert 40 <= int(limited["Retry-After"]) <= 41
    assert other.get("/me").status_code == 200
    assert [Program().get("/works").status_code for _ in range(4)] == [200, 200, 200, 429]
    monkeypatch.setattr(time, "time", lambda: minute + 60)
    assert one.get("/me").status_code == 200


def test_every_refusal_is_a_problem_document():
    program = Program(make_user())
    assert is_problem(program.get("/nowhere"), 404, "not_found")
    assert is_problem(program.get(""), 404, "not_found")
    assert is_problem(program.get("/"), 404, "not_found")
    method = program.delete("/works")
    assert is_problem(method, 405, "method")
    assert method["Allow"] == "GET"
    assert is_problem(program.send("POST", "/orders", b"offer=1", "application/x-www-form-urlencoded"), 415, "not_json")
    wrong = program.post("/orders", {"offer": "many"})
    assert is_problem(wrong, 422, "invalid")
    assert wrong.json()["errors"].keys() == {"offer"}
    assert Client().get("/api/elsewhere")["Content-Type"] == "application/problem+json"
    assert Client().post("/api")["Content-Type"] == "application/problem+json"
