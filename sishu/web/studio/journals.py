"""The ledger in the back office: what was posted, move by move."""

from __future__ import annotations

from typing import Any

import django_filters
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column

from sishu.commerce import ledger_words
from sishu.commerce.models import Order
from sishu.core.money import Money
from sishu.core.refs import parse_ref
from sishu.ledger.models import Book, Journal
from sishu.web.studio.lists import BookColumn, DetailView, Facts, ReadOnlyViewSet, book_filter, date_filter


def _kinds() -> list[tuple[str, str]]:
    kinds = Journal.objects.order_by("kind").values_list("kind", flat=True).distinct()
    return [(kind, ledger_words.kind_label(kind)) for kind in kinds]


def _kind(journal: Journal) -> str:
    return ledger_words.kind_label(journal.kind)


class JournalFilters(WagtailFilterSet):
    book = book_filter()
    kind = django_filters.ChoiceFilter(label=_("Kind"), empty_label=_("All"), choices=_kinds)
    posted_at = date_filter(_("Posted"))

    class Meta:
        model = Journal
        fields = ["book", "kind", "posted_at"]


class JournalDetail(DetailView):
    """One journal with its moves."""

    template_name = "studio/journal.html"
    row_name = _("Posting")

    def get_facts(self) -> Facts:
        journal = self.object
        return [
            (_("Book"), Book(journal.book).label),
            (_("Kind"), _kind(journal)),
            (_("About"), journal.ref),
            (_("Posted"), journal.posted_at),
            (_("Month"), journal.period),
            (_("Posted by"), journal.actor),
            (_("Digest"), journal.digest),
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        journal = self.object
        moves = [
            {
                "line": move.line,
                "code": move.code,
                "debit": ledger_words.account_label(move.debit.code),
                "credit": ledger_words.account_label(move.credit.code),
                "debit_code": move.debit.code,
                "credit_code": move.credit.code,
                "money": Money(move.amount, move.currency),
            }
            for move in journal.transfers.select_related("debit", "credit").order_by("line")
        ]
        noun, key = parse_ref(journal.ref)
        return super().get_context_data(
            moves=moves,
            order=Order.objects.filter(pk=key).first() if noun == "order" else None,
            reversal=Journal.objects.filter(reverses=journal).first(),
            **kwargs,
        )


class JournalViewSet(ReadOnlyViewSet):
    """The list of journals, newest first."""

    model = Journal
    name = "journals"
    icon = "table"
    menu_label = _("Ledger")
    ordering = "-id"
    inspect_view_class = JournalDetail
    filterset_class = JournalFilters
    search_fields = ["key", "ref"]
    list_display = [
        "key",
        Column("kind", label=_("Kind"), accessor=_kind, sort_key="kind"),
        Column("ref", label=_("About"), sort_key="ref"),
        BookColumn(),
        Column("posted_at", label=_("Posted"), sort_key="posted_at"),
    ]
    list_export = ["pk", "key", "kind", "ref", "book", "period", "posted_at", "digest"]
    export_headings = {
        "pk": _("Row"),
        "key": _("Posting key"),
        "kind": _("Kind"),
        "ref": _("About"),
        "book": _("Book"),
        "period": _("Month"),
        "posted_at": _("Posted"),
        "digest": _("Digest"),
    }
    export_filename = "journals"
