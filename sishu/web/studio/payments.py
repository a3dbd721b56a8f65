"""Payments in the back office: every attempt to collect an order, and the provider's word on it."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column
from wagtail.admin.widgets.button import HeaderButton

from sishu.accounts import roles
from sishu.commerce import gateway_words, merchants, payments, transfers
from sishu.commerce.models import Payment
from sishu.gateways.offline import read_code
from sishu.ledger.models import Book
from sishu.web.studio.actions import Action, NoForm, check_gateway
from sishu.web.studio.lists import (
    BookColumn,
    DetailView,
    Facts,
    LinkColumn,
    ListView,
    MoneyColumn,
    ReadOnlyViewSet,
    book_filter,
    date_filter,
    status_filter,
)
from sishu.web.studio.transfers import RecordTransfer, arrived_button


def _gateways() -> list[tuple[str, str]]:
    return [(name, gateway_words.label_of(name)) for name in merchants.names()]


class PaymentList(ListView):
    """All payments. The code of a bank transfer is found as the statement has it: spaced, small, misread."""

    def search_queryset(self, queryset: QuerySet[Payment]) -> QuerySet[Payment]:
        code = read_code(self.search_query) if self.search_query else None
        found = queryset.filter(gateway=transfers.GATEWAY, provider_reference=code) if code else queryset.none()
        return found if found.exists() else super().search_queryset(queryset)


class PaymentFilters(WagtailFilterSet):
    status = status_filter(Payment)
    created_at = date_filter(_("Started"))
    gateway = django_filters.ChoiceFilter(
        label=_("Gateway"), choices=_gateways, empty_label=_("All"), widget=forms.RadioSelect
    )
    book = book_filter()

    class Meta:
        model = Payment
        fields = ["status", "created_at", "gateway", "book"]


class PaymentDetail(DetailView):
    """One payment."""

    template_name = "studio/payment.html"

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        if self.object.gateway == transfers.GATEWAY:
            return arrived_button(self.object, self.request.user)
        if not self.request.user.has_perm(roles.REFUND_PAYMENT):
            return []
        url = reverse("payments:refresh", args=(self.object.pk,))
        return [HeaderButton(gettext("Ask the provider again"), url=url, icon_name="rotate")]

    def get_facts(self) -> Facts:
        payment = self.object
        is_offline = payment.gateway == transfers.GATEWAY
        return [
            (_("Gateway"), payment.gateway_label),
            (_("Book"), Book(payment.book).label),
            (_("Status"), payment.get_status_display()),
            (_("Due"), payment.due),
            (_("Arrived"), payment.captured if payment.captured_at else ""),
            (_("Arrived on"), payment.captured_at),
            (_("Settled the order"), _("yes") if payment.is_applied else _("no")),
            (_("Transfer code") if is_offline else _("Provider’s reference"), payment.provider_reference),
            (_("Started"), payment.created_at),
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            refunds=self.object.refunds.select_related("requested_by"),
            bank_entries=self.object.bank_entries.select_related("recorded_by").order_by("id"),
            **kwargs,
        )


class RefreshPayment(Action):
    """Ask the provider what became of a payment, and bring our books to it."""

    model = Payment
    permission_required = roles.REFUND_PAYMENT
    form_class = NoForm
    url_namespace = "payments"
    page_title = _("Ask the provider again")
    button = _("Ask now")

    def get_question(self) -> str:
        return gettext(
            "%(gateway)s is asked what became of payment %(reference)s; what it says is applied here. "
            "Asking moves no money."
        ) % {"gateway": self.object.gateway_label, "reference": self.object.reference}

    def act(self, **said: Any) -> str:
        check_gateway(self.object)
        payment = payments.refresh(self.object)
        return gettext("Payment %(reference)s is %(status)s.") % {
            "reference": payment.reference,
            "status": payment.get_status_display(),
        }


class PaymentViewSet(ReadOnlyViewSet):
    """The list of payments."""

    model = Payment
    name = "payments"
    icon = "decimal"
    menu_label = _("Payments")
    index_view_class = PaymentList
    inspect_view_class = PaymentDetail
    filterset_class = PaymentFilters
    search_fields = ["reference", "provider_reference", "order__number", "order__user__username", "order__user__email"]
    related = ("order",)
    empty = _("No payment yet. Each attempt to collect an order stands here, whatever became of it.")
    list_display = [
        "reference",
        LinkColumn("order.number", label=_("Order number"), url_name="orders:inspect", target="order_id"),
        Column("get_status_display", label=_("Status"), sort_key="status"),
        MoneyColumn("due", label=_("Due"), sort_key="amount"),
        MoneyColumn("captured", label=_("Arrived"), sort_key="captured_amount"),
        Column("gateway_label", label=_("Gateway"), sort_key="gateway"),
        BookColumn(),
        Column("created_at", label=_("Started"), sort_key="created_at"),
    ]
    list_export = [
        "reference", "order.number", "get_status_display", "due", "currency", "captured", "captured.currency",
        "captured_at", "is_applied", "gateway", "book", "provider_reference", "created_at",
    ]  # fmt: skip
    export_headings = {
        "order.number": _("Order number"),
        "get_status_display": _("Status"),
        "due": _("Due"),
        "captured": _("Arrived"),
        "captured.currency": _("Arrived in"),
        "captured_at": _("Arrived on"),
        "is_applied": _("Settled the order"),
        "created_at": _("Started"),
    }
    export_filename = "payments"

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("refresh/<int:pk>/", RefreshPayment.as_view(), name="refresh"),
            path("record/<int:pk>/", RecordTransfer.as_view(), name="record"),
        ]
