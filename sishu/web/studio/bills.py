"""Providers' bills in the back office: each line beside our books."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column
from wagtail.admin.widgets.button import HeaderButton

from sishu.accounts import roles
from sishu.commerce import bill_lines, gateway_words, reconcile
from sishu.commerce.models import BillLine, ProviderBill
from sishu.gateways.base import EntryKind
from sishu.web.studio.actions import Action, NoForm
from sishu.web.studio.lists import BookColumn, DetailView, Facts, ReadOnlyViewSet, book_filter, date_filter, opens


class BillFilters(WagtailFilterSet):
    book = book_filter()
    day = date_filter(_("Day of the bill"))

    class Meta:
        model = ProviderBill
        fields = ["gateway", "book", "day"]


# What a line is about, by `BillLine.kind`.
KINDS = {
    EntryKind.PAYMENT: _("payment"), EntryKind.REFUND: _("refund"), EntryKind.DISPUTE: _("buyer’s objection"),
    EntryKind.PAYOUT: _("settlement to the house’s bank"), EntryKind.OTHER: _("something else"),
}  # fmt: skip


def in_words(bill: ProviderBill) -> str:
    """Whose bill it is, and of which day."""
    return f"{gateway_words.label_of(bill.gateway)} · {date_format(bill.day)}"


class BillWords:
    """For the views of one bill."""

    def say(self, row: Any) -> str:
        """One row in words."""
        return in_words(row)


class BillDetail(BillWords, DetailView):
    """One bill with its lines; what does not agree stands first."""

    template_name = "studio/bill.html"

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        if not self.request.user.has_perm(roles.REFUND_PAYMENT):
            return []
        url = reverse("bills:compare", args=(self.object.pk,))
        return [HeaderButton(gettext("Compare again"), url=url, icon_name="rotate")]

    def get_facts(self) -> Facts:
        bill = self.object
        currencies = sorted(set(bill.lines.values_list("currency", flat=True)))
        moved = [str(bill_lines.billed(bill.gateway, currency, bill)) for currency in currencies]
        return [
            (_("Gateway"), gateway_words.label_of(bill.gateway)),
            (_("Day of the bill"), bill.day),
            (_("Came"), bill.created_at),
            (_("Compared"), bill.reconciled_at),
            (_("Came in, less what went out and fees"), " · ".join(moved)),
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        lines = sorted(self.object.lines.all(), key=lambda line: (line.outcome in reconcile.CLEAN, line.number))
        for line in lines:
            line.kind_label = KINDS.get(line.kind, line.kind)
        clean = {outcome.value for outcome in reconcile.CLEAN}
        return super().get_context_data(lines=lines, clean=clean, **kwargs)


class CompareBill(BillWords, Action):
    """Fetch the day's bill again and compare it."""

    model = ProviderBill
    permission_required = roles.REFUND_PAYMENT
    form_class = NoForm
    url_namespace = "bills"
    page_title = _("Compare again")
    button = _("Fetch and compare")

    def get_question(self) -> str:
        return gettext("The provider is asked for this day’s bill once more, and each line is compared with our books.")

    def act(self, **said: Any) -> str:
        report = reconcile.reconcile(self.object.gateway, self.object.day)
        if report.status != "done":
            return gettext("The provider has no bill of that day for us now. Nothing was compared.")
        if report.is_clean:
            return gettext("Books and bill agree.")
        return gettext("%(count)d differences. Each has a case.") % {"count": len(report.differences)}


class BillViewSet(ReadOnlyViewSet):
    """The list of bills."""

    model = ProviderBill
    name = "bills"
    icon = "list-ul"
    menu_label = _("Bills")
    inspect_view_class = BillDetail
    filterset_class = BillFilters
    search_fields = ["lines__reference", "lines__refund_reference", "lines__provider_reference"]
    list_display = [
        opens("day", "bills", _("bill"), accessor=in_words, sort_key="day"),
        BookColumn(),
        Column("differences", label=_("Differences"), accessor=lambda bill: differences(bill) or ""),
        Column("reconciled_at", label=_("Compared"), sort_key="reconciled_at"),
    ]
    list_export = ["gateway", "day", "book", "digest", "reconciled_at"]
    export_headings = {"day": _("Day of the bill"), "reconciled_at": _("Compared")}
    empty = _("No bill yet. The house fetches each provider’s bill every morning, and compares it with the books.")
    export_filename = "bills"

    def get_urlpatterns(self) -> list[URLPattern]:
        return [*super().get_urlpatterns(), path("compare/<int:pk>/", CompareBill.as_view(), name="compare")]


def differences(bill: ProviderBill) -> int:
    """How many of its lines do not agree with our books."""
    return BillLine.objects.filter(bill=bill).exclude(outcome__in=reconcile.CLEAN).count()
