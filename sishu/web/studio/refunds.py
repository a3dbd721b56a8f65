"""Refunds in the back office."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column

from sishu.commerce.models import Refund
from sishu.web.studio.lists import (
    DetailView,
    Facts,
    LinkColumn,
    MoneyColumn,
    ReadOnlyViewSet,
    date_filter,
    status_filter,
)


class RefundFilters(WagtailFilterSet):
    status = status_filter(Refund)
    created_at = date_filter(_("Requested"))

    class Meta:
        model = Refund
        fields = ["status", "created_at", "part"]


class RefundDetail(DetailView):
    """One refund."""

    template_name = "studio/refund.html"

    def get_facts(self) -> Facts:
        refund = self.object
        return [
            (_("Amount"), refund.money),
            (_("Part"), refund.get_part_display()),
            (_("Status"), refund.get_status_display()),
            (_("Reason"), refund.reason),
            (_("Requested by"), refund.requested_by.name if refund.requested_by else ""),
            (_("Requested"), refund.created_at),
            (_("Went back"), refund.settled_at),
        ]


class RefundViewSet(ReadOnlyViewSet):
    """The list of refunds."""

    model = Refund
    name = "refunds"
    icon = "resubmit"
    menu_label = _("Refunds")
    inspect_view_class = RefundDetail
    filterset_class = RefundFilters
    search_fields = ["reference", "payment__reference", "payment__order__number", "reason"]
    related = ("payment__order", "requested_by")
    list_display = [
        "reference",
        LinkColumn(
            "payment.order.number", label=_("Order number"), url_name="orders:inspect", target="payment.order_id"
        ),
        MoneyColumn("money", label=_("Amount"), sort_key="amount"),
        Column("get_part_display", label=_("Part"), sort_key="part"),
        Column("get_status_display", label=_("Status"), sort_key="status"),
        Column("requested_by.name", label=_("Requested by")),
        Column("created_at", label=_("Requested"), sort_key="created_at"),
        Column("settled_at", label=_("Went back"), sort_key="settled_at"),
    ]
    list_export = [
        "reference", "payment.reference", "payment.order.number", "money", "currency", "get_part_display",
        "get_status_display", "reason", "requested_by.username", "created_at", "settled_at",
    ]  # fmt: skip
    export_headings = {
        "payment.reference": _("Payment"),
        "payment.order.number": _("Order number"),
        "money": _("Amount"),
        "get_part_display": _("Part"),
        "get_status_display": _("Status"),
        "requested_by.username": _("Requested by"),
        "created_at": _("Requested"),
        "settled_at": _("Went back"),
    }
    export_filename = "refunds"
