"""Reading works, for pages, feeds and programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, Prefetch, QuerySet, Subquery
from wagtail.models import Locale

from sishu.content.models import ArticlePage, Authorship, Category, CreatorHub

MAX_AT_ONCE = 100
MAX_START = 10_000


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
    """With what a list shows, and without the bodies."""
    prefetch = Prefetch("authorships", queryset=credits())
    return works.defer("body").select_related("category", "cover", "locale").prefetch_related(prefetch)


def credits() -> QuerySet[Any]:
    """Who wrote what, with the room that each author has in the page's language: a name may be written differently there."""
    rooms = CreatorHub.objects.live().filter(user=OuterRef("user"), locale=OuterRef("page__locale"))
    return Authorship.objects.select_related("user").annotate(
        room_title=Subquery(rooms.values("title")[:1]), room_path=Subquery(rooms.values("url_path")[:1])
    )


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
