"""The reader's own shelf."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache

from sishu.commerce import selectors as commerce
from sishu.commerce.models import Entitlement, Offer
from sishu.content import selectors
from sishu.content.models import ArticlePage, HomePage
from sishu.core import clock
from sishu.web import listings, shop


@never_cache
@login_required
def library(request: HttpRequest) -> HttpResponse:
    """What the reader may read for good, in the language at hand where it exists, and how long their plan lasts."""
    reader, moment = shop.buyer(request), clock.now()
    kept = Entitlement.objects.valid(moment).filter(user=reader, ends_at=None).order_by("-id")
    works = own_works(list(kept.values_list("page__translation_key", flat=True)), get_language())
    houses = HomePage.objects.values("translation_key")
    offer = Offer.objects.filter(is_open=True, page__translation_key__in=houses).exclude(interval="").first()
    facts = {
        "rows": listings.rows_of(works), "plan_ends_at": commerce.plan_ends_at(reader, moment), "plan_offer": offer
    }  # fmt: skip
    return render(request, "shop/library.html", facts)


def own_works(keys: Sequence[object], language: str | None) -> list[ArticlePage]:
    """One page per work: in the reader's language if there is one, else in the other. Newest purchase first."""
    pages = selectors.for_list(ArticlePage.objects.live().filter(translation_key__in=keys))
    chosen: dict[object, ArticlePage] = {}
    for page in pages:
        if page.translation_key not in chosen or page.locale.language_code == language:
            chosen[page.translation_key] = page
    return [chosen[key] for key in dict.fromkeys(keys) if key in chosen]


urlpatterns = [path("library", library, name="library")]
