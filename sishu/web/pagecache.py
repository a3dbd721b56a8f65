"""Whole pages for strangers, kept in each process and forgotten with their generation.

The same for every stranger is what a view hands to `share`, when it is 200 and sets no cookie. Everything a reader
is known by (a session, a message, a bearer token) leads past the cache, and what is made for them is never stored.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers

from sishu.content import generation

# Browsers and proxies may keep a page, but ask each time whether it is still true: nothing they hold is ever stale, and
# somebody who has just paid or signed in is never shown what they saw before.
PUBLIC = "public, max-age=0, must-revalidate"
PRIVATE = "private, no-store"
KNOWN_BY = (settings.SESSION_COOKIE_NAME, "messages")
MAX_KEPT_QUERY_LENGTH = 300

Stored = tuple[str, list[tuple[str, str]], bytes]


def share(request: HttpRequest, response: HttpResponse, *parameters: str) -> HttpResponse:
    """Let a page that is the same for every stranger be kept, told apart by its address and these query parameters.

    Made for a reader who is known, it stays theirs. What is not 200 is never kept.
    """
    if not is_stranger(request):
        response["Cache-Control"] = PRIVATE
    elif response.status_code == 200:
        response["Cache-Control"] = PUBLIC
        response.kept_parameters = frozenset(parameters)  # type: ignore[attr-defined]
    patch_vary_headers(response, ("Cookie",))
    return response


def is_stranger(request: HttpRequest) -> bool:
    """Whether nothing in the request says who is asking."""
    return "HTTP_AUTHORIZATION" not in request.META and not any(name in request.COOKIES for name in KNOWN_BY)


class PageCache:
    """The outermost middleware: a stranger's second request for a page runs no other code of the house."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.cache = caches["pages"]

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method not in {"GET", "HEAD"} or not is_stranger(request):
            return _closed(self.get_response(request))
        # Read before the page is made: what changes meanwhile makes this key one that nobody asks for again.
        key = _key(request, generation.current())
        stored: Stored | None = self.cache.get(key)
        if stored is None:
            response = self.get_response(request)
            if request.method == "GET" and _is_kept(request, response):
                stored = _pack(response)
                self.cache.set(key, stored)
            else:
                return _closed(response)
        return _unpack(request, stored)


def _key(request: HttpRequest, now: int) -> str:
    meta = request.META
    parts = (request.scheme or "", meta.get("HTTP_HOST", ""), request.path, meta.get("QUERY_STRING", ""))
    return f"page:{now}:" + blake2b("\n".join(parts).encode(errors="replace"), digest_size=16).hexdigest()


def _closed(response: HttpResponseBase) -> HttpResponseBase:
    """What no view has called public belongs to its reader alone."""
    response.headers.setdefault("Cache-Control", PRIVATE)
    return response


def _is_kept(request: HttpRequest, response: HttpResponseBase) -> bool:
    known = getattr(response, "kept_parameters", None)
    if known is None or response.status_code != 200 or response.cookies or response.streaming:
        return False
    query = request.META.get("QUERY_STRING", "")
    return len(query) <= MAX_KEPT_QUERY_LENGTH and all(name in known for name, _value in parse_qsl(query))


def _pack(response: Any) -> Stored:
    etag = f'"{blake2b(response.content, digest_size=12).hexdigest()}"'
    return etag, [(name, value) for name, value in response.items() if name != "ETag"], response.content


def _unpack(request: HttpRequest, stored: Stored) -> HttpResponseBase:
    etag, headers, content = stored
    response = HttpResponse(content)
    for name, value in headers:
        response.headers[name] = value
    response.headers["ETag"] = etag
    if "HTTP_IF_NONE_MATCH" not in request.META:
        return response
    return get_conditional_response(request, etag, None, response) or response
