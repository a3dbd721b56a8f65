"""The terms a work is sold on: its price, and who among its authors gets which part. Set by the author who leads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from sishu.accounts.models import User
from sishu.commerce import offers
from sishu.commerce.models import Offer
from sishu.commerce.splits import WHOLE_BPS, allocate, of_authors, of_line
from sishu.content import coauthors, writing
from sishu.content.models import ArticlePage, Authorship
from sishu.core.errors import DomainError, Invalid
from sishu.core.money import Money


@dataclass(frozen=True, slots=True)
class Part:
    """One author's part of what the platform leaves, and what a sale gives them at today's price."""

    user: User
    is_leading: bool
    bps: int
    amount: Money | None

    @property
    def percent(self) -> str:
        """ "70", "33.33"."""
        return f"{self.bps / 100:.2f}".rstrip("0").rstrip(".")


@dataclass(frozen=True, slots=True)
class Terms:
    """The open offer of a work, if there is one, and its authors' parts."""

    offer: Offer | None
    parts: tuple[Part, ...]


def read(page: ArticlePage) -> Terms:
    """The work's price and parts. Without a price nothing is agreed yet: equal parts are what it would be."""
    offer = offers.find_open(page)
    authors = list(Authorship.objects.filter(page_id=page.pk).select_related("user"))
    kept = dict(offer.shares.values_list("payee_id", "share_bps")) if offer else {}
    kept = kept or dict.fromkeys((part.user_id for part in authors), 1)
    weights = [kept.get(part.user_id, 0) for part in authors]
    percents = allocate(WHOLE_BPS, weights) if sum(weights) else [0] * len(authors)
    amounts = dict(of_line(offer.amount, list(kept.items()))) if offer and offer.amount else {}
    parts = tuple(
        Part(
            user=part.user,
            is_leading=part.role == Authorship.Role.AUTHOR,
            bps=bps,
            amount=Money(amounts.get(part.user_id, 0), offer.currency) if offer and amounts else None,
        )
        for part, bps in zip(authors, percents, strict=True)
    )
    return Terms(offer, parts)


@transaction.atomic
def agree(page: ArticlePage, user: User, amount: int | None, shares: Mapping[int, int] | None = None) -> Offer | None:
    """Set the price in minor units and the authors' parts, from now on; the open offer, if there is one then.

    An `amount` of None leaves the price as it is. `shares` are user id → basis points of what the platform leaves,
    together the whole of it; without them the parts stay in proportion. A work that is not live yet is sold from the
    moment it is. NotAllowed for a co-author, Invalid for what cannot be.
    """
    now = read(page)
    if amount is None:
        if not shares or now.offer is None:
            return now.offer
        amount = now.offer.amount
    _check_may_set(page, user)
    if not offers.sells(page):
        if now.offer is None:
            raise Invalid(
                _(
                    "There is nothing to sell yet: put a paywall for those who paid into the text, or leave the price empty."
                ),
                code="price",
            )
        offers.close(page)  # the paywall is gone, and with it what was sold
        return None
    split = of_authors(_percents(now.parts, shares or {}), settings.PLATFORM_SHARE_BPS)
    title = page.title if page.live else page.draft_title
    if now.offer and _is_same(now.offer, amount, title, split):
        return now.offer
    try:
        return offers.price(page, Money(amount, settings.CURRENCY), title=title, shares=split)
    except Invalid as error:
        raise Invalid(str(error), code="price") from error


@transaction.atomic
def close(page: ArticlePage, user: User) -> None:
    """Take a work off sale. NotAllowed for a co-author; nothing happens when it is not for sale."""
    if offers.find_open(page) is not None:
        _check_may_set(page, user)
        offers.close(page)


@transaction.atomic
def withdraw(page: ArticlePage, user: User, reason: str = "") -> None:
    """Take a work off the shelves and off sale, in every language, by an author of it or for the house."""
    writing.withdraw(page, user, reason)
    offers.close_all(page)


@transaction.atomic
def share_anew(page: ArticlePage) -> None:
    """After somebody came or went: the parts of those who left go to those who stay, in proportion."""
    now = read(page)
    if now.offer is not None:
        split = of_authors({part.user.pk: part.bps for part in now.parts}, settings.PLATFORM_SHARE_BPS)
        offers.price(page, now.offer.price, title=now.offer.title, shares=split)


def _check_may_set(page: ArticlePage, user: User) -> None:
    coauthors.check_lead_author(page, user)
    if page.withdrawn_at:
        raise DomainError(
            _("“%(title)s” is withdrawn and not for sale. Bring it back first, then set its price.")
            % {"title": page.title}
        )


def _percents(parts: tuple[Part, ...], shares: Mapping[int, int]) -> dict[int, int]:
    """User id → basis points of the authors' part, together the whole of it."""
    if not shares:
        return {part.user.pk: part.bps for part in parts}
    agreed = {part.user.pk: shares.get(part.user.pk, 0) for part in parts}
    if sum(agreed.values()) != WHOLE_BPS:
        message = _("The parts are %(sum)s %% together. Make them 100 %%.")
        raise Invalid(message % {"sum": f"{sum(agreed.values()) / 100:g}"}, code="shares")
    return agreed


def _is_same(offer: Offer, amount: int, title: str, split: Mapping[int, int]) -> bool:
    same = (offer.amount, offer.currency, offer.title) == (amount, settings.CURRENCY, title)
    return same and dict(offer.shares.values_list("payee_id", "share_bps")) == dict(split)
