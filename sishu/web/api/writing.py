"""Writing: drafts, review and price of one's own works. Another's work is not there."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import Path, Query, Router, Status

from sishu.commerce import terms
from sishu.commerce.offers import find_open
from sishu.content import workflow, writing
from sishu.content.drafts import DraftValues
from sishu.content.models import ArticlePage, Category
from sishu.core.errors import Invalid
from sishu.web.api import auth, offers, schemas
from sishu.web.api.paging import Paging
from sishu.web.api.problems import refusals

router = Router(tags=["writing"], auth=auth.KNOWN)

Id = Path[schemas.Id]


@router.get(
    "/writing",
    response=schemas.DraftList,
    summary=gettext_noop("List the works you are an author of"),
    description=gettext_noop("Last changed first, drafts among them."),
)
def list_drafts(request: HttpRequest, paging: Query[Paging]) -> schemas.DraftList:
    own = writing.own_works(auth.person(request))
    items = [
        schemas.DraftRow(
            id=page.pk,
            language=page.locale.language_code,
            title=page.draft_title,
            is_live=page.live,
            has_unpublished_changes=page.has_unpublished_changes,
            is_withdrawn=page.withdrawn_at is not None,
            changed_at=page.latest_revision_created_at,
        )
        for page in own[paging.start : paging.start + paging.per_page]
    ]
    return schemas.DraftList(items=items, **paging.of(len(own)))


@router.post(
    "/writing",
    response={201: schemas.Draft},
    summary=gettext_noop("Begin a work"),
    description=gettext_noop("For those who may publish here; it is a draft until a reviewer lets it through."),
)
def create_draft(request: HttpRequest, sent: schemas.NewDraft) -> Status[schemas.Draft]:
    page = writing.create(auth.person(request), sent.language, _values(sent))
    return Status(201, _draft(page))


@router.get(
    "/writing/{work_id}",
    response={200: schemas.Draft, refusals(404): None},
    summary=gettext_noop("Read the newest version of your work"),
)
def read_draft(request: HttpRequest, work_id: Id) -> schemas.Draft:
    return _draft(writing.find_own(auth.person(request), work_id))


@router.put(
    "/writing/{work_id}",
    response={200: schemas.Draft, refusals(404, 409): None},
    summary=gettext_noop("Save a new version of your work"),
    description=gettext_noop(
        "Send everything, with the version you began from. When somebody saved meanwhile, nothing is written and the "
        "answer is 409: read the newest version, and decide. What is live stays as it is until the change is reviewed."
    ),
)
def save_draft(request: HttpRequest, work_id: Id, sent: schemas.ChangedDraft) -> schemas.Draft:
    user = auth.person(request)
    page = writing.find_own(user, work_id)
    writing.save_draft(page, user, _values(sent), sent.version)
    return _draft(page)


@router.post(
    "/writing/{work_id}/submit",
    response={200: schemas.Review, refusals(404, 409): None},
    summary=gettext_noop("Hand your work in for review"),
)
def submit_draft(request: HttpRequest, work_id: Id) -> schemas.Review:
    user = auth.person(request)
    page = writing.find_own(user, work_id)
    writing.submit(page, user)
    return _review(page)


@router.post(
    "/writing/{work_id}/take-back",
    response={200: schemas.Review, refusals(404, 409): None},
    summary=gettext_noop("Take your work back from review"),
)
def take_back_draft(request: HttpRequest, work_id: Id) -> schemas.Review:
    user = auth.person(request)
    page = writing.find_own(user, work_id)
    writing.take_back(page, user)
    return _review(page)


@router.get(
    "/writing/{work_id}/review",
    response={200: schemas.Review, refusals(404): None},
    summary=gettext_noop("Read where your work stands"),
)
def read_review(request: HttpRequest, work_id: Id) -> schemas.Review:
    return _review(writing.find_own(auth.person(request), work_id))


@router.put(
    "/writing/{work_id}/price",
    response={200: schemas.Offer, refusals(404, 409): None},
    summary=gettext_noop("Set the price of your work"),
    description=gettext_noop("It counts from now on, in every language; orders already placed keep theirs."),
)
def set_price(request: HttpRequest, work_id: Id, sent: schemas.Price) -> schemas.Offer:
    user = auth.person(request)
    page = writing.find_own(user, work_id)
    offer = terms.agree(page, user, sent.amount)
    if offer is None:
        raise Invalid(_("There is nothing to sell yet: put a paywall for those who paid into the text."), code="price")
    return offers.describe(offer)


@router.delete(
    "/writing/{work_id}/price",
    response={204: None, refusals(404, 409): None},
    summary=gettext_noop("Take your work off sale"),
)
def remove_price(request: HttpRequest, work_id: Id) -> Status[None]:
    user = auth.person(request)
    terms.close(writing.find_own(user, work_id), user)
    return Status(204, None)


def _values(sent: schemas.DraftFields) -> DraftValues:
    return DraftValues(
        title=sent.title,
        summary=sent.summary,
        category_id=_category_id(sent.category),
        tags=tuple(sent.tags),
        cover_id=sent.cover_id,
        markdown=sent.markdown,
    )


def _category_id(slug: str | None) -> int | None:
    if not slug:
        return None
    found: int | None = Category.objects.filter(slug=slug).values_list("pk", flat=True).first()
    if found is None:
        raise Invalid(_("There is no category “%(name)s”.") % {"name": slug}, code="category")
    return found


def _draft(page: ArticlePage) -> schemas.Draft:
    values, version = writing.latest_values(page)
    offer = find_open(page)
    category = Category.objects.filter(pk=values.category_id).first() if values.category_id else None
    return schemas.Draft(
        id=page.pk,
        version=version,
        language=page.locale.language_code,
        title=values.title,
        summary=values.summary,
        category=category.slug if category else None,
        tags=list(values.tags),
        cover_id=values.cover_id,
        markdown=values.markdown,
        review=_review(page),
        offer=offers.describe(offer) if offer else None,
    )


def _review(page: ArticlePage) -> schemas.Review:
    state = workflow.review_state(ArticlePage.objects.get(pk=page.pk))
    return schemas.Review(
        status=state.status.value,  # type: ignore[arg-type]
        is_live=state.is_live,
        has_unpublished_changes=state.has_unpublished_changes,
        reasons=state.reasons,
        since=state.since,
    )
