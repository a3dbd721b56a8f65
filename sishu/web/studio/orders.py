"""Orders in the back office: what was bought, everything that happened to it, and the way to give the money back."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from secrets import token_hex
from typing import Any

from django import forms
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column
from wagtail.admin.widgets.button import HeaderButton

from sishu.accounts import roles
from sishu.commerce import selectors, timeline
from sishu.commerce.models import Order, OrderLine, Payment, Refund
from sishu.core.money import Money, parse_decimal
from sishu.web.studio.actions import ReasonForm, RefundAction
from sishu.web.studio.lists import DetailView, Facts, MoneyColumn, ReadOnlyViewSet, date_filter, status_filter

# What the house tells itself of an order, and who hears of it, as the timeline names them.
TOLD = {
    "OrderPaid": _("the order is paid"), "OrderRefunded": _("money went back"),
    "send_receipt": _("receipt by mail"), "send_refund_notice": _("mail about the refund"),
}  # fmt: skip


def in_words(event: timeline.Event) -> timeline.Event:
    """An event whose particulars begin with a name of the program's, in words."""
    name, mark, rest = event.detail.partition(" · ")
    return replace(event, detail=f"{TOLD[name]}{mark}{rest}") if name in TOLD else event


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
            events=map(in_words, timeline.of_order(self.object)),
            **kwargs,
        )


class RefundForm(ReasonForm):
    """How much of each line goes back: all that is left of it unless somebody says less."""

    closes_access = forms.BooleanField(
        label=_("Close what was bought"), required=False, initial=True,
        help_text=_("Unticked, a part goes back out of kindness and the work stays open. All of a line always closes it."),
    )  # fmt: skip
    # Made with the form: a part asked for twice by one form goes back once.
    form_key = forms.CharField(widget=forms.HiddenInput, max_length=40, initial=partial(token_hex, 16))

    def __init__(self, *args: Any, order: Order, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order = order
        self.lines = [line for line in order.lines.all() if line.refundable_amount]
        for line in self.lines:
            held = Money(line.refundable_amount, order.currency)
            self.fields[name_of(line)] = forms.CharField(
                label=gettext("Of “%(title)s”, in %(currency)s") % {"title": line.title, "currency": order.currency},
                initial=held.decimal(), required=False,
                help_text=gettext("Up to %(held)s. Empty: nothing.") % {"held": held},
            )  # fmt: skip
        self.order_fields([*map(name_of, self.lines), "closes_access", "reason"])

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        wanted = {line.pk: self._amount(line, str(said.pop(name_of(line), "") or "")) for line in self.lines}
        said["lines"] = {pk: amount for pk, amount in wanted.items() if amount}
        if not said["lines"] and not self.errors:
            self.add_error(None, gettext("Say how much goes back."))
        return said

    def _amount(self, line: OrderLine, text: str) -> int:
        if not text.strip():
            return 0
        try:
            amount = parse_decimal(text, self.order.currency)
        except ValueError:
            self.add_error(name_of(line), gettext("Write an amount such as 9.90."))
            return 0
        if amount > line.refundable_amount:
            held = Money(line.refundable_amount, self.order.currency)
            self.add_error(name_of(line), gettext("Only %(held)s are left of it.") % {"held": held})
        return amount


def name_of(line: OrderLine) -> str:
    """The form's field for a line."""
    return f"line_{line.pk}"


class RefundOrder(RefundAction):
    """Give back what an order cost, or a part of it."""

    model = Order
    form_class = RefundForm
    part = Refund.Part.SALE
    url_namespace = "orders"
    page_title = _("Give the money back")
    button = _("Give the money back")
    nothing = _("This order holds nothing to give back.")

    def find_payment(self) -> Payment | None:
        return _sale_payment(self.object)

    def describe(self, payment: Payment) -> str:
        return gettext(
            "Of %(money)s that %(buyer)s paid, this goes back by the way it came. Everyone’s part is taken out of the "
            "books in proportion to what they still hold of it. This cannot be undone."
        ) % {"money": self.object.total, "buyer": self.object.user.name}

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "order": self.object}

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
    empty = _("No order yet. What readers buy stands here, from the moment they press the button that pays.")
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
