"""What happens to every request: what cannot be read is refused, a policy is put on every answer, a language is chosen."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation.trans_real import parse_accept_lang_header

from sishu.content.uploads import MAX_FILE_BYTES
from sishu.core import languages
from sishu.web import answers, errors

log = logging.getLogger(__name__)

Next = Callable[[HttpRequest], HttpResponseBase]

MAX_PATH_LENGTH = 1_000
MAX_QUERY_LENGTH = 4_000
MAX_NUMBER_LENGTH = 15

PUBLIC_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; media-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
# Wagtail's editor writes style attributes and shows previews in a frame; its inline scripts are ours (web/studio/widgets.py).
STUDIO_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; form-action 'self'; "
    "base-uri 'none'; frame-src 'self'; frame-ancestors 'self'"
)
STUDIO = "/studio/"
# Where files come along. Everywhere else a form is small; its body would be kept on disk before anybody asks who sends it.
UPLOADS = re.compile(r"/(publish|edit/\d+|writing/(images|files)|studio/(images|documents)/.*)")
MAX_UPLOAD_BYTES = MAX_FILE_BYTES + 2**20  # with the form around it
POLICY = "Content-Security-Policy"
LANGUAGE_KEY = "language"  # ?language=en on any page that has one address for both languages


class BadInput:
    """Refuses addresses that no database could look up, and bodies that nobody wants, before anybody tries."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        is_known, most = is_readable(request), largest_body(request)
        if is_known and int(request.META.get("CONTENT_LENGTH") or 0) <= most:
            return self.get_response(request)
        with translation.override(language_of(request)):
            if not is_known:
                return errors.bad_request(request)
            detail = _("This is more than %(most)d MB. Send less at once.") % {"most": most // 2**20}
            return answers.refuse(request, 413, detail, code="too_large")

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A number beyond what the database counts names nothing that exists."""
        if isinstance(exception, OverflowError):
            log.warning("Number out of range at %s: %s", request.path, exception)
            return errors.not_found(request)
        return None


def is_readable(request: HttpRequest) -> bool:
    """Whether path and query are of reasonable length, without NUL, the query is UTF-8, and a length is a number.

    A path that is not UTF-8 reaches us with its odd bytes percent-encoded once more, and names nothing.
    """
    query = request.META.get("QUERY_STRING", "")
    if len(request.path_info) > MAX_PATH_LENGTH or len(query) > MAX_QUERY_LENGTH or "\0" in request.path_info:
        return False
    length = request.META.get("CONTENT_LENGTH") or "0"
    if len(length) > MAX_NUMBER_LENGTH or not (length.isascii() and length.isdigit()):
        return False
    return "%" not in query or _is_text(unquote_to_bytes(query))


def largest_body(request: HttpRequest) -> int:
    """How many bytes the address takes at most."""
    return MAX_UPLOAD_BYTES if UPLOADS.fullmatch(request.path_info) else settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def _is_text(raw: bytes) -> bool:
    try:
        return "\0" not in raw.decode()
    except UnicodeDecodeError:
        return False


class ContentSecurityPolicy:
    """Puts the policy on every answer that does not bring its own: nothing inline, nothing from elsewhere."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        policy = response.headers.get(POLICY)
        if not request.path_info.startswith(STUDIO):
            response.headers[POLICY] = policy or PUBLIC_POLICY
        elif policy:
            # A preview has come through here before, as the page it will be; the studio alone may frame it.
            response.headers[POLICY] = policy.replace("frame-ancestors 'none'", "frame-ancestors 'self'")
        else:
            response.headers[POLICY] = STUDIO_POLICY
        return response


class ContractLocale:
    """Chooses the language: for a view that carries `language_by_path` the address says it, for every other the person.

    The others have one address in all languages: ?language= (kept in a cookie), the person's setting, the cookie, the
    browser's wish. A program says it by Accept-Language.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        self._speak(request, language_of(request))
        response = self.get_response(request)
        if getattr(request, "language_is_chosen", False):
            patch_vary_headers(response, ("Accept-Language",))
            if (wish := _supported(request.GET.get(LANGUAGE_KEY))) and response.status_code < 400:
                response.set_cookie(
                    settings.LANGUAGE_COOKIE_NAME, wish, max_age=31_536_000, samesite="Lax", httponly=True,
                    secure=request.is_secure(),
                )  # fmt: skip
        response.headers.setdefault("Content-Language", translation.get_language())
        return response

    def process_view(self, request: HttpRequest, view: Any, _args: Any, _kwargs: Any) -> None:
        if not getattr(view, "language_by_path", False):
            request.language_is_chosen = True  # type: ignore[attr-defined]
            self._speak(request, chosen_language(request))

    def _speak(self, request: HttpRequest, language: str) -> None:
        translation.activate(language)
        request.LANGUAGE_CODE = language


def language_of(request: HttpRequest) -> str:
    """The language that the address says."""
    return translation.get_language_from_path(request.path_info) or settings.LANGUAGE_CODE


def chosen_language(request: HttpRequest) -> str:
    """The language a person or a program asks for, where the address does not say."""
    asked = _supported(request.GET.get(LANGUAGE_KEY))
    browser = _from_header(request.META.get("HTTP_ACCEPT_LANGUAGE", ""))
    if answers.wants_json(request):
        return asked or browser or settings.LANGUAGE_CODE
    setting = getattr(request.user, "language", "") if hasattr(request, "user") else ""
    cookie = _supported(request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME))
    return asked or _supported(setting) or cookie or browser or settings.LANGUAGE_CODE


def _supported(code: str | None) -> str | None:
    return code if code in dict(settings.LANGUAGES) else None


def _from_header(header: str) -> str | None:
    for wish, _quality in parse_accept_lang_header(header):
        if code := languages.find(wish):
            return code
    return None
