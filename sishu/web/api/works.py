"""Reading: works and their shelves. A body ends where its reader's level does."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import Path, Query, Router
from pydantic import Field

from sishu.commerce import access
from sishu.content import dialect, paywall, selectors
from sishu.content.models import ArticlePage, Category
from sishu.content.paywall import Level
from sishu.core import addresses
from sishu.core.errors import DomainError, Missing
from sishu.web import listings, paths
from sishu.web.api import auth, caching, offers, schemas
from sishu.web.api.paging import Paging
from sishu.web.api.problems import refusals

router = Router(tags=["works"], auth=auth.ANYONE)


class Wanted(Paging):
    """Which works a list holds."""

    language: schemas.Language | None = None
    category: schemas.Word = Field("", description=gettext_noop("by its slug"))
    tag: schemas.Word = Field("", description=gettext_noop("by its slug"))
    query: schemas.Query = ""


@router.get(
    "/works",
    response=schemas.WorkList,
    summary=gettext_noop("List and search works"),
    description=gettext_noop("Newest first; with a query, the best answers first. A category means its whole branch."),
)
def list_works(request: HttpRequest, response: HttpResponse, wanted: Query[Wanted]) -> schemas.WorkList:
    caching.share(request, response)
    category = Category.objects.filter(slug=wanted.category).first() if wanted.category else None
    if wanted.start >= selectors.MAX_START or (wanted.category and category is None):
        return schemas.WorkList(items=[], **wanted.of(0))
    found = selectors.find_works(
        wanted.query, locale=wanted.language, category=category, tag=wanted.tag,
        start=wanted.start, size=wanted.per_page,
    )  # fmt: skip
    return schemas.WorkList(items=_rows(found.works), **wanted.of(found.total))


@router.get(
    "/works/{work_id}",
    response={200: schemas.Work, refusals(404, 410): None},
    summary=gettext_noop("Read a work"),
    description=gettext_noop(
        "The text goes as far as you may read: some of it for everybody, more with a token or a session, all of it for "
        "who bought it. A work that was withdrawn is still read by who bought it."
    ),
)
def read_work(request: HttpRequest, response: HttpResponse, work_id: Path[schemas.Id]) -> schemas.Work:
    caching.share(request, response)
    works = selectors.for_list(ArticlePage.objects.live().public()).filter(pk=work_id)
    page = works.defer(None).first()
    if page is None:
        raise Missing(_("There is no such work."))
    level = access.level(request.user, page)
    if page.withdrawn_at and level < Level.PAID:
        raise DomainError(
            _("This work was withdrawn. Who bought it can still read it after signing in."), code="gone", status=410
        )
    shown, next_level = paywall.cut(page.body, level)
    ways = listings.opening_offers(page)
    with translation.override(page.locale.language_code):
        html = page.body_html(level)
    return schemas.Work(
        **_rows([page])[0].dict(),
        reader_level=schemas.level_name(level),
        next_level=schemas.level_name(next_level) if next_level is not None else None,
        body_html=html,
        body_markdown=dialect.to_markdown(shown.raw_data),
        remaining=[schemas.Section(heading=part.heading, words=part.words) for part in page.remaining_sections(level)],
        offers=offers.described(offer for offer in (ways.once, ways.plan) if offer is not None),
        translations=_translations(page),
    )


@router.get("/categories", response=schemas.CategoryList, summary=gettext_noop("List the categories"))
def list_categories(request: HttpRequest, response: HttpResponse) -> schemas.CategoryList:
    caching.share(request, response)
    return schemas.CategoryList(items=[_category(category) for category in Category.objects.all()])


def _rows(works: Sequence[ArticlePage]) -> list[schemas.WorkRow]:
    prices = listings.single_offers(work.translation_key for work in works)
    prefetch_related_objects(works, "tags")
    credits = selectors.credits_of(work.pk for work in works)
    return [
        schemas.WorkRow(
            id=work.pk,
            title=work.title,
            summary=work.summary,
            language=work.locale.language_code,
            url=addresses.absolute(paths.page_path(work)),
            cover_url=addresses.absolute(listings.picture_path(work)),
            published_at=work.first_published_at,
            category=_category(work.category) if work.category else None,
            tags=sorted(tag.name for tag in work.tags.all()),
            authors=_authors(work, credits[work.pk]),
            reading_minutes=work.reading_minutes,
            level=schemas.level_name(work.level),
            price=offers.amount_of(prices[work.translation_key].price) if work.translation_key in prices else None,
        )
        for work in works
    ]


def _authors(work: ArticlePage, credits: Sequence[selectors.Credit]) -> list[schemas.Author]:
    """Who wrote it, by the name over their room in the page's language."""
    home = paths.home_path(work.locale.language_code)
    return [
        schemas.Author(
            name=credit.name,
            url=addresses.absolute(home + paths.below_home(credit.room_path)) if credit.room_path else None,
        )
        for credit in credits
    ]


def _category(category: Category) -> schemas.Category:
    return schemas.Category(slug=category.slug, name=category.name)


def _translations(page: ArticlePage) -> list[schemas.Translation]:
    return [
        schemas.Translation(
            id=other.pk,
            language=other.locale.language_code,
            title=other.title,
            url=addresses.absolute(paths.page_path(other)),
        )
        for other in selectors.translations_of(page)
    ]
