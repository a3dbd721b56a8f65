"""What moderation compares a new text with."""

from __future__ import annotations

from sishu.content.models import ArticlePage
from sishu.core.refs import ref
from sishu.moderation.base import Match

MAX_MATCHES = 20  # with the same text; the work itself and its translations may be among them


def same_text(digest: str, family: str) -> list[Match]:
    """Published works with this digest, other than the work itself and its translations."""
    if not digest:
        return []
    works = ArticlePage.objects.live().filter(digest=digest).values_list("pk", "title", "translation_key")[:MAX_MATCHES]
    # Compared here, because the family of a subject of another package need not be a UUID.
    return [Match(ref("page", pk), title) for pk, title, key in works if str(key) != family]
