"""Who may keep an answer: everybody what every stranger gets, nobody what was made for one reader."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from sishu.web import pagecache


def share(request: HttpRequest, response: HttpResponse) -> None:
    """Let others keep the answer if nothing in the request says who asks. What nobody shares is private already."""
    # Not among our own kept pages: they are told apart by address alone, and these speak by Accept-Language.
    response["Cache-Control"] = pagecache.PUBLIC if pagecache.is_stranger(request) else pagecache.PRIVATE
    patch_vary_headers(response, ("Cookie", "Authorization"))
