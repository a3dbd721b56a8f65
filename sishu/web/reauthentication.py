"""Being asked once more who one is, before money or keys: the password, or a sign-in, of the last few minutes.

Allauth keeps the records and the page at /reauthenticate; `ACCOUNT_REAUTHENTICATION_TIMEOUT` says how long one counts.
Unlike allauth, a form that was sent is never carried out after the password: the person lands on its page, with what
they had filled in, and presses once more.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from sishu.web import answers

# In the session: the address of a form that was interrupted, and what stood in it.
INTERRUPTED = "interrupted_form"
MAX_VALUE_LENGTH = 1_000


def is_recent(request: HttpRequest) -> bool:
    """Whether who asks has signed in or typed the password within the last few minutes, in this session."""
    user = request.user
    records = get_authentication_records(request, user) if user.is_authenticated else []
    # A clock that was set back makes no record younger than now.
    return any(0 <= time.time() - record["at"] < app_settings.REAUTHENTICATION_TIMEOUT for record in records)


def ask(request: HttpRequest, fields: Iterable[str] = ()) -> HttpResponse:
    """Lead to the page that asks for the password, and from there back here. `fields` of a form that was sent are kept.

    A program gets 401, somebody without any password here 403.
    """
    methods = get_adapter(request).get_reauthentication_methods(request.user)
    if not methods:
        reason = _("This asks for your password, and you have none here. Sign out, sign in again, and come back.")
        return answers.refuse(request, 403, reason, code="reauthentication_required")
    if answers.wants_json(request):
        reason = _("You signed in a while ago. Sign in again, then repeat this.")
        return answers.problem(401, reason, "reauthentication_required")
    if request.method == "POST":
        # What a browser does not send is a box without a tick, and comes back without one.
        said = {name: request.POST.get(name, "")[:MAX_VALUE_LENGTH] for name in fields}
        request.session[INTERRUPTED] = {"path": request.path, "said": said}
    return HttpResponseRedirect(f"{methods[0]['url']}?{urlencode({REDIRECT_FIELD_NAME: request.get_full_path()})}")


def take_up(request: HttpRequest) -> dict[str, str] | None:
    """What was filled in here when the password had to be asked for; None when nothing was interrupted. Told once."""
    interrupted = request.session.get(INTERRUPTED)
    if not interrupted or interrupted["path"] != request.path:
        return None
    del request.session[INTERRUPTED]
    said: dict[str, str] = interrupted["said"]
    return said
