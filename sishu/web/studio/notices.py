"""Providers' notices in the back office: which came, how often, and what became of them."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column

from sishu.commerce import gateway_words, notices, selectors
from sishu.commerce.models import ReceivedNotice
from sishu.core.crypto import CryptoError
from sishu.web import reauthentication
from sishu.web.studio.lists import DetailView, Facts, ReadOnlyViewSet, date_filter, opens


class NoticeFilters(WagtailFilterSet):
    received_at = date_filter(_("Received"))

    class Meta:
        model = ReceivedNotice
        fields = ["gateway", "received_at"]


class NoticeDetail(DetailView):
    """One notice with its own words, which name a buyer: whoever reads them types the password first."""

    template_name = "studio/notice.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not reauthentication.is_recent(request):
            return reauthentication.ask(request)
        return super().dispatch(request, *args, **kwargs)

    def get_facts(self) -> Facts:
        notice = self.object
        return [
            (_("Gateway"), gateway_words.label_of(notice.gateway)),
            (_("Number of the notice"), notice.notice_id),
            (_("Payment"), notice.reference),
            (_("Received"), notice.received_at),
            (_("Times"), notice.count),
            (_("Applied"), notice.applied_at),
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        try:
            headers, body = notices.read(self.object)
            words = body.decode(errors="replace")
        except CryptoError:
            headers, words = {}, gettext("It cannot be read any more: the key it was sealed with is gone.")
        payment = selectors.find_payment_by_reference(self.object.reference)
        return super().get_context_data(headers=headers, words=words, payment=payment, **kwargs)


class NoticeViewSet(ReadOnlyViewSet):
    """The list of notices."""

    model = ReceivedNotice
    name = "notices"
    icon = "mail"
    menu_label = _("Notices")
    inspect_view_class = NoticeDetail
    filterset_class = NoticeFilters
    search_fields = ["notice_id", "reference"]
    empty = _("No notice yet. What providers tell of payments and refunds is kept here, sealed, as it came.")
    list_display = [
        opens("notice_id", "notices", _("Number of the notice"), sort_key="notice_id"),
        Column(
            "gateway",
            label=_("Gateway"),
            sort_key="gateway",
            accessor=lambda notice: gateway_words.label_of(notice.gateway),
        ),
        Column("reference", label=_("Payment"), sort_key="reference"),
        Column("count", label=_("Times"), sort_key="count"),
        Column("received_at", label=_("Received"), sort_key="received_at"),
        Column("applied_at", label=_("Applied"), sort_key="applied_at"),
    ]
    list_export = ["gateway", "notice_id", "reference", "count", "received_at", "applied_at"]
    export_headings = {
        "reference": _("Payment"),
        "count": _("Times"),
        "received_at": _("Received"),
        "applied_at": _("Applied"),
    }
    export_filename = "notices"
