"""docs/reference/contract.md: its tables beside the code, and its conversations carried on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils import translation
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext, pgettext

from sishu.accounts import forms, roles
from sishu.commerce.models import Order
from sishu.content import drafts
from sishu.content.models.work import MAX_SUMMARY_LENGTH
from sishu.content.workflow import ReviewStatus
from sishu.core.errors import DomainError
from sishu.web import answers, editor_input, shop
from sishu.web.uploads import MAX_PICTURE_FORM_BYTES
from tests.docs.reading import examples, section, words
from tests.factories import content as make
from tests.factories.commerce import bank, make_offer, make_paid_work

PAGE = "contract.md"
WRITING = "## `/publish` and `/edit/<id>`"
ADDRESSES = ("## `/register`", "## `/login`", WRITING, "## `/payment`")


def table(heading: str, first: str) -> list[list[str]]:
    """The rows of the one table below a heading whose first column is called so."""
    for part in re.split(r"\n\s*\n", section(PAGE, heading)):
        lines = part.strip().splitlines()
        if lines and lines[0].startswith(f"| {first} |"):
            return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    raise AssertionError(f"No table of {first} below {heading}.")


def fields(heading: str, *, of_forms: bool = True) -> set[str]:
    chosen = [row for row in table(heading, "field") if of_forms or not row[1].startswith("form only")]
    return {name for row in chosen for name in words(row[0])}


# --- Tables -------------------------------------------------------------------------------------------------------------


class Listener(dict):  # type: ignore[type-arg]
    """An empty message that remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.heard.add(name)
        return super().get(name, default)

    def __contains__(self, name: object) -> bool:
        self.heard.add(str(name))
        return super().__contains__(name)


class FormListener(QueryDict):
    """The same, as a form."""

    def __init__(self) -> None:
        super().__init__("share_4=50")
        self.heard: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.heard.add(name)
        return super().get(name, default)


def test_the_fields_of_signing_up_and_in_are_those_of_the_forms(rf):
    assert fields("## `/register`") == {forms.SignupForm().add_prefix(name) for name in forms.SignupForm().fields}
    assert fields("## `/login`") == {*forms.LoginForm(request=rf.get("/login")).fields, "username", "email"}


def test_the_fields_of_writing_are_those_that_are_read():
    program, form = Listener(), FormListener()
    editor_input.read(program)
    assert editor_input.read(form).shares == {4: "50"}  # type: ignore[arg-type]
    assert fields(WRITING, of_forms=False) == program.heard
    assert fields(WRITING) == program.heard | form.heard | {"share_<user id>", "cover_file"}
    said = section(PAGE, WRITING)
    for measure in (
        f"up to {drafts.MAX_TITLE_LENGTH} characters",
        f"up to {MAX_SUMMARY_LENGTH} characters",
        f"up to {drafts.MAX_TAGS}",
    ):
        assert measure in said


@pytest.mark.django_db
def test_the_fields_of_buying_are_those_that_are_read(rf, monkeypatch):
    asked = Listener()
    monkeypatch.setattr(answers, "read_body", lambda _request: asked)
    monkeypatch.setattr(shop, "find_choice", listen_on(shop.find_choice))
    request = rf.post("/payment", headers={"accept": "application/json"})
    request.user = make.make_person()
    assert shop.checkout(request).status_code == 202
    assert asked.heard == fields("## `/payment`")


def listen_on(find_choice: Any) -> Any:
    """Asks as the view does, and finds something all the same."""

    def finding(asked: Listener, **how: bool) -> shop.Choice:
        with suppress(DomainError):
            find_choice(asked, **how)
        return find_choice({"offer": make_offer().pk}, **how)

    return finding


def test_the_limits_are_those_of_the_settings(settings):
    text = " ".join(section(PAGE, "# Five addresses that stay").split())
    assert (
        f"above {settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 2**20} MB ({MAX_PICTURE_FORM_BYTES // 2**20} MB where" in text
    )
    limits = settings.ACCOUNT_RATE_LIMITS
    by_network, by_name = limits["login_failed"].split(",")
    assert (limits["signup"], by_name, by_network) == ("20/m/ip", "5/5m/key", "10/m/ip")
    assert "more than 20 sign-ups a minute from one network" in text
    assert "more than 5 failures in 5 minutes for one name, or 10 a minute from one network" in text


def test_the_states_are_those_of_the_code():
    assert {words(row[0])[0] for row in table(WRITING, "`review_status`")} == set(ReviewStatus.values)
    assert {words(row[0])[0] for row in table("## `/payment`", "`status`")} == set(Order.Status.values)


