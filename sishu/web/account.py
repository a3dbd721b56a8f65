"""One's own account: name, language, address, tokens of programs."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from allauth.decorators import rate_limit
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from sishu.accounts import addresses, forms, selectors, tokens
from sishu.accounts.models import ApiToken, User
from sishu.web import answers


@never_cache
@login_required
@answers.explain_refusals
def account(request: HttpRequest) -> HttpResponse:
    """A person's settings: name, language, address, password, tokens."""
    form = forms.ProfileForm(request.POST or None, instance=_signed_in(request))
    if request.method == "POST" and answers.read_body(request) and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("account")
    return _account_page(request, profile=form)


@never_cache
@login_required
@answers.explain_refusals
def change_email(request: HttpRequest) -> HttpResponse:
    """Begin to use another address."""
    return _change_email(request) if request.method == "POST" else redirect("account")


@reauthentication_required
@rate_limit(action="manage_email")
def _change_email(request: HttpRequest) -> HttpResponse:
    form = forms.EmailForm(user=request.user, data=answers.read_body(request))
    if not form.is_valid():
        return _account_page(request, email=form)
    form.save(request)
    return redirect("account_email_verification_sent")


@never_cache
@login_required
@answers.explain_refusals
def issue_token(request: HttpRequest) -> HttpResponse:
    """Make a token, and show its secret this once."""
    return _issue_token(request) if request.method == "POST" else redirect("account")


@reauthentication_required
def _issue_token(request: HttpRequest) -> HttpResponse:
    form = forms.TokenForm(answers.read_body(request))
    if not form.is_valid():
        return _account_page(request, new_token=form)
    token, secret = tokens.issue(_signed_in(request), form.cleaned_data["name"], scope=form.cleaned_data["scope"])
    return render(request, "joining/token.html", {"token": token, "secret": secret})


@never_cache
@login_required
@require_POST
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of one's own tokens."""
    tokens.revoke(get_object_or_404(ApiToken, pk=pk, user=_signed_in(request)))
    messages.success(request, _("The token is revoked. Programs that use it are refused from now on."))
    return redirect("account")


def _signed_in(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def _account_page(request: HttpRequest, **bound: BaseForm) -> HttpResponse:
    user = _signed_in(request)
    page = {
        "profile": forms.ProfileForm(instance=user),
        "email": forms.EmailForm(user=user),
        "new_token": forms.TokenForm(),
        **bound,
        "verified": selectors.has_verified_email(user),
        "address": addresses.find_unverified(user),
        "tokens": ApiToken.objects.filter(user=user, revoked_at=None).order_by("-created_at"),
    }
    status = 422 if any(form.errors for form in bound.values()) else 200
    return render(request, "joining/account.html", page, status=status)


urlpatterns = [
    path("account", account, name="account"),
    path("account/email", change_email, name="account_email"),
    path("account/tokens", issue_token, name="account_tokens"),
    path("account/tokens/<int:pk>/revoke", revoke_token, name="account_token_revoke"),
]
