"""Putting works on sale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from wagtail.models import Page

from sishu.commerce.models import Offer, RevenueShare
from sishu.commerce.splits import WHOLE_BPS, of_authors
from sishu.content import generation
from sishu.content.models import ArticlePage, Authorship
from sishu.content.paywall import Level
from sishu.core.errors import Invalid
from sishu.core.money import Money, check_amount

# The dearest thing this house sells, in minor units: a typing error of two digits is caught, a course is not.
MAX_PRICE = 10_000_000


@transaction.atomic
def price(
    page: Page,
    money: Money,
    *,
    interval: str = Offer.Interval.ONCE,
    title: str = "",
    shares: Mapping[int, int] | None = None,
) -> Offer:
    """Offer access to `page` in every language at a price; an open offer of the same kind is changed, not doubled.

    `shares` are payee user id → basis points; by default the authors share alike what the platform leaves them.
    Orders already placed keep what they were placed at. Raises Invalid for a price or split that cannot be.
    """
    if not 0 <= check_amount(money.amount) <= MAX_PRICE:
        raise Invalid(_("A price is between 0 and %(most)s.") % {"most": Money(MAX_PRICE, money.currency)})
    shares = author_shares(page) if shares is None else shares
    if min(shares.values(), default=1) < 1 or sum(shares.values()) > WHOLE_BPS:
        raise Invalid(_("Shares are at least 0.01 % each and 100 % together at most."))
    offer, _made = Offer.objects.update_or_create(
        open_key=open_key(page.translation_key, interval),
        defaults={
            "kind": Offer.Kind.ACCESS, "interval": interval, "page_id": page.pk, "is_open": True,
            "title": title or page.title, "amount": money.amount, "currency": money.currency,
        },
    )  # fmt: skip
    offer.shares.exclude(payee_id__in=shares).delete()
    for payee_id, share_bps in shares.items():
        RevenueShare.objects.update_or_create(offer=offer, payee_id=payee_id, defaults={"share_bps": share_bps})
    transaction.on_commit(generation.touch)  # pages show prices
    return offer


def find_open(page: Page, interval: str = Offer.Interval.ONCE) -> Offer | None:
    """The open offer of this page itself, in whatever language it was made."""
    return Offer.objects.filter(open_key=open_key(page.translation_key, interval)).first()


def find_open_all(wanted: Iterable[tuple[UUID, str]]) -> dict[tuple[UUID, str], Offer]:
    """The open offers among these of (translation key, interval), in one query and without their pages."""
    by_name = {open_key(*pair): pair for pair in wanted}
    found = Offer.objects.filter(open_key__in=list(by_name))
    return {by_name[offer.open_key]: offer for offer in found if offer.open_key}


def close(page: Page, *, interval: str = Offer.Interval.ONCE) -> None:
    """Take a page off sale. Orders already placed may still be paid."""
    Offer.objects.filter(open_key=open_key(page.translation_key, interval)).update(is_open=False, open_key=None)
    transaction.on_commit(generation.touch)


def close_all(page: Page) -> None:
    """Take a page off sale in every way."""
    Offer.objects.filter(page__translation_key=page.translation_key, is_open=True).update(is_open=False, open_key=None)
    transaction.on_commit(generation.touch)


@transaction.atomic
def close_empty(page_id: int) -> None:
    """Take a work off sale singly when there is nothing left to sell. Plans, and offers of other pages, stay."""
    page = ArticlePage.objects.filter(pk=page_id).first()
    offer = find_open(page) if page else None
    if offer is None or offer.page_id is None:
        return
    # The page it was priced on, held: a writer who prices a new paywall in this moment comes before us or after.
    priced = ArticlePage.objects.select_for_update().filter(pk=offer.page_id).first()
    if priced is not None and not sells(priced):
        close(priced)


def close_unpublished(page_id: int) -> None:
    """Take a work off sale in every way when readers find it no more in any language."""
    page = ArticlePage.objects.filter(pk=page_id).first()
    if page is not None and not is_live_for_payers(page):
        close_all(page)


def sells(page: ArticlePage) -> bool:
    """Whether there is something for those who paid: in what is live in any language, or in the page's newest version."""
    return is_live_for_payers(page) or bool(page.get_latest_revision_as_object().needed_level == Level.PAID)


def is_live_for_payers(page: ArticlePage) -> bool:
    """Whether the work is live, in any language, with something for those who paid."""
    family = ArticlePage.objects.live().filter(translation_key=page.translation_key, withdrawn_at=None)
    return bool(family.filter(level=Level.PAID).exists())


def author_shares(page: Page) -> dict[int, int]:
    """Basis points per author when nothing else was agreed: what the platform leaves, in equal parts."""
    parts = Authorship.objects.filter(page__translation_key=page.translation_key).order_by("page_id", "role", "id")
    authors = parts.values_list("user_id", flat=True)
    return of_authors(dict.fromkeys(authors, 1), settings.PLATFORM_SHARE_BPS)


def open_key(work: UUID, interval: str) -> str:
    """The key under which at most one open offer of this kind exists for a work, named by its translation key."""
    return f"{Offer.Kind.ACCESS}:{interval}:{work}"
