"""Kept pages: whole, for strangers alone, and never older than the last change."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.template import Context, Template
from django.test import Client
from wagtail.models import Locale

from sishu.commerce import offers
from sishu.content import generation
from sishu.content.models import ArticlePage, HomePage
from sishu.core import clock
from sishu.core.money import Money
from sishu.web import paths
from tests.factories.commerce import make_offer
from tests.factories.content import make_article, make_house, make_person, paywall, prose

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_generation(settings, tmp_path: Path) -> None:
    settings.PAGE_CACHE_GENERATION_FILE = tmp_path / "generation"


@pytest.fixture
def page() -> ArticlePage:
    make_house()
    return make_article(title="旧题")


def _retitle(page: ArticlePage) -> None:
    page.title = "新题"
    page.save_revision().publish()


def test_a_page_is_kept_until_the_next_generation(page: ArticlePage, client: Client) -> None:
    path = paths.page_path(page)
    assert "旧题" in client.get(path).content.decode()
    _retitle(page)
    assert "旧题" in client.get(path).content.decode()
    generation.touch()
    assert "新题" in client.get(path).content.decode()


def test_two_changes_in_one_tick_are_two_generations() -> None:
    seen = set()
    for _ in range(50):
        generation.touch()
        seen.add(generation.current())
    assert len(seen) == 50


def test_a_kept_page_carries_every_header_of_the_first(page: ArticlePage, client: Client) -> None:
    first, second = client.get(paths.page_path(page)), client.get(paths.page_path(page))
    assert dict(first.items()) == dict(second.items())
    assert second["Content-Security-Policy"].startswith("default-src 'none'")
    assert second["Cache-Control"] == "public, max-age=0, must-revalidate"
    assert second["X-Content-Type-Options"] == "nosniff"


def test_who_holds_the_page_is_told_that_it_is_still_true(page: ArticlePage, client: Client) -> None:
    etag = client.get(paths.page_path(page))["ETag"]
    again = client.get(paths.page_path(page), headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    generation.touch()
    assert client.get(paths.page_path(page), headers={"If-None-Match": etag}).status_code == 304
    _retitle(page)
    generation.touch()
    assert client.get(paths.page_path(page), headers={"If-None-Match": etag}).status_code == 200


def test_known_readers_neither_fill_nor_read_the_cache(page: ArticlePage, django_assert_num_queries) -> None:
    path = paths.page_path(page)
    reader, stranger = Client(), Client()
    reader.force_login(make_person("lan", display_name="阿蘭"))
    assert "阿蘭" in reader.get(path).content.decode()
    assert "阿蘭" not in stranger.get(path).content.decode()
    response = reader.get(path)
    assert "阿蘭" in response.content.decode()
    assert response["Cache-Control"] == "private, no-store"
    assert "ETag" not in response
    assert "ETag" not in stranger.get(path, headers={"Authorization": "Bearer x"})


def test_addresses_with_unknown_parameters_are_not_kept(page: ArticlePage, client: Client) -> None:
    assert "ETag" in client.get("/articles?page=1")
    assert "ETag" not in client.get("/articles?page=1&x=1")
    assert "ETag" not in client.get(f"{paths.page_path(page)}?utm=1")


def test_hosts_and_languages_have_pages_of_their_own(page: ArticlePage, client: Client) -> None:
    assert client.get("/").content != client.get("/en/").content
    assert client.get("/", headers={"Host": "a.example"})["ETag"]
    assert client.get("/nowhere/")["Cache-Control"] == "private, no-store"


def test_head_and_post_make_no_kept_page(page: ArticlePage, client: Client) -> None:
    assert "ETag" not in client.head(paths.page_path(page))
    client.get(paths.page_path(page))
    assert "ETag" in client.head(paths.page_path(page))
    assert client.post(paths.page_path(page)).status_code in {200, 403, 405}


def test_a_kept_part_cannot_know_who_asks() -> None:
    source = "{% load keeping %}{% keep part known %}{{ user }}{{ request }}{{ known }}{% endkeep %}{{ user }}"
    draw = Template(source).render
    assert draw(Context({"user": "lan", "request": "r", "known": 1, "generation": 7})) == "NoneNone1lan"
    assert draw(Context({"user": "he", "request": "r", "known": 1, "generation": 7})) == "NoneNone1he"
    assert draw(Context({"user": "he", "known": 2, "generation": 7})) == "NoneNone2he"


def test_a_part_drawn_of_what_was_read_before_a_change_is_not_kept_for_after_it() -> None:
    draw = Template("{% load keeping %}{% keep part %}{{ title }}{% endkeep %}").render
    asked_in = generation.current()
    generation.touch()  # somebody publishes while the old title is on its way to the page
    assert draw(Context({"title": "旧题", "generation": asked_in})) == "旧题"
    assert draw(Context({"title": "新题", "generation": generation.current()})) == "新题"


def test_drafts_have_no_generation_and_are_not_kept() -> None:
    draw = Template("{% load keeping %}{% keep part %}{{ title }}{% endkeep %}").render
    assert [draw(Context({"title": title})) for title in ("旧题", "新题")] == ["旧题", "新题"]


def _rename_room(page: ArticlePage) -> None:
    room = page.get_parent().specific
    room.title = "新的书房"
    room.save_revision().publish()


def _rename_house(page: ArticlePage) -> None:
    home = HomePage.objects.get(locale=page.locale)
    home.site_name = "新的书院"
    home.save_revision().publish()


def _price(page: ArticlePage) -> None:
    offers.price(page, Money(7700, "CNY"))


def _open_plan(page: ArticlePage) -> None:
    offers.price(HomePage.objects.get(locale=page.locale), Money(8800, "CNY"), interval="month", shares={})


def _translate(page: ArticlePage) -> None:
    english = Locale.objects.get(language_code="en")
    make_article(page.owner, locale="en")  # for the room
    twin = ArticlePage.objects.get(pk=page.copy_for_translation(english).pk)
    twin.save_revision().publish()


@pytest.mark.parametrize(
    ("change", "on_article", "on_title_page"),
    [
        (_retitle, "新题", "新题"),
        (_rename_room, "新的书房", "新的书房"),
        (_rename_house, "新的书院", "新的书院"),
        (_price, "¥77", "¥77"),
        (_open_plan, "¥88", "¥88"),
        (_translate, "另有中文版|Also in English", ""),
    ],
)
def test_the_next_generation_shows_every_change(client: Client, change, on_article: str, on_title_page: str) -> None:
    make_house()
    page = make_article(title="旧题", body=[prose("开头。"), paywall(), prose("后文。")])
    make_offer(page)
    path = paths.page_path(page)
    for seen in (path, "/"):
        client.get(seen)
    change(page)
    generation.touch()
    for seen, words in ((path, on_article), ("/", on_title_page)):
        html = client.get(seen).content.decode()
        assert any(word in html for word in words.split("|")), seen


def test_a_withdrawn_work_is_gone_in_the_next_generation(page: ArticlePage, client: Client) -> None:
    path = paths.page_path(page)
    assert client.get(path).status_code == 200
    assert "旧题" in client.get("/").content.decode()
    ArticlePage.objects.filter(pk=page.pk).update(withdrawn_at=clock.now())
    generation.touch()
    assert client.get(path).status_code == 410
    assert "旧题" not in client.get("/").content.decode()
