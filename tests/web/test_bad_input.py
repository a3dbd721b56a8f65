"""What no honest client sends, at every door that takes something: refused with 4xx, and nothing breaks."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from sishu.accounts import tokens
from sishu.accounts.models import User
from sishu.commerce.models import Order
from sishu.content.models import ArticlePage
from tests.factories.commerce import make_offer, make_paid_work

pytestmark = pytest.mark.django_db

BEYOND = [2**63, 2**64, 10**30, int("9" * 4000)]
NO_IDS = [*(str(number) for number in BEYOND), "-1", "0", "1.5", "0x10", "１２", "%00", "%ff", "a" * 3000, "null", " "]
UNREADABLE = {
    "invalid UTF-8": b'{"title": "\xff\xfe", "login": "\xff"}',
    "a NUL byte": b'{"title": "a\\u0000b", "login": "a\\u0000b", "username": "a\\u0000b", "offer": "a\\u0000b"}',
    "half a character": b'{"title": "\\ud800", "login": "\\ud800", "username": "\\ud800", "offer": "\\ud800"}',
    "no JSON": b'{"title": ',
    "no object": b"[[[[]]]]",
    "a number without end": b'{"offer": ' + b"9" * 5000 + b', "version": 1e999}',
    "a well without bottom": b'{"offer": ' + b"[" * 100_000,
    "the wrong kinds": b'{"offer": {}, "title": [1], "login": 7, "username": null, "password": [], "version": "x"}',
    "no number": b'{"offer": NaN}',
    "nothing": b"",
}
WORDS = [quote("\0"), "%00", "%ff%fe", "%ed%a0%80", "a" * 3900, "'\"><script>", "%F0%9F%98%80" * 20]


@pytest.fixture
def work(shen: User) -> ArticlePage:
    work = make_paid_work(shen)
    make_offer(work)
    return work


@pytest.fixture
def browser(shen: User) -> Client:
    """Signed in, and told of faults instead of raising them."""
    client = Client(raise_request_exception=False)
    client.force_login(shen)
    return client


@pytest.fixture
def program(shen: User) -> Client:
    _token, secret = tokens.issue(shen, "test", scope="write")
    return Client(raise_request_exception=False, headers={"Authorization": f"Bearer {secret}"})


def doors(work: ArticlePage) -> list[tuple[str, str]]:
    """Everything that takes a body: the five endpoints of the contract, and the API."""
    return [
        ("POST", "/register"), ("POST", "/login"), ("POST", "/publish"), ("POST", f"/edit/{work.pk}"),
        ("POST", "/payment"), ("POST", "/api/v1/register"), ("POST", "/api/v1/tokens"), ("POST", "/api/v1/orders"),
        ("POST", "/api/v1/writing"), ("PUT", f"/api/v1/writing/{work.pk}"), ("PUT", f"/api/v1/writing/{work.pk}/price"),
    ]  # fmt: skip


def client_for(path: str, browser: Client, program: Client) -> Client:
    if path in {"/register", "/login"}:
        return Client(raise_request_exception=False)  # who is signed in is sent on their way
    return program if path.startswith("/api/") else browser


def refused(response: Any) -> bool:
    return 400 <= response.status_code < 500


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_bodies_that_cannot_be_read_are_refused_at_every_door(work, browser, program, body):
    before = ArticlePage.objects.count(), User.objects.count(), Order.objects.count()
    for method, path in doors(work):
        answer = client_for(path, browser, program).generic(method, path, body, "application/json")
        assert refused(answer) or not body, (path, answer.status_code)
        assert not body or answer["Content-Type"] == "application/problem+json", path
    assert before == (ArticlePage.objects.count(), User.objects.count(), Order.objects.count())


def test_three_megabytes_are_too_large_at_every_door(work, browser, program):
    body = json.dumps({"title": "x" * 3 * 2**20, "login": "shen", "offer": 1})
    for method, path in doors(work):
        answer = client_for(path, browser, program).generic(method, path, body, "application/json")
        assert answer.status_code == 413, path
    for method, path in doors(work)[:5]:
        answer = client_for(path, browser, browser).generic(
            method, path, "title=" + "x" * 3 * 2**20, "application/x-www-form-urlencoded"
        )
        assert answer.status_code == 413, path


@pytest.mark.parametrize(
    "sent", [b"title=%ff&login=%ff&username=%ff&offer=%ff", b"title=a%00b&login=%00&username=%00&offer=%00"]
)
def test_odd_forms_are_refused(work, browser, sent):
    for method, path in doors(work)[:5]:
        answer = client_for(path, browser, browser).generic(method, path, sent, "application/x-www-form-urlencoded")
        assert refused(answer), path


def test_ids_that_name_nothing(work, browser, program):
    for key in NO_IDS:
        for path in (f"/edit/{key}", f"/orders/{key}", f"/payment/{key}", f"/covers/{key}.svg", f"/pictures/{key}/480"):
            assert refused(browser.get(path, follow=True)), path
        for path in ("works", "offers", "orders", "writing"):
            answer = program.get(f"/api/v1/{path}/{key}")
            assert refused(answer), (path, key)
            assert answer["Content-Type"] == "application/problem+json", (path, key)
        assert refused(browser.get(f"/payment?offer={key}"))
        assert refused(browser.get(f"/payment?content={key}"))
    for number in [*BEYOND[:3], -1, 0, 1.5, True, "x", None, [], {}]:
        answer = program.post("/api/v1/orders", {"offer": number}, content_type="application/json")
        assert refused(answer), number
        assert refused(browser.post("/payment", {"offer": number}, content_type="application/json")), number


@pytest.mark.parametrize("path", ["/articles?page=", "/en/articles?page=", "/search?q=a&page=", "/shen/?page="])
def test_pages_of_lists_that_cannot_be(work, browser, path):
    for number in [*NO_IDS, "99999", "501"]:
        assert refused(browser.get(path + number)), number


def test_pages_of_the_apis_lists_are_empty_or_refused(work, program):
    for path in ("works", "offers", "orders", "entitlements", "writing"):
        far = program.get(f"/api/v1/{path}?page=10000&per_page=100")
        assert (far.status_code, far.json()["items"]) == (200, []), path
        for wrong in (
            "page=0",
            "page=10001",
            "page=-1",
            "per_page=101",
            "per_page=0",
            f"page={10**30}",
            "page=x",
            "page=%00",
        ):
            assert refused(program.get(f"/api/v1/{path}?{wrong}")), (path, wrong)


def test_words_that_are_none(work, browser, program):
    for word in WORDS:
        for path in (f"/search?q={word}", f"/articles?category={word}", f"/articles?tag={word}", f"/{word}"):
            assert browser.get(path).status_code in {200, 301, 302, 400, 404}, path
        for name in ("query", "category", "tag", "language"):
            assert program.get(f"/api/v1/works?{name}={word}").status_code in {200, 400, 422}, (name, word)
    assert refused(program.get("/api/v1/works?query=%00"))
    assert refused(program.get("/api/v1/works?query=%ff"))


def test_headers_that_are_none(work):
    for name in ("Accept-Language", "Accept", "Authorization", "X-CSRFToken", "Origin", "Content-Type"):
        for value in ("\xff\xfe", "a" * 8000, ";;;,,,=", "Bearer " + "x" * 8000, "Bearer \x00"):
            client = Client(raise_request_exception=False)
            for path in ("/", "/api/v1/works"):
                assert client.get(path, headers={name: value}).status_code < 500, (name, value)
            assert (
                client.post("/api/v1/orders", b"{}", content_type="application/json", headers={name: value}).status_code
                < 500
            )


def test_a_reason_is_read_like_everything_else(browser: Client, work: ArticlePage):
    for reason in ("a\0b", "\0"):
        assert browser.post(f"/edit/{work.pk}/withdraw", {"reason": reason}).status_code == 400
    work.refresh_from_db()
    assert work.withdrawn_at is None


@pytest.mark.parametrize(
    "path", ["/", "/login", "/payment", "/api/v1/tokens", "/studio/login/", "/publish/autosave", "/x"]
)
def test_nobody_leaves_files_at_a_door_that_takes_none(client: Client, path: str):
    """By what it announces, before a byte is read: the form's parser would put it on our disk."""
    form = {"CONTENT_LENGTH": str(3 * 2**20), "content_type": "multipart/form-data; boundary=b"}
    answer = client.generic("POST", path, b"x", **form)
    assert answer.status_code == 413
    assert "2" in answer.content.decode()


@pytest.mark.parametrize("path", ["/publish", "/edit/1", "/writing/files", "/studio/images/multiple/add/"])
def test_a_door_for_files_is_no_bottomless_one(client: Client, path: str):
    for length, is_refused in ((20 * 2**20, False), (52 * 2**20, True), (10**14, True)):
        answer = client.generic("POST", path, b"", "multipart/form-data; boundary=b", CONTENT_LENGTH=str(length))
        assert (answer.status_code == 413) == is_refused


@pytest.mark.parametrize("length", ["-1", "x", "1e9", "²", "9" * 5000])
def test_a_length_is_a_number(client: Client, length: str):
    assert client.generic("POST", "/login", b"", CONTENT_LENGTH=length).status_code == 400
