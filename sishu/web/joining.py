"""Coming in, staying known, going out: sign-up, sign-in, verification, passwords and one's own account.

The flows are allauth's, and so are the names of the addresses; pages, words and the JSON voice are ours.
"""

from __future__ import annotations

from typing import Any

from allauth.account import views as allauth
from allauth.account.decorators import reauthentication_required
from allauth.decorators import rate_limit
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, re_path, reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from sishu.accounts import addresses, forms, selectors, signin, tokens
from sishu.accounts.models import ApiToken, User
from sishu.web import answers


class TwoVoices:
    """Mixed into allauth's form views: reads forms and JSON, refuses in the client's voice, and never with 200."""

    request: HttpRequest

    @method_decorator(answers.explain_refusals)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if answers.wants_json(request):
            return answers.message(request, _("Send the fields by POST."), csrf_token=get_token(request))
        return super().get(request, *args, **kwargs)  # type: ignore[misc]

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs = super().get_form_kwargs()  # type: ignore[misc]
        if self.request.method == "POST":
            kwargs["data"] = self.read()
        return kwargs

    def read(self) -> Any:
        return answers.read_body(self.request)

    def form_invalid(self, form: BaseForm) -> HttpResponse:
        limited = any(signin.is_limited(error) for errors in form.errors.as_data().values() for error in errors)
        status = 429 if limited else 422
        if answers.wants_json(self.request):
            errors = answers.form_errors(form)
            first = next(iter(errors.values()))[0]
            response: HttpResponse = answers.problem(status, answers.TITLES[status], first, "invalid", errors)
        else:
            response = self.render_to_response(self.get_context_data(form=form))  # type: ignore[attr-defined]
            response.status_code = status
        if limited:
            response["Retry-After"] = "300"
        return response


class Entrance(TwoVoices):
    """A page sends people who are signed in on their way; a program that sends a name and a password means it."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "POST" and answers.wants_json(request):
            request.user = AnonymousUser()
        return super().dispatch(request, *args, **kwargs)


class Register(Entrance, allauth.SignupView):
    """A person signs in by signing up; a program gets its answer and signs in when it likes."""

    template_name = "joining/register.html"
    form_class = forms.SignupForm

    def form_valid(self, form: forms.SignupForm) -> HttpResponse:
        try:
            with transaction.atomic():
                return self.answer_program(form) if answers.wants_json(self.request) else super().form_valid(form)
        except IntegrityError:
            # Somebody took the name or the address between our look and our insert.
            form.add_error(None, _("Someone just took this name or address. Try another one."))
            return self.form_invalid(form)

    def answer_program(self, form: forms.SignupForm) -> HttpResponse:
        user, _page = form.try_save(self.request)
        if user is not None:
            addresses.send_verification(self.request, user, signup=True)
        return answers.message(self.request, _("Signed up."), 201, username=form.cleaned_data["username"])


class Login(Entrance, allauth.LoginView):
    """By user name or e-mail address. JSON clients may call the field `login`, `username` or `email`."""

    template_name = "joining/login.html"
    form_class = forms.LoginForm

    def read(self) -> Any:
        data = super().read().copy()
        data.setdefault("login", data.get("username") or data.get("email") or "")
        return data

    def form_valid(self, form: forms.LoginForm) -> HttpResponse:
        response = super().form_valid(form)
        if not answers.wants_json(self.request):
            return response
        user = form.user
        return answers.message(
            self.request, _("Signed in."), username=user.username, name=user.name, csrf_token=get_token(self.request)
        )

    def form_invalid(self, form: BaseForm) -> HttpResponse:
        response = super().form_invalid(form)
        if response.status_code == 422 and form.has_error("__all__") and answers.wants_json(self.request):
            return answers.problem(401, answers.TITLES[401], signin.NO_MATCH, "no_match")
        return response


@method_decorator(never_cache, name="dispatch")
class Logout(allauth.LogoutView):
    """GET asks, POST does: a link must not sign anybody out."""

    template_name = "joining/logout.html"

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().post(*args, **kwargs)
        return answers.message(self.request, _("Signed out.")) if answers.wants_json(self.request) else response


@method_decorator(never_cache, name="dispatch")
class VerifyEmail(allauth.ConfirmEmailView):
    """The page behind the link in the message; its button verifies, since mail scanners follow links."""

    template_name = "joining/verify.html"


@never_cache
def verification_sent(request: HttpRequest) -> HttpResponse:
    """Says that a message is on its way; signed in, it can be sent again."""
    user = request.user
    address = addresses.find_unverified(user) if isinstance(user, User) else None
    if isinstance(user, User) and address is not None and request.method == "POST":
        if addresses.send_verification(request, user):
            messages.info(request, _("The message is on its way."))
        else:
            messages.info(
                request,
                _("A message went out less than three minutes ago. If you cannot find it, look in the spam folder."),
            )
        return redirect("account_email_verification_sent")
    return render(request, "joining/verification_sent.html", {"address": address})


@method_decorator(never_cache, name="dispatch")
class ForgotPassword(TwoVoices, allauth.PasswordResetView):
    template_name = "joining/forgot.html"
    form_class = forms.ResetPasswordForm

    def form_valid(self, form: BaseForm) -> HttpResponse:
        with transaction.atomic():
            return super().form_valid(form)


class ForgotPasswordSent(allauth.PasswordResetDoneView):
    template_name = "joining/forgot_sent.html"


@method_decorator(never_cache, name="dispatch")
class NewPassword(TwoVoices, allauth.PasswordResetFromKeyView):
    template_name = "joining/new_password.html"
    form_class = forms.ResetPasswordKeyForm
    success_url = reverse_lazy("account_login")

    def form_valid(self, form: BaseForm) -> HttpResponse:
        with transaction.atomic():
            return super().form_valid(form)


@method_decorator(never_cache, name="dispatch")
class ChangePassword(TwoVoices, allauth.PasswordChangeView):
    template_name = "joining/change_password.html"
    form_class = forms.ChangePasswordForm

    def form_valid(self, form: BaseForm) -> HttpResponse:
        with transaction.atomic():
            return super().form_valid(form)


@method_decorator(never_cache, name="dispatch")
class Reauthenticate(TwoVoices, allauth.ReauthenticateView):
    template_name = "joining/reauthenticate.html"
    form_class = forms.ReauthenticateForm


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
    path("register", Register.as_view(), name="account_signup"),
    path("login", Login.as_view(), name="account_login"),
    path("logout", Logout.as_view(), name="account_logout"),
    path("verify-email", verification_sent, name="account_email_verification_sent"),
    path("verify-email/<str:key>", VerifyEmail.as_view(), name="account_confirm_email"),
    path("password/forgot", ForgotPassword.as_view(), name="account_reset_password"),
    path("password/forgot/sent", ForgotPasswordSent.as_view(), name="account_reset_password_done"),
    re_path(
        r"^password/reset/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[^/]+)$",
        NewPassword.as_view(),
        name="account_reset_password_from_key",
    ),
    path("password/change", ChangePassword.as_view(), name="account_change_password"),
    path("reauthenticate", Reauthenticate.as_view(), name="account_reauthenticate"),
    path("account", account, name="account"),
    path("account/email", change_email, name="account_email"),
    path("account/tokens", issue_token, name="account_tokens"),
    path("account/tokens/<int:pk>/revoke", revoke_token, name="account_token_revoke"),
]
