"""What pages show of works and everyone may know: rows of lists, and what stands around a text.

All of it is the same for every reader of a language, so it is kept in the process for the length of a generation.
Nothing from behind a paywall passes here but headings and numbers of words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from wagtail.models import Page

from sishu.commerce import offers
from sishu.commerce.models import Offer
from sishu.content import selectors
from sishu.content.models import ArticlePage, CreatorHub
from sishu.content.paywall import Level
from sishu.web import context, paths

NEWEST = 5
ON_SHELF = 3


@dataclass(frozen=True, slots=True)
class Author:
    """A name, and the path of the room if there is one."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Row:
    """One work in a list."""

    page_id: int
    title: str
    path: str
    summary: str
    published_at: datetime | None
    category: str
    authors: tuple[str, ...]
    minutes: int
    level: Level
    offer: Offer | None
    picture: str
    language: str


@dataclass(frozen=True, slots=True)
class Translation:
    """The same work in another language."""

    path: str
    language: context.Language


@dataclass(frozen=True, slots=True)
class Neighbour:
    """The work before or after in time."""

    title: str
    path: str


@dataclass(frozen=True, slots=True)
class ArticleContext:
    """What stands around an article."""

    path: str
    picture: str
    authors: tuple[Author, ...]
    translations: tuple[Translation, ...]


@dataclass(frozen=True, slots=True)
class ArticleFooter:
    """What stands below an article that was read to its end: (name, slug) of its tags, and where to go on."""

    tags: tuple[tuple[str, str], ...]
    earlier: Neighbour | None
    later: Neighbour | None


@dataclass(frozen=True, slots=True)
class OpeningOffers:
    """What opens an article: its own offer, and the plan of the house."""

    once: Offer | None
    plan: Offer | None


@dataclass(frozen=True, slots=True)
class Contents:
    """What stands on the title page beside the name."""

    rows: tuple[Row, ...]
    shelf: tuple[Row, ...]
    plan: Offer | None
    hubs: tuple[tuple[str, str, str], ...]


# As `selectors.published` has it, by hand: the ORM builds this ten times as long as the database runs it (bench/pages.py).
NEIGHBOURS = """
SELECT * FROM (
    SELECT 'earlier' AS side, page.title, page.url_path
    FROM wagtailcore_page page JOIN content_articlepage work ON work.page_ptr_id = page.id
    WHERE page.live AND work.withdrawn_at IS NULL AND page.locale_id = %s
        AND (page.first_published_at < %s OR page.first_published_at = %s AND page.id < %s)
    ORDER BY page.first_published_at DESC, page.id DESC LIMIT 1
) earlier
UNION ALL SELECT * FROM (
    SELECT 'later' AS side, page.title, page.url_path
    FROM wagtailcore_page page JOIN content_articlepage work ON work.page_ptr_id = page.id
    WHERE page.live AND work.withdrawn_at IS NULL AND page.locale_id = %s
        AND (page.first_published_at > %s OR page.first_published_at = %s AND page.id > %s)
    ORDER BY page.first_published_at, page.id LIMIT 1
) later
"""


def rows_of(works: Iterable[ArticlePage], prices: Mapping[UUID, Offer] | None = None) -> tuple[Row, ...]:
    """Works as rows, with what each costs (`prices`, by translation key). The works carry locale and category."""
    works = list(works)
    credits = selectors.credits_of(work.pk for work in works)
    if prices is None:
        prices = single_offers(work.translation_key for work in works)
    return tuple(
        Row(
            page_id=work.pk,
            title=work.title,
            path=paths.page_path(work),
            summary=work.summary,
            published_at=work.first_published_at,
            category=work.category.name if work.category else "",
            authors=tuple(credit.name for credit in credits[work.pk]),
            minutes=work.reading_minutes,
            level=Level(work.level),
            offer=prices.get(work.translation_key),
            picture=work.cover.address(480) if work.cover else "",
            language=work.locale.language_code,
        )
        for work in works
    )


