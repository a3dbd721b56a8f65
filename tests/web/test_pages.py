"""Live pages: what stands on them, for whom, and at what cost."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest
from django.core.cache import caches
from django.test import Client
from wagtail.models import Locale, PageViewRestriction

from sishu.content.models import ArticlePage, Category, HomePage
from sishu.core import addresses
from sishu.web import paths
from tests.factories.commerce import buy, make_offer, make_plan
from tests.factories.content import make_article, make_creator, make_person, paywall, prose

pytestmark = pytest.mark.django_db

PAID = [prose("## One\n\nOpen to all."), paywall("PAID"), prose("## Two\n\nOnly for those who paid.\n\nAnd the end.")]
SIGNED_IN = [prose("Open to all."), paywall("SIGNED_IN"), prose("For who is signed in."), *PAID[1:]]


@pytest.fixture
def paid(house: None) -> ArticlePage:
    page = make_article(body=PAID, title="账", summary="一句话。")
    make_offer(page)
    make_plan()
    return page


def test_strangers_see_what_lies_beyond_and_what_opens_it(paid: ArticlePage, client: Client) -> None:
    html = client.get(paths.page_path(paid)).content.decode()
    assert "Only for those who paid" not in html
    assert 'class="fade"' in html
    assert "<span>Two</span>" in html
    assert re.search(r'btn-seal[^>]+data-keep-place href="/payment\?offer=\d+&amp;next=%2F', html)
    assert html.count("btn-seal") == 1
    assert "¥9.90" in html
    assert "¥30" in html


def test_a_part_for_signed_in_readers_leads_to_the_door_and_back(house: None, client: Client) -> None:
    page = make_article(body=SIGNED_IN)
    html = client.get(paths.page_path(page)).content.decode()
    assert re.search(r'href="/register\?next=%2F[^"]+%23continue"', html)
    assert "/payment?" not in html
    client.force_login(make_person())
    html = client.get(paths.page_path(page)).content.decode()
    assert "For who is signed in" in html
    assert 'id="continue"' in html
    assert "Only for those who paid" not in html


def test_an_owner_reads_on_at_the_gate(paid: ArticlePage, client: Client) -> None:
    reader = make_person()
    buy(reader, paid.offers.get())
    client.force_login(reader)
    html = client.get(paths.page_path(paid)).content.decode()
    assert html.index('id="continue"') < html.index("Only for those who paid")
    assert 'class="offer' not in html


def test_a_cold_page_for_strangers_costs_six_queries(
    paid: ArticlePage, client: Client, django_assert_max_num_queries
) -> None:
    free = make_article(body=[prose("Open.")])
    for path in (paths.page_path(paid), paths.page_path(free), "/"):
        caches["pages"].clear()
        with django_assert_max_num_queries(6):
            assert client.get(path).status_code == 200


def test_a_kept_page_costs_none(paid: ArticlePage, client: Client, django_assert_num_queries) -> None:
    client.get(paths.page_path(paid))
    with django_assert_num_queries(0):
        assert client.get(paths.page_path(paid)).status_code == 200


def test_an_owners_page_costs_session_user_and_entitlement(
    paid: ArticlePage, client: Client, django_assert_num_queries
) -> None:
    reader = make_person()
    buy(reader, paid.offers.get())
    client.force_login(reader)
    client.get(paths.page_path(paid))
    with django_assert_num_queries(3):
        assert "And the end" in client.get(paths.page_path(paid)).content.decode()


def test_drafts_and_unpublished_works_are_not_there(house: None, client: Client) -> None:
    draft = make_article(live=False)
    once = make_article()
    assert client.get(paths.page_path(once)).status_code == 200
    once.unpublish()
    caches["pages"].clear()
    for page in (draft, once):
        assert client.get(paths.page_path(page)).status_code == 404


def test_what_wagtail_keeps_private_is_left_to_wagtail(house: None, client: Client) -> None:
    page = make_article()
    PageViewRestriction.objects.create(page=page.page_ptr, restriction_type=PageViewRestriction.LOGIN)
    assert client.get(paths.page_path(page)).status_code == 302


def test_languages_link_to_each_other(house: None, client: Client) -> None:
    author = make_creator()
    zh = make_article(author, title="灯")
    make_article(author, locale="en")
    en = ArticlePage.objects.get(pk=zh.copy_for_translation(Locale.objects.get(language_code="en")).pk)
    en.save_revision().publish()
    en = ArticlePage.objects.get(pk=en.pk)
    here, there = paths.page_path(zh), paths.page_path(en)
    assert there.startswith("/en/")
    for path, tag, other in ((here, "zh-Hans", there), (there, "en", here)):
        html = client.get(path, headers={"Accept-Language": "fr"}).content.decode()
        assert f'<html lang="{tag}">' in html
        assert f'<link rel="canonical" href="{addresses.absolute(path)}">' in html
        assert f'href="{addresses.absolute(other)}"' in html
        assert f'class="tool plain" href="{other}"' in html


def test_a_path_of_one_language_is_none_of_the_other(house: None, client: Client) -> None:
    page = make_article()
    assert client.get(f"/en{paths.page_path(page)}").status_code == 404


def test_machines_read_public_words_only(paid: ArticlePage, client: Client) -> None:
    html = client.get(paths.page_path(paid)).content.decode()
    data = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', html)[1])
    assert data["headline"] == "账"
    assert data["description"] == "一句话。"
    assert data["isAccessibleForFree"] is False
    assert data["hasPart"]["cssSelector"] == ".paywalled"
    assert 'class="offer paywalled"' in html


def test_titles_are_inert_everywhere(house: None, client: Client) -> None:
    evil = "</script><script>alert(1)</script>"
    page = make_article(title=evil, summary=evil, slug="evil")
    for path in (paths.page_path(page), "/", "/articles", "/feed/rss", "/feed/atom", f"/covers/{page.pk}.svg"):
        assert "<script>alert" not in client.get(path).content.decode(), path


def test_lists_are_chosen_by_shelf_tag_and_price(paid: ArticlePage, client: Client) -> None:
    shelf = Category.add_root(slug="books", name_zh="账", name_en="Books")
    inner = shelf.add_child(slug="double", name_zh="复式", name_en="Double entry")
    work = make_article(title="复式记账", category=inner, body=[prose("Open.")])
    work.tags.add("ink")
    work.save_revision().publish()
    for query in ("category=books", "category=double", "tag=ink", "free=1"):
        html = client.get(f"/articles?{query}").content.decode()
        assert "复式记账" in html, query
        assert paths.page_path(paid) not in html, query
    for query in ("category=none", "tag=none", "page=0", "page=2", "page=x", "page=99999999999999999999"):
        assert client.get(f"/articles?{query}").status_code == 404, query


def test_long_lists_have_pages(house: None, client: Client) -> None:
    author = make_creator()
    for number in range(21):
        make_article(author, title=f"Work {number}", body=[prose("Open.")])
    assert client.get("/articles").content.decode().count('class="row"') == 20
    second = client.get("/articles?page=2").content.decode()
    assert second.count('class="row"') == 1
    assert 'rel="prev"' in second
    assert 'rel="next"' not in second


def test_rows_say_day_and_price_as_the_language_does(house: None, client: Client) -> None:
    page = make_article(body=PAID)
    make_offer(page, amount=600)
    ArticlePage.objects.filter(pk=page.pk).update(first_published_at=datetime(2021, 3, 9, 4, tzinfo=UTC))
    html = client.get("/").content.decode()
    assert "¥6.00" in html
    assert "2021-03" in html
    assert "2021 年 3 月 9 日" in client.get(paths.page_path(page)).content.decode()


def test_a_room_shows_its_creators_works(house: None, client: Client) -> None:
    author, other = make_creator("shen"), make_creator()
    mine, theirs = make_article(author), make_article(other)
    html = client.get("/shen/").content.decode()
    assert paths.page_path(mine) in html
    assert paths.page_path(theirs) not in html


def test_nothing_on_a_page_is_inline(paid: ArticlePage, client: Client) -> None:
    for path in ("/", "/en/", "/articles", "/search?q=a", paths.page_path(paid), "/nowhere/"):
        html = client.get(path).content.decode()
        assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?![^>]*(src=|ld\+json))", html), path


def test_an_empty_house_still_answers(client: Client) -> None:
    HomePage.objects.all().delete()
    assert client.get("/").status_code in {200, 404}


@pytest.mark.filterwarnings("error::django.core.cache.backends.base.CacheKeyWarning")
def test_a_long_address_is_looked_up_like_any_other(client: Client, house: None):
    assert client.get(f"/{'长' * 150}/{'x' * 300}/").status_code == 404
