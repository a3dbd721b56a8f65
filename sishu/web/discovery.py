"""Searching: works that answer, with the words of theirs that everybody may read."""

from __future__ import annotations

import re
from html import escape

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from sishu.content import selectors
from sishu.content.models import ArticlePage
from sishu.web import context, listings, lists, paths

MAX_QUERY_LENGTH = 100
MAX_PAGE = 50
BEFORE, AFTER = 30, 90  # characters of an excerpt on each side of the first word found
_HAN = re.compile("[\u3040-\u30ff\u3400-\u9fff]{3,}")


@paths.by_path
def search(request: HttpRequest) -> HttpResponse:
    """Works on the shelves of this language that hold all the words."""
    language = get_language()
    query = " ".join(request.GET.get("q", "").split())[:MAX_QUERY_LENGTH]
    number = lists.page_number(request, MAX_PAGE)
    found = selectors.Found([], 0)
    if query:
        found = selectors.find_works(query, locale=language, start=(number - 1) * lists.PER_PAGE, size=lists.PER_PAGE)
    # As rows need them, and with the bodies that excerpts are cut from.
    by_key = (
        selectors.for_list(ArticlePage.objects.filter(pk__in=[work.pk for work in found.works])).defer(None).in_bulk()
    )
    works = [by_key[work.pk] for work in found.works if work.pk in by_key]
    here = f"{paths.home_path(language)}search"
    response = render(
        request,
        "pages/search.html",
        {
            "query": query, "query_part": urlencode({"q": query}) + "&", "here": here, "number": number,
            "total": found.total, "pages": lists.pages_for(found.total, MAX_PAGE),
            "hits": list(zip(listings.rows_of(works), excerpts(works, query), strict=True)),
            "alternates": [
                listings.Translation(f"{other.home}search?{urlencode({'q': query})}", other)
                for other in context.house_now().others
            ],
        },
    )  # fmt: skip
    # Endless addresses, seldom asked for twice: not worth a place among the kept pages.
    response["Cache-Control"] = "private, no-store"
    return response


def excerpts(works: list[ArticlePage], query: str) -> list[SafeString]:
    """For each work the place where its public words meet the query, with the words marked; its summary if none do."""
    words = words_of(query)
    return [
        excerpt(work.summary, words) or excerpt(work.public_text, words) or marked(work.summary, words)
        for work in works
    ]


def words_of(query: str) -> list[str]:
    """What to mark: the words of a query, longest first, and the pairs of longer Chinese ones after them."""
    words = query.split()
    pairs = [run[at : at + 2] for run in _HAN.findall(query) for at in range(len(run) - 1)]
    return list(dict.fromkeys([*sorted(words, key=len, reverse=True), *pairs]))


def excerpt(text: str, words: list[str]) -> SafeString:
    """A line of `text` around the first of the words that is in it; empty when none is."""
    folded = text.casefold()
    if len(folded) != len(text):  # a letter that folds into two: positions would not agree
        folded = text.lower() if len(text.lower()) == len(text) else text
    at = next((place for word in words if (place := folded.find(word.casefold())) >= 0), -1)
    if at < 0:
        return SafeString("")
    start, end = max(0, at - BEFORE), min(len(text), at + AFTER)
    line = " ".join(text[start:end].split())
    return marked(f"{'…' if start else ''}{line}{'…' if end < len(text) else ''}", words)


def marked(text: str, words: list[str]) -> SafeString:
    """The text as HTML with the words marked."""
    if not words:
        return mark_safe(escape(text))  # noqa: S308  escaped
    pattern = re.compile("|".join(re.escape(word) for word in words), re.IGNORECASE)
    out, last = [], 0
    for hit in pattern.finditer(text):
        out += [escape(text[last : hit.start()]), f"<mark>{escape(hit.group())}</mark>"]
        last = hit.end()
    return mark_safe("".join([*out, escape(text[last:])]))  # noqa: S308  every piece is escaped


urlpatterns = [path("search", search, name="search")]
