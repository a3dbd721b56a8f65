"""What goes out to readers of feeds and to search engines: the part of each work that is open to all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.feedgenerator import Atom1Feed, Rss201rev2Feed, SyndicationFeed
from django.utils.translation import get_language, ngettext
from wagtail.models import Page

from sishu.content import selectors
from sishu.content.models import ArticlePage, CreatorHub, HomePage
from sishu.content.paywall import Level
from sishu.core import addresses
from sishu.web import bodies, context, listings, pagecache, paths

IN_FEED = 20
IN_SITEMAP = 50_000  # the most that the protocol allows in one file
# Addresses that are no use to a stranger's index.
CLOSED = (
    "/account", "/api/", "/cashier", "/edit/", "/library", "/login", "/logout", "/orders", "/password/", "/payment",
    "/publish", "/register", "/search", "/studio/", "/verify-email",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SitemapEntry:
    """One address of the sitemap."""

    path: str
    changed_at: str
    alternates: tuple[tuple[str, str], ...]


@paths.by_path
def rss(request: HttpRequest) -> HttpResponse:
    """The newest works of a language as RSS."""
    return _answer(request, Rss201rev2Feed)


@paths.by_path
def atom(request: HttpRequest) -> HttpResponse:
    """The newest works of a language as Atom."""
    return _answer(request, Atom1Feed)


def _answer(request: HttpRequest, kind: type[Rss201rev2Feed] | type[Atom1Feed]) -> HttpResponse:
    feed = _fill(kind, request.path)
    response = HttpResponse(feed.writeString("utf-8"), content_type=kind.content_type)
    return pagecache.share(request, response)


def _fill(kind: type[SyndicationFeed], here: str) -> SyndicationFeed:
    language, house = get_language(), context.house_now()
    works = list(selectors.for_list(selectors.published(language)).defer(None)[:IN_FEED])
    feed = kind(
        title=house.name,
        link=addresses.absolute(house.home),
        description=house.lead,
        language=paths.tag_of(language),
        feed_url=addresses.absolute(here),
    )
    for work, row in zip(works, listings.rows_of(works), strict=True):
        link = addresses.absolute(row.path)
        feed.add_item(
            title=row.title,
            link=link,
            unique_id=link,
            description=f"<p>{escape(row.summary)}</p>{_open_part(work, link)}",
            author_name=", ".join(row.authors),
            pubdate=row.published_at,
            updateddate=work.last_published_at,
            categories=(row.category,) if row.category else (),
        )
    return feed


def _open_part(work: ArticlePage, link: str) -> str:
    """What a stranger reads, with whole addresses, and a line that says what follows at home."""
    body = bodies.body_of(work, Level.PUBLIC)
    html = body.html.replace(' src="/', f' src="{settings.SITE_URL}/').replace(
        ' href="/', f' href="{settings.SITE_URL}/'
    )
    if not body.is_cut:
        return html
    words = body.opens_words + body.words_beyond
    more = ngettext("%(words)s word more", "%(words)s words more", words) % {"words": f"{words:,}"}
    return f'{html}<p><a href="{link}">{escape(more)}</a></p>'


@paths.by_path
def sitemap(request: HttpRequest) -> HttpResponse:
    """Every address a stranger may find, each with its other languages."""
    response = render(request, "pages/sitemap.xml", {"entries": list(_entries())}, content_type="application/xml")
    return pagecache.share(request, response)


def _entries() -> Iterator[SitemapEntry]:
    families: dict[object, list[Page]] = {}
    for model in (HomePage, CreatorHub, ArticlePage):
        pages = model.objects.live().select_related("locale").order_by("path")
        if model is ArticlePage:
            pages = pages.filter(withdrawn_at=None).defer("body")
        for page in pages[:IN_SITEMAP]:
            families.setdefault(page.translation_key, []).append(page)
    for family in families.values():
        alternates = tuple((paths.tag_of(page.locale.language_code), paths.page_path(page)) for page in family)
        for page in family:
            changed_at = page.last_published_at.isoformat() if page.last_published_at else ""
            yield SitemapEntry(paths.page_path(page), changed_at, alternates if len(family) > 1 else ())


@paths.by_path
def robots(request: HttpRequest) -> HttpResponse:
    """Who may walk where."""
    closed = [f"Disallow: {path}" for path in CLOSED]
    lines = ["User-agent: *", *closed, "", f"Sitemap: {settings.SITE_URL}/sitemap.xml"]
    return pagecache.share(request, HttpResponse("\n".join(lines) + "\n", content_type="text/plain"))


urlpatterns = [
    path("feed/rss", rss, name="rss"),
    path("feed/atom", atom, name="atom"),
]
site_urlpatterns = [
    path("sitemap.xml", sitemap, name="sitemap"),
    path("robots.txt", robots, name="robots"),
]
