"""Cases in the back office: what waits for a person, what to know about it, and the ruling."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import Model
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column
from wagtail.admin.widgets.button import HeaderButton

from sishu.accounts import roles
from sishu.commerce import case_words, selectors
from sishu.commerce.models import BillLine, Payment, Refund
from sishu.commerce.reconcile import KIND as RECONCILIATION
from sishu.content.first_checks import REVIEW
from sishu.core.errors import NotAllowed
from sishu.core.refs import parse_ref
from sishu.moderation import cases, checks
from sishu.moderation.models import Case, Decision
from sishu.web.spreadsheets import cell
from sishu.web.studio.actions import Action, NoForm, RefundAction
from sishu.web.studio.lists import DetailView, Facts, ListView, ReadOnlyViewSet, date_filter, opens, status_filter

UNAPPLIED, PROPOSED = "unapplied", "refund_proposed"
KINDS = (
    REVIEW, UNAPPLIED, PROPOSED, "foreign_refund", "refund_failed", "dispute", RECONCILIATION, "unknown_payment",
    "former_account",
)  # fmt: skip


def _kinds() -> list[tuple[str, str]]:
    return [(kind, case_words.kind_label(kind)) for kind in KINDS]


class CaseFilters(WagtailFilterSet):
    status = status_filter(Case)
    kind = django_filters.MultipleChoiceFilter(label=_("Question"), choices=_kinds, widget=forms.CheckboxSelectMultiple)
    opened_at = date_filter(_("Opened"))

    class Meta:
        model = Case
        fields = ["status", "kind", "opened_at"]


class CaseList(ListView):
    """Of each case also what is known about it, in the reader's words."""

    def to_row_dict(self, item: Model) -> dict[str, Any]:
        row = super().to_row_dict(item)
        return {**row, "note": cell(case_words.remark(item))}  # type: ignore[arg-type]


def in_words(case: Case) -> str:
    """A case by its question, and a number by which people can talk about it."""
    return f"{case_words.kind_label(case.kind)} #{case.pk}"


class CaseWords:
    """For the views of one case."""

    def say(self, row: Any) -> str:
        """One row in words."""
        return in_words(row)


class CaseDetail(CaseWords, DetailView):
    """One case."""

    template_name = "studio/case.html"

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        case = self.object
        if case.status != Case.Status.OPEN:
            return []
        if case.kind == REVIEW:
            url = reverse("wagtailadmin_pages:edit", args=(parse_ref(case.ref)[1],))
            return [HeaderButton(gettext("Judge the work"), url=url, icon_name="edit")]
        if not self.request.user.has_perm(roles.REFUND_PAYMENT):
            return []
        if case.kind == PROPOSED:
            url = reverse("refunds:inspect", args=(parse_ref(case.ref)[1],))
            return [HeaderButton(gettext("See the refund"), url=url, icon_name="resubmit")]
        buttons = [
            HeaderButton(gettext("Decide"), url=reverse("cases:decide", args=(case.pk,)), icon_name="tick-inverse")
        ]
        if case.owner_id != self.request.user.pk:
            url = reverse("cases:take", args=(case.pk,))
            buttons.append(HeaderButton(gettext("I look after it"), url=url, icon_name="user"))
        if case.kind == UNAPPLIED and _unapplied_payment(case):
            url = reverse("cases:give_back", args=(case.pk,))
            buttons.append(HeaderButton(gettext("Give back"), url=url, icon_name="resubmit"))
        return buttons

    def get_facts(self) -> Facts:
        case = self.object
        return [
            (_("Question"), case_words.kind_label(case.kind)),
            (_("About"), "" if selectors.find_payment(case.ref) or _bill_of(case) else case.ref),
            (_("Status"), case.get_status_display()),
            (_("Remark"), case_words.remark(case)),
            (_("Looked after by"), case.owner.name if case.owner else ""),
            (_("Opened"), case.opened_at),
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            payment=selectors.find_payment(self.object.ref),
            bill=_bill_of(self.object),
            findings=[checks.describe(finding["code"], finding["data"]) for finding in self.object.findings],
            decisions=self.object.decisions.select_related("who"),
            **kwargs,
        )


class TakeCase(CaseWords, Action):
    """Say that one looks after a case, so that no two people do."""

    model = Case
    permission_required = roles.REFUND_PAYMENT
    form_class = NoForm
    url_namespace = "cases"
    page_title = _("Look after the case")
    button = _("I look after it")

    def get_question(self) -> str:
        owner = self.object.owner
        if owner is None:
            return gettext("Nobody looks after this case yet.")
        return gettext("%(name)s looks after this case; from now on you do.") % {"name": owner.name}

    def act(self, **said: Any) -> str:
        cases.take(self.object, self.person)
        return gettext("You look after this case.")


