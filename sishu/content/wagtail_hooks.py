"""The studio's hooks about works: shelves, whose a new page is, and the names of our log entries."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.log_actions import LogActionRegistry, LogFormatter
from wagtail.models import BaseLogEntry, Page
from wagtail.snippets.models import register_snippet
from wagtail.snippets.views.snippets import SnippetViewSet

from sishu.accounts.models import User
from sishu.content import writing
from sishu.content.models import ArticlePage, Authorship, Category
from sishu.content.wagtail_events import copy_authors


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
