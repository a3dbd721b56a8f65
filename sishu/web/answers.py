"""One answer in two forms: pages for people, JSON for programs that ask for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import wraps
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from sishu.core.errors import DomainError, TooLarge, Unreadable
from sishu.core.strict_json import UNSTORABLE, refuse_constant

TITLES = {
    400: _("This request cannot be read"),
    401: _("Not signed in"),
    403: _("Not allowed"),
    404: _("Nothing here"),
    405: _("Not done this way"),
    409: _("Not possible now"),
    410: _("No longer here"),
    413: _("Too large"),
    415: _("Not JSON"),
    422: _("Something is not right yet"),
    429: _("Too many at once"),
    500: _("Our mistake"),
    503: _("Not at the moment"),
}
# Below this address every answer is JSON.
API = "/api/v1/"

View = Callable[..., HttpResponseBase]


def wants_json(request: HttpRequest) -> bool:
    """Whether to answer in JSON: the client sends it, asks for it before HTML, or talks to the API."""
    if request.content_type == "application/json" or request.path_info.startswith(API):
        return True
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def read_body(request: HttpRequest) -> QueryDict | dict[str, Any]:
    """What the client sent: a form as QueryDict, or a JSON object as dict.

    Raises TooLarge beyond 2 MB (files of a multipart form aside), Unreadable for invalid UTF-8, bad JSON, JSON that is
    not an object, and characters no database stores.
    """
    try:
        data = read_json(request) if request.content_type == "application/json" else _read_form(request)
    except RequestDataTooBig as error:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 2**20
        raise TooLarge(gettext("This is more than %(most)d MB. Send less at once.") % {"most": most}) from error
    if any(UNSTORABLE.search(text) for text in _strings(data)):
        raise Unreadable(gettext("The text contains characters that cannot be stored. Remove control characters."))
    return data


def read_json(request: HttpRequest) -> dict[str, Any]:
    """The JSON object in a body, whatever its declared type. Unreadable for anything else."""
    try:
        data = json.loads(request.body.decode(), parse_constant=refuse_constant)
    except UnicodeDecodeError as error:
        raise Unreadable(gettext("The body is not valid UTF-8. Send it as UTF-8.")) from error
    except (ValueError, RecursionError) as error:
        raise Unreadable(gettext("The body is not valid JSON. Check it and send it again.")) from error
    if not isinstance(data, dict):
        raise Unreadable(gettext('The body is JSON, but not an object. Send {"name": value, …}.'))
    return data


def message(request: HttpRequest, text: object, status: int = 200, **fields: object) -> JsonResponse:
    """The contract's plain answer: {"message": …} and what else the client should know."""
    response = JsonResponse({"message": str(text), **fields}, status=status, json_dumps_params={"ensure_ascii": False})
    response["Content-Language"] = getattr(request, "LANGUAGE_CODE", None) or get_language()
    return response


def problem(status: int, detail: object, code: str, errors: dict[str, list[str]] | None = None) -> JsonResponse:
    """A refusal as an RFC 9457 problem document. `message` repeats the detail, for clients of the plain contract."""
    body: dict[str, object] = {
        "type": "about:blank",
        "title": str(_title(status)),
        "status": status,
        "detail": str(detail),
        "code": code,
        "message": str(detail),
    }
    if errors:
        body["errors"] = errors
    return JsonResponse(
        body, status=status, content_type="application/problem+json", json_dumps_params={"ensure_ascii": False}
    )


def refuse(
    request: HttpRequest, status: int, detail: object, *, code: str, errors: dict[str, list[str]] | None = None
) -> HttpResponse:
    """A refusal in the form the client asks for: a problem document, or a page with the same words."""
    if wants_json(request):
        return problem(status, detail, code, errors)
    facts = {"title": _title(status), "detail": detail, "status": status}
    return render(request, "errors/refusal.html", facts, status=status)


def explain_refusals(view: View) -> View:
    """Let a view raise DomainError; the client reads its sentence, with its status."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except DomainError as error:
            return refuse(request, error.status, str(error), code=error.code)

    return wrapped


def form_errors(form: Any) -> dict[str, list[str]]:
    """A form's errors by the names under which its fields were sent; "" holds those of the whole form."""
    return {
        "" if name == "__all__" else form.add_prefix(name): [str(text) for text in texts]
        for name, texts in form.errors.items()
    }


def _title(status: int) -> object:
    return TITLES.get(status) or HTTPStatus(status).phrase


def _read_form(request: HttpRequest) -> QueryDict:
    # Django replaces what is not UTF-8, silently; a person's text would be stored damaged.
    if request.content_type == "application/x-www-form-urlencoded":
        try:
            unquote_to_bytes(request.body).decode()
        except UnicodeDecodeError as error:
            raise Unreadable(gettext("The form is not valid UTF-8. Send it as UTF-8.")) from error
    return request.POST


def _strings(data: QueryDict | dict[str, Any]) -> Iterator[str]:
    waiting: list[Any] = [dict(data)]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, list):
            waiting += item
