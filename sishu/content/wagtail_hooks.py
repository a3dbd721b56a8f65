"""The studio's hooks about works: what creators find in choosers, and the names of our log entries."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.admin.views.reports.page_types_usage import PageTypesUsageReportView
from wagtail.log_actions import LogActionRegistry, LogFormatter
from wagtail.models import BaseLogEntry, Page
from wagtail.snippets.models import register_snippet
from wagtail.snippets.views.snippets import SnippetViewSet

from sishu.accounts.models import User
from sishu.content import writing
from sishu.content.announce import copy_authors
from sishu.content.models import ArticlePage, Authorship, Category
from sishu.content.permissions import own_paths, works_for_the_house
from sishu.content.studio import OwnDocuments, OwnImages, own_uploads


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


@hooks.register("construct_page_chooser_queryset")
def choose_among_own_pages(pages: QuerySet[Page], request: HttpRequest) -> QuerySet[Page]:
    if works_for_the_house(request.user):
        return pages
    return pages.filter(path__in=own_paths(request.user))


@hooks.register("construct_image_chooser_queryset")
@hooks.register("construct_document_chooser_queryset")
def choose_among_own_uploads(uploads: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
    return own_uploads(uploads, request)


# After Wagtail's own hook of this name: the later registration counts.
@hooks.register("construct_admin_api", order=100)
def list_own_uploads(router: Any) -> None:
    router.register_endpoint("images", OwnImages)
    router.register_endpoint("documents", OwnDocuments)


# The report names the page edited last, whoever's it is; only those who publish are to read it.
PageTypesUsageReportView.any_permission_required = ["publish"]


@hooks.register("construct_reports_menu")
def hide_reports(request: HttpRequest, menu_items: list[MenuItem]) -> None:
    if not works_for_the_house(request.user):
        menu_items[:] = [item for item in menu_items if item.name != "page-types-usage"]


@hooks.register("after_create_page")
def note_author(request: HttpRequest, page: Page) -> None:
    if isinstance(page, ArticlePage) and isinstance(request.user, User):
        Authorship.objects.get_or_create(page=page, user=request.user)


@hooks.register("after_copy_page")
def note_authors_of_copy(request: HttpRequest, page: Page, new_page: Page) -> None:
    if isinstance(new_page, ArticlePage):
        copy_authors(page.pk, new_page.pk)
