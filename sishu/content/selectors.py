"""Reading works, for pages, feeds and programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from wagtail.models import Locale

from sishu.content.models import ArticlePage, Category, Picture

MAX_AT_ONCE = 100
MAX_START = 10_000

# By hand: the ORM builds these five to ten times as long as the database runs them (bench/pages.py, docs/adr/0013).
# Works without their bodies, with all that a list or a page shows of them.
WORKS = """
SELECT page.id, page.path, page.depth, page.numchild, page.content_type_id, page.translation_key, page.locale_id,
    page.title, page.slug, page.url_path, page.live, page.first_published_at, page.last_published_at,
    work.page_ptr_id, work.summary, work.cover_id, work.category_id, work.word_count, work.reading_minutes,
    work.level, work.withdrawn_at, locale.language_code, category.slug AS category_slug, category.name_zh, category.name_en
FROM wagtailcore_page page
JOIN content_articlepage work ON work.page_ptr_id = page.id
JOIN wagtailcore_locale locale ON locale.id = page.locale_id
LEFT JOIN content_category category ON category.id = work.category_id
WHERE page.live
"""
NEWEST = f"""{WORKS}
AND work.withdrawn_at IS NULL AND locale.language_code = %s
ORDER BY page.first_published_at DESC, page.id DESC LIMIT %s
"""
# With their other languages; without those that Wagtail keeps private, by themselves or by what stands above them.
WITH_SLUG = f"""{WORKS}
AND page.translation_key IN (
    SELECT here.translation_key FROM wagtailcore_page here JOIN wagtailcore_locale spoken ON spoken.id = here.locale_id
    WHERE here.slug = %s AND spoken.language_code = %s
)
AND NOT EXISTS (
    SELECT 1 FROM wagtailcore_pageviewrestriction restriction JOIN wagtailcore_page closed ON closed.id = restriction.page_id
    WHERE SUBSTR(page.path, 1, LENGTH(closed.path)) = closed.path
)
"""  # noqa: S608  our own words, put together once
CREDITS = """
SELECT part.page_id, room.title, person.display_name, person.username, room.url_path
FROM content_authorship part
JOIN wagtailcore_page page ON page.id = part.page_id
JOIN accounts_user person ON person.id = part.user_id
LEFT JOIN (content_creatorhub hub JOIN wagtailcore_page room ON room.id = hub.page_ptr_id AND room.live)
    ON hub.user_id = part.user_id AND room.locale_id = page.locale_id
WHERE part.page_id IN ({places})
ORDER BY part.role, part.id
"""


@dataclass(frozen=True, slots=True)
class Credit:
    """Somebody's part in a work: the name, and Wagtail's path of the room if there is one, both in the work's language."""

    name: str
    room_path: str


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a list: the works, and how many there are in all."""

    works: list[ArticlePage]
    total: int


def published(locale: Locale | str | None = None) -> QuerySet[ArticlePage]:
    """The works that stand on the shelves, newest first, without their bodies. Withdrawn ones do not."""
    works = ArticlePage.objects.live().filter(withdrawn_at=None)
    if isinstance(locale, str):
        works = works.filter(locale__language_code=locale)
    elif locale is not None:
        works = works.filter(locale=locale)
    return works.order_by("-first_published_at", "-pk")


def for_list(works: QuerySet[ArticlePage]) -> QuerySet[ArticlePage]:
    """With what a list shows beside the credits, and without the bodies."""
    return works.defer("body").select_related("category", "cover", "locale")


def newest(language: str, size: int) -> list[ArticlePage]:
    """The first works of `published`, as `for_list` has them."""
    return _works(NEWEST, [language, size])


def with_slug(slug: str, language: str) -> list[ArticlePage]:
    """Live works with this slug in this language, whatever their room, and their other languages; without the bodies."""
    return _works(WITH_SLUG, [slug, language])


def credits_of(page_ids: Iterable[int]) -> dict[int, list[Credit]]:
    """Who wrote what, by page. A room in the page's language names its creator: it may be written differently there."""
    ids = list(page_ids)
    found: dict[int, list[Credit]] = {key: [] for key in ids}
    if not ids:
        return found
    with connection.cursor() as cursor:
        cursor.execute(CREDITS.format(places=", ".join(["%s"] * len(ids))), ids)
        for page_id, room_title, display_name, username, room_path in cursor.fetchall():
            found[page_id].append(Credit(room_title or display_name or username, room_path or ""))
    return found


def translations_of(page: ArticlePage) -> QuerySet[ArticlePage]:
    """The work in its other languages, as far as they stand on the shelves, without the bodies."""
    others = ArticlePage.objects.live().filter(translation_key=page.translation_key, withdrawn_at=None)
    return others.exclude(pk=page.pk).defer("body").select_related("locale")


def find_works(
    query: str = "",
    *,
    locale: Locale | str | None = None,
    category: Category | None = None,
    tag: str = "",
    author_id: int | None = None,
    start: int = 0,
    size: int = 20,
) -> Found:
    """Works on the shelves that answer `query`, best first; without one, the newest first.

    A category means its whole branch. `start` and `size` are brought into bounds, never refused.
    """
    works = published(locale)
    if category is not None:
        works = works.filter(category__in=category.get_descendants() | Category.objects.filter(pk=category.pk))
    if tag:
        works = works.filter(tagged_items__tag__slug=tag)
    if author_id is not None:
        works = works.filter(authorships__user_id=author_id)
    start = min(max(start, 0), MAX_START)
    size = min(max(size, 1), MAX_AT_ONCE)
    if not query.strip():
        return Found(list(for_list(works)[start : start + size]), works.count())
    # The filters go in as one list of ids: the search layer knows no joins.
    results = ArticlePage.objects.filter(pk__in=works.order_by().values("pk")).search(query)
    keys = [work.pk for work in results[start : start + size]]
    by_key = for_list(ArticlePage.objects.filter(pk__in=keys)).in_bulk()
    return Found([by_key[key] for key in keys if key in by_key], results.count())


def _works(statement: str, values: Sequence[object]) -> list[ArticlePage]:
    works = list(ArticlePage.objects.raw(statement, values))
    for work in works:
        work.locale = Locale(work.locale_id, work.language_code)
        work.cover = Picture.from_db(work._state.db, ["id"], [work.cover_id]) if work.cover_id else None
        work.category = _category_of(work) if work.category_id else None
    return works


def _category_of(work: Any) -> Category:
    shown = {"id": work.category_id, "slug": work.category_slug, "name_zh": work.name_zh, "name_en": work.name_en}
    return Category.from_db(work._state.db, list(shown), list(shown.values()))
