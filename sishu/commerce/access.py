"""The one door: how far a person may read a page, and why. Every exit of the house asks here."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.core.cache import caches
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from wagtail.models import Page

from sishu.accounts import roles
from sishu.accounts.models import User
from sishu.commerce.models import Entitlement
from sishu.content.models import Authorship
from sishu.content.paywall import Level
from sishu.core import clock


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far a person may read, and the one fact that decided it."""

    level: Level
    code: str
    reason: str
    # Of the entitlement that decided it, if one did.
    source: str = ""


def level(user: User | AnonymousUser, page: Page) -> Level:
    """How far this person may read this page now."""
    return verdict(user, page).level


def verdict(user: User | AnonymousUser, page: Page) -> Verdict:
    """The level and its reason. On a page seen before: a stranger costs no query, a buyer one, anyone else three."""
    if not user.is_authenticated or not user.is_active:
        return Verdict(Level.PUBLIC, "stranger", _("Not signed in."))
    held = (
        Entitlement.objects.valid(clock.now())
        .filter(user=user, page__translation_key__in=above(page))
        .order_by("ends_at")
        .only("ends_at", "source")
        .first()
    )
    if held is not None:
        if held.ends_at is None:
            reason = _("Bought it, or what it belongs to, for good.")
        else:
            day = f"{localtime(held.ends_at):%Y-%m-%d}"
            reason = _("Bought it, or what it belongs to, until %(day)s.") % {"day": day}
        return Verdict(Level.PAID, "entitled", reason, held.source)
    if user.has_perm(roles.REVIEW_WORK):  # who may judge a work may read it
        return Verdict(Level.PAID, "staff", _("May review every work."))
    if Authorship.objects.filter(user=user, page__translation_key=page.translation_key).exists():
        return Verdict(Level.PAID, "author", _("Wrote it."))
    return Verdict(Level.SIGNED_IN, "signed_in", _("Signed in, and holds no entitlement that is valid now."))


def above(page: Page) -> list[UUID]:
    """The translation keys of a page and of all above it: owning any of them opens it.

    Kept in the process under id and place in the tree, which together say who is above; keys themselves never change.
    """
    name = f"above:{page.pk}:{page.path}"
    keys: list[UUID] | None = caches["pages"].get(name)
    if keys is None:
        keys = list(page.get_ancestors(inclusive=True).order_by().values_list("translation_key", flat=True))
        caches["pages"].set(name, keys)
    return keys
