"""The studio's hooks about works: shelves, whose a new page is, and the names of our log entries; bulk publishing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin import messages
from wagtail.log_actions import LogActionRegistry, LogFormatter
from wagtail.models import BaseLogEntry, Page
from wagtail.snippets.models import register_snippet
from wagtail.snippets.views.snippets import SnippetViewSet

from sishu.accounts.models import User
from sishu.content import drafts, writing
from sishu.content.models import ArticlePage, Authorship, Category
from sishu.content.wagtail_events import copy_authors
from sishu.core.errors import Invalid


class CategoryViewSet(SnippetViewSet):
    """The shelves."""

    model = Category
    icon = "folder-open-1"
    add_to_admin_menu = False
    list_display = ["__str__", "slug"]


register_snippet(CategoryViewSet)


class ReasonFormatter(LogFormatter):
    """With the reason that was given."""

    def format_comment(self, log_entry: BaseLogEntry) -> str:
        return str(log_entry.data.get("reason", ""))


class WithdrawFormatter(ReasonFormatter):
    label = _("Withdraw")
    message = _("Withdrew the work")


class RestoreFormatter(ReasonFormatter):
    label = _("Bring back")
    message = _("Brought the work back")


@hooks.register("register_log_actions")
def name_log_actions(actions: LogActionRegistry) -> None:
    actions.register_action(writing.WITHDRAW)(WithdrawFormatter)
    actions.register_action(writing.RESTORE)(RestoreFormatter)


@hooks.register("after_create_page")
def note_author(request: HttpRequest, page: Page) -> None:
    if isinstance(page, ArticlePage) and isinstance(request.user, User):
        Authorship.objects.get_or_create(page=page, user=request.user)


@hooks.register("after_copy_page")
def note_authors_of_copy(request: HttpRequest, page: Page, new_page: Page) -> None:
    if isinstance(new_page, ArticlePage):
        copy_authors(page.pk, new_page.pk)


@hooks.register("before_bulk_action")
def check_all_ready(
    request: HttpRequest, action_type: str, objects: Sequence[Model], action: Any
) -> HttpResponse | None:
    """Wagtail publishes a handful of pages without a form, and so without looking at what is in them."""
    pages = [one for one in objects if isinstance(one, Page)]
    if action_type != "publish" or not pages:
        return None
    chosen = [page.pk for page in pages]
    if action.cleaned_form.cleaned_data["include_descendants"]:
        chosen += [key for page in pages for key in page.get_descendants().not_live().values_list("pk", flat=True)]
    for work in ArticlePage.objects.filter(pk__in=chosen):
        try:
            drafts.check_ready(work.get_latest_revision_as_object())
        except Invalid as error:
            facts = {"title": work.draft_title, "reason": error}
            messages.error(request, _("Nothing was published. “%(title)s”: %(reason)s") % facts)
            return redirect(action.next_url)
    return None
