"""Lists of the back office: to look at, search, filter and download; never to edit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import DateRangePickerWidget, WagtailFilterSet
from wagtail.admin.ui.tables import Column
from wagtail.admin.views import generic
from wagtail.admin.viewsets.model import ModelViewSet

from sishu.ledger.models import Book
from sishu.web.spreadsheets import BYTE_ORDER_MARK, cell
from sishu.web.studio.policies import VIEW

# (label, value) pairs.
Facts = list[tuple[object, Any]]


def read(item: Any, path: str) -> Any:
    """The value at a dotted path of attributes; methods are called, and None ends the path."""
    for name in path.split("."):
        if item is None:
            return None
        item = getattr(item, name)
        item = item() if callable(item) else item
    return item


class MoneyColumn(Column):
    """Money as people write it."""

    def get_value(self, instance: Model) -> str:
        money = super().get_value(instance)
        return str(money) if money else ""


class BookColumn(Column):
    """Real or play money."""

    def __init__(self) -> None:
        super().__init__("book", label=_("Book"), sort_key="book")

    def get_value(self, instance: Model) -> str:
        return str(Book(super().get_value(instance)).label)


def opens(name: str, namespace: str, label: Any, **kwargs: Any) -> LinkColumn:
    """The first column of a list, which leads to the row's own page: opens("number", "orders", _("Order number"))."""
    return LinkColumn(name, url_name=f"{namespace}:inspect", target="pk", classname="title", label=label, **kwargs)


class LinkColumn(Column):
    """A value that leads to another row's page, whose key is read by the dotted path `target`."""

    cell_template_name = "studio/link_cell.html"

    def __init__(self, name: str, *, url_name: str, target: str, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self.url_name, self.target = url_name, target

    def get_cell_context_data(self, instance: Model, parent_context: Any) -> dict[str, Any]:
        context = super().get_cell_context_data(instance, parent_context)
        return {**context, "url": reverse(self.url_name, args=(read(instance, self.target),))}


def status_filter(model: Any) -> django_filters.MultipleChoiceFilter:
    """Any of a model's statuses."""
    return django_filters.MultipleChoiceFilter(
        label=_("Status"), choices=model.Status.choices, widget=forms.CheckboxSelectMultiple
    )


def date_filter(label: Any) -> django_filters.DateFromToRangeFilter:
    """From one day to another."""
    return django_filters.DateFromToRangeFilter(label=label, widget=DateRangePickerWidget)


def book_filter() -> django_filters.ChoiceFilter:
    """Real or play money."""
    return django_filters.ChoiceFilter(
        label=_("Book"), choices=Book.choices, empty_label=_("All"), widget=forms.RadioSelect
    )


class ListView(generic.IndexView):
    """What this person may look at. `list_export` holds dotted paths; money among them becomes a number."""

    any_permission_required = [VIEW]
    related: tuple[str, ...] = ()
    base_filterset_class = WagtailFilterSet
    table_classname = "listing fold"
    # What will stand here, for who finds nothing yet.
    empty: Any = ""

    @cached_property
    def no_results_message(self) -> str:
        is_narrowed = self.is_searching or self.is_filtering
        return super().no_results_message if is_narrowed or not self.empty else str(self.empty)

    def get_base_queryset(self) -> QuerySet[Any]:
        rows = self.permission_policy.instances_user_has_any_permission_for(self.request.user, {VIEW})
        return rows.select_related(*self.related)

    def search_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        found = super().search_queryset(queryset)
        return found.distinct() if self.is_searching else found  # a search may look through rows that hang on these

    def get_list_more_buttons(self, instance: Model) -> list[Any]:
        return []  # the title leads to the one page there is

    def to_row_dict(self, item: Model) -> dict[str, Any]:
        return {name: cell(read(item, name)) for name in self.list_export}

    def stream_csv(self, queryset: QuerySet[Any]) -> Iterator[bytes]:
        yield BYTE_ORDER_MARK.encode()
        yield from super().stream_csv(queryset)


class DetailView(generic.InspectView):
    """All about one row, for those who may look at it. Subclasses say what in `get_facts`."""

    any_permission_required = [VIEW]
    template_name = "studio/detail.html"
    # What one row is called; by default as the model says.
    row_name: Any = ""

    def say(self, row: Any) -> str:
        """One row in words."""
        return str(row)

    def get_page_subtitle(self) -> str:
        return self.say(self.object)

    def get_object(self, queryset: QuerySet[Any] | None = None) -> Any:
        found = super().get_object(queryset)
        if not self.user_has_permission_for_instance(VIEW, found):
            raise PermissionDenied
        return found

    def get_fields(self) -> list[str]:
        return []

    def get_page_title(self) -> str:
        return str(self.row_name or self.model._meta.verbose_name).capitalize()

    def get_facts(self) -> Facts:
        """(label, value) pairs for the top of the page."""
        return []

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(facts=self.get_facts(), **kwargs)


class ReadOnlyViewSet(ModelViewSet):
    """Index, results and one row. What would change a row has no address here, and the policy would refuse it."""

    index_view_class = ListView
    inspect_view_class = DetailView
    inspect_view_enabled = True
    copy_view_enabled = False
    add_to_reference_index = False
    search_backend_name = None
    list_per_page = 50
    # Never shown, but Wagtail asks for the form's fields.
    form_fields: list[str] = []
    # Foreign keys that the list shows.
    related: tuple[str, ...] = ()
    # What the list will hold, for who finds it empty.
    empty: Any = ""

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        absent = ("add", "edit", "delete", "history", "usage")
        return {**super().get_common_view_kwargs(**kwargs), **{f"{name}_url_name": None for name in absent}}

    def get_index_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_index_view_kwargs(
            related=self.related, page_title=self.menu_label, empty=self.empty, **kwargs
        )

    def get_urlpatterns(self) -> list[URLPattern]:
        conv = self.pk_path_converter
        return [
            path("", self.index_view, name="index"),
            path("results/", self.index_results_view, name="index_results"),
            path(f"inspect/<{conv}:pk>/", self.inspect_view, name="inspect"),
        ]

    def register_admin_url_finder(self) -> None:
        """There is no page to edit a row, so there is none to find."""
