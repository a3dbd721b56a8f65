"""One door: every exit of the house beside every kind of reader.

Each part of the work carries a word of its own. Whoever may not read a part must not meet its word anywhere: not on the
page, not in a feed, an excerpt, a preview or a cached copy made for somebody else. To guard a new exit, add it to EXITS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.core.cache import caches
from django.test import Client, RequestFactory
from wagtail.models import Locale

from sishu.accounts import roles
from sishu.accounts.models import User
from sishu.commerce import refunds
from sishu.commerce.models import Entitlement, Payment, Refund
from sishu.content.models import ArticlePage
from sishu.content.paywall import Level
from sishu.core import addresses, clock
from sishu.jobs import runner
from sishu.web import paths
from tests.factories.commerce import buy, make_offer, make_plan
from tests.factories.content import (
    make_article,
    make_attachment,
    make_creator,
    make_house,
    make_person,
    make_picture,
    paywall,
    prose,
)  # fmt: skip

pytestmark = [pytest.mark.django_db, pytest.mark.money]

WORDS = {Level.PUBLIC: "lampword", Level.SIGNED_IN: "doorword", Level.PAID: "sealword"}

READERS: dict[str, Level] = {
    "buyer": Level.PAID,
    "planholder": Level.PAID,
    "author": Level.PAID,
    "reviewer": Level.PAID,
    "signed-in": Level.SIGNED_IN,
    "refunded buyer": Level.SIGNED_IN,
    "expired planholder": Level.SIGNED_IN,
    "other creator": Level.SIGNED_IN,
    "stranger": Level.PUBLIC,
}


@dataclass
class World:
    """A work in two languages with three parts, and everyone who may come to it."""

    zh: ArticlePage
    en: ArticlePage
    pictures: dict[Level, int]
    files: dict[Level, int]
    people: dict[str, User | None]


@pytest.fixture
def world() -> World:
    make_house()
    author = make_creator("author")
    pictures = {level: make_picture(author).pk for level in Level}
    files = {level: make_attachment(author, content=WORDS[level].encode()).pk for level in Level}
    body = []
    for level in Level:
        body += [paywall(level.name)] if level else []
        body += [
            prose(f"## Part {level.value}\n\nHere stands {WORDS[level]}."),
            {"type": "image", "value": {"image": pictures[level], "alt": "", "caption": WORDS[level]}},
            {"type": "file", "value": {"document": files[level], "title": WORDS[level]}},
        ]
    zh = make_article(author, body=body, title="三段", summary="Three parts.")
    make_article(author, locale="en")  # the author's room in the other language
    en = ArticlePage.objects.get(pk=zh.copy_for_translation(Locale.objects.get(language_code="en")).pk)
    en.save_revision().publish()
    return World(zh, ArticlePage.objects.get(pk=en.pk), pictures, files, _people(author, zh))


def _people(author: User, work: ArticlePage) -> dict[str, User | None]:
    once, plan = make_offer(work), make_plan()
    people: dict[str, User | None] = {name: make_person() for name in READERS if name not in {"author", "stranger"}}
    buy(people["buyer"], once)
    buy(people["planholder"], plan)
    buy(people["expired planholder"], plan)
    ended = clock.now() - timedelta(hours=1)
    Entitlement.objects.filter(user=people["expired planholder"]).update(
        starts_at=ended - timedelta(days=30), ends_at=ended
    )
    order = buy(people["refunded buyer"], once)
    refunds.refund(Payment.objects.get(order=order).pk, Refund.Part.SALE, by=None)
    roles.assign(people["reviewer"], roles.REVIEWER)
    roles.assign(people["other creator"], roles.CREATOR)
    return {**people, "author": author, "stranger": None}


def _client(world: World, reader: str) -> Client:
    client = Client()
    if world.people[reader] is not None:
        client.force_login(world.people[reader])
    return client


def _get(client: Client, path: str) -> str:
    response = client.get(path)
    return b"".join(response).decode(errors="replace") if response.status_code == 200 else ""


def _after(text: str, mark: str) -> str:
    return text.partition(mark)[2]


def _media(kind: str) -> Callable[[Client, World], str]:
    """Pictures carry no words: one that is served stands for the word of its part."""

    def fetch(client: Client, world: World) -> str:
        if kind == "files":
            return " ".join(_get(client, f"/files/{key}") for key in world.files.values())
        answers = {level: client.get(f"/pictures/{key}/480").status_code for level, key in world.pictures.items()}
        assert set(answers.values()) <= {200, 404}
        return " ".join(WORDS[level] for level, status in answers.items() if status == 200)

    return fetch


def _preview(client: Client, world: World) -> str:
    """What Wagtail shows to whoever may open its editor; it knows no levels, so it must show a stranger's part."""
    response = client.get(f"/studio/pages/{world.zh.pk}/view_draft/")
    return response.content.decode() if response.status_code == 200 else ""


def _bare_preview(_client: Client, world: World) -> str:
    request = RequestFactory().get("/")
    return world.zh.make_preview_request(original_request=request).content.decode()


def _wagtail_view(client: Client, world: World) -> str:
    """Where Wagtail would serve things by itself, were it asked to."""
    tried = [
        f"/api/v2/pages/{world.zh.pk}/?fields=*",
        f"/documents/{world.files[Level.PAID]}/x.txt",
        f"/media/documents/{world.files[Level.PAID]}.txt",
        f"/images/x/{world.pictures[Level.PAID]}/original/",
    ]
    return " ".join(_get(client, path) for path in tried)


