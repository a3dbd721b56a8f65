"""Who asks: a program with a token, a browser with a session, or a stranger; and how often they may."""

from __future__ import annotations

import ipaddress
import time

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja.security import APIKeyCookie, HttpBearer
from ninja.throttling import BaseThrottle

from sishu.accounts import tokens
from sishu.accounts.models import ApiToken, User
from sishu.core.cache import count
from sishu.core.errors import NotAllowed, NotSignedIn
from sishu.web.csrf import OriginCsrf

SAFE = {"GET", "HEAD", "OPTIONS"}
MINUTE = 60


class Bearer(HttpBearer):
    """A token. One that is wrong is refused everywhere, also where a stranger would be served."""

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken:
        found = tokens.find_token(token)
        if found is None:
            raise NotSignedIn(_("This token is unknown, has ended or was revoked. Make another one."))
        if request.method not in SAFE and found.scope != ApiToken.Scope.WRITE:
            raise NotAllowed(_("This token may only read. Make one that may write."), code="read_only_token")
        request.user = found.user
        return found


class Session(APIKeyCookie):
    """A browser's session. What changes something must come from our own pages, or carry the CSRF token."""

    param_name = settings.SESSION_COOKIE_NAME

    def authenticate(self, request: HttpRequest, key: str | None) -> User | None:
        return request.user if isinstance(request.user, User) else None

    def __call__(self, request: HttpRequest) -> User | None:
        user = self.authenticate(request, None)
        if user is not None and _is_forged(request):
            raise NotAllowed(
                _("Send the csrf_token that /login answered in the header X-CSRFToken, or send no cookies."),
                code="csrf",
            )
        return user


def nobody(request: HttpRequest) -> AnonymousUser:
    """For what a stranger may ask too. The last in a list."""
    return AnonymousUser()


KNOWN = [Bearer(), Session()]
ANYONE = [*KNOWN, nobody]


def person(request: HttpRequest) -> User:
    """Who asks, where only somebody known gets so far."""
    if not isinstance(request.user, User):
        raise NotSignedIn(_("Send a token (Authorization: Bearer …), or sign in."))
    return request.user


class RateLimit(BaseThrottle):
    """So many requests a minute for each token, person or address. Nothing is written but one counter."""

    def allow_request(self, request: HttpRequest) -> bool:
        return (
            count(f"api:{int(time.time() // MINUTE)}:{_who(request)}", 2 * MINUTE) <= settings.API_REQUESTS_PER_MINUTE
        )

    def wait(self) -> int:
        return int(MINUTE - time.time() % MINUTE) + 1


def _who(request: HttpRequest) -> str:
    caller = getattr(request, "auth", None)
    if isinstance(caller, ApiToken):
        return f"token:{caller.pk}"
    if isinstance(caller, User):
        return f"user:{caller.pk}"
    address = get_adapter(request).get_client_ip(request)
    # Whoever has one IPv6 address has the 2⁶⁴ around it.
    return str(ipaddress.ip_network(f"{address}/64", strict=False)) if ":" in address else address


def _is_forged(request: HttpRequest) -> bool:
    check = OriginCsrf(lambda request: HttpResponse())
    # Ninja's views are exempt for the middleware, which therefore has not looked; this view is not.
    request.csrf_processing_done = False  # type: ignore[attr-defined]
    check.process_request(request)
    return bool(check.process_view(request, _protected, (), {}))


def _protected(request: HttpRequest) -> HttpResponse:
    return HttpResponse()
