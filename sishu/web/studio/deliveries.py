"""Deliveries of facts in the back office: which reaction is done, which keeps failing."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column

from sishu.outbox import relay
from sishu.outbox.models import Delivery
from sishu.web.studio.lists import DetailView, Facts, ReadOnlyViewSet


class DeliveryFilters(WagtailFilterSet):
    failing = django_filters.BooleanFilter(label=_("Failing"), method="filter_failing")

    class Meta:
        model = Delivery
        fields: list[str] = []

    def filter_failing(self, rows: QuerySet[Delivery], _name: str, is_failing: bool) -> QuerySet[Delivery]:
        failing = relay.failing().values("pk")
        return rows.filter(pk__in=failing) if is_failing else rows.exclude(pk__in=failing)


class DeliveryDetail(DetailView):
    """One reaction to one fact."""

    def get_facts(self) -> Facts:
        delivery = self.object
        return [
            (_("Fact"), delivery.fact.name),
            (_("Reaction"), delivery.reaction),
            (_("Attempts"), delivery.attempts),
            (_("Since"), delivery.fact.created_at),
            (_("Done"), delivery.done_at),
            (_("Next attempt"), None if delivery.done_at else delivery.next_attempt_at),
            (_("Last error"), format_html("<pre>{}</pre>", delivery.last_error)),
        ]


class DeliveryViewSet(ReadOnlyViewSet):
    """The list of deliveries, newest first."""

    model = Delivery
    name = "deliveries"
    icon = "mail"
    menu_label = _("Deliveries")
    ordering = "-id"
    inspect_view_class = DeliveryDetail
    filterset_class = DeliveryFilters
    search_fields = ["reaction", "fact__name"]
    related = ("fact",)
    list_display = [
        "reaction",
        Column("fact.name", label=_("Fact"), sort_key="fact__name"),
        Column("attempts", label=_("Attempts"), sort_key="attempts"),
        Column("fact.created_at", label=_("Since"), sort_key="fact__created_at"),
        Column("done_at", label=_("Done"), sort_key="done_at"),
    ]
