"""Payouts in the back office: asked for, approved by a second person, transferred at the bank, written down."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.timezone import localdate
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column
from wagtail.admin.widgets.button import HeaderButton

from sishu.accounts import roles
from sishu.core import clock, crypto
from sishu.core.errors import NotAllowed
from sishu.ledger.models import Book
from sishu.payouts import payees, payouts, selectors
from sishu.payouts.models import PayeeAccount, Payout
from sishu.web.studio.actions import Action, NoForm
from sishu.web.studio.lists import (
    BookColumn,
    DetailView,
    Facts,
    MoneyColumn,
    ReadOnlyViewSet,
    book_filter,
    date_filter,
    opens,
    status_filter,
)

CAUTION = _(
    "Before you decide: in mainland China, taking money in for third parties and paying it on to them yourself can count "
    "as clearing payments without a licence (“二清”). The licensed ways let the provider split the money: profit sharing "
    "(分账), Alipay’s 直付通, WeChat Pay’s 收付通. Where a payee is a third party, ask the provider or a lawyer first."
)
Status = Payout.Status
# status → what can be done from there, by its address.
STEPS: dict[str, tuple[tuple[str, Any, str], ...]] = {
    Status.REQUESTED: (("approve", _("Approve"), "check"), ("reject", _("Reject"), "cross")),
    Status.APPROVED: (
        ("settle", _("Mark as paid"), "check"),
        ("fail", _("It did not arrive"), "warning"),
        ("reject", _("Reject"), "cross"),
    ),
    Status.PAID: (("fail", _("It came back"), "warning"),),
}
# step → whether a person may take it: asked for the button, the page and the deed.
CHECKS = {
    "approve": payouts.check_approve,
    "settle": payouts.check_settle,
    "reject": payouts.check_reject,
    "fail": payouts.check_fail,
}


class PayoutFilters(WagtailFilterSet):
    status = status_filter(Payout)
    created_at = date_filter(_("Asked for"))
    book = book_filter()

    class Meta:
        model = Payout
        fields = ["status", "created_at", "book"]


class PayoutDetail(DetailView):
    """One payout, with its timeline."""

    template_name = "studio/payout.html"

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        if not self.request.user.has_perm(roles.APPROVE_PAYOUT):
            return []
        return [
            HeaderButton(label, url=reverse(f"payouts:{name}", args=(self.object.pk,)), icon_name=icon)
            for name, label, icon in STEPS.get(self.object.status, ())
            if _may_take(name, self.object, self.request.user)
        ]

    def get_facts(self) -> Facts:
        return [*facts_of(self.object), (_("Status"), self.object.get_status_display())]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        person = self.request.user
        is_barred = person.has_perm(roles.APPROVE_PAYOUT) and any(
            not _may_take(name, self.object, person) for name, _label, _icon in STEPS.get(self.object.status, ())
        )
        return super().get_context_data(events=selectors.timeline(self.object), is_barred=is_barred, **kwargs)


class PayoutAction(Action):
    """One step of a payout, by who looks after the money."""

    model = Payout
    permission_required = roles.APPROVE_PAYOUT
    url_namespace = "payouts"
    step: ClassVar[str]

    def check(self) -> None:
        CHECKS[self.step](self.object, self.person)

    def get_facts(self) -> Facts:
        return facts_of(self.object)


class ApprovePayout(PayoutAction):
    """Agree that a payout is made: another person than who asked, and not who gets it."""

    step = "approve"
    needs_reauthentication = True
    form_class = NoForm
    page_title = _("Approve")
    button = _("Approve the payout")
    caution = CAUTION

    def get_question(self) -> str:
        return gettext(
            "You agree that %(money)s are paid to %(payee)s. Nothing is sent by itself: somebody then makes the transfer "
            "at the bank and writes its reference down here."
        ) % {"money": self.object.money, "payee": self.object.payee.name}

    def act(self, **said: Any) -> str:
        payout = payouts.approve(self.object.pk, by=self.person)
        return gettext("Approved. %(money)s can be transferred now.") % {"money": payout.money}


class ProofForm(forms.Form):
    """What shows that the money left."""

    proof = forms.CharField(
        label=_("Bank’s reference"), max_length=120, help_text=_("The number under which the bank knows the transfer.")
    )
    paid_on = forms.DateField(label=_("Paid on"), widget=forms.DateInput(attrs={"type": "date"}))


class SettlePayout(PayoutAction):
    """Write down that the money was transferred."""

    step = "settle"
    needs_reauthentication = True
    form_class = ProofForm
    page_title = _("Mark as paid")
    button = _("It is paid")
    is_serious = True
    caution = CAUTION

    def get_initial(self) -> dict[str, Any]:
        return {"paid_on": localdate(clock.now()).isoformat(), **super().get_initial()}

    def get_question(self) -> str:
        if self.object.is_rehearsal:
            return gettext("This is a rehearsal with play money: transfer nothing. Any reference will do.")
        return gettext("Transfer %(money)s at your bank to the account below; then write down its reference here.") % {
            "money": self.object.money
        }

    def get_facts(self) -> Facts:
        if self.object.status != Status.APPROVED:
            return facts_of(self.object)
        try:
            details = payees.read(self.object)
        except crypto.CryptoError as error:
            return [*facts_of(self.object), (_("The account cannot be read"), error)]
        return [
            *facts_of(self.object),
            (_("Name of the holder"), details.holder),
            (_("Account"), details.account),
            (_("Bank and branch"), details.bank),
        ]

    def act(self, **said: Any) -> str:
        payout = payouts.settle(self.object.pk, proof=said["proof"], paid_on=said["paid_on"], by=self.person)
        return gettext("Written down: %(money)s were paid under %(proof)s.") % {
            "money": payout.money,
            "proof": payout.proof,
        }


class RejectPayout(PayoutAction):
    """Do not pay it."""

    step = "reject"
    page_title = _("Reject")
    button = _("Reject the payout")

    def get_question(self) -> str:
        return gettext("%(money)s are not paid, and can be paid out again. %(payee)s has a mail with your reason.") % {
            "money": self.object.money,
            "payee": self.object.payee.name,
        }

    def act(self, **said: Any) -> str:
        payout = payouts.reject(self.object.pk, reason=said["reason"], by=self.person)
        return gettext("Rejected. %(money)s can be paid out again.") % {"money": payout.money}


class FailPayout(PayoutAction):
    """The bank could not make it, or sent the money back."""

    step = "fail"
    needs_reauthentication = True
    page_title = _("It did not arrive")
    button = _("The money is back")
    is_serious = True

    def get_question(self) -> str:
        return gettext(
            "Only once the money is on the bank account of the house again, or never left it: %(money)s can then be paid "
            "out anew. %(payee)s has a mail with your reason."
        ) % {"money": self.object.money, "payee": self.object.payee.name}

    def act(self, **said: Any) -> str:
        payout = payouts.fail(self.object.pk, reason=said["reason"], by=self.person)
        return gettext("Written down. %(money)s can be paid out again.") % {"money": payout.money}


class PayoutViewSet(ReadOnlyViewSet):
    """The list of payouts."""

    model = Payout
    name = "payouts"
    icon = "arrow-right-full"
    menu_label = _("Payouts")
    inspect_view_class = PayoutDetail
    filterset_class = PayoutFilters
    search_fields = ["reference", "proof", "payee__username", "payee__display_name", "payee__email"]
    related = ("payee", "requested_by", "approved_by")
    empty = _("No payout yet. Creators ask for one under Payouts, or you do under Owed to creators.")
    list_display = [
        opens("reference", "payouts", _("Payout number"), sort_key="reference"),
        Column("payee.name", label=_("Payee"), sort_key="payee__username"),
        MoneyColumn("money", label=_("Amount"), sort_key="amount"),
        Column("get_status_display", label=_("Status"), sort_key="status"),
        Column("tail", label=_("Account")),
        BookColumn(),
        Column("requested_by.name", label=_("Requested by")),
        Column("approved_by.name", label=_("Approved by")),
        Column("created_at", label=_("Asked for"), sort_key="created_at"),
        Column("paid_on", label=_("Paid on"), sort_key="paid_on"),
    ]
    list_export = [
        "reference", "payee.username", "money", "currency", "get_status_display", "method", "tail", "book", "proof",
        "paid_on", "requested_by.username", "approved_by.username", "created_at", "reason",
    ]  # fmt: skip
    export_headings = {
        "payee.username": _("Payee"),
        "money": _("Amount"),
        "get_status_display": _("Status"),
        "tail": _("Account"),
        "requested_by.username": _("Requested by"),
        "approved_by.username": _("Approved by"),
        "created_at": _("Asked for"),
    }
    export_filename = "payouts"

    def get_urlpatterns(self) -> list[URLPattern]:
        steps = (ApprovePayout, SettlePayout, RejectPayout, FailPayout)
        return [
            *super().get_urlpatterns(),
            *(path(f"{view.step}/<int:pk>/", view.as_view(), name=view.step) for view in steps),
        ]


def _may_take(step: str, payout: Payout, person: Any) -> bool:
    """Whether a person may take that step, also for their own part in the payout."""
    try:
        CHECKS[step](payout, person)
    except NotAllowed:
        return False
    return True


def facts_of(payout: Payout) -> Facts:
    """What to know of a payout before deciding; of the account its end only."""
    now = PayeeAccount.objects.filter(user=payout.payee_id).first()
    changed = _("changed since; this payout goes to the one it was asked for with")
    return [
        (_("Payee"), f"{payout.payee.name} ({payout.payee.username}, {payout.payee.email})"),
        (_("Amount"), payout.money),
        (_("Book"), Book(payout.book).label),
        (_("Rehearsal"), _("Play money: nothing leaves any bank.") if payout.is_rehearsal else ""),
        (_("Account"), f"{payout.get_method_display()} {payout.tail}"),
        (_("The payee’s account"), changed if now and now.version != payout.account_version else ""),
        (_("Requested by"), payout.requested_by.name),
        (_("Approved by"), payout.approved_by.name if payout.approved_by else ""),
        (_("Bank’s reference"), payout.proof),
        (_("Paid on"), payout.paid_on),
        (_("Reason"), payout.reason),
    ]
