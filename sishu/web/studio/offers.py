"""Offers in the back office: works are priced where they are written."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column

from sishu.commerce.models import Offer, RevenueShare
from sishu.commerce.splits import WHOLE_BPS
from sishu.web.studio.lists import DetailView, Facts, ListView, MoneyColumn, ReadOnlyViewSet


class OfferFilters(WagtailFilterSet):
    is_open = django_filters.BooleanFilter(label=_("For sale"))

    class Meta:
        model = Offer
        fields = ["is_open", "interval"]


def shares_label(offer: Offer) -> str:
    """Who gets which part: "周岚 90 %, the house 10 %"."""
    shares = [(share.payee.name, share.share_bps) for share in offer.shares.all()]
    rest = WHOLE_BPS - sum(bps for _name, bps in shares)
    parts = [f"{name} {bps / 100:g} %" for name, bps in [*shares, (gettext("the house"), rest)] if bps]
    return pgettext("between names", ", ").join(parts)


class OfferList(ListView):
    """With the shares, which the list spells out."""

    def get_base_queryset(self) -> QuerySet[Any]:
        shares = RevenueShare.objects.select_related("payee")
        return super().get_base_queryset().prefetch_related(Prefetch("shares", queryset=shares))


class OfferDetail(DetailView):
    """One offer."""

    def get_facts(self) -> Facts:
        offer = self.object
        return [
            (_("Title"), offer.title),
            (_("Price"), offer.price),
            (_("Billed"), offer.get_interval_display()),
            (_("For sale"), _("yes") if offer.is_open else _("no")),
            (_("Page"), offer.page),
            (_("Shares"), shares_label(offer)),
            (_("Since"), offer.created_at),
            (_("Sold"), offer.lines.filter(order__paid_at__isnull=False).count()),
        ]


class OfferViewSet(ReadOnlyViewSet):
    """The list of offers."""

    model = Offer
    name = "offers"
    icon = "tag"
    menu_label = _("Offers")
    index_view_class = OfferList
    inspect_view_class = OfferDetail
    filterset_class = OfferFilters
    search_fields = ["title"]
    related = ("page",)
    list_display = [
        "title",
        MoneyColumn("price", label=_("Price"), sort_key="amount"),
        Column("get_interval_display", label=_("Billed"), sort_key="interval"),
        Column("shares", label=_("Shares"), accessor=shares_label),
        Column("is_open", label=_("For sale"), accessor=lambda offer: _("yes") if offer.is_open else _("no")),
        Column("created_at", label=_("Since"), sort_key="created_at"),
    ]
    list_export = ["title", "price", "currency", "get_interval_display", "is_open", "created_at"]
    export_headings = {"price": _("Price"), "get_interval_display": _("Billed"), "created_at": _("Since")}
    export_filename = "offers"
