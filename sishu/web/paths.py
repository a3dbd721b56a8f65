"""Addresses of pages, worked out without asking the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.http import HttpResponse
from django.urls import register_converter
from django.urls.converters import IntConverter
from wagtail.models import Page

from sishu.core.ids import MAX_ID

View = TypeVar("View", bound=Callable[..., HttpResponse])

# The code as the lang attribute and hreflang write it.
TAGS = {"zh-hans": "zh-Hans", "en": "en"}


class KeyConverter(IntConverter):
    """A primary key in an address: what no database can hold does not match, and is answered 404."""

    def to_python(self, value: str) -> int:
        # Python refuses to read integers of many thousand digits; so do we, with a 404 instead of an error.
        if len(value) > len(str(MAX_ID)) or not 0 < (key := int(value)) <= MAX_ID:
            raise ValueError
        return key


def by_path(view: View) -> View:
    """Mark a view whose address says its language."""
    view.language_by_path = True  # type: ignore[attr-defined]
    return view


def prefix_of(language: str) -> str:
    """What stands before every path in that language: nothing for the site's own."""
    return "" if language == settings.LANGUAGE_CODE else f"/{language}"


def home_path(language: str) -> str:
    """The title page's path."""
    return f"{prefix_of(language)}/"


def page_path(page: Page) -> str:
    """A page's path on this site. Its locale should be loaded."""
    return home_path(page.locale.language_code) + below_home(page.url_path)


def below_home(url_path: str) -> str:
    """Wagtail's path without the title page's own slug, which no address shows: /house/shen/moon/ is shen/moon/."""
    return url_path.split("/", 2)[-1]


def tag_of(language: str) -> str:
    """The language as HTML writes it."""
    return TAGS.get(language, language)


register_converter(KeyConverter, "key")
