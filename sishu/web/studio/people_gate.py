"""Before somebody is made, changed or given a role in the studio, whoever does it has said once more who they are.

Who could do that in an owner's open browser would make themselves an owner, and move the money with a password of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import ResolverMatch
from django.utils.translation import gettext as _
from wagtail.permissions import policy_registry

from sishu.accounts import mail, roles
from sishu.accounts.models import User
from sishu.core import clock
from sishu.web import reauthentication

GUARDED: dict[str, type[User] | type[Group]] = {"wagtailusers_users": User, "wagtailusers_groups": Group}
BULK = "wagtail_bulk_action"
# Lists that change nothing. What a later Wagtail adds asks for the password until it is named here.
LISTS = {"index", "index_results", "history", "history_results", "usage", "usage_results"}
CHANGES = {"add", "change", "delete"}


class PeopleGate:
    """Middleware: Wagtail's forms about people and groups open after the password, and are sent after it.

    Owners have a mail about everybody who can move money by what was sent.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        before = getattr(request, "money_movers", None)
        for user_id in sorted(roles.find_money_movers() - before) if before is not None else ():
            mail.send_money_mover.enqueue(user_id, request.user.get_username(), f"{clock.now():%Y-%m-%d %H:%M}")
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]) -> HttpResponse | None:
        """Ask before the view is called. Who may not change anybody is refused by the view, and not asked."""
        match = request.resolver_match
        model = _changed_by(request, match) if match else None
        if model is None or not request.user.is_authenticated:
            return None
        if not policy_registry.get_by_type(model).user_has_any_permission(request.user, CHANGES):
            return None
        if not reauthentication.is_recent(request):
            return reauthentication.ask(request)  # keeps nothing of a form: whom it would change may have changed since
        if request.method == "GET" and reauthentication.take_up(request) is not None:
            messages.warning(request, _("Nothing was changed yet. Fill the form in once more."))
        if request.method == "POST":
            request.money_movers = roles.find_money_movers()  # type: ignore[attr-defined]
        return None


def _changed_by(request: HttpRequest, match: ResolverMatch) -> type[User] | type[Group] | None:
    """Whose rows an address changes, or opens a form to change; None for all that is no business of this gate."""
    if match.view_name == BULK:
        label = f"{match.kwargs['app_label']}.{match.kwargs['model_name']}".lower()
        return next((model for model in GUARDED.values() if model._meta.label_lower == label), None)
    is_list = match.url_name in LISTS and request.method in ("GET", "HEAD")
    return None if is_list else GUARDED.get(match.namespace)
