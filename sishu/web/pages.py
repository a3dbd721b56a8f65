"""Live pages: the title page, the rooms, the articles, found and drawn without Wagtail's walk.

A path leads to its page through a map kept for a generation. What the map does not hold (drafts, pages that Wagtail
keeps private, page types unknown here) goes the way of Wagtail's own view, where works fail closed.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.core.cache import caches
from django.db.models import CharField, Exists, ExpressionWrapper, F, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import re_path
from django.utils.translation import get_language
from wagtail import views as wagtail_views
from wagtail.models import Page, PageViewRestriction
from wagtail.urls import serve_pattern

from sishu.commerce import access
from sishu.content import generation, selectors
from sishu.content.models import ArticlePage, CreatorHub
from sishu.content.paywall import Level
from sishu.web import context, errors, listings, lists, pagecache, paths


@dataclass(frozen=True, slots=True)
class Article:
    """An article without its text, and what stands around it."""

    page: ArticlePage
    around: listings.ArticleContext


@dataclass(frozen=True, slots=True)
class Room:
    """A creator's room."""

    page: CreatorHub
    translations: tuple[listings.Translation, ...]


@paths.by_path
def serve(request: HttpRequest, path: str) -> HttpResponse:
    """A live page by its path below the title page; Wagtail's own view for what is not ours."""
    now = generation.current()  # before anything is read: see KeepNode
    if not path and (house := context.house_now()).page_id:
        return title_page(request, house, now)
    match find(get_language(), path):
        case Article() as article:
            return read(request, article, now)
        case Room() as room:
            return visit(request, room)
    answer: HttpResponse = wagtail_views.serve(request, path)
    return answer


def title_page(request: HttpRequest, house: context.House, now: int) -> HttpResponse:
    """The first page."""
    response = render(request, "content/home_page.html", {"house": house, "here": house.home, "generation": now})
    return pagecache.share(request, response)


def read(request: HttpRequest, article: Article, now: int) -> HttpResponse:
    """An article up to where this reader may read. A withdrawn one only for who may read all of it."""
    level = access.level(request.user, article.page)
    if article.page.withdrawn_at and level < Level.PAID:
        return errors.gone(request)
    request.reading_level = level  # type: ignore[attr-defined]
    response = render(
        request,
        "content/article_page.html",
        {
            "page": article.page,
            "around": article.around,
            "level": level,
            "is_known": request.user.is_authenticated,
            "generation": now,
            "alternates": article.around.translations,
            "here": article.around.path,
            "section": "articles",
        },
    )
    return pagecache.share(request, response)


def visit(request: HttpRequest, room: Room) -> HttpResponse:
    """A creator's room with the works they have a part in."""
    works = selectors.published(room.page.locale).filter(authorships__user_id=room.page.user_id)
    response = render(
        request,
        "content/creator_hub.html",
        {
            **lists.page_of(works, request),
            "page": room.page,
            "alternates": room.translations,
            "here": paths.page_path(room.page),
        },
    )
    return pagecache.share(request, response, "page")


def find(language: str, path: str) -> Article | Room | None:
    """What lives at a path, kept for a generation. Paths that lead nowhere are not kept: there is no end of them."""
    key = f"{generation.current()}:at:{sha256(f'{language}:{path}'.encode()).hexdigest()}"
    found: Article | Room | None = caches["pages"].get(key)
    if found is None and (found := _look_up(language, path)):
        caches["pages"].set(key, found)
    return found


def _look_up(language: str, path: str) -> Article | Room | None:
    match path.strip("/").split("/"):
        case [slug] if slug:
            return _find_room(language, slug)
        case [room, slug]:
            return _find_article(language, room, slug)
    return None


def _find_article(language: str, room: str, slug: str) -> Article | None:
    """The article and its other languages, in one query."""
    works = selectors.with_slug(slug, language)
    page = next((work for work in works if _is_at(work, language, f"{room}/{slug}/")), None)
    if page is None:
        return None
    family = [work for work in works if work.translation_key == page.translation_key and work.pk != page.pk]
    return Article(page, listings.article_context(page, [work for work in family if not work.withdrawn_at]))


def _find_room(language: str, slug: str) -> Room | None:
    here = CreatorHub.objects.filter(slug=slug, locale__language_code=language)
    family = _open_to_all(CreatorHub.objects.live()).filter(translation_key__in=here.values("translation_key"))
    rooms = list(family.select_related("locale"))
    page = next((room for room in rooms if _is_at(room, language, f"{slug}/")), None)
    if page is None:
        return None
    translations = tuple(
        listings.Translation(paths.page_path(room), context.language_named(room.locale.language_code))
        for room in rooms
        if room.pk != page.pk
    )
    return Room(page, translations)


def _is_at(page: Page, language: str, path: str) -> bool:
    return page.locale.language_code == language and paths.below_home(page.url_path) == path


def _open_to_all(pages: QuerySet[Any]) -> QuerySet[Any]:
    """Without those that Wagtail keeps private, by themselves or by what stands above them."""
    inside = ExpressionWrapper(OuterRef("path"), output_field=CharField())
    closed = PageViewRestriction.objects.alias(inside=inside).filter(inside__startswith=F("page__path"))
    return pages.filter(~Exists(closed))


urlpatterns = [
    re_path(serve_pattern, serve, name="wagtail_serve"),
]
