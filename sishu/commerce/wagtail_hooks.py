"""What somebody paid for is not taken away: the studio's doors to delete, move and unpublish, single and in bulk.

The database keeps sold pages by PROTECT in any case; these hooks say so in words, and before anything is half done.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import router
from django.db.models import Model
from django.db.models.deletion import Collector, ProtectedError, RestrictedError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from wagtail import hooks
from wagtail.admin import messages
from wagtail.models import Page

from sishu.accounts.models import User
from sishu.commerce import selectors

# How many sold works a refusal names.
MAX_NAMED = 3
BULK = {"delete", "move", "unpublish"}


@hooks.register("before_delete_page")
def keep_sold(request: HttpRequest, page: Page) -> HttpResponse | None:
    if why := why_not([page], "delete"):
        return _refused(request, page, why)
    # Wagtail asks once more when the name of the site was mistyped, and deletes nothing then.
    if request.method == "POST" and request.POST.get("confirm_site_name") in {None, "", settings.WAGTAIL_SITE_NAME}:
        selectors.unsold_offers(_with_translations([page])).delete()
    return None


@hooks.register("before_unpublish_page")
def keep_sold_live(request: HttpRequest, page: Page) -> HttpResponse | None:
    why = why_not([page], "unpublish")
    return _refused(request, page, why) if why else None


@hooks.register("before_move_page")
def keep_sold_in_place(request: HttpRequest, page: Page, destination: Page) -> HttpResponse | None:
    why = why_not([page], "move")
    return _refused(request, page, why) if why else None


@hooks.register("before_bulk_action")
def keep_all_sold(request: HttpRequest, action_type: str, objects: Sequence[Model], action: Any) -> HttpResponse | None:
    pages = [one for one in objects if isinstance(one, Page)]
    if pages and action_type in BULK:
        if why := why_not(pages, action_type):
            messages.error(request, why)
            return redirect(action.next_url)
        if action_type == "delete":
            selectors.unsold_offers(pages).delete()
    people = [one for one in objects if isinstance(one, User)]
    if people and action_type == "delete" and (why := " ".join(filter(None, map(why_keep, people)))):
        messages.error(request, why)
        return redirect(action.next_url)
    return None


@hooks.register("before_delete_user")
def keep_people_of_the_books(request: HttpRequest, user: User) -> HttpResponse | None:
    if request.method == "POST" and (why := why_keep(user)):
        messages.error(request, why)
        return redirect("wagtailusers_users:edit", user.pk)
    return None


def why_not(pages: Sequence[Page], action: str) -> str:
    """One sentence when what is sold stands in the way of an action ("delete", "move", "unpublish"); else empty."""
    sold = list(selectors.sold_among(pages).order_by("path")[: MAX_NAMED + 1])
    if not sold:
        return ""
    sentences = {
        "delete": _("Nothing was deleted: %(titles)s was sold, and its buyers keep it."),
        "move": _("Nothing was moved: %(titles)s was sold, and its buyers look for it where it is."),
        "unpublish": _("Nothing was unpublished: %(titles)s was sold, and its buyers keep reading it."),
    }
    names = [_("“%(title)s”") % {"title": page.title} for page in sold[:MAX_NAMED]]
    titles = get_text_list([*names, _("more")] if len(sold) > MAX_NAMED else names, _("and"))
    way_out = _("Withdraw it instead: it leaves the shelves and is sold no more, and those who own it still read it.")
    return f"{sentences[action] % {'titles': titles}} {way_out}"


def why_keep(user: User) -> str:
    """One sentence when rows that must stay belong to this person; else empty."""
    collector = Collector(using=router.db_for_write(User), origin=user)
    try:
        collector.collect([user])
    except (ProtectedError, RestrictedError) as error:
        rows = error.protected_objects if isinstance(error, ProtectedError) else error.restricted_objects
        kinds = sorted({str(row._meta.verbose_name_plural) for row in rows})
        return _(
            "%(name)s cannot be deleted: these belong to them and must stay: %(kinds)s. "
            "Take the tick from “Active” instead; they can then no longer sign in."
        ) % {"name": user.username, "kinds": ", ".join(kinds)}
    return ""


def _with_translations(pages: Sequence[Page]) -> list[Page]:
    """Deleting a page may take its translations with it."""
    return list(Page.objects.filter(translation_key__in=[page.translation_key for page in pages]))


def _refused(request: HttpRequest, page: Page, why: str) -> HttpResponse:
    messages.error(request, why)
    return redirect("wagtailadmin_pages:edit", page.pk)
