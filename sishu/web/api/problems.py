"""Every refusal of the API is an RFC 9457 problem document."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from ninja import NinjaAPI
from ninja.errors import HttpError, Throttled, ValidationError
from ninja.parser import Parser

from sishu.core.errors import DomainError, NotSignedIn, TooMany, Unreadable
from sishu.web import answers, errors

# What pydantic finds wrong, in our words; what is not here keeps pydantic's.
SENTENCES = {
    "missing": gettext_lazy("This is missing."),
    "string_type": gettext_lazy("This is not a string."),
    "string_unicode": gettext_lazy("This contains characters that cannot be stored."),
    "string_pattern_mismatch": gettext_lazy("This contains characters that cannot be stored."),
    "string_too_long": gettext_lazy("This has more than %(max_length)d characters."),
    "string_too_short": gettext_lazy("This has fewer than %(min_length)d characters."),
    "int_type": gettext_lazy("This is not a whole number."),
    "int_parsing": gettext_lazy("This is not a whole number."),
    "int_from_float": gettext_lazy("This is not a whole number."),
    "int_parsing_size": gettext_lazy("This number is too large."),
    "less_than_equal": gettext_lazy("This is more than %(le)d."),
    "greater_than_equal": gettext_lazy("This is less than %(ge)d."),
    "literal_error": gettext_lazy("This is none of %(expected)s."),
    "list_type": gettext_lazy("This is not a list."),
    "too_long": gettext_lazy("This has more than %(max_length)d entries."),
}


class JsonParser(Parser):
    """Reads bodies as the pages of this house do."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        if request.content_type != "application/json":
            message = _("Send JSON, and say so: Content-Type: application/json.")
            raise Unreadable(message, code="not_json", status=415)
        return answers.read_json(request)


def refusals(*statuses: int) -> frozenset[int]:
    """Statuses of an operation beyond those that its kind of input brings: a key of ninja's `response`."""
    return frozenset(statuses)


def respond(error: DomainError, errors: dict[str, list[str]] | None = None) -> HttpResponse:
    """The problem document of a refusal."""
    response = answers.problem(error.status, error, error.code, errors)
    if isinstance(error, NotSignedIn):
        response["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooMany):
        response["Retry-After"] = str(error.wait)
    return response


def add_exception_handlers(api: NinjaAPI) -> None:
    """Make an API answer every exception with a problem document."""
    handlers: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
        DomainError: lambda _request, error: respond(error),
        HttpError: lambda _request, error: _of_ninja(error),
        ValidationError: lambda _request, error: _of_input(error),
        Http404: errors.not_found,
        PermissionDenied: errors.forbidden,
        RequestDataTooBig: errors.bad_request,
        # Ninja would show a traceback while DEBUG is on; Django knows better whom to tell.
        Exception: _raise,
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)


def with_problems(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Wrap a view of ninja's, which refuses methods in plain text and raises Http404 at the root."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response = view(request, *args, **kwargs)
        except Http404:
            return not_found(request)
        if response.status_code != 405:
            return response
        allowed = ", ".join(sorted(response["Allow"].split(", ")))
        detail = _("%(method)s does nothing here. What does: %(allowed)s.")
        refused = DomainError(detail % {"method": request.method, "allowed": allowed}, code="method", status=405)
        refusal = respond(refused)
        refusal["Allow"] = allowed
        return refusal

    return wrapped


def not_found(request: HttpRequest) -> HttpResponse:
    """404 for every other address below /api."""
    refused = DomainError(
        _("There is nothing at this address. /api/docs lists what there is."), code="not_found", status=404
    )
    return respond(refused)


def _of_ninja(error: HttpError) -> HttpResponse:
    # Ninja wraps what the parser raises, and speaks of authentication and rates in English only.
    if isinstance(error.__cause__, DomainError):
        return respond(error.__cause__)
    if error.status_code == 401:
        return respond(NotSignedIn(_("Send a token (Authorization: Bearer …), or sign in.")))
    if isinstance(error, Throttled):
        return respond(TooMany(_("Too many requests within a minute. Wait for the next one."), wait=error.wait or 60))
    return respond(DomainError(str(error), code="refused", status=error.status_code))


def _of_input(error: ValidationError) -> HttpResponse:
    found: dict[str, list[str]] = {}
    for one in error.errors:
        source, *place = one["loc"]
        # A body's fields come after the name of the argument that holds them.
        name = ".".join(str(part) for part in (place[1:] if source == "body" else place[-1:]))
        sentence = SENTENCES.get(one["type"])
        found.setdefault(name, []).append(str(sentence) % one.get("ctx", {}) if sentence else one["msg"])
    name, sentences = next(iter(found.items()))
    detail = f"{name}: {sentences[0]}" if name else sentences[0]
    return respond(DomainError(detail, code="invalid", status=422), found)


def _raise(_request: HttpRequest, error: Exception) -> HttpResponse:
    raise error
