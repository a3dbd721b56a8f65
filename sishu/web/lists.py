"""Lists of works, a page at a time: all of a language, or those of one category, one tag, or the free ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import path
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from taggit.models import Tag

from sishu.content import selectors
from sishu.content.models import ArticlePage, Category
from sishu.content.paywall import Level
from sishu.web import context, listings, pagecache, paths

PER_PAGE = 20
MAX_PAGE = 500


@dataclass(frozen=True, slots=True)
class WorkFilter:
    """Which works a list shows, what it is called, and the one query parameter that says so."""

    works: QuerySet[ArticlePage]
    heading: str
    parameter: dict[str, str]
    category: Category | None = None


@paths.by_path
def articles(request: HttpRequest) -> HttpResponse:
    """The works of a language, newest first."""
    language = get_language()
    chosen = choose(request.GET, selectors.published(language))
    here = f"{paths.home_path(language)}articles"
    query = urlencode(chosen.parameter)
    response = render(
        request,
        "pages/articles.html",
        {
            **page_of(chosen.works, request),
            "chosen": chosen,
            "categories": Category.get_root_nodes(),
            "section": "articles",
            "here": here,
            "query": f"{query}&" if query else "",
            "canonical": f"{here}?{query}" if query else here,
            "alternates": [
                listings.Translation(f"{other.home}articles", other) for other in context.house_now().others
            ],
        },
    )
    return pagecache.share(request, response, "category", "tag", "free", "page")


def choose(asked: QueryDict, works: QuerySet[ArticlePage]) -> WorkFilter:
    """What a query asks to see. Of several wishes the first counts; 404 for a category or tag that is none."""
    if slug := asked.get("category"):
        category = get_object_or_404(Category, slug=slug)
        branch = works.filter(category__in=Category.get_tree(category))
        return WorkFilter(branch, category.name, {"category": slug}, category)
    if slug := asked.get("tag"):
        tag = get_object_or_404(Tag, slug=slug)
        return WorkFilter(works.filter(tagged_items__tag=tag), tag.name, {"tag": slug})
    if "free" in asked:
        return WorkFilter(works.filter(level=Level.PUBLIC), _("Free articles"), {"free": "1"})
    return WorkFilter(works, _("Articles"), {})


def page_of(works: QuerySet[ArticlePage], request: HttpRequest) -> dict[str, Any]:
    """Rows, numbers and total of the asked page of a list, for its template. 404 beyond the last page."""
    number, total = page_number(request), works.count()
    start = (number - 1) * PER_PAGE
    if number > 1 and start >= total:
        raise Http404
    return {
        "rows": listings.rows_of(selectors.for_list(works)[start : start + PER_PAGE]),
        "number": number,
        "pages": pages_for(total),
        "total": total,
    }


def page_number(request: HttpRequest, farthest: int = MAX_PAGE) -> int:
    """Which page of a list is asked for; 404 for what can be none."""
    asked = request.GET.get("page", "1")
    if not (asked.isascii() and asked.isdigit() and len(asked) <= 4 and 1 <= int(asked) <= farthest):
        raise Http404
    return int(asked)


def pages_for(total: int, farthest: int = MAX_PAGE) -> int:
    """How many pages a list has, as far as we turn them."""
    return min(-(-total // PER_PAGE), farthest)


urlpatterns = [path("articles", articles, name="articles")]
