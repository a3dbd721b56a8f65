"""A corpus plug-in with one book in it."""

from __future__ import annotations

from sishu.moderation.base import Match


def same_text(digest: str, family: str) -> list[Match]:
    return [Match("page:9", "从零记一本账")]
