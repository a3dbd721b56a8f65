"""The languages of the house, as settings name them."""

from __future__ import annotations

from django.conf import settings


def other_than(code: str) -> str:
    """The other language of the pair."""
    return next(str(known) for known, _name in settings.LANGUAGES if known != code)


def find(tag: str) -> str | None:
    """Our language for a tag as people and programs write it: "zh", "zh-TW" and "zh-Hans" are one. None for others."""
    wanted = tag.lower().split("-")[0]
    return next((str(code) for code, _name in settings.LANGUAGES if code.split("-")[0] == wanted), None)
