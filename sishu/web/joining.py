"""Coming in, staying known, going out: sign-up, sign-in, verification and passwords.

The flows are allauth's, and so are the names of the addresses; pages, words and the JSON answers are ours.
"""

from __future__ import annotations

from typing import Any

from allauth.account import views as allauth
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.urls import path, re_path, reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from sishu.accounts import addresses, forms, signin
from sishu.accounts.models import User
from sishu.web import answers


class ContentNegotiationMixin:
    """For allauth's form views: reads forms and JSON, answers with a page or JSON, and never refuses with 200."""

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
            response: HttpResponse = answers.problem(status, first, "invalid", errors)
        else:
            response = self.render_to_response(self.get_context_data(form=form))  # type: ignore[attr-defined]
            response.status_code = status
        if limited:
            response["Retry-After"] = "300"
        return response


class AtomicFormMixin:
    """For form views whose work is done together or not at all."""

    def form_valid(self, form: BaseForm) -> HttpResponse:
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)  # type: ignore[misc]
            return response


class SignInMixin(ContentNegotiationMixin):
    """A page sends people who are signed in on their way; a program that sends a name and a password means it."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "POST" and answers.wants_json(request):
            request.user = AnonymousUser()
        return super().dispatch(request, *args, **kwargs)


class Register(SignInMixin, allauth.SignupView):
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


class Login(SignInMixin, allauth.LoginView):
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
            return answers.problem(401, signin.NO_MATCH, "no_match")
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
class ForgotPassword(AtomicFormMixin, ContentNegotiationMixin, allauth.PasswordResetView):
    template_name = "joining/forgot.html"
    form_class = forms.ResetPasswordForm


class ForgotPasswordSent(allauth.PasswordResetDoneView):
    template_name = "joining/forgot_sent.html"


@method_decorator(never_cache, name="dispatch")
class NewPassword(AtomicFormMixin, ContentNegotiationMixin, allauth.PasswordResetFromKeyView):
    template_name = "joining/new_password.html"
    form_class = forms.ResetPasswordKeyForm
    success_url = reverse_lazy("account_login")


@method_decorator(never_cache, name="dispatch")
class ChangePassword(AtomicFormMixin, ContentNegotiationMixin, allauth.PasswordChangeView):
    template_name = "joining/change_password.html"
    form_class = forms.ChangePasswordForm


@method_decorator(never_cache, name="dispatch")
class Reauthenticate(ContentNegotiationMixin, allauth.ReauthenticateView):
    template_name = "joining/reauthenticate.html"
    form_class = forms.ReauthenticateForm


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
]
