"""Messages to one person: plain text, in their language, written and sent by the worker.

A job's arguments stand in the database, so they name the person and never carry a link that opens an account: such links
are made while the message is written. They start with SITE_URL, not with the Host header of whoever asked.
"""

from __future__ import annotations

from typing import Any

from allauth.account import app_settings as allauth
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django_tasks import task

from sishu.accounts import roles
from sishu.accounts.models import User
from sishu.core import addresses


def language_for(user: User | None) -> str:
    """The language this person chose, else the one of the page that made us write."""
    return (user and user.language) or translation.get_language() or settings.LANGUAGE_CODE


def send(template: str, to: str, language: str, **facts: Any) -> None:
    """Write and send one message. `template` is a text whose first line is the subject."""
    with translation.override(language):
        text = render_to_string(
            template, {"site_name": settings.WAGTAIL_SITE_NAME, "site_url": settings.SITE_URL, **facts}
        )
    subject, _newline, body = text.strip().partition("\n")
    EmailMessage(subject.strip(), body.strip() + "\n", to=[to]).send()


def link(url_name: str, *args: object, **kwargs: object) -> str:
    """The whole address of one of our pages, as it stands in a message."""
    return addresses.absolute(reverse(url_name, args=args or None, kwargs=kwargs or None))


@task()
def send_verification(address_id: int, language: str) -> None:
    """The link that shows an address to be its owner's. Nothing, when it was verified or dropped meanwhile."""
    address = EmailAddress.objects.select_related("user").filter(pk=address_id, verified=False).first()
    if address is None:
        return
    url = link("account_confirm_email", EmailConfirmationHMAC(address).key)
    days = allauth.EMAIL_CONFIRMATION_EXPIRE_DAYS
    send("accounts/mail/verify.txt", address.email, language, name=address.user.name, url=url, days=days)


@task()
def send_password_reset(user_id: int, language: str) -> None:
    """The link with which a person sets a new password. Nothing, when the account was closed meanwhile."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        return
    key = allauth.PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
    url = link("account_reset_password_from_key", uidb36=user_pk_to_url_str(user), key=key)
    days = settings.PASSWORD_RESET_TIMEOUT // 86_400
    facts = {"name": user.name, "username": user.username, "url": url, "days": days}
    send("accounts/mail/password_reset.txt", user.email, language, **facts)


@task()
def send_account_exists(email: str, language: str) -> None:
    """To a person with whose address somebody, perhaps they themselves, tried to sign up again."""
    urls = {"login_url": link("account_login"), "reset_url": link("account_reset_password")}
    send("accounts/mail/account_exists.txt", email, language, email=email, **urls)


@task()
def send_unknown_account(email: str, language: str) -> None:
    """To a person who asked for a new password with an address that no account has."""
    send("accounts/mail/unknown_account.txt", email, language, email=email, signup_url=link("account_signup"))


@task()
def send_security_notice(change: str, email: str, language: str, facts: dict[str, str]) -> None:
    """To a person whose password or address was just changed, in case it was not by them."""
    facts = {**facts, "change": change, "reset_url": link("account_reset_password")}
    send("accounts/mail/security_notice.txt", email, language, **facts)


@task()
def send_money_mover(user_id: int, by: str, at: str) -> None:
    """To every owner: who can move money since then, and by whose hand. Nothing, when that person is gone."""
    person = User.objects.filter(pk=user_id).first()
    if person is None:
        return
    facts = {"username": person.username, "by": by, "at": at, "url": link("wagtailusers_users:edit", person.pk)}
    for owner in User.objects.filter(groups__name=roles.OWNER, is_active=True).exclude(email=""):
        send("accounts/mail/money_mover.txt", owner.email, language_for(owner), name=owner.name, **facts)
