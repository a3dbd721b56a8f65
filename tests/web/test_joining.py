"""Signing up, in and out, by page and by program."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from sishu.accounts import addresses, roles, selectors, tokens
from sishu.accounts.models import ApiToken, User
from sishu.jobs import runner
from sishu.jobs.models import JobRun
from tests.factories.accounts import PASSWORD, make_user

pytestmark = pytest.mark.django_db

NEW = {"username": "aheng", "email": "aheng@example.org", "password": PASSWORD}


def post_json(client: Client, path: str, data: Any, **headers: str) -> Any:
    body = data if isinstance(data, bytes) else json.dumps(data)
    return client.post(path, body, content_type="application/json", headers=headers)


def mails() -> list[mail.EmailMessage]:
    """What the worker sends now."""
    mail.outbox.clear()
    runner.run_due()
    assert not JobRun.objects.exclude(status=JobRun.Status.SUCCEEDED).exists()
    return mail.outbox


def link_in(sent: mail.EmailMessage) -> str:
    return re.search(r"http://127\.0\.0\.1:8000(/\S+)", sent.body)[1]


def sign_in(client: Client, user: User) -> None:
    client.post("/login", {"login": user.username, "password": PASSWORD})
    assert client.session["_auth_user_id"] == str(user.pk)


# --- Signing up -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "says"), [("zh-hans", "注册成功"), ("en", "Signed up.")])
def test_a_program_signs_a_person_up_in_its_language(client, language, says):
    response = post_json(client, "/register", NEW, **{"accept-language": language})
    assert (response.status_code, response.json()["message"]) == (201, says)
    user = User.objects.get()
    assert user.check_password(PASSWORD)
    assert user.password != PASSWORD
    assert roles.has_role(user, "member")
    assert not response.cookies, "a program without cookies stays without"


def test_a_form_signs_up_signs_in_and_goes_where_the_person_was_going(client):
    page = client.get("/register?next=/payment%3Foffer=7")
    assert 'name="next" value="/payment?offer=7"' in page.content.decode()
    response = client.post("/register", {**NEW, "next": "/payment?offer=7"})
    assert (response.status_code, response["Location"]) == (302, "/payment?offer=7")
    assert client.session["_auth_user_id"] == str(User.objects.get().pk)


def test_a_form_may_ask_for_json_too(client):
    response = client.post("/register", NEW, headers={"accept": "application/json"})
    assert response.status_code == 201
    assert User.objects.get().username == "aheng"


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"]
)
@pytest.mark.parametrize("path", ["/register", "/login"])
def test_next_never_leads_off_the_site(client, path, elsewhere):
    make_user("bob")
    data = {**NEW, "login": "bob", "next": elsewhere}
    response = client.post(path, data)
    assert response.status_code == 302
    assert response["Location"] == "/library"


@pytest.mark.parametrize("password", ["", "short", "password123", "aheng@example", "1234567890"])
def test_weak_passwords_are_refused_with_the_reason(client, password):
    response = post_json(client, "/register", {**NEW, "password": password})
    assert response.status_code == 422
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["errors"]["password"]
    assert response.json()["message"] == response.json()["errors"]["password"][0]
    page = client.post("/register", {**NEW, "password": password})
    assert page.status_code == 422
    assert 'class="wrong"' in page.content.decode()
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "username", ["AHENG", "Ａheng", "admin", "Root", "a", "<script>", "a@b.cn", "x" * 400, ["aheng"], {"a": 1}, None, 7]
)
def test_names_taken_reserved_or_odd_are_refused(client, username):
    make_user("aheng", email="first@example.org")
    response = post_json(client, "/register", {**NEW, "username": username})
    assert response.status_code == 422
    assert response.json()["errors"]["username"]
    assert User.objects.count() == 1


@pytest.mark.parametrize("email", ["AHENG@example.org", "aheng@EXAMPLE.org"])
def test_a_known_address_gets_a_message_and_the_prober_learns_nothing(email):
    fresh = post_json(Client(), "/register", {**NEW, "username": "baiyi"})
    again = post_json(Client(), "/register", {**NEW, "email": email, "username": "caiyu"})
    assert (again.status_code, again.headers["Content-Type"]) == (fresh.status_code, fresh.headers["Content-Type"])
    assert again.content.replace(b"caiyu", b"baiyi") == fresh.content
    assert User.objects.get().username == "baiyi"


def test_the_owner_of_a_known_address_is_told(client):
    make_user("aheng", language="en")
    response = client.post("/register", {**NEW, "username": "another"})
    assert (response.status_code, response["Location"]) == (302, "/verify-email")
    page = client.get("/verify-email").content.decode()
    assert "aheng" not in page
    (sent,) = mails()
    assert sent.to == ["aheng@example.org"]
    assert sent.subject == "You already have an account at Sishu"
    assert "http://127.0.0.1:8000/password/forgot" in sent.body


def test_trying_addresses_is_neither_silent_nor_without_a_trace():
    """What docs/adr/0010 admits, and no more than that."""
    make_user("aheng", language="en")
    for name in ("probe1", "probe2"):
        known = Client().post("/register", {**NEW, "username": name})
        assert (known.status_code, known["Location"]) == (302, "/verify-email")
    assert [sent.to for sent in mails()] == [["aheng@example.org"]], "the owner is told, and not flooded"
    assert not User.objects.filter(username__startswith="probe").exists()
    fresh = Client().post("/register", {**NEW, "username": "probe3", "email": "nobody@example.org"})
    assert (fresh.status_code, fresh["Location"]) == (302, "/library")
    assert User.objects.get(username="probe3").email == "nobody@example.org"
    assert ["nobody@example.org"] in [sent.to for sent in mails()]


def test_who_sends_more_than_the_form_gets_no_more(client):
    post_json(
        client,
        "/register",
        {**NEW, "is_superuser": True, "is_staff": True, "groups": [1], "role": "owner", "verified": True},
    )
    user = User.objects.get()
    assert not user.is_superuser
    assert not user.is_staff
    assert list(user.groups.values_list("name", flat=True)) == ["member"]
    assert not selectors.has_verified_email(user)


# --- Signing in and out -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "says"), [("zh-hans", "登录成功"), ("en", "Signed in.")])
@pytest.mark.parametrize("fields", [{"login": "shen"}, {"username": "SHEN"}, {"email": "Shen@Example.org"}])
def test_a_program_signs_in_by_name_or_address(client, fields, language, says):
    make_user("shen")
    response = post_json(client, "/login", {**fields, "password": PASSWORD}, **{"accept-language": language})
    assert (response.status_code, response.json()["message"]) == (200, says)
    assert response.json()["csrf_token"]
    assert "_auth_user_id" in client.session


def test_the_token_of_sign_in_opens_later_posts():
    make_user("shen")
    client = Client(enforce_csrf_checks=True)
    token = post_json(client, "/login", {"login": "shen", "password": PASSWORD}).json()["csrf_token"]
    assert post_json(client, "/logout", {}).status_code == 403
    assert post_json(client, "/logout", {}, **{"x-csrftoken": token}).status_code == 200


@pytest.mark.parametrize("voice", ["json", "page"])
def test_no_such_user_and_wrong_password_are_one_answer(voice):
    make_user("shen")
    make_user("barred", is_active=False)
    answers = set()
    for login in ("shen", "zhou", "barred", "shen@example.org", "zhou@example.org"):
        data = {"login": login, "password": "not-the-password"}
        client = Client()
        response = post_json(client, "/login", data) if voice == "json" else client.post("/login", data)
        text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode())
        answers.add((response.status_code, text.replace(login, "LOGIN"), tuple(sorted(response.headers))))
    assert len(answers) == 1
    assert answers.pop()[0] == (401 if voice == "json" else 422)


def test_who_is_signed_in_is_sent_on(client):
    sign_in(client, make_user("shen"))
    for path in ("/login", "/register"):
        assert client.get(path)["Location"] == "/library"
        assert client.get(path + "?next=/w/1")["Location"] == "/w/1"


def test_a_program_signs_in_as_it_says_even_over_another_session(client):
    sign_in(client, make_user("shen"))
    make_user("zhou")
    assert post_json(client, "/login", {"login": "zhou", "password": "wrong"}).status_code == 401
    assert client.session["_auth_user_id"] == str(User.objects.get(username="shen").pk)
    assert post_json(client, "/login", {"login": "zhou", "password": PASSWORD}).status_code == 200
    assert client.session["_auth_user_id"] == str(User.objects.get(username="zhou").pk)


def test_a_link_does_not_sign_out_a_form_does(client):
    sign_in(client, make_user("shen"))
    assert client.get("/logout").status_code == 200
    assert "_auth_user_id" in client.session
    assert client.post("/logout").status_code == 302
    assert "_auth_user_id" not in client.session


# --- Verification -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "greets"), [("zh-hans", "aheng，你好"), ("en", "Hello aheng,")])
def test_the_message_speaks_the_language_and_its_link_verifies(client, language, greets):
    post_json(client, "/register", NEW, **{"accept-language": language})
    (sent,) = mails()
    assert sent.to == ["aheng@example.org"]
    assert greets in sent.body
    user = User.objects.get()
    path = link_in(sent)
    assert client.get(path).status_code == 200
    assert not selectors.has_verified_email(user), "looking is not verifying: mail scanners look"
    assert client.post(path).status_code == 302
    assert selectors.has_verified_email(user)
    assert client.get(path).status_code == 200
    assert "<form" not in client.get(path).content.decode().partition("<main")[2]


def test_no_row_of_a_job_holds_a_link(client):
    make_user("shen")
    post_json(client, "/register", NEW)
    client.post("/password/forgot", {"email": "shen@example.org"})
    for job in JobRun.objects.all():
        assert "http" not in json.dumps([job.args, job.kwargs])
    assert len(mails()) == 2


def test_links_do_not_follow_the_host_header(client):
    make_user("shen")
    client.post("/password/forgot", {"email": "shen@example.org"}, headers={"host": "evil.example"})
    assert "evil" not in mails()[0].body


def test_the_message_can_be_sent_again_but_not_at_once(client):
    sign_in(client, make_user("shen"))
    assert client.get("/verify-email").status_code == 200
    client.post("/verify-email")
    client.post("/verify-email")
    assert len(mails()) == 1


def test_a_forged_link_verifies_nothing(client):
    assert client.get("/verify-email/MQ:abc:def").status_code == 200
    assert client.post("/verify-email/MQ:abc:def").status_code == 404


# --- Passwords --------------------------------------------------------------------------------------------------------


def test_a_forgotten_password_is_replaced_once(client):
    user = make_user("shen")
    response = client.post("/password/forgot", {"email": "SHEN@example.org"})
    assert response["Location"] == "/password/forgot/sent"
    (sent,) = mails()
    path = link_in(sent)
    form = client.get(path)
    assert "set-password" in form["Location"], "the key must not stand in the address bar"
    weak = client.post(form["Location"], {"password1": "short"})
    assert weak.status_code == 422
    done = client.post(form["Location"], {"password1": "another-ink-stone"})
    assert (done.status_code, done["Location"]) == (302, "/login")
    user.refresh_from_db()
    assert user.check_password("another-ink-stone")
    assert mails()[0].subject.startswith(("Your password", "你在"))
    assert "no longer works" in Client(headers={"accept-language": "en"}).get(path).content.decode()


def test_an_unknown_address_gets_the_same_page_and_a_message(client):
    make_user("shen")
    known = client.post("/password/forgot", {"email": "shen@example.org"})
    unknown = client.post("/password/forgot", {"email": "nobody@example.org"})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert [sent.to for sent in mails()] == [["shen@example.org"], ["nobody@example.org"]]


def test_an_address_that_waits_for_verification_resets_nothing(client):
    mallory = make_user("mallory", verified=True)
    sign_in(client, mallory)
    client.post("/account/email", {"email": "victim@example.org"})
    client.post("/reauthenticate?next=/account/email", {"password": PASSWORD})
    mails()
    client.post("/password/forgot", {"email": "victim@example.org"})
    (sent,) = mails()
    assert "/register" in sent.body


def test_changing_the_password_ends_every_session(client):
    user = make_user("shen")
    other = Client()
    sign_in(other, user)
    sign_in(client, user)
    assert (
        client.post("/password/change", {"oldpassword": "wrong", "password1": "another-ink-stone"}).status_code == 422
    )
    done = client.post("/password/change", {"oldpassword": PASSWORD, "password1": "another-ink-stone"})
    assert done["Location"] == "/login"
    for browser in (client, other):
        assert browser.get("/account").status_code == 302
    (sent,) = mails()
    assert "127.0.0.1" in sent.body


# --- The account page -------------------------------------------------------------------------------------------------


def test_markup_in_a_name_is_inert(client):
    user = make_user("shen", verified=True)
    sign_in(client, user)
    evil = "<script>alert(1)</script>"
    client.post("/account", {"display_name": evil, "language": "en"})
    user.refresh_from_db()
    assert (user.name, user.language) == (evil, "en")
    for path in ("/account", "/logout"):
        page = client.get(path).content.decode()
        assert evil not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    "data",
    [{"display_name": "x" * 61, "language": ""}, {"display_name": "x", "language": "tlh"}, {"display_name": "a\0b"}],
)
def test_a_profile_that_cannot_be_is_refused(client, data):
    user = make_user("shen")
    sign_in(client, user)
    assert client.post("/account", data).status_code in {400, 422}
    user.refresh_from_db()
    assert user.display_name == ""


def test_an_address_changes_after_the_password_and_the_link(client):
    user = make_user("shen", verified=True, language="en")
    sign_in(client, user)
    asked = client.post("/account/email", {"email": "New@example.org"})
    assert asked["Location"].startswith("/reauthenticate?next=")
    assert client.post(asked["Location"], {"password": "wrong"}).status_code == 422
    client.post(asked["Location"], {"password": PASSWORD})
    user.refresh_from_db()
    assert user.email == "shen@example.org"
    (sent,) = mails()
    assert sent.to == ["new@example.org"]
    client.post(link_in(sent))
    user.refresh_from_db()
    assert user.email == "new@example.org"
    assert selectors.has_verified_email(user)
    (notice,) = mails()
    assert notice.to == ["shen@example.org"]
    assert "new@example.org" in notice.body


def test_an_unverified_person_can_correct_the_address(client):
    user = make_user("shen", email="typo@example.org")
    sign_in(client, user)
    asked = client.post("/account/email", {"email": "right@example.org"})
    client.post(asked["Location"], {"password": PASSWORD})
    client.post(link_in(mails()[0]))
    user.refresh_from_db()
    assert user.email == "right@example.org"


def test_an_address_of_another_account_is_not_taken_over(client):
    make_user("victim", email="both@example.org")
    user = make_user("shen", verified=True)
    sign_in(client, user)
    asked = client.post("/account/email", {"email": "both@example.org"})
    client.post(asked["Location"], {"password": PASSWORD})
    client.post(link_in(mails()[0]))
    user.refresh_from_db()
    assert user.email == "shen@example.org"


def test_a_token_is_shown_once_and_revoked_by_its_owner_only(client):
    user = make_user("shen")
    sign_in(client, user)
    asked = client.post("/account/tokens", {"name": "<b>backup</b>", "scope": "read"})
    page = client.post(asked["Location"], {"password": PASSWORD}).content.decode()
    secret = re.search(r"sishu_[\w-]{43}", page)[0]
    assert tokens.find_token(secret).user == user
    assert "<b>backup</b>" not in page
    assert secret not in client.get("/account").content.decode()
    token = ApiToken.objects.get()
    stranger = Client()
    sign_in(stranger, make_user("zhou"))
    assert stranger.post(f"/account/tokens/{token.pk}/revoke").status_code == 404
    assert tokens.find_token(secret).user == user
    assert client.post(f"/account/tokens/{token.pk}/revoke").status_code == 302
    assert tokens.find_token(secret) is None


def test_the_account_page_is_for_its_owner(client):
    assert client.get("/account")["Location"] == "/login?next=/account"
    sign_in(client, make_user("shen"))
    page = client.get("/account")
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]


def test_the_sign_in_page_offers_no_way_that_forgets_where_one_was_going(client):
    page = client.get("/login?next=/payment%3Foffer%3D1").content.decode()
    assert 'href="/login"' not in page
    assert 'href="/login' in client.get("/register?next=/payment%3Foffer%3D1").content.decode()


def test_trust_is_for_accounts_that_the_operator_makes():
    user = make_user("shen")
    addresses.trust(user)
    assert selectors.has_verified_email(user)
    assert addresses.find_unverified(user) is None