@pytest.mark.parametrize("heading", ADDRESSES)
def test_the_sentences_are_said_so_in_both_languages(heading):
    for _status, english, chinese, _when in table(heading, "status"):
        if chinese:
            with translation.override("zh-hans"):
                assert chinese in {gettext(english), pgettext("a work", english)}


@pytest.mark.parametrize("heading", ADDRESSES)
def test_every_success_has_an_example(heading):
    shown = {(status, body.get("message")) for _who, _request, status, body in conversations(section(PAGE, heading))}
    for row in table(heading, "status"):
        if row[2]:
            assert {(int(row[0]), row[1]), (int(row[0]), row[2])} & shown, row


# --- Conversations ------------------------------------------------------------------------------------------------------


def conversations(within: str = "") -> Iterator[tuple[str, tuple[str, str, dict[str, str], str], int, dict[str, Any]]]:
    """(who, (method, path, headers, body), status, JSON) of the examples, all or those of one section."""
    for who, text in examples(PAGE, "http"):
        if within and text not in within:
            continue
        asked, answered = re.split(r"^HTTP/1\.1 ", text, flags=re.MULTILINE)
        head, _blank, body = asked.partition("\n\n")
        first, *lines = head.splitlines()
        method, path = first.split()
        headers = {name.lower(): value for name, _colon, value in (line.partition(": ") for line in lines)}
        status, _blank, said = answered.partition("\n\n")
        yield who, (method, path, headers, body.strip()), int(status.split()[0]), json.loads(said)


class World:
    """The people of the page, and what its numbers stand for today."""

    def __init__(self) -> None:
        make.make_house()
        self.people = {
            "creator": make.make_creator("creator"),
            "owner": make.make_person("owner", role=roles.OWNER),
            "reader": make.make_person("reader"),
        }
        self.clients: dict[str, tuple[Client, str]] = {}
        offer = make_offer(make_paid_work(make.make_creator("lan")), amount=990)
        self.meant: dict[tuple[str, str], str] = {("offer", "3"): str(offer.pk)}

    def ask(self, who: str, method: str, path: str, headers: dict[str, str], body: str) -> Any:
        if who.endswith("who paid"):
            who = who.partition(",")[0]
            order = Order.objects.get(user=self.people[who])
            bank().pay(order.payments.get().reference)
            self.client(who)[0].get(f"/payment/{order.number}/return")
        client, token = self.client(who)
        given = {"accept": "application/json", "accept-language": "en", "x-csrftoken": token} | headers
        return client.generic(
            method, self.path(path), self.body(body).encode(), headers=given,
            content_type=given.pop("content-type", "application/octet-stream"),
        )  # fmt: skip

    def client(self, who: str) -> tuple[Client, str]:
        """Somebody's browserless client, which keeps its cookies, and its token."""
        if who.startswith("anybody"):
            return Client(enforce_csrf_checks=True), ""
        if who not in self.clients:
            client = Client(enforce_csrf_checks=True)
            said = {"login": who, "password": "a long enough password"}
            token = client.post("/login", said, content_type="application/json").json()["csrf_token"]
            self.clients[who] = client, token
        return self.clients[who]

    def path(self, path: str) -> str:
        noun, _slash, key = path.strip("/").partition("/")
        kind = {"edit": "id", "payment": "number"}.get(noun, "")
        return f"/{noun}/{self.meant[kind, key]}" if key else path

    def body(self, body: str) -> str:
        said = json.loads(body or "{}")
        for name in said.keys() & {"offer", "version"}:
            said[name] = int(self.meant[name, str(said[name])])
        return json.dumps(said)

    def agree(self, written: Any, said: Any, name: str = "") -> bool:
        """Whether an answer is the one on the page. Numbers mean the same thing wherever they stand; … is anything."""
        if isinstance(written, dict):
            return written.keys() == said.keys() and all(self.agree(written[key], said[key], key) for key in written)
        if isinstance(written, list):
            return len(written) == len(said) and all(map(self.agree, written, said))
        if written == "…":
            return bool(said)
        if name in {"id", "version", "number"}:
            return self.meant.setdefault((name, str(written)), str(said)) == str(said)
        if name == "url":
            return said == self.path(written)
        if name.endswith("_at"):
            return None not in (parse_datetime(written), parse_datetime(said))
        return bool(written == said)


@pytest.mark.django_db
@pytest.mark.money
def test_every_conversation_goes_as_written(settings):
    settings.ACCOUNT_RATE_LIMITS = False
    world = World()
    for who, request, status, written in conversations():
        answer = world.ask(who, *request)
        said = json.loads(answer.content)
        assert (answer.status_code, world.agree(written, said)) == (status, True), (who, request, said)
        is_problem = "type" in written
        assert answer["Content-Type"] == ("application/problem+json" if is_problem else "application/json")
