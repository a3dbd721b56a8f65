"""The forms of joining: allauth's, with our labels, our names and no second password to type."""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.account import forms as allauth
from allauth.account.adapter import get_adapter
from allauth.core import ratelimit
from django import forms
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from sishu.accounts import addresses, names
from sishu.accounts.models import ApiToken, User

NAMES = ("username", "login")
PASSWORD_RULE = _("At least 10 characters; not a common word, and not like your name or address.")


class HouseForm(forms.BaseForm):
    """Mixed into a form: fields look like ours, and say their label above instead of a placeholder that vanishes."""

    labels: ClassVar[dict[str, Any]] = {}
    helps: ClassVar[dict[str, Any]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.label = self.labels.get(name, field.label)
            field.help_text = self.helps.get(name, "")
            field.widget.attrs.pop("placeholder", None)
            field.widget.attrs["class"] = "select" if isinstance(field.widget, forms.Select) else "input"
            field.error_messages["required"] = _("Fill this in.")
            if isinstance(field, forms.EmailField):
                field.error_messages["invalid"] = _("This is not an e-mail address.")
            if name in NAMES:
                field.widget.attrs |= {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}


class SignupForm(HouseForm, allauth.SignupForm):
    """User name, e-mail and password. Sent and answered as `password`, though allauth calls it `password1`."""

    labels = {"username": _("User name"), "email": _("E-mail"), "password1": _("Password")}
    helps = {
        "username": _("3 to 30 letters or digits; . _ - are fine too. Others see it."),
        "email": _("For receipts and for finding your way back."),
        "password1": PASSWORD_RULE,
    }

    def add_prefix(self, field_name: str) -> str:
        return "password" if field_name == "password1" else super().add_prefix(field_name)

    def validate_unique_email(self, value: str) -> str:
        """No refusal here: that an address has an account is told to that address only."""
        self.account_already_exists = User.objects.filter(email=value).exists()
        return value

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        """The new person, or the answer "we have written to you" when the address has an account already.

        A prober can tell, by not being signed in: that is the price of buying before verifying (ADR 10). Meanwhile the
        owner of the address has a message about it, and sign-ups are limited.
        """
        if not self.account_already_exists:
            return self.save(request), None
        email = self.cleaned_data["email"]
        make_password(self.cleaned_data["password1"])  # takes as long as making an account
        adapter = get_adapter(request)
        if ratelimit.consume(request, action="confirm_email", key=email):
            adapter.send_account_already_exists_mail(email)
        return None, adapter.respond_email_verification_sent(request, None)


class LoginForm(HouseForm, allauth.LoginForm):
    """User name or e-mail, and password."""

    labels = {"login": _("User name or e-mail"), "password": _("Password")}

    def clean_login(self) -> str:
        """One spelling for all, so that the limit of failed attempts counts a person and not their spellings."""
        login = super().clean_login()
        return login.lower() if "@" in login else names.key(login)


class ReauthenticateForm(HouseForm, allauth.ReauthenticateForm):
    labels = {"password": _("Password")}


class ResetPasswordForm(HouseForm, allauth.ResetPasswordForm):
    labels = {"email": _("E-mail")}

    def clean_email(self) -> str:
        """Only the address in use opens an account: neither a former one nor one that is not verified yet."""
        email = self.cleaned_data["email"].lower()
        self.users = list(User.objects.filter(email=email, is_active=True))
        return email


class ResetPasswordKeyForm(HouseForm, allauth.ResetPasswordKeyForm):
    labels = {"password1": _("New password")}
    helps = {"password1": PASSWORD_RULE}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["password2"]


class ChangePasswordForm(HouseForm, allauth.ChangePasswordForm):
    labels = {"oldpassword": _("Current password"), "password1": _("New password")}
    helps = {"password1": PASSWORD_RULE}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["password2"]


class EmailForm(HouseForm, allauth.AddEmailForm):
    """A new address for an account."""

    labels = {"email": _("New e-mail")}

    def clean_email(self) -> str:
        """Whether another account has it is not said here; following the link will tell."""
        email = self.cleaned_data["email"].lower()
        if email == self.user.email:
            raise get_adapter().validation_error("duplicate_email")
        return email

    def save(self, request: HttpRequest) -> Any:
        return addresses.change(request, self.user, self.cleaned_data["email"])


class ProfileForm(HouseForm, forms.ModelForm):
    """What a person is called, and the language we speak to them."""

    labels = {"display_name": _("Display name"), "language": _("Language")}
    helps = {
        "display_name": _("Shown to others. Empty: your user name."),
        "language": _("For pages and messages."),
    }

    class Meta:
        model = User
        fields = ("display_name", "language")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = [("", _("As the browser asks")), *settings.LANGUAGES]  # type: ignore[attr-defined]


class TokenForm(HouseForm, forms.ModelForm):
    """A new API token."""

    labels = {"name": _("What for"), "scope": _("It may")}

    class Meta:
        model = ApiToken
        fields = ("name", "scope")
