"""What the writer's pages show: the sheet with its panel, the list of one's works, a draft as its readers would see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from wagtail.models import WorkflowState

from sishu.accounts.models import User
from sishu.commerce import offers, terms
from sishu.content import coauthors, workflow, writing
from sishu.content.models import ArticlePage, Category, HomePage
from sishu.content.paywall import Level
from sishu.content.workflow import ReviewState, ReviewStatus
from sishu.core import languages
from sishu.core.errors import DomainError
from sishu.web import bodies, context, listings, pagecache, paths
from sishu.web.editor_input import Sent

MAX_LISTED = 300
# Where a refusal is shown, by its code; the others stand above the sheet.
PLACES = {
    "title": "title", "summary": "summary", "category": "category", "tags": "tags", "cover_id": "cover", "cover": "cover",
    "price": "price", "shares": "shares", "coauthor": "shares", "language": "language",
    **dict.fromkeys(("markdown", "paywall", "embed", "uploads", "body", "content"), "body"),
}  # fmt: skip
READERS = {
    "stranger": (Level.PUBLIC, _("a stranger")),
    "signed-in": (Level.SIGNED_IN, _("a signed-in reader")),
    "buyer": (Level.PAID, _("somebody who paid")),
}
# How a list is read: what waits for the writer first.
ORDER = (
    (ReviewStatus.NEEDS_CHANGES, _("Needs changes")),
    (ReviewStatus.DRAFT, _("Drafts")),
    (ReviewStatus.IN_REVIEW, _("In review")),
    (ReviewStatus.SCHEDULED, _("Scheduled")),
    (ReviewStatus.LIVE, _("Live")),
    (ReviewStatus.WITHDRAWN, _("Withdrawn")),
)


@dataclass(frozen=True, slots=True)
class WorkEntry:
    """A work in the list of one's own."""

    page: ArticlePage
    state: ReviewState
    path: str
    language: context.Language


def sheet(
    request: HttpRequest,
    page: ArticlePage | None,
    *,
    typed: Mapping[str, Any] | None = None,
    sent: Sent | None = None,
    error: DomainError | None = None,
) -> HttpResponse:
    """The writing desk, with what was typed and why it was not kept, if it was not."""
    facts = _existing(request, page) if page else _empty(request)
    facts["fields"] |= {name: value for name, value in (typed or {}).items() if value is not None}
    if sent is not None and "cover_id" in sent.changes:
        facts["fields"]["cover_id"] = sent.changes["cover_id"] or ""
    place = PLACES.get(error.code, "") if error else ""
    facts |= {
        "page": page,
        "error": str(error) if error and not place else "",
        "errors": {place: str(error)} if place else {},
        "conflict": error if isinstance(error, writing.ChangedElsewhere) else None,
        "categories": Category.get_tree(),
        "currency": settings.CURRENCY,
        "kept_percent": f"{settings.PLATFORM_SHARE_BPS / 100:g}",
        "section": "write",
    }
    return render(request, "writing/sheet.html", facts, status=error.status if error else 200)


def own_list(request: HttpRequest) -> HttpResponse:
    """All works one has a part in, by what can be done with them."""
    states = WorkflowState.objects.active().select_related("current_task_state__task")
    prefetch = Prefetch("_specific_workflow_states", queryset=states, to_attr="_current_workflow_states")
    works = writing.own_works(request.user).prefetch_related(prefetch)[:MAX_LISTED]  # type: ignore[arg-type, attr-defined]
    entries = [
        WorkEntry(
            page=page,
            state=workflow.review_state(page),
            path=paths.page_path(page) if page.live else "",
            language=context.language_named(page.locale.language_code),
        )
        for page in works
    ]
    groups = [(label, [entry for entry in entries if entry.state.status == status]) for status, label in ORDER]
    return render(
        request,
        "writing/list.html",
        {
            "groups": [group for group in groups if group[1]],
            "invitations": coauthors.waiting_for(request.user),  # type: ignore[arg-type]
            "section": "write",
        },
    )


def preview(request: HttpRequest, page: ArticlePage, reader: str) -> HttpResponse:
    """The newest version as an article page, cut where this kind of reader would stop. Nobody may keep it."""
    if reader not in READERS:
        raise Http404
    level, label = READERS[reader]
    draft = page.get_latest_revision_as_object()
    facts: dict[str, Any] = {
        "page": draft,
        "around": listings.article_context(draft),
        "level": level,
        "is_known": level > Level.PUBLIC,
        "reader": label,
        "reader_key": reader,
        "readers": READERS,
        "section": "write",
    }
    if level == Level.PUBLIC:
        facts |= {"user": AnonymousUser(), "duties": context.Duties()}
    # As the page will be: in the language of the text, whatever the writer's own is.
    with translation.override(page.locale.language_code):
        response = render(request, "writing/preview.html", facts)
    response["Cache-Control"] = pagecache.PRIVATE
    response["X-Robots-Tag"] = "noindex"
    return response


def _empty(request: HttpRequest) -> dict[str, Any]:
    code = translation.get_language() or settings.LANGUAGE_CODE
    home = HomePage.objects.live().filter(locale__language_code=code).first()
    return {
        "fields": {"begun": str(uuid4()), "version": "", "language": code},
        "content_language": context.language_named(code),
        "publishes": bool(home and home.permissions_for_user(request.user).can_publish()),
        "is_lead_author": True,
        "languages": settings.LANGUAGES,
    }


def _existing(request: HttpRequest, page: ArticlePage) -> dict[str, Any]:
    user: User = request.user  # type: ignore[assignment]
    values, version = writing.latest_values(page)
    state = workflow.review_state(page)
    agreed = terms.read(page)
    draft = page.get_latest_revision_as_object()
    in_review = state.status == ReviewStatus.IN_REVIEW
    return {
        "fields": {
            "title": values.title,
            "summary": values.summary,
            "body": values.markdown,
            "category": str(values.category_id or ""),
            "tags": ", ".join(values.tags),
            "cover_id": values.cover_id or "",
            "price": agreed.offer.price.decimal() if agreed.offer else "",
            "version": version,
        },
        "state": state,
        "may_restore": writing.may_restore(page, user),
        "withdrawal_reason": writing.withdrawal_reason(page) if state.status == ReviewStatus.WITHDRAWN else "",
        "since": timezone.localtime(state.since) if state.since else None,
        "reasons": [line for line in state.reasons.splitlines() if line.strip()],
        "in_review": in_review,
        "body": bodies.body_of(draft, Level.PAID) if in_review else None,
        "drafts_count": page.revisions.count(),
        "terms": agreed,
        "sells": offers.sells(page),
        "is_lead_author": coauthors.is_lead_author(page, user),
        "invited": coauthors.invited_to(page),
        "publishes": writing.may_publish_at_once(page, user),
        "live_path": paths.page_path(page) if page.live else "",
        "readers": READERS,
        "content_language": context.language_named(page.locale.language_code),
        "language_name": dict(settings.LANGUAGES)[page.locale.language_code],
        "other": _other_language(page, user),
    }


def _other_language(page: ArticlePage, user: User) -> dict[str, Any]:
    """The other language, and the work's page in it if there is one."""
    code = languages.other_than(page.locale.language_code)
    family = ArticlePage.objects.filter(translation_key=page.translation_key, authorships__user=user)
    twin = family.exclude(pk=page.pk).defer("body").first()
    return {"language": context.language_named(code), "name": dict(settings.LANGUAGES)[code], "page": twin}
