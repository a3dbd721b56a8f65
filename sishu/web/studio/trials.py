"""Trying a gateway in the studio: the owner buys nothing for a very small sum, pays with their own app, and gets it back."""

from __future__ import annotations

from typing import Any

import segno
from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView
from wagtail.admin import messages
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from sishu.accounts import roles
from sishu.accounts.models import User
from sishu.commerce import gateway_words, merchants, trials
from sishu.commerce.models import TrialPurchase
from sishu.core import addresses
from sishu.core.errors import DomainError
from sishu.core.money import Money
from sishu.gateways.base import Redirect, ScanCode
from sishu.ledger.models import Book
from sishu.web import reauthentication

Status = TrialPurchase.Status
# Seconds after which the page asks again.
ASK_EVERY = 4


class AmountForm(forms.Form):
    """How much: the least there is, unless the provider takes no so little."""

    amount = forms.TypedChoiceField(label=_("Amount"), coerce=int, widget=forms.RadioSelect)

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(amount, str(Money(amount, currency))) for amount in trials.AMOUNTS]
        self.fields["amount"].choices = choices  # type: ignore[attr-defined]
        self.fields["amount"].initial = trials.AMOUNTS[0]
        self.fields["amount"].help_text = _("Some providers take no payment as small as the first.")


class TrialView(WagtailAdminTemplateMixin, FormView):
    """GET shows the last trial of a gateway, step by step, and goes on with it; POST begins another."""

    template_name = "studio/trial.html"
    form_class = AmountForm
    header_icon = "key"
    name: str

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.has_perm(roles.CHANGE_MERCHANT_KEYS):
            raise PermissionDenied
        self.name = kwargs["gateway"]
        if self.name not in merchants.names():
            raise Http404
        if request.method == "POST" and not reauthentication.is_recent(request):
            return reauthentication.ask(request, ["amount"])
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        said = reauthentication.take_up(request)
        if said is not None:
            self.initial = said
            messages.warning(request, gettext("Nothing was done yet. Look once more, then press the button."))
        return super().get(request, *args, **kwargs)

    def get_page_title(self) -> str:
        return gettext("Try %(gateway)s") % {"gateway": gateway_words.label_of(self.name)}

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse("merchants:index"), "label": gettext("Merchant keys")},
            {"url": reverse("merchants:keys", args=(self.name,)), "label": gateway_words.label_of(self.name)},
            {"url": "", "label": self.get_page_title()},
        ]

    def get_form_kwargs(self) -> dict[str, Any]:
        currency = "" if merchants.problem(self.name) else trials.currency_of(merchants.gateway(self.name))
        return {**super().get_form_kwargs(), "currency": currency}

    def form_valid(self, form: AmountForm) -> HttpResponse:
        assert isinstance(self.request.user, User)  # noqa: S101  for the type checker: a stranger has no permission
        try:
            trials.begin(self.name, form.cleaned_data["amount"], by=self.request.user)
        except DomainError as error:
            form.add_error(None, str(error))
            return self.form_invalid(form)
        return redirect("merchants:trial", self.name)

    def form_invalid(self, form: AmountForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        facts: dict[str, Any] = {"gateway": self.name, "problem": merchants.problem(self.name), "ask_every": ASK_EVERY}
        trial = trials.find_latest(self.name)
        if trial is not None:
            facts |= go_on(trial, addresses.absolute(reverse("merchants:trial", args=(self.name,))))
        if not facts["problem"]:
            facts["is_live"] = merchants.gateway(self.name).book == Book.LIVE
        return super().get_context_data(**facts, **kwargs)


def go_on(trial: TrialPurchase, return_url: str) -> dict[str, Any]:
    """Take a trial as far as it goes now: what it is at, what is to be done to pay, and why it goes no further."""
    found: dict[str, Any] = {"trouble": ""}
    try:
        if trial.status in (Status.PENDING, Status.CAPTURED):
            trial = trials.follow(trial)
        if trial.status == Status.PENDING:
            found |= _ways(trials.start(trial, return_url=return_url).instruction)
    except trials.TrialFailed as error:
        found["trouble"] = str(error)
        trial.refresh_from_db()
    is_going = trial.status in (Status.PENDING, Status.CAPTURED) and not found["trouble"]
    return {**found, "trial": trial, "is_going": is_going}


def _ways(instruction: object) -> dict[str, Any]:
    if isinstance(instruction, Redirect):
        return {"pay_url": instruction.url}
    if isinstance(instruction, ScanCode):
        return {"code": segno.make(instruction.text, error="m").svg_data_uri(scale=5, border=4, light="#fff")}
    return {}
