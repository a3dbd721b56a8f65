"""What Django says when something goes wrong, in our words: pages for people, problem documents for programs."""

from __future__ import annotations

import logging

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from sishu.web import answers

log = logging.getLogger(__name__)

# When even the page of apology cannot be drawn.
FALLBACK_500 = """<!doctype html><html lang="zh-Hans"><meta charset="utf-8"><title>500</title>
<p>出了差错，已经记下。请稍后再试。</p><p lang="en">Something went wrong and was noted. Please try again later.</p></html>"""


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400, or 413 when the body was too large."""
    if isinstance(exception, RequestDataTooBig):
        return answers.refuse(request, 413, _("This is more than 2 MB. Send less at once."), code="too_large")
    return answers.refuse(request, 400, _("Check what was sent and try again."), code="bad_request")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403."""
    return answers.refuse(
        request, 403, _("Your account may not do this. Ask the owner of this house if it should."), code="not_allowed"
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form that does not come from our own page, or has grown old."""
    if answers.wants_json(request):
        detail = _("Send the csrf_token that /login answered in the header X-CSRFToken, or send no cookies.")
    else:
        detail = _(
            "This form has expired or came from another site, so nothing was changed. Go back, reload the page and send it again."
        )
    return answers.refuse(request, 403, detail, code="csrf")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404."""
    return answers.refuse(
        request,
        404,
        _("There is no page at this address. It may have moved; the contents list every work."),
        code="not_found",
    )


def gone(request: HttpRequest) -> HttpResponse:
    """410 for a work that was withdrawn."""
    return answers.refuse(
        request, 410, _("This work was withdrawn. Who bought it can still read it after signing in."), code="gone"
    )


def too_many(request: HttpRequest) -> HttpResponse:
    """429 where allauth counts: its limits are by the minute, and it does not say how much of it is left."""
    detail = _("Too many attempts from your network in a short time. Wait a minute, then try again.")
    response = answers.refuse(request, 429, detail, code="too_many")
    response["Retry-After"] = "60"
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """500. The cause stands in the log; the page must not depend on what just failed."""
    try:
        return answers.refuse(
            request,
            500,
            _("Something went wrong and was noted. Nothing you sent was kept. Try again later."),
            code="error",
        )
    except Exception:  # the database or a template may be what is broken
        log.exception("The error page failed too.")
        return HttpResponse(FALLBACK_500, status=500)