class DecideCase(CaseWords, Action):
    """Close a case about money with a reason. What moves money has a button of its own."""

    model = Case
    permission_required = roles.REFUND_PAYMENT
    url_namespace = "cases"
    page_title = _("Decide")
    button = _("Close the case")

    def get_question(self) -> str:
        return gettext("The case is closed, and your reason stays with it for good. No money moves.")

    def get_facts(self) -> Facts:
        case = self.object
        return [(_("Question"), case_words.kind_label(case.kind)), (_("Remark"), case_words.remark(case))]

    def act(self, **said: Any) -> str:
        _refuse_review(self.object)
        cases.decide(self.object, Decision.Outcome.SETTLED, who=self.person, reason=said["reason"])
        return gettext("The case is closed.")


class GiveBack(CaseWords, RefundAction):
    """Give back money that bought nothing; the case closes with it."""

    model = Case
    part = Refund.Part.UNAPPLIED
    url_namespace = "cases"
    page_title = _("Give back")
    button = _("Give back")
    nothing = _("This payment holds nothing to give back.")

    def find_payment(self) -> Payment | None:
        return _unapplied_payment(self.object)

    def describe(self, payment: Payment) -> str:
        money = selectors.refundable_part(payment, Refund.Part.UNAPPLIED)
        return gettext(
            "%(money)s that bought nothing go back to %(buyer)s. What %(number)s bought stays open. "
            "This cannot be undone."
        ) % {"money": money, "buyer": payment.order.user.name, "number": payment.order.number}

    def get_facts(self) -> Facts:
        return [(_("Remark"), case_words.remark(self.object))]

    def act(self, **said: Any) -> str:
        _refuse_review(self.object)
        return super().act(**said)

    def after(self, refund: Refund) -> None:
        self.object.refresh_from_db()
        if refund.status == Refund.Status.SUCCEEDED and self.object.status == Case.Status.OPEN:
            cases.decide(self.object, Decision.Outcome.SETTLED, who=self.person, reason=refund.reason)


class CaseViewSet(ReadOnlyViewSet):
    """The list of cases, those that wait first."""

    model = Case
    name = "cases"
    icon = "warning"
    menu_label = _("Cases")
    inspect_view_class = CaseDetail
    filterset_class = CaseFilters
    index_view_class = CaseList
    search_fields = ["ref", "note", "data__reference", "data__order"]
    list_display = [
        opens("kind", "cases", _("Question"), accessor=in_words, sort_key="kind"),
        Column("get_status_display", label=_("Status"), sort_key="status"),
        Column("note", label=_("Remark"), accessor=case_words.remark),
        Column("owner.name", label=_("Looked after by")),
        Column("opened_at", label=_("Opened"), sort_key="opened_at"),
    ]
    related = ("owner",)
    empty = _("Nothing waits for a decision. When money does something that no rule may decide, a case stands here.")
    list_export = ["pk", "ref", "kind", "get_status_display", "note", "opened_at"]
    export_headings = {
        "pk": _("Row"),
        "ref": _("About"),
        "kind": _("Question"),
        "get_status_display": _("Status"),
        "note": _("Remark"),
        "opened_at": _("Opened"),
    }
    export_filename = "cases"

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("take/<int:pk>/", TakeCase.as_view(), name="take"),
            path("decide/<int:pk>/", DecideCase.as_view(), name="decide"),
            path("give-back/<int:pk>/", GiveBack.as_view(), name="give_back"),
        ]


def _unapplied_payment(case: Case) -> Payment | None:
    """The payment of the case, while it holds money that bought nothing."""
    payment = selectors.find_payment(case.ref)
    return payment if payment and selectors.refundable_part(payment, Refund.Part.UNAPPLIED) else None


def _bill_of(case: Case) -> int | None:
    """The row of the bill that a case is about."""
    noun, key = parse_ref(case.ref)
    if noun == "bill":
        return int(key)
    return BillLine.objects.filter(pk=key).values_list("bill_id", flat=True).first() if noun == "billline" else None


def _refuse_review(case: Case) -> None:
    if case.kind == PROPOSED:
        raise NotAllowed(gettext("This closes by itself once the refund is approved or rejected."))
    if case.kind == REVIEW:
        raise NotAllowed(gettext("A review is decided where the work is read: approve it there, or send it back."))
