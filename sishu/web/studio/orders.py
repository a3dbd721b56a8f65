"""Orders in the back office: what was bought, everything that happened to it, and the way to give the money back."""

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
from sishu.commerce import selectors
from sishu.commerce.models import Order, Payment, Refund
from sishu.web.studio.actions import RefundAction
from sishu.web.studio.lists import DetailView, Facts, MoneyColumn, ReadOnlyViewSet, date_filter, status_filter


class OrderFilters(WagtailFilterSet):
    status = status_filter(Order)
    created_at = date_filter(_("Placed"))

    class Meta:
        model = Order
        fields = ["status", "created_at"]


class OrderDetail(DetailView):
    """One order, with its timeline."""

    template_name = "studio/order.html"

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        if not self.request.user.has_perm(roles.REFUND_PAYMENT) or _sale_payment(self.object) is None:
            return []
        url = reverse("orders:refund", args=(self.object.pk,))
        return [HeaderButton(gettext("Give the money back"), url=url, icon_name="resubmit")]

    def get_facts(self) -> Facts:
        order = self.object
        return [
            (_("Buyer"), f"{order.user.name} ({order.user.username}, {order.user.email})"),
            (_("Status"), order.get_status_display()),
            (_("Total"), order.total),
            (_("Placed"), order.created_at),
            (_("Paid"), order.paid_at),
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            lines=self.object.lines.select_related("offer"),
            payments=self.object.payments.order_by("id"),
            events=selectors.timeline(self.object),
            **kwargs,
        )


class RefundOrder(RefundAction):
    """Give back what an order cost."""

    model = Order
    part = Refund.Part.SALE
    url_namespace = "orders"
    page_title = _("Give the money back")
    button = _("Give the money back")
    nothing = _("This order holds nothing to give back.")

    def find_payment(self) -> Payment | None:
        return _sale_payment(self.object)

    def describe(self, payment: Payment) -> str:
        return gettext(
            "%(money)s go back to %(buyer)s. The access they bought is closed, and everyone’s part is taken back "
            "out of the books. This cannot be undone."
        ) % {"money": self.object.total, "buyer": self.object.user.name}

    def get_facts(self) -> Facts:
        return [(_("Bought"), line.title) for line in self.object.lines.all()]


class OrderViewSet(ReadOnlyViewSet):
    """The list of orders."""

    model = Order
    name = "orders"
    icon = "clipboard-list"
    menu_label = _("Orders")
    inspect_view_class = OrderDetail
    filterset_class = OrderFilters
    search_fields = ["number", "user__username", "user__email", "user__display_name", "lines__title"]
    related = ("user",)
    list_display = [
        "number",
        Column("user.name", label=_("Buyer"), sort_key="user__username"),
        Column("get_status_display", label=_("Status"), sort_key="status"),
        MoneyColumn("total", label=_("Total"), sort_key="amount"),
        Column("created_at", label=_("Placed"), sort_key="created_at"),
        Column("paid_at", label=_("Paid"), sort_key="paid_at"),
    ]
    list_export = ["number", "user.username", "get_status_display", "total", "currency", "created_at", "paid_at"]
    export_headings = {
        "user.username": _("Buyer"),
        "get_status_display": _("Status"),
        "total": _("Total"),
        "created_at": _("Placed"),
    }
    export_filename = "orders"

    def get_urlpatterns(self) -> list[URLPattern]:
        return [*super().get_urlpatterns(), path("refund/<int:pk>/", RefundOrder.as_view(), name="refund")]


def _sale_payment(order: Order) -> Payment | None:
    """The payment that bought the order, while its money can be given back."""
    payment = order.payments.select_related("order").filter(is_applied=True).first()
    return payment if payment and selectors.refundable_part(payment, Refund.Part.SALE) else None
