"""A body as HTML: made once for each content, level and language, then taken from the cache."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any

from django.core.cache import caches
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from wagtail.blocks import StreamValue

from sishu.content import markdown


def stream_html(stream: StreamValue) -> SafeString:
    """The HTML of a stream that is already cut to what its reader may see.

    The cache key is the cut content itself: a draft, an old revision or another reader's part can never answer for it.
    """
    key = f"body:{get_language()}:{fingerprint(stream)}"
    html = caches["pages"].get(key)
    if html is None:
        html = _draw(stream)
        caches["pages"].set(key, html)
    return mark_safe(html)  # noqa: S308  every block escapes what it draws


def fingerprint(stream: StreamValue) -> str:
    """A short name of a stream's whole content."""
    raw: list[dict[str, Any]] = list(stream.raw_data)
    written = json.dumps([[block["type"], block["value"]] for block in raw], ensure_ascii=False, default=str)
    return blake2b(written.encode(errors="surrogatepass"), digest_size=20).hexdigest()


def _draw(stream: StreamValue) -> str:
    context = {"anchors": markdown.Anchors()}  # shared, so that two blocks never hand out one heading id
    return "\n".join(html for child in stream if (html := child.render(context)))
