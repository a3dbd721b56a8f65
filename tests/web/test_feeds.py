"""Feeds, sitemap, robots and search: what the house tells the world."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from django.test import Client
from wagtail.models import Locale

from sishu.content.models import ArticlePage
from sishu.core import addresses, clock
from sishu.jobs import runner
from sishu.web import discovery, paths
from tests.factories.content import make_article, make_creator, make_house, paywall, prose

pytestmark = pytest.mark.django_db

SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
XHTML = "{http://www.w3.org/1999/xhtml}"


@pytest.fixture
def pair() -> tuple[ArticlePage, ArticlePage]:
    """A paid work in two languages."""
    make_house()
    author = make_creator("shen")
    body = [prose("Beim Licht der Lampe."), paywall("PAID"), prose("Hinter dem Vorhang.")]
    zh = make_article(author, title="灯", body=body, summary="一盏灯 & 一张纸")
    make_article(author, locale="en", title="Other")
    en = ArticlePage.objects.get(pk=zh.copy_for_translation(Locale.objects.get(language_code="en")).pk)
    en.title = "The lamp"
    en.save_revision().publish()
    return zh, ArticlePage.objects.get(pk=en.pk)


def test_rss_tells_the_open_part_and_how_much_follows(pair, client: Client) -> None:
    response = client.get("/feed/rss")
    assert response["Content-Type"].startswith("application/rss+xml")
    channel = ElementTree.fromstring(response.content).find("channel")  # noqa: S314  our own words
    (item,) = channel.findall("item")
    assert item.findtext("title") == "灯"
    assert item.findtext("link") == addresses.absolute(paths.page_path(pair[0]))
    description = item.findtext("description")
    assert "Licht der Lampe" in description
    assert "Vorhang" not in description
    assert "一盏灯 &amp; 一张纸" in description


def test_each_language_has_its_feeds(pair, client: Client) -> None:
    for path in ("/en/feed/rss", "/en/feed/atom"):
        text = client.get(path).content.decode()
        assert "The lamp" in text
        assert "<title>灯</title>" not in text
    assert 'xml:lang="en"' in client.get("/en/feed/atom").content.decode()


def test_the_sitemap_pairs_languages_and_leaves_out_what_left(pair, client: Client) -> None:
    zh, en = (addresses.absolute(paths.page_path(page)) for page in pair)
    tree = ElementTree.fromstring(client.get("/sitemap.xml").content)  # noqa: S314  our own words
    entries = {entry.findtext(f"{SITEMAP}loc"): entry for entry in tree}
    links = {link.get("hreflang"): link.get("href") for link in entries[zh].findall(f"{XHTML}link")}
    assert links == {"zh-Hans": zh, "en": en}
    assert addresses.absolute("/") in entries
    assert addresses.absolute("/en/shen/") in entries
    ArticlePage.objects.filter(pk=pair[0].pk).update(withdrawn_at=clock.now())
    text = client.get("/sitemap.xml?again").content.decode()
    assert zh not in text
    assert en in text


def test_robots_are_told_where_the_map_is(client: Client) -> None:
    make_house()
    text = client.get("/robots.txt").content.decode()
    assert addresses.absolute("/sitemap.xml") in text
    assert "Disallow: /payment" in text


@pytest.mark.full_text
def test_search_shows_where_the_words_stand(pair, client: Client) -> None:
    runner.run_due(500)
    html = client.get("/search?q=licht").content.decode()
    assert paths.page_path(pair[0]) in html
    assert "Beim <mark>Licht</mark> der Lampe" in html
    assert paths.page_path(pair[0]) not in client.get("/search?q=Vorhang").content.decode()


def test_search_bounds_what_is_asked(pair, client: Client) -> None:
    for query, status in (("q=", 200), ("q=%3Cscript%3E", 200), ("q=a&page=51", 404), ("q=a&page=50", 200)):
        assert client.get(f"/search?{query}").status_code == status, query
    assert "<script>" not in client.get("/search?q=<script>").content.decode().partition("</head>")[2]


@pytest.mark.parametrize(
    ("text", "query", "shown"),
    [
        ("abc <b>Word</b> def", "word", "abc &lt;b&gt;<mark>Word</mark>&lt;/b&gt; def"),
        ("只要写复盘报告就行", "复盘报告", "只要写<mark>复盘报告</mark>就行"),
        ("报告之前先复盘", "复盘报告", "<mark>报告</mark>之前先<mark>复盘</mark>"),
        ("nothing", "word", ""),
        ("x" * 200 + " word " + "y" * 200, "word", "…" + "x" * 29 + " <mark>word</mark> " + "y" * 85 + "…"),
        ("a.b", "a.b", "<mark>a.b</mark>"),
    ],
)
def test_excerpts_mark_words_and_escape_the_rest(text: str, query: str, shown: str) -> None:
    assert discovery.excerpt(text, discovery.words_of(query)) == shown
