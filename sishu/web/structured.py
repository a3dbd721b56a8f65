"""What machines read about an article: JSON-LD made of public words only."""

from __future__ import annotations

import json
from typing import Any

from django.utils.safestring import SafeString, mark_safe

from sishu.content.models import ArticlePage
from sishu.content.paywall import Level
from sishu.core import addresses
from sishu.web import listings, paths

# Marks the place of the part that is not free; schema.org wants a class.
PAYWALLED = "paywalled"
ESCAPES = {ord(">"): "\\u003E", ord("<"): "\\u003C", ord("&"): "\\u0026"}


def article(page: ArticlePage, around: listings.ArticleContext, publisher: str) -> dict[str, Any]:
    """schema.org's Article. Google counts what asks to sign in among the paywalled."""
    is_free = page.level == Level.PUBLIC
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Article",
        "mainEntityOfPage": addresses.absolute(around.path),
        "headline": page.title,
        "description": page.summary,
        "inLanguage": paths.tag_of(page.locale.language_code),
        "image": [addresses.absolute(around.picture)],
        "author": [_person(author) for author in around.authors],
        "publisher": {"@type": "Organization", "name": publisher},
        "isAccessibleForFree": is_free,
    }
    if page.first_published_at:
        data["datePublished"] = page.first_published_at.isoformat()
    if page.last_published_at:
        data["dateModified"] = page.last_published_at.isoformat()
    if not is_free:
        data["hasPart"] = {
            "@type": "WebPageElement", "isAccessibleForFree": is_free, "cssSelector": f".{PAYWALLED}",
        }  # fmt: skip
    return data


def script(data: dict[str, Any]) -> SafeString:
    """A data block. Browsers do not run it, so the content policy needs no exception for it."""
    text = json.dumps(data, ensure_ascii=False).translate(ESCAPES)
    return mark_safe(f'<script type="application/ld+json">{text}</script>')  # noqa: S308  escaped above


def _person(author: listings.Author) -> dict[str, str]:
    person = {"@type": "Person", "name": author.name}
    return {**person, "url": addresses.absolute(author.path)} if author.path else person
