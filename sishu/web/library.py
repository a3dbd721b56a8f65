"""The reader's own shelf."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache

from sishu.commerce.models import Entitlement, Offer
from sishu.content import selectors
from sishu.content.models import ArticlePage, HomePage
from sishu.core import clock
from sishu.web import listings, shop


@never_cache
@login_required
def library(request: HttpRequest) -> HttpResponse:
    """What the reader may read for good, in the language at hand where it exists, and how long their plan lasts."""
    moment = clock.now()
    held = Entitlement.objects.filter(user=shop.buyer(request), revoked_at=None).filter(
        Q(ends_at=None) | Q(ends_at__gt=moment)
    )
    keys = list(held.filter(ends_at=None).order_by("-id").values_list("page__translation_key", flat=True))
    works = own_works(keys, get_language())
    houses = HomePage.objects.values("translation_key")
    plan = held.filter(page__translation_key__in=houses, ends_at__isnull=False).order_by("-ends_at").first()
    offer = Offer.objects.filter(is_open=True, page__translation_key__in=houses).exclude(interval="").first()
    return render(request, "shop/library.html", {"rows": listings.rows_of(works), "plan": plan, "plan_offer": offer})


def own_works(keys: Sequence[object], language: str | None) -> list[ArticlePage]:
    """One page per work: in the reader's language if there is one, else in the other. Newest purchase first."""
    pages = selectors.for_list(ArticlePage.objects.live().filter(translation_key__in=keys))
    chosen: dict[object, ArticlePage] = {}
    for page in pages:
        if page.translation_key not in chosen or page.locale.language_code == language:
            chosen[page.translation_key] = page
    return [chosen[key] for key in dict.fromkeys(keys) if key in chosen]


urlpatterns = [path("library", library, name="library")]
