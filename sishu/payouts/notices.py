"""Mails to creators about their money, to every address they have verified: one that a thief added does not hide it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django_tasks import task

from sishu.accounts import mail
from sishu.accounts import selectors as people
from sishu.accounts.models import User
from sishu.payouts.models import PayeeAccount, Payout


@task()
def send_payee_changed(user_id: int) -> None:
    """To a person whose account for payouts was just changed, in case it was not by them."""
    account = PayeeAccount.objects.select_related("user").filter(user=user_id).first()
    if account is not None:
        facts = {"account": account, "hours": settings.PAYOUT_COOLDOWN_HOURS, "url": mail.link("payee")}
        _send("payouts/mail/payee_changed.txt", account.user, **facts)


@task()
def send_payout_requested(payout_id: int) -> None:
    """To the payee, once money of theirs was set on its way."""
    _send_about("payouts/mail/payout_requested.txt", payout_id)


@task()
def send_payout_paid(payout_id: int) -> None:
    """To the payee, once the money was transferred."""
    _send_about("payouts/mail/payout_paid.txt", payout_id)


@task()
def send_payout_released(payout_id: int) -> None:
    """To the payee, once a payout ended without arriving."""
    _send_about("payouts/mail/payout_released.txt", payout_id)


def _send_about(template: str, payout_id: int) -> None:
    payout = Payout.objects.select_related("payee", "requested_by").get(pk=payout_id)
    _send(template, payout.payee, payout=payout, url=mail.link("payouts"))


def _send(template: str, to: User, **facts: Any) -> None:
    for address in people.verified_addresses(to):
        mail.send(template, address, mail.language_for(to), name=to.name, **facts)
