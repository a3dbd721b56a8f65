"""A person's e-mail address: the one in use, and the one it is to become once verified."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from allauth.core import ratelimit
from django.db import transaction
from django.http import HttpRequest

from sishu.accounts.models import User


def find_unverified(user: User) -> EmailAddress | None:
    """The address this person has yet to verify: the one they change to, else the one they signed up with."""
    own = _own(user)
    waiting = EmailAddress.objects.filter(user=user, verified=False).exclude(pk=own.pk).first()
    return waiting or (None if own.verified else own)


def send_verification(request: HttpRequest, user: User, *, signup: bool = False) -> bool:
    """Mail the link that verifies an address. False when there is nothing to verify, or a link went out just now."""
    address = find_unverified(user)
    if address is None or not ratelimit.consume(request, action="confirm_email", key=address.email):
        return False
    address.send_confirmation(request, signup=signup)
    return True


@transaction.atomic
def change(request: HttpRequest, user: User, email: str) -> EmailAddress:
    """Begin a change of address. The old one stays in use until the link sent to the new one is followed."""
    EmailAddress.objects.filter(user=user, verified=False).exclude(email=user.email).delete()
    address = EmailAddress.objects.create(user=user, email=email.lower())
    send_verification(request, user)
    return address


def trust(user: User) -> None:
    """Take a person's address as verified, for accounts that the operator makes."""
    own = _own(user)
    own.verified = True
    own.save(update_fields=["verified"])


def _own(user: User) -> EmailAddress:
    # `User.email` is the truth; allauth's row says whether it is verified. The operator may have changed the first alone.
    EmailAddress.objects.filter(user=user, primary=True).exclude(email=user.email).delete()
    own, _made = EmailAddress.objects.get_or_create(user=user, email=user.email, defaults={"primary": True})
    if not own.primary:
        own.primary = True
        own.save(update_fields=["primary"])
    return own
