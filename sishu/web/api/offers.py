"""What is for sale."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import Path, Query, Router
from wagtail.models import Page

from sishu.commerce.models import Offer
from sishu.content.models import ArticlePage
from sishu.core import addresses, money
from sishu.core.errors import Missing
from sishu.web.api import auth, caching, schemas
from sishu.web.api.paging import Paging
from sishu.web.api.problems import refusals

router = Router(tags=["offers"], auth=auth.ANYONE)


@router.get("/offers", response=schemas.OfferList, summary=gettext_noop("List what is for sale"))
def list_offers(request: HttpRequest, response: HttpResponse, paging: Query[Paging]) -> schemas.OfferList:
    caching.share(request, response)
    found = on_sale().order_by("-pk")
    return schemas.OfferList(items=described(paging.cut(found)), **paging.of(found.count()))


@router.get(
    "/offers/{offer_id}", response={200: schemas.Offer, refusals(404): None}, summary=gettext_noop("Read an offer")
)
def read_offer(request: HttpRequest, response: HttpResponse, offer_id: Path[schemas.Id]) -> schemas.Offer:
    caching.share(request, response)
    return describe(get(offer_id))


def on_sale() -> QuerySet[Offer]:
    """What anyone can buy now: a draft's price is nobody's business yet."""
    return Offer.objects.filter(is_open=True, page__in=Page.objects.live().public()).select_related("page")


def get(offer_id: int) -> Offer:
    """The offer, if anyone can buy it now. Missing otherwise."""
    offer = on_sale().filter(pk=offer_id).first()
    if offer is None:
        raise Missing(_("This is not on sale any more."))
    return offer


def described(found: Iterable[Offer]) -> list[schemas.Offer]:
    """Offers as the API writes them."""
    return [describe(offer) for offer in found]


def describe(offer: Offer) -> schemas.Offer:
    """An offer as the API writes it. Its page should be loaded."""
    return schemas.Offer(
        id=offer.pk,
        title=offer.title,
        price=amount_of(offer.price),
        interval="month" if offer.is_plan else "once",
        work_id=work_id_of(offer.page),
        checkout_url=addresses.absolute(f"{reverse('checkout')}?offer={offer.pk}"),
    )


def work_id_of(page: Page | None) -> int | None:
    """The page's id if it is a work and not the whole house."""
    return page.pk if page is not None and page.specific_class is ArticlePage else None


def amount_of(price: money.Money) -> schemas.Money:
    """Money as the API writes it."""
    return schemas.Money(amount=price.amount, currency=price.currency)
