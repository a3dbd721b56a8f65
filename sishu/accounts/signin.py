"""How people come in: allauth's flows with the rules of this house."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from sishu.accounts import mail, names, roles, selectors
from sishu.accounts.models import User
from sishu.core import clock

# Of the demo's accounts. Everybody knows it: it opens nothing where DEBUG is off, and nobody may choose it.
DEMO_PASSWORD = "sishu-demo"  # noqa: S105

NO_MATCH = _("The name or address and the password do not go together. Check both, or set a new password.")
TOO_MANY = _("Too many failed attempts. Wait five minutes, or set a new password.")


class PasswordBackend(ModelBackend):
    """Checks a password for a user name or an e-mail address.

    One password is hashed however the search ends, so that the time taken tells no names.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        email: str | None = None,
        **_kwargs: Any,
    ) -> User | None:
        login = email or username
        if not login or password is None:
            return None
        user = selectors.find_by_login(login)
        if user is None:
            User().set_password(password)
            return None
        # A barred person gets the same answer as a wrong password, after the same work.
        fits = user.check_password(password) and self.user_can_authenticate(user)
        return user if fits and (settings.DEBUG or password != DEMO_PASSWORD) else None


class NotTheDemoPassword:
    """A password validator: the demo's password is printed in the README."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        """Raises ValidationError for the demo's password."""
        if password == DEMO_PASSWORD:
            raise ValidationError(_("This is the password of the demo. Choose another one."), code="demo_password")

    def get_help_text(self) -> str:
        """What the person should know beforehand: nothing."""
        return ""


class AccountAdapter(DefaultAccountAdapter):
    """Our answers to what allauth asks: names, first role, mail by the worker, one refusal for every failed sign-in."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": NO_MATCH,
        "username_password_mismatch": NO_MATCH,
        "too_many_login_attempts": TOO_MANY,
        "incorrect_password": _("That is not your password."),
        "enter_current_password": _("That is not your current password."),
        "duplicate_email": _("This is already your address."),
        "username_blacklisted": _("This user name is reserved. Choose another one."),
        "username_taken": _("This user name is taken. Choose another one."),
    }

    def is_ajax(self, request: HttpRequest) -> bool:
        """False: sishu.web answers programs in the words of our own contract."""
        return False

    def unstash_verified_email(self, request: HttpRequest) -> str | None:
        """As allauth's, without starting a session for a program that has none."""
        return request.session.pop("account_verified_email", None)

    def clean_username(self, username: str, shallow: bool = False) -> str:
        """The name as it will be stored. ValidationError when the rules forbid it, or (unless `shallow`) it is taken."""
        username = names.normal(username)
        User._meta.get_field("username").clean(username, None)
        reserved = {names.key(name) for name in settings.ACCOUNT_USERNAME_BLACKLIST}
        if names.key(username) in reserved:
            raise self.validation_error("username_blacklisted")
        if not shallow and User.objects.filter(username_key=names.key(username)).exists():
            raise self.validation_error("username_taken")
        return username

    @transaction.atomic
    def save_user(self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True) -> AbstractBaseUser:
        """Store a person who signed up, in the language they asked for if they did, as a member."""
        if request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME) or request.headers.get("Accept-Language"):
            user.language = translation.get_language() or ""
        super().save_user(request, user, form, commit=commit)
        if commit:
            roles.assign(user, roles.MEMBER)
        return user

    @transaction.atomic
    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Take an address as verified, unless another account uses it: then its owner signs in there instead."""
        if User.objects.filter(email=email_address.email).exclude(pk=email_address.user_id).exists():
            template = "account/messages/email_confirmation_failed.txt"
            self.add_message(request, messages.ERROR, template, {"email": email_address.email})
            return False
        return super().confirm_email(request, email_address)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """Changing the password ends every session, this one too."""
        return reverse("account_login")

    def send_confirmation_mail(
        self, request: HttpRequest, emailconfirmation: EmailConfirmationHMAC, signup: bool
    ) -> None:
        address = emailconfirmation.email_address
        mail.send_verification.enqueue(address.pk, mail.language_for(address.user))

    def send_password_reset_mail(self, user: AbstractBaseUser, email: str, context: dict[str, Any]) -> None:
        mail.send_password_reset.enqueue(user.pk, mail.language_for(user))  # type: ignore[arg-type]

    def send_account_already_exists_mail(self, email: str) -> None:
        mail.send_account_exists.enqueue(email, mail.language_for(User.objects.filter(email=email).first()))

    def send_notification_mail(
        self,
        template_prefix: str,
        user: AbstractBaseUser,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """Tell a person what was changed; a changed address is told to the old one."""
        facts = {**(context or {}), "at": f"{clock.now():%Y-%m-%d %H:%M}", "ip": self.get_client_ip(self.request)}
        change = template_prefix.rpartition("/")[2]
        mail.send_security_notice.enqueue(change, email or user.email, mail.language_for(user), facts)  # type: ignore

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """The one message that has no method of its own; anything else allauth may learn to send must be looked at first."""
        if template_prefix != "account/email/unknown_account":
            raise ValueError(f"No message {template_prefix!r} in sishu.accounts.mail.")
        mail.send_unknown_account.enqueue(email, mail.language_for(None))


def is_limited(error: ValidationError) -> bool:
    """Whether a refusal means "too often" rather than "wrong"."""
    return error.code in {"too_many_login_attempts", "rate_limited"}
