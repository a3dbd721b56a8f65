"""What the studio shows beside Wagtail's own: the back office of the shop, the first page's figures, and own works and uploads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.admin.views.reports.page_types_usage import PageTypesUsageReportView
from wagtail.admin.viewsets.base import ViewSet, ViewSetGroup
from wagtail.admin.widgets.button import Button
from wagtail.models import Page

from sishu.accounts.models import User
from sishu.content.permissions import is_page_staff, own_paths, own_uploads
from sishu.web.studio import policies, widgets
from sishu.web.studio.access import ExplainViewSet
from sishu.web.studio.bills import BillViewSet
from sishu.web.studio.cases import CaseViewSet
from sishu.web.studio.deliveries import DeliveryViewSet
from sishu.web.studio.home import TodayPanel
from sishu.web.studio.jobs import JobViewSet
from sishu.web.studio.journals import JournalViewSet
from sishu.web.studio.merchants import MerchantViewSet
from sishu.web.studio.notices import NoticeViewSet
from sishu.web.studio.offers import OfferViewSet
from sishu.web.studio.orders import OrderViewSet
from sishu.web.studio.own_pages import OwnDocuments, OwnImages
from sishu.web.studio.payable import PayableViewSet
from sishu.web.studio.payments import PaymentViewSet
from sishu.web.studio.payouts import PayoutViewSet
from sishu.web.studio.plan import PlanViewSet
from sishu.web.studio.refunds import RefundViewSet
from sishu.web.studio.works import WorkViewSet, withdrawal_buttons

policies.register()
widgets.install()
hooks.register("insert_global_admin_js", widgets.script)
hooks.register("insert_global_admin_css", widgets.style)


class Selling(ViewSetGroup):
    """Everything about money and what it bought."""

    menu_label = _("Selling")
    menu_icon = "pick"
    menu_order = 250
    items = (
        OrderViewSet, PaymentViewSet, RefundViewSet, CaseViewSet, NoticeViewSet, BillViewSet, PayableViewSet, PayoutViewSet,
        JournalViewSet, OfferViewSet, PlanViewSet, ExplainViewSet, MerchantViewSet,
    )  # fmt: skip


class Workings(ViewSetGroup):
    """Everything the house does by itself."""

    menu_label = _("Workings")
    menu_icon = "cogs"
    menu_order = 8000
    items = (JobViewSet, DeliveryViewSet)


@hooks.register("register_admin_viewset")
def back_office() -> list[ViewSetGroup | ViewSet]:
    return [Selling(), Workings(), WorkViewSet()]


@hooks.register("register_page_header_buttons")
def offer_withdrawal(page: Page, user: User, **_kwargs: Any) -> Iterator[Button]:
    return withdrawal_buttons(page, user)


@hooks.register("construct_homepage_panels")
def add_today(request: HttpRequest, panels: list[Any]) -> None:
    panels.append(TodayPanel())


@hooks.register("construct_page_chooser_queryset")
def choose_among_own_pages(pages: QuerySet[Page], request: HttpRequest) -> QuerySet[Page]:
    if is_page_staff(request.user):
        return pages
    return pages.filter(path__in=own_paths(request.user))


@hooks.register("construct_image_chooser_queryset")
@hooks.register("construct_document_chooser_queryset")
def choose_among_own_uploads(uploads: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
    return own_uploads(uploads, request.user)


# After Wagtail's own hook of this name: the later registration counts.
@hooks.register("construct_admin_api", order=100)
def list_own_uploads(router: Any) -> None:
    router.register_endpoint("images", OwnImages)
    router.register_endpoint("documents", OwnDocuments)


# The report names the page edited last, whoever's it is; only those who publish are to read it.
PageTypesUsageReportView.any_permission_required = ["publish"]


@hooks.register("construct_reports_menu")
def hide_reports(request: HttpRequest, menu_items: list[MenuItem]) -> None:
    if not is_page_staff(request.user):
        menu_items[:] = [item for item in menu_items if item.name != "page-types-usage"]