# Exits that open as far as the reader may read: exactly so far.
OPENING: dict[str, Callable[[Client, World], str]] = {
    "page": lambda client, world: _get(client, paths.page_path(world.zh)),
    "page in the other language": lambda client, world: _get(client, paths.page_path(world.en)),
    "API": lambda client, world: _get(client, f"/api/v1/works/{world.zh.pk}"),
    "pictures": _media("pictures"),
    "files": _media("files"),
}
# Exits that are the same for everybody: nothing but the public part.
PUBLIC: dict[str, Callable[[Client, World], str]] = {
    "head of the page": lambda client, world: _get(client, paths.page_path(world.zh)).partition("</head>")[0],
    "offer box": lambda client, world: _after(_get(client, paths.page_path(world.zh)), 'class="offer'),
    "title page": lambda client, world: _get(client, "/"),
    "title page in the other language": lambda client, world: _get(client, "/en/"),
    "list": lambda client, world: _get(client, "/articles"),
    "room": lambda client, world: _get(client, "/author/"),
    "search for a public word": lambda client, world: _get(client, f"/search?q={WORDS[Level.PUBLIC]}"),
    "search for a word of the signed-in part": lambda client, world: _after(
        _get(client, f"/search?q={WORDS[Level.SIGNED_IN]}"), 'class="recto"'
    ),
    "search for a paid word": lambda client, world: _after(
        _get(client, f"/en/search?q={WORDS[Level.PAID]}"), 'class="recto"'
    ),
    "API, list": lambda client, world: _get(client, "/api/v1/works"),
    "API, search for a paid word": lambda client, world: _get(client, f"/api/v1/works?query={WORDS[Level.PAID]}"),
    "RSS": lambda client, world: _get(client, "/feed/rss"),
    "RSS in the other language": lambda client, world: _get(client, "/en/feed/rss"),
    "Atom": lambda client, world: _get(client, "/feed/atom"),
    "sitemap": lambda client, world: _get(client, "/sitemap.xml"),
    "cover": lambda client, world: _get(client, f"/covers/{world.zh.pk}.svg"),
    "Wagtail's preview": _preview,
    "a preview of nobody": _bare_preview,
    "Wagtail's own addresses": _wagtail_view,
}
EXITS = {**OPENING, **PUBLIC}


# Exits that say nothing to most: they are refused, or there is nothing at all.
SILENT = {
    "head of the page", "search for a word of the signed-in part", "search for a paid word", "offer box",
    "Wagtail's preview", "Wagtail's own addresses",
}  # fmt: skip


def test_every_exit_opens_to_each_reader_as_far_as_they_may_read(world: World) -> None:
    runner.run_due(500)  # Wagtail writes its index in jobs
    faults = []
    # Those who may read most come first and leave what caches keep of them; then the other way round.
    for readers in (list(READERS), list(reversed(READERS))):
        for reader in readers:
            for name, leave in EXITS.items():
                faults += _faults(name, reader, leave(_client(world, reader), world))
        caches["pages"].clear()
    assert faults == []


def _faults(name: str, reader: str, text: str) -> list[str]:
    seen = {level for level, word in WORDS.items() if word in text}
    if name in OPENING:
        wanted = {level for level in Level if level <= READERS[reader]}
        return [] if seen == wanted else [f"{name} shows {seen} to the {reader}, not {wanted}"]
    if not text and name not in SILENT:
        return [f"{name} shows nothing to the {reader}"]
    return [] if seen <= {Level.PUBLIC} else [f"{name} shows {seen} to the {reader}"]


def test_wagtails_preview_shows_an_author_what_a_stranger_gets(world: World) -> None:
    text = _preview(_client(world, "author"), world)
    assert WORDS[Level.PUBLIC] in text
    assert WORDS[Level.SIGNED_IN] not in text


def test_what_depends_on_the_reader_is_kept_by_nobody(world: World) -> None:
    client = _client(world, "buyer")
    for path in (paths.page_path(world.zh), "/", "/articles", "/search?q=a", f"/files/{world.files[Level.PAID]}"):
        assert client.get(path)["Cache-Control"] == "private, no-store", path


def test_the_paid_part_is_announced_to_machines_and_not_told(world: World) -> None:
    head = Client().get(paths.page_path(world.zh)).content.decode().partition("</head>")[0]
    assert '"isAccessibleForFree": false' in head
    assert '"cssSelector": ".paywalled"' in head


def test_a_withdrawn_work_stays_open_to_its_readers_alone(world: World) -> None:
    ArticlePage.objects.filter(pk=world.zh.pk).update(withdrawn_at=clock.now())
    caches["pages"].clear()
    for reader, level in READERS.items():
        client = _client(world, reader)
        response = client.get(paths.page_path(world.zh))
        assert response.status_code == (200 if level == Level.PAID else 410), reader
        shown = " ".join(_get(client, path) for path in ("/", "/articles", "/author/", "/feed/rss", "/feed/atom"))
        assert "三段" not in shown, reader
        assert addresses.absolute(paths.page_path(world.zh)) not in _get(client, "/sitemap.xml"), reader
