"""A creator's own payouts: the account they go to, what is on its way and what arrived, and asking for one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from sishu.accounts.forms import HouseForm
from sishu.accounts.models import User
from sishu.core import clock
from sishu.core.errors import DomainError, Missing
from sishu.core.money import Money, parse_decimal
from sishu.ledger.models import Book
from sishu.payouts import payees, payouts, selectors
from sishu.payouts.models import Method, PayeeAccount, Payout
from sishu.web import answers, reauthentication

MAX_PAYOUTS = 100


class PayeeForm(HouseForm, forms.Form):
    """Where a person is paid to."""

    helps = {
        "holder": _("Exactly as the bank or the provider has it."),
        "account": _(
            "The card or account number; for Alipay the e-mail or telephone number; for WeChat Pay the WeChat ID."
        ),
        "bank": _("For a bank account: bank and branch, abroad also IBAN or SWIFT. Otherwise leave it empty."),
    }
    method = forms.ChoiceField(label=_("How"), choices=Method.choices)
    holder = forms.CharField(label=_("Name of the holder"), max_length=100)
    account = forms.CharField(label=_("Account"), min_length=4, max_length=64)
    bank = forms.CharField(label=_("Bank and branch"), max_length=160, required=False)

    def clean_account(self) -> str:
        """As one word: people copy numbers in groups of four."""
        return "".join(self.cleaned_data["account"].split())

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if said.get("method") == Method.BANK and not said.get("bank"):
            self.add_error("bank", gettext("A transfer needs the bank and its branch."))
        return said


class PurseForm(forms.Form):
    """How much, out of which of a creator's purses."""

    purse = forms.ChoiceField(label=_("Out of"))
    amount = forms.CharField(label=_("Amount"), max_length=20)

    def __init__(self, purses: list[selectors.Purse], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        full = [purse for purse in purses if purse.payable]
        choice = self.fields["purse"]
        choice.choices = [(purse.key, purse_label(purse)) for purse in full]  # type: ignore[attr-defined]
        if len(full) == 1:
            choice.widget = forms.HiddenInput()
            self.initial = {"purse": full[0].key, "amount": full[0].payable.decimal(), **self.initial}

    @property
    def book(self) -> Book:
        """The chosen purse's. Of a valid form."""
        return Book(self.cleaned_data["purse"].partition(":")[0])

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if "purse" in said and "amount" in said:
            currency = said["purse"].partition(":")[2]
            try:
                said["money"] = Money(parse_decimal(said["amount"], currency), currency)
            except ValueError:
                self.add_error("amount", gettext("This is no amount in %(currency)s.") % {"currency": currency})
        return said


class RequestForm(HouseForm, PurseForm):
    """The same, as the house's pages look."""


def purse_label(purse: selectors.Purse) -> str:
    """A purse as a choice: what it holds, and whether that is money."""
    if purse.book == Book.SANDBOX:
        return gettext("%(money)s of play money, as a rehearsal") % {"money": purse.payable}
    return str(purse.payable)


@never_cache
@login_required
@answers.explain_refusals
def payee(request: HttpRequest) -> HttpResponse:
    """The account one is paid to, and changing it. The password comes first."""
    if not reauthentication.is_recent(request):
        return reauthentication.ask(request)  # and keeps nothing of a form: a session is no place for an account number
    if reauthentication.take_up(request) is not None:
        messages.warning(request, gettext("Nothing was changed yet. Fill the form in once more."))
    return _payee_page(request, PayeeForm()) if request.method != "POST" else _change(request)


def _change(request: HttpRequest) -> HttpResponse:
    form = PayeeForm(answers.read_body(request))
    if not form.is_valid():
        return _payee_page(request, form)
    said = form.cleaned_data
    details = payees.PayeeDetails(said["holder"], said["account"], said["bank"])
    payees.change(_signed_in(request), Method(said["method"]), details)
    messages.success(request, gettext("The account is kept, sealed. A mail about it is on its way to you."))
    return redirect("payee")


def _payee_page(request: HttpRequest, form: PayeeForm) -> HttpResponse:
    account = PayeeAccount.objects.filter(user=_signed_in(request)).first()
    ready_at = payees.ready_at(account) if account else None
    facts = {"form": form, "account": account, "ready_at": ready_at if ready_at and ready_at > clock.now() else None}
    return render(request, "payouts/payee.html", facts, status=422 if form.errors else 200)


@never_cache
@login_required
@answers.explain_refusals
def own_payouts(request: HttpRequest) -> HttpResponse:
    """What was paid out and what is on its way; POST asks for a payout."""
    user = _signed_in(request)
    purses = selectors.purses_of(user)
    if request.method != "POST":
        return _payouts_page(request, purses, RequestForm(purses))
    form = RequestForm(purses, answers.read_body(request))
    if not form.is_valid():
        return _payouts_page(request, purses, form)
    try:
        payout = payouts.request(user, form.cleaned_data["money"], by=user, book=form.book)
    except DomainError as error:
        form.add_error(None, str(error))
        return _payouts_page(request, purses, form)
    messages.success(
        request, gettext("%(money)s are on their way; another person looks at it first.") % {"money": payout.money}
    )
    return redirect("payouts")


def _payouts_page(request: HttpRequest, purses: list[selectors.Purse], form: RequestForm) -> HttpResponse:
    user = _signed_in(request)
    facts = {
        "purses": purses,
        "form": form if any(purse.payable and not purse.in_transit for purse in purses) or form.errors else None,
        "account": PayeeAccount.objects.filter(user=user).first(),
        "payouts": user.payouts.all()[:MAX_PAYOUTS],
    }
    return render(request, "payouts/payouts.html", facts, status=422 if form.errors else 200)


@never_cache
@login_required
@require_POST
@answers.explain_refusals
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """End one's own request while nobody has approved it."""
    user = _signed_in(request)
    if not Payout.objects.filter(pk=pk, payee=user).exists():
        raise Missing(gettext("There is no such payout."))
    payouts.reject(pk, reason=gettext("taken back by the creator"), by=user)
    messages.success(request, gettext("Taken back. The money can be paid out again."))
    return redirect("payouts")


def _signed_in(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


urlpatterns = [
    path("account/payee", payee, name="payee"),
    path("account/payouts", own_payouts, name="payouts"),
    path("account/payouts/<int:pk>/take-back", take_back, name="payout_take_back"),
]