def single_offers(keys: Iterable[UUID]) -> dict[UUID, Offer]:
    """The open offers of single works, by the works' translation keys."""
    found = offers.find_open_all((key, Offer.Interval.ONCE) for key in keys)
    return {key: offer for (key, _interval), offer in found.items()}


def contents(house: context.House) -> Contents:
    """The newest works, some older ones for the shelf, the plan, and the rooms of those who teach."""
    shown = selectors.newest(house.language.code, NEWEST + ON_SHELF)
    singly = [(work.translation_key, Offer.Interval.ONCE) for work in shown]
    monthly = [(house.key, Offer.Interval.MONTH)] if house.key else []
    found = offers.find_open_all([*singly, *monthly])
    plan = next((offer for offer in found.values() if offer.is_plan), None)
    rows = rows_of(shown, {key: offer for (key, _interval), offer in found.items() if not offer.is_plan})
    hubs = CreatorHub.objects.live().filter(locale__language_code=house.language.code).order_by("path")
    return Contents(
        rows=rows[:NEWEST],
        shelf=rows[NEWEST:],
        plan=plan,
        hubs=tuple(
            (title, house.home + paths.below_home(url_path), bio)
            for title, url_path, bio in hubs.values_list("title", "url_path", "bio")
        ),
    )


def article_context(page: ArticlePage, translations: Iterable[ArticlePage] | None = None) -> ArticleContext:
    """What stands around an article. `translations` are its live other languages, if the caller has them already."""
    if translations is None:
        translations = selectors.translations_of(page)
    return ArticleContext(
        path=paths.page_path(page),
        picture=picture_path(page),
        authors=authors_of(page),
        translations=tuple(
            Translation(paths.page_path(other), context.language_named(other.locale.language_code))
            for other in translations
        ),
    )


def article_footer(page: ArticlePage) -> ArticleFooter:
    """What stands below an article that was read to its end."""
    earlier, later = neighbours(page)
    return ArticleFooter(tuple((tag.name, tag.slug) for tag in page.tags.all()), earlier, later)


def picture_path(page: ArticlePage) -> str:
    """Where those who link to a work find its picture: the author's cover, or the drawn one."""
    return page.cover.address(1440) if page.cover else f"/covers/{page.pk}.svg"


def authors_of(page: ArticlePage) -> tuple[Author, ...]:
    """Who wrote it, each with the room in the page's language."""
    home = paths.home_path(page.locale.language_code)
    return tuple(
        Author(credit.name, home + paths.below_home(credit.room_path) if credit.room_path else "")
        for credit in selectors.credits_of([page.pk])[page.pk]
    )


def opening_offers(page: Page) -> OpeningOffers:
    """The open offers that open this page: the nearest ones of its own and of what stands above it."""
    if not page.path:
        return OpeningOffers(None, None)  # not yet in the tree: a preview of something new
    keys = page.get_ancestors(inclusive=True).values("translation_key")
    found = Offer.objects.filter(is_open=True, page__translation_key__in=keys).select_related("page")
    nearest = sorted(found, key=lambda offer: -offer.page.depth)  # type: ignore[union-attr]
    return OpeningOffers(
        once=next((offer for offer in nearest if not offer.is_plan), None),
        plan=next((offer for offer in nearest if offer.is_plan), None),
    )


def neighbours(page: ArticlePage) -> tuple[Neighbour | None, Neighbour | None]:
    """The works published just before and just after, in the same language."""
    at = connection.ops.adapt_datetimefield_value(page.first_published_at)
    if at is None:
        return None, None
    home = paths.home_path(page.locale.language_code)
    with connection.cursor() as cursor:
        cursor.execute(NEIGHBOURS, [page.locale_id, at, at, page.pk, page.locale_id, at, at, page.pk])
        found = {
            side: Neighbour(title, home + paths.below_home(url_path)) for side, title, url_path in cursor.fetchall()
        }
    return found.get("earlier"), found.get("later")
