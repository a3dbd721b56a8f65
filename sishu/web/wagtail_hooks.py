"""What the studio shows beside Wagtail's own: the back office of the shop, and the first page's figures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.viewsets.base import ViewSet, ViewSetGroup
from wagtail.admin.widgets.button import Button
from wagtail.models import Page

from sishu.accounts.models import User
from sishu.web.studio import policies
from sishu.web.studio.access import ExplainViewSet
from sishu.web.studio.cases import CaseViewSet
from sishu.web.studio.deliveries import DeliveryViewSet
from sishu.web.studio.home import TodayPanel
from sishu.web.studio.jobs import JobViewSet
from sishu.web.studio.journals import JournalViewSet
from sishu.web.studio.offers import OfferViewSet
from sishu.web.studio.orders import OrderViewSet
from sishu.web.studio.payments import PaymentViewSet
from sishu.web.studio.plan import PlanViewSet
from sishu.web.studio.refunds import RefundViewSet
from sishu.web.studio.works import WorkViewSet, withdrawal_buttons

policies.register()


class Selling(ViewSetGroup):
    """Everything about money and what it bought."""

    menu_label = _("Selling")
    menu_icon = "pick"
    menu_order = 250
    items = (
        OrderViewSet, PaymentViewSet, RefundViewSet, CaseViewSet, JournalViewSet, OfferViewSet, PlanViewSet,
        ExplainViewSet,
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
