"""Answering an invitation to write with others, and writing with them no longer."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from sishu.accounts.models import User
from sishu.commerce import terms
from sishu.content import coauthors, writing
from sishu.web import answers
from sishu.web.writing import for_writers


def answer(give: Callable[[User, int], str]) -> Callable[..., HttpResponseBase]:
    """A view that says yes or no, tells so, and comes back to the list of one's works."""

    @for_writers
    @require_POST
    def view(request: HttpRequest, key: int) -> HttpResponseBase:
        with transaction.atomic(durable=True):
            words = give(request.user, key)  # type: ignore[arg-type]
        if answers.wants_json(request):
            return answers.message(request, words)
        messages.success(request, words)
        return redirect("writing")

    return view


@answer
def accept(user: User, key: int) -> str:
    """Become a co-author."""
    page = coauthors.accept(user, key)
    terms.share_anew(page)
    return _("You are a co-author of “%(title)s” now.") % {"title": page.draft_title}


@answer
def decline(user: User, key: int) -> str:
    """Stay out of it."""
    page = coauthors.decline(user, key)
    return _("Declined. You will not be asked to write “%(title)s” again.") % {"title": page.draft_title}


@answer
def leave(user: User, key: int) -> str:
    """Write a work no longer. The parts of its price go to those who stay."""
    page = writing.find_own(user, key)
    coauthors.leave(page, user)
    terms.share_anew(page)
    return _("You are no co-author of “%(title)s” any more. What you earned stays yours.") % {"title": page.draft_title}


urlpatterns = [
    path("invitations/<key:key>/accept", accept, name="invitation_accept"),
    path("invitations/<key:key>/decline", decline, name="invitation_decline"),
    path("edit/<key:key>/coauthors/leave", leave, name="edit_leave"),
]
