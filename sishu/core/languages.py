"""The languages of the house, as settings name them."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.utils.functional import lazy
from django.utils.translation import pgettext


def other_than(code: str) -> str:
    """The other language of the pair."""
    return next(str(known) for known, _name in settings.LANGUAGES if known != code)


def find(tag: str) -> str | None:
    """Our language for a tag as people and programs write it: "zh", "zh-TW" and "zh-Hans" are one. None for others."""
    wanted = tag.lower().split("-")[0]
    return next((str(code) for code, _name in settings.LANGUAGES if code.split("-")[0] == wanted), None)


def _listed(names: Iterable[str]) -> str:
    return pgettext("between names", ", ").join(names)


# Names one after another, parted as the language parts them in which they are read.
listed = lazy(_listed, str)
