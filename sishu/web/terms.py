"""What a work costs and who gets which part of it, as its author sets it at the desk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from sishu.accounts.models import User
from sishu.commerce import offers
from sishu.commerce.models import Offer
from sishu.commerce.splits import WHOLE_BPS, allocate, of_line
from sishu.content import coauthors, generation
from sishu.content.models import ArticlePage, Authorship
from sishu.core.errors import DomainError, Invalid
from sishu.core.money import Money
from sishu.web import desk_forms


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
    """What the panel shows."""

    offer: Offer | None
    parts: tuple[Part, ...]

    @property
    def typed(self) -> str:
        """The price as one would type it."""
        return self.offer.price.decimal() if self.offer else ""


def read(page: ArticlePage) -> Terms:
    """The work's price and parts. Without a price nothing is agreed yet: equal parts are what it would be."""
    offer = find_offer(page)
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
def agree(page: ArticlePage, user: User, price: str | None, shares: Mapping[int, str]) -> None:
    """Set price and parts as typed. `price` None leaves it, "" takes the work off sale; it counts from now on.

    A work that is not live yet is sold from the moment it is. NotAllowed for a co-author, Invalid for what cannot be.
    """
    now = read(page)
    if price is None and (not shares or now.offer is None):
        return
    if price == "" and now.offer is None:
        return
    coauthors.check_leads(page, user)
    if page.withdrawn_at:
        raise DomainError(
            _("“%(title)s” is withdrawn and not for sale. Bring it back first, then set its price.")
            % {"title": page.title}
        )
    title = page.title if page.live else page.draft_title
    amount = now.offer.amount if price is None and now.offer else desk_forms.money(price) if price else None
    if amount is not None and not offers.sells(page):
        if now.offer is None:
            raise Invalid(
                _(
                    "There is nothing to sell yet: put a paywall for those who paid into the text, or leave the price empty."
                ),
                code="price",
            )
        amount = None  # the paywall is gone, and with it what was sold
    if amount is None:
        offers.close(page)
    else:
        split = _split(_percents(now.parts, shares))
        if now.offer and _is_same(now.offer, amount, title, split):
            return
        try:
            offers.price(page, Money(amount, settings.CURRENCY), title=title, shares=split)
        except Invalid as error:
            raise Invalid(str(error), code="price") from error
    transaction.on_commit(generation.touch)


@transaction.atomic
def share_anew(page: ArticlePage) -> None:
    """After somebody came or went: the parts of those who left go to those who stay, in proportion."""
    now = read(page)
    if now.offer is not None:
        split = _split({part.user.pk: part.bps for part in now.parts})
        offers.price(page, now.offer.price, title=now.offer.title, shares=split)
    transaction.on_commit(generation.touch)


def find_offer(page: ArticlePage) -> Offer | None:
    """The open offer of this work alone."""
    return offers.find_open(page)


def _percents(parts: tuple[Part, ...], shares: Mapping[int, str]) -> dict[int, int]:
    """User id → basis points of the authors' part, together the whole of it."""
    if not shares:
        return {part.user.pk: part.bps for part in parts}
    typed = {part.user.pk: desk_forms.percent(shares.get(part.user.pk, "0")) for part in parts}
    if sum(typed.values()) != WHOLE_BPS:
        message = _("The parts are %(sum)s %% together. Make them 100 %%.")
        raise Invalid(message % {"sum": f"{sum(typed.values()) / 100:g}"}, code="shares")
    return typed


def _split(percents: Mapping[int, int]) -> dict[int, int]:
    """User id → basis points of the whole price: what the platform leaves, in these proportions."""
    left = WHOLE_BPS - settings.PLATFORM_SHARE_BPS
    if not sum(percents.values()):
        percents = dict.fromkeys(percents, 1)
    parts = allocate(left, list(percents.values()))
    return {user_id: bps for user_id, bps in zip(percents, parts, strict=True) if bps}


def _is_same(offer: Offer, amount: int, title: str, split: Mapping[int, int]) -> bool:
    same = (offer.amount, offer.currency, offer.title) == (amount, settings.CURRENCY, title)
    return same and dict(offer.shares.values_list("payee_id", "share_bps")) == dict(split)
