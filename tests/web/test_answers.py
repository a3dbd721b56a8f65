"""Bodies no honest client sends, refusals in two voices, and the rule of the token."""

from __future__ import annotations

import json

import pytest
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from sishu.core.errors import DomainError, Missing, Unreadable
from sishu.web import answers, errors
from tests.factories.accounts import PASSWORD, make_user

ODD_BODIES = {
    "not JSON": b"{",
    "not UTF-8": b'{"login": "\xff\xfe"}',
    "not an object": b'["login"]',
    "a NUL byte": b'{"login": "a\\u0000b", "password": "x"}',
    "a raw NUL byte": b'{"login": "a\0b"}',
    "half a character": b'{"login": "\\ud800", "password": "x"}',
    "half a character inside": b'{"login": "x", "password": "x", "more": [{"\\udfff": 1}]}',
    "not a number": b'{"login": NaN}',
    "a number beyond measure": b'{"login": ' + b"9" * 5000 + b"}",
    "a well without bottom": b'{"a":' * 100_000,
}


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/login", "/register"])
@pytest.mark.parametrize("body", ODD_BODIES.values(), ids=ODD_BODIES.keys())
def test_odd_json_is_refused_with_the_reason(path: str, body: bytes):
    response = Client().post(path, body, content_type="application/json")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["message"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/login", "/register", "/password/forgot"])
@pytest.mark.parametrize("field", [b"login", b"username", b"email", b"password", b"%00"])
@pytest.mark.parametrize("value", [b"a%00b", b"%ff%fe", b"\xff"])
def test_odd_forms_are_refused(path: str, field: bytes, value: bytes):
    response = Client().post(path, field + b"=" + value, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 400


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("path", ["/login", "/register"])
def test_three_megabytes_are_too_large(path: str, kind: str):
    body = json.dumps({"login": "x" * 3 * 2**20}) if kind.endswith("json") else "login=" + "x" * 3 * 2**20
    response = Client().post(path, body, content_type=kind)
    assert response.status_code == 413


@pytest.mark.django_db
@pytest.mark.parametrize("accept", ["*/*", "", "text/html", ";;;", "application/json;q=0.1, text/html", "a/b" * 500])
def test_pages_are_the_rule(accept: str):
    assert Client().get("/login", headers={"accept": accept})["Content-Type"].startswith("text/html")


@pytest.mark.django_db
def test_json_is_for_those_who_ask():
    response = Client().get("/login", headers={"accept": "application/json, text/html;q=0.5"})
    assert response.json()["csrf_token"]


@answers.explain_refusals
def refusing(request: HttpRequest, error: Exception) -> HttpResponse:
    raise error


def make_request(accept: str = "application/json") -> HttpRequest:
    # Without a user, as a request is that was refused before anybody asked who sends it.
    return RequestFactory().get("/x", headers={"accept": accept})


def test_a_refusal_is_a_problem_document_with_a_message():
    response = refusing(make_request(), DomainError("Order 7 is paid.", code="paid", status=409))
    body = json.loads(response.content)
    assert (response.status_code, response["Content-Type"]) == (409, "application/problem+json")
    assert body.pop("title")
    assert body == {
        "type": "about:blank",
        "status": 409,
        "detail": "Order 7 is paid.",
        "message": "Order 7 is paid.",
        "code": "paid",
    }


@pytest.mark.django_db
def test_a_refusal_is_a_page_for_people():
    response = refusing(make_request("text/html"), Missing("No <b>order</b> 7."))
    assert response.status_code == 404
    assert "No &lt;b&gt;order&lt;/b&gt; 7." in response.content.decode()


def test_other_errors_pass():
    with pytest.raises(Http404):
        refusing(make_request(), Http404())


@pytest.mark.django_db
@pytest.mark.parametrize("accept", ["application/json", "text/html"])
@pytest.mark.parametrize(
    ("view", "status"),
    [
        (errors.bad_request, 400),
        (errors.forbidden, 403),
        (errors.csrf_failure, 403),
        (errors.not_found, 404),
        (errors.gone, 410),
        (errors.too_many, 429),
        (errors.server_error, 500),
    ],
)
def test_each_error_has_a_page_and_a_document(view, status: int, accept: str):
    response = view(make_request(accept))
    assert response.status_code == status
    assert ("problem" in response["Content-Type"]) == (accept == "application/json")


def test_the_last_page_needs_no_template(settings):
    settings.TEMPLATES = []
    response = errors.server_error(make_request("text/html"))
    assert response.status_code == 500
    assert "已经记下" in response.content.decode()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_whatever_is_read_can_be_stored(value: object):
    request = RequestFactory().post("/x", json.dumps({"value": value}), content_type="application/json")
    try:
        data = answers.read_body(request)
    except Unreadable:
        return
    assert data == {"value": value}
    text = json.dumps(data, ensure_ascii=False)
    assert "\\u0000" not in text.replace("\\\\", "")
    text.encode()


# --- The token --------------------------------------------------------------------------------------------------------

OURS, THEIRS = "http://testserver", "https://evil.example"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("cookie", "origin", "token", "passes"),
    [
        (False, None, False, True),
        (False, OURS, False, True),
        (False, THEIRS, False, False),
        (False, "null", False, False),
        (True, None, False, False),
        (True, None, True, True),
        (True, OURS, False, True),
        (True, OURS, True, True),
        (True, THEIRS, False, False),
        (True, THEIRS, True, False),
        (True, "null", False, False),
    ],
)
def test_who_needs_a_token(cookie: bool, origin: str | None, token: bool, passes: bool):
    make_user("shen")
    client = Client(enforce_csrf_checks=True)
    headers = {"accept": "application/json"}
    if cookie:
        known = client.get("/login", headers=headers).json()["csrf_token"]
        if token:
            headers["x-csrftoken"] = known
    if origin:
        headers["origin"] = origin
    response = client.post("/login", {"login": "shen", "password": PASSWORD}, headers=headers)
    assert response.status_code == (200 if passes else 403)
    if not passes:
        assert response.json()["code"] == "csrf"


@pytest.mark.django_db
def test_a_form_without_token_is_refused_by_a_page():
    client = Client(enforce_csrf_checks=True)
    client.get("/login")
    response = client.post("/login", {"login": "shen", "password": PASSWORD})
    assert response.status_code == 403
    assert response["Content-Type"].startswith("text/html")
