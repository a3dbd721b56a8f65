"""What other packages ask about a person."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.utils.translation import gettext as _

from sishu.accounts import names, roles
from sishu.accounts.models import User
from sishu.core import addresses

PUBLISHING_ROLES = (roles.CREATOR, roles.OWNER)


def find_by_login(login: str) -> User | None:
    """The person with this user name, in any spelling, or this e-mail address."""
    if "@" in login:
        return User.objects.filter(email=login.strip().lower()).first()
    return User.objects.filter(username_key=names.key(login.strip())).first()


def has_verified_email(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether the person has shown that their e-mail address is theirs. Needed to publish; not to buy or to read."""
    # By the address in use: one that was verified before it was changed proves nothing about the new one.
    return isinstance(user, User) and EmailAddress.objects.filter(user=user, email=user.email, verified=True).exists()


def may_publish(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether the person may write for this house: invited (or OPEN_PUBLISHING), with a verified e-mail address."""
    return not why_not_publish(user)


def why_not_publish(user: AbstractBaseUser | AnonymousUser) -> str:
    """One sentence with the way out for a person who may not publish; empty for one who may."""
    if not isinstance(user, User):
        return _("Sign in first: works are published under a name.")
    if not settings.OPEN_PUBLISHING and not roles.has_role(user, *PUBLISHING_ROLES):
        return _("Publishing here is by invitation: ask the owner of this house to make you a creator.")
    if not has_verified_email(user):
        return _(
            "Your e-mail address %(email)s is not verified yet: follow the link in our message, "
            "or have a new one sent from %(path)s."
        ) % {"email": user.email, "path": addresses.VERIFY_EMAIL}
    return ""


def verified_addresses(user: User) -> list[str]:
    """The addresses this person has shown to be theirs, the oldest first."""
    return list(EmailAddress.objects.filter(user=user, verified=True).order_by("pk").values_list("email", flat=True))
