"""Refunds in the back office."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column
from wagtail.admin.widgets.button import HeaderButton

from sishu.accounts import roles
from sishu.commerce import refunds
from sishu.commerce.models import Refund
from sishu.web.studio.actions import Action, NoForm, check_gateway, refund_told
from sishu.web.studio.lists import (
    DetailView,
    Facts,
    LinkColumn,
    MoneyColumn,
    ReadOnlyViewSet,
    date_filter,
    opens,
    status_filter,
)
from sishu.web.studio.transfers import RefundSent, sent_button


class RefundFilters(WagtailFilterSet):
    status = status_filter(Refund)
    created_at = date_filter(_("Requested"))

    class Meta:
        model = Refund
        fields = ["status", "created_at", "part"]


class RefundDetail(DetailView):
    """One refund."""

    template_name = "studio/refund.html"

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        refund, person = self.object, self.request.user
        if refund.status != Refund.Status.PROPOSED or not person.has_perm(roles.REFUND_PAYMENT):
            return sent_button(refund, person)
        reject = HeaderButton(gettext("Reject"), url=reverse("refunds:reject", args=(refund.pk,)), icon_name="cross")
        if person in (refund.requested_by, refund.payment.order.user):
            return [reject]
        url = reverse("refunds:approve", args=(refund.pk,))
        return [HeaderButton(gettext("Approve"), url=url, icon_name="tick-inverse"), reject]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        refund, person = self.object, self.request.user
        is_own = refund.status == Refund.Status.PROPOSED and person in (refund.requested_by, refund.payment.order.user)
        return super().get_context_data(is_own=is_own and person.has_perm(roles.REFUND_PAYMENT), **kwargs)

    def get_facts(self) -> Facts:
        refund = self.object
        return [
            (_("Amount"), refund.money),
            (_("Part"), refund.get_part_display()),
            (_("Status"), refund.get_status_display()),
            (_("Reason"), refund.reason),
            (_("Requested by"), refund.requested_by.name if refund.requested_by else ""),
            (_("Approved by"), refund.approved_by.name if refund.approved_by else ""),
            (_("Requested"), refund.created_at),
            (_("Went back"), refund.settled_at),
            (_("Bank’s reference"), refund.bank_entry.bank_reference if hasattr(refund, "bank_entry") else ""),
        ]


class ApproveRefund(Action):
    """A second person agrees that the money goes back."""

    model = Refund
    permission_required = roles.REFUND_PAYMENT
    needs_reauthentication = True
    form_class = NoForm
    url_namespace = "refunds"
    page_title = _("Approve the refund")
    button = _("Approve and give back")
    is_serious = True

    def get_question(self) -> str:
        refund = self.object
        return gettext("%(money)s go back for order %(number)s. This cannot be undone.") % {
            "money": refund.money,
            "number": refund.payment.order.number,
        }

    def get_facts(self) -> Facts:
        refund = self.object
        return [
            (_("Requested by"), refund.requested_by.name if refund.requested_by else ""),
            (_("Reason"), refund.reason),
        ]

    def act(self, **said: Any) -> str:
        check_gateway(self.object.payment)
        return refund_told(refunds.approve(self.object.pk, by=self.person))


class RejectRefund(Action):
    """It does not go back."""

    model = Refund
    permission_required = roles.REFUND_PAYMENT
    url_namespace = "refunds"
    page_title = _("Reject the refund")
    button = _("Reject")

    def get_question(self) -> str:
        return gettext("The money stays, and your reason is kept. It can be asked for anew.")

    def act(self, **said: Any) -> str:
        refunds.reject(self.object.pk, by=self.person, reason=said["reason"])
        return gettext("The refund is rejected.")


class RefundViewSet(ReadOnlyViewSet):
    """The list of refunds."""

    model = Refund
    name = "refunds"
    icon = "resubmit"
    menu_label = _("Refunds")
    inspect_view_class = RefundDetail
    filterset_class = RefundFilters
    search_fields = ["reference", "payment__reference", "payment__order__number", "reason"]
    related = ("payment__order", "requested_by", "approved_by")
    empty = _("No refund yet. Money is given back at the order it paid for, and then stands here.")
    list_display = [
        opens("reference", "refunds", _("Refund number"), sort_key="reference"),
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

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("approve/<int:pk>/", ApproveRefund.as_view(), name="approve"),
            path("sent/<int:pk>/", RefundSent.as_view(), name="sent"),
            path("reject/<int:pk>/", RejectRefund.as_view(), name="reject"),
        ]
