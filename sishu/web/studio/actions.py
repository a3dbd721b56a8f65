"""Doing something to a row of the books: asked about on a page of its own, done by POST, each with its own permission."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib.auth.mixins import PermissionRequiredMixin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView
from wagtail.admin import messages
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.permissions import policy_registry

from sishu.accounts import roles
from sishu.accounts.models import User
from sishu.commerce import merchants, refunds, transfers
from sishu.commerce.models import Payment, Refund
from sishu.core.errors import DomainError
from sishu.web import reauthentication
from sishu.web.studio.lists import Facts
from sishu.web.studio.policies import VIEW


class ReasonForm(forms.Form):
    """Why: kept with what was done."""

    reason = forms.CharField(
        label=_("Reason"), max_length=300, help_text=_("Kept with the row, for whoever asks later.")
    )


class NoForm(forms.Form):
    """Nothing to fill in."""


class Action(PermissionRequiredMixin, WagtailAdminTemplateMixin, FormView):
    """Subclasses name `model`, `permission_required`, words, and say in `act` what is done."""

    model: ClassVar[type[Model]]
    form_class: type[forms.Form] = ReasonForm
    template_name = "studio/action.html"
    url_namespace = ""
    button = _("Do it")
    is_serious = False
    # What to think of before deciding, beside what will happen.
    caution: Any = ""
    # Whoever found somebody's browser open must not move money with it.
    needs_reauthentication: ClassVar[bool] = False
    object: Any

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not self.has_permission():
            raise PermissionDenied
        self.object = get_object_or_404(self.model, pk=kwargs["pk"])
        if not self.may_see():
            raise PermissionDenied
        try:
            self.check()
        except DomainError as error:
            messages.error(request, str(error))
            return redirect(self.get_success_url())
        if self.needs_reauthentication and not reauthentication.is_recent(request):
            return reauthentication.ask(request, self.get_form().fields)
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        said = reauthentication.take_up(request)
        if said is not None:
            self.initial = said
            messages.warning(request, gettext("Nothing was done yet. Look once more, then press the button."))
        return super().get(request, *args, **kwargs)

    def may_see(self) -> bool:
        """Whether this person may look at the row at all."""
        policy = policy_registry.get(self.object)
        return bool(policy.user_has_permission_for_instance(self.request.user, VIEW, self.object))

    def check(self) -> None:
        """DomainError for who may do this to other rows, but not to this one. The page is not even shown to them."""

    @property
    def person(self) -> User:
        """Who does it."""
        assert isinstance(self.request.user, User)  # noqa: S101  for the type checker: a stranger has no permission
        return self.request.user

    def act(self, **said: Any) -> str:
        """Do it, and return the sentence that tells so. A DomainError is shown as it is."""
        raise NotImplementedError

    def get_question(self) -> str:
        """What will happen, in one or two sentences."""
        raise NotImplementedError

    def get_facts(self) -> Facts:
        """(label, value) pairs that help to decide."""
        return []

    def get_success_url(self) -> str:
        return reverse(f"{self.url_namespace}:inspect", args=(self.object.pk,))

    def say(self, row: Any) -> str:
        """One row in words."""
        return str(row)

    def get_page_subtitle(self) -> str:
        return self.say(self.object)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        meta = self.model._meta
        return [
            *self.breadcrumbs_items,
            {"url": reverse(f"{self.url_namespace}:index"), "label": str(meta.verbose_name_plural).capitalize()},
            {"url": self.get_success_url(), "label": self.say(self.object)},
            {"url": "", "label": self.get_page_title()},
        ]

    def form_valid(self, form: forms.Form) -> HttpResponse:
        try:
            messages.success(self.request, self.act(**form.cleaned_data))
        except DomainError as error:
            messages.error(self.request, str(error))
        return redirect(self.get_success_url())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            question=self.get_question(), facts=self.get_facts(), button=self.button, is_serious=self.is_serious,
            caution=self.caution, back_url=self.get_success_url(), **kwargs,
        )  # fmt: skip


class RefundAction(Action):
    """Gives money back by the way it came. Subclasses say which money, and what happens with it."""

    permission_required = roles.REFUND_PAYMENT
    is_serious = True
    needs_reauthentication = True
    part: ClassVar[Refund.Part]
    nothing: Any = ""

    def find_payment(self) -> Payment | None:
        """The payment that holds the money, while it does."""
        raise NotImplementedError

    def describe(self, payment: Payment) -> str:
        """What will happen with the money of this payment."""
        raise NotImplementedError

    def get_question(self) -> str:
        payment = self.find_payment()
        return str(self.nothing) if payment is None else self.describe(payment)

    def act(self, **said: Any) -> str:
        payment = self.find_payment()
        if payment is None:
            raise refunds.NothingToRefund(str(self.nothing))
        check_gateway(payment)
        refund = refunds.refund(payment.pk, self.part, by=self.person, **said)
        self.after(refund)
        return refund_told(refund)

    def after(self, refund: Refund) -> None:
        """What else is done once the provider has spoken."""


def check_gateway(payment: Payment) -> None:
    """DomainError when the payment's gateway was taken out of the settings: nobody is there to be asked."""
    if payment.gateway not in merchants.names():
        raise DomainError(
            gettext("Gateway “%(gateway)s” is not among GATEWAYS any more. Put it back there to reach the provider.")
            % {"gateway": payment.gateway_label}
        )


def refund_told(refund: Refund) -> str:
    """What became of a refund, in a sentence."""
    facts = {"money": refund.money, "reference": refund.reference}
    if refund.status == Refund.Status.SUCCEEDED:
        return gettext("%(money)s went back.") % facts
    if refund.status == Refund.Status.PROPOSED:
        return gettext("%(money)s wait for a second person to agree.") % facts
    if refund.is_open and refund.payment.gateway == transfers.GATEWAY:
        told = gettext(
            "Refund %(reference)s of %(money)s is in the books. Now transfer the money back to where it came from, then press "
            "“It was sent” at the refund: only then is the buyer told."
        )
        return told % facts
    if refund.status == Refund.Status.PROCESSING:
        return gettext("%(money)s are on their way back.") % facts
    if refund.status == Refund.Status.FAILED:
        return gettext("The provider refused refund %(reference)s of %(money)s. A case is open about it.") % facts
    return (
        gettext("Refund %(reference)s of %(money)s is written down; the provider has not confirmed it. We keep asking.")
        % facts
    )
