"""Protection against forms on other people's sites, without a ceremony for programs."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseForbidden
from django.middleware.csrf import CsrfViewMiddleware


class OriginCsrf(CsrfViewMiddleware):
    """Asks for no token where none can help.

    A request without any cookie acts for nobody, so it cannot be forged in somebody's name. A browser puts the Origin on
    every cross-site POST and no script can change it, so our own Origin is as good as a token. Everything else is
    Django's rule: a foreign Origin is refused, a cookie without Origin needs the token.
    """

    def process_view(
        self, request: HttpRequest, callback: Any, callback_args: Any, callback_kwargs: Any
    ) -> HttpResponseForbidden | None:
        has_origin = "HTTP_ORIGIN" in request.META
        if self._origin_verified(request) if has_origin else not request.COOKIES:  # type: ignore[attr-defined]
            request.csrf_processing_done = True  # type: ignore[attr-defined]
            return None
        return super().process_view(request, callback, callback_args, callback_kwargs)
