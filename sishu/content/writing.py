"""What a writer does with works: begin, write, submit, take back, translate, withdraw. Every refusal is one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from django.db import transaction
from django.utils.translation import gettext as _
from wagtail.log_actions import log
from wagtail.models import Locale, PageLogEntry, WorkflowState

from sishu.accounts import roles
from sishu.accounts import selectors as people
from sishu.accounts.models import User
from sishu.content import coauthors, drafts, first_checks, house
from sishu.content.drafts import DraftValues
from sishu.content.facts import WorkWithdrawn
from sishu.content.models import ArticlePage, Authorship
from sishu.core import clock, languages
from sishu.core.errors import DomainError, Invalid, Missing, NotAllowed
from sishu.core.ids import MAX_ID
from sishu.outbox import publisher

MAX_REASON_LENGTH = 1000
# Entries in a page's history.
WITHDRAW, RESTORE = "content.withdraw", "content.restore"


class ChangedElsewhere(DomainError):
    """Somebody saved the work since this editor loaded it. Nothing was written."""

    code = "changed_elsewhere"

    def __init__(self, *, who: str, when: datetime | None, version: int) -> None:
        super().__init__(
            _(
                "%(who)s saved this work meanwhile. Your text was not written over theirs: copy what you need, then reload."
            )
            % {"who": who or _("Somebody")}
        )
        self.who, self.when, self.version = who, when, version


class InReview(DomainError):
    """The work waits for a reviewer and must not change under their eyes."""

    code = "in_review"


def create(user: User, locale: Locale | str, values: DraftValues, *, family: UUID | None = None) -> ArticlePage:
    """Begin a work in the user's room: a draft with its first version. NotAllowed for who may not publish here.

    `family` is what its languages will share. Never a client's word: whoever is in a family may read all of it.
    """
    if why := people.why_not_publish(user):
        raise NotAllowed(why)
    with transaction.atomic():
        hub = house.ensure_hub(user, locale)
        page = ArticlePage(
            owner=user, locale=hub.locale, live=False, has_unpublished_changes=True, translation_key=family or uuid4()
        )
        drafts.fill(page, drafts.checked(values, writer=user))
        hub.add_child(instance=page)
        Authorship.objects.create(page=page, user=user)
        page.save_revision(user=user)
    return page


@transaction.atomic
def save_draft(page: ArticlePage, user: User, values: DraftValues, version: int) -> int:
    """Keep a new version of the draft; its number. `version` is the one the editor began from.

    ChangedElsewhere when there is a newer one, InReview while a reviewer looks. What is the same as before is not
    written again.
    """
    row = _locked(page.pk, user)
    draft = row.get_latest_revision_as_object()
    checked = drafts.checked(values, writer=user, before=draft)
    if checked == drafts.values_of(draft) and drafts.is_settled(draft):
        return row.latest_revision_id or 0  # also when a pressed button and its page's autosave bring the same text
    if row.latest_revision_id != version:
        raise _changed_elsewhere(row)
    if row.workflow_in_progress:
        raise InReview(
            _("“%(title)s” is in review and cannot be changed now. Take it back to go on writing.")
            % {"title": row.draft_title}
        )
    drafts.fill(draft, checked)
    if row.first_published_at is None:
        draft.slug = ""  # nobody knows its address yet: let it follow the title
    return int(draft.save_revision(user=user, log_action=True).pk)


@transaction.atomic
def submit(page: ArticlePage, user: User) -> None:
    """Hand the latest version in for review. Invalid when something in it cannot be published."""
    row = _publishable(page, user)
    workflow = row.get_workflow()
    if workflow is None:
        raise DomainError(_("This house has no review yet. Ask its owner to run “sishu setup_house”."))
    if refused := row.current_workflow_state:
        refused.cancel(user=user)  # from the first step again: the text has changed since the rules saw it
    workflow.start(row, user)


@transaction.atomic
def publish(page: ArticlePage, user: User) -> None:
    """Make the latest version live without a reviewer, for who may do so. The rules look at it all the same.

    NotAllowed for others, Invalid when something in it cannot be published.
    """
    row = _publishable(page, user)
    if not may_publish_at_once(row, user):
        raise NotAllowed(
            _("“%(title)s” goes live when a reviewer has let it through. Submit it for review.")
            % {"title": row.draft_title}
        )
    if reasons := first_checks.refusals(row.get_latest_revision_as_object()):
        raise Invalid(" ".join(reasons), code="review")
    row.latest_revision.publish(user=user)


def may_publish_at_once(page: ArticlePage, user: User) -> bool:
    """Whether this person's own works need no reviewer: they let others' works through."""
    return bool(page.permissions_for_user(user).can_publish())


@transaction.atomic
def take_back(page: ArticlePage, user: User) -> None:
    """End a review that has not been decided, to go on writing. Nothing happens when there is none."""
    state = _locked(page.pk, user).current_workflow_state
    if state is not None and state.status == WorkflowState.STATUS_IN_PROGRESS:
        state.cancel(user=user)


@transaction.atomic
def withdraw(page: ArticlePage, user: User, reason: str = "") -> None:
    """Take a work off the shelves in every language. Those who own it keep it; it leaves lists, search and feeds.

    `commerce.terms.withdraw` takes it off sale with that. Missing for who is neither an author nor may withdraw others'.
    """
    for row in _shelved(page, user):
        if row.withdrawn_at is None:
            _set_withdrawn(row, clock.now(), user)
            _note(row, WITHDRAW, user, reason)


@transaction.atomic
def restore(page: ArticlePage, user: User, reason: str = "") -> None:
    """Put a withdrawn work back in every language. NotAllowed for an author when the house withdrew it."""
    for row in _shelved(page, user):
        if row.withdrawn_at is None:
            continue
        if not may_restore(row, user):
            raise NotAllowed(
                _("“%(title)s” was withdrawn by the house. Only a reviewer can bring it back.") % {"title": row.title}
            )
        _set_withdrawn(row, None, None)
        _note(row, RESTORE, user, reason)


def may_restore(page: ArticlePage, user: User) -> bool:
    """Whether this person may put a withdrawn work of theirs back: not, when the house withdrew it."""
    return page.withdrawn_by_id in _author_ids(page) or user.has_perm(roles.WITHDRAW_WORK)


def withdrawal_reason(page: ArticlePage) -> str:
    """What was said when the work was last withdrawn, or nothing."""
    entry = PageLogEntry.objects.filter(page=page.pk, action=WITHDRAW).order_by("-timestamp", "-pk").first()
    return str(entry.data.get("reason", "")) if entry else ""


@transaction.atomic
def add_translation(page: ArticlePage, user: User) -> ArticlePage:
    """The work's page in the other language: the one there is, or a draft copied from this one, with its authors."""
    row = _locked(page.pk, user)
    code = languages.other_than(row.locale.language_code)
    locale = Locale.objects.get(language_code=code)
    if existing := row.get_translation_or_none(locale):
        return ArticlePage.objects.get(pk=existing.pk)
    house.ensure_hub(row.get_parent().specific.user, locale)
    return ArticlePage.objects.get(pk=row.copy_for_translation(locale).pk)


def find_own(user: User, page_id: int) -> ArticlePage:
    """The user's own work with that id. Missing for a stranger's as for one that does not exist."""
    if not user.is_authenticated or not 0 < page_id <= MAX_ID:
        raise Missing(_("There is no such work among yours."))
    page = ArticlePage.objects.filter(pk=page_id, authorships__user_id=user.pk).first()
    if page is None:
        raise Missing(_("There is no such work among yours."))
    return page


def own_works(user: User) -> Sequence[ArticlePage]:
    """All works the user has a part in, last changed first."""
    works = ArticlePage.objects.filter(authorships__user_id=user.pk).defer("body")
    return works.select_related("locale").order_by("-latest_revision_created_at", "-pk")


def latest_values(page: ArticlePage) -> tuple[DraftValues, int]:
    """What the editor shows: the newest version's values, and its number for the next `save_draft`."""
    row = ArticlePage.objects.get(pk=page.pk)
    return drafts.values_of(row.get_latest_revision_as_object()), row.latest_revision_id or 0


def _publishable(page: ArticlePage, user: User) -> ArticlePage:
    """The page's row, held, when its latest version may be handed in or published."""
    row = _locked(page.pk, user)
    title = {"title": row.draft_title}
    if row.withdrawn_at:
        raise DomainError(_("“%(title)s” is withdrawn. Bring it back first, then submit it.") % title)
    if row.workflow_in_progress:
        raise InReview(_("“%(title)s” is already in review.") % title)
    if row.live and not row.has_unpublished_changes:
        raise DomainError(_("“%(title)s” has no changes since it was published. There is nothing to review.") % title)
    drafts.check_ready(row.get_latest_revision_as_object())
    return row


def _locked(page_id: int, user: User) -> ArticlePage:
    """The page's row, held until the transaction ends. Missing for who is no author of it, NotAllowed for who was one."""
    row = ArticlePage.objects.select_for_update().filter(pk=page_id).first()
    if row is None or user.pk not in _author_ids(row):
        raise Missing(_("There is no such work among yours."))
    if why := people.why_not_publish(user):
        raise NotAllowed(why)
    return row


def _shelved(page: ArticlePage, user: User) -> list[ArticlePage]:
    """The work in every language, held until the transaction ends: for who began it, and for who may withdraw others'."""
    if not user.has_perm(roles.WITHDRAW_WORK):
        if user.pk not in _author_ids(page):
            raise Missing(_("There is no such work among yours."))
        coauthors.check_lead_author(page, user)
    return coauthors.family(page)


def _set_withdrawn(row: ArticlePage, at: datetime | None, by: User | None) -> None:
    row.withdrawn_at, row.withdrawn_by = at, by
    row.save(update_fields=["withdrawn_at", "withdrawn_by"], clean=False)
    publisher.publish(WorkWithdrawn(page_id=row.pk, is_withdrawn=at is not None))


def _note(row: ArticlePage, action: str, user: User, reason: str) -> None:
    # Of the entries that share a uuid and an action a history shows the last one only: each language needs its own.
    log(instance=row, action=action, user=user, uuid=uuid4(), data={"reason": reason[:MAX_REASON_LENGTH]})


def _author_ids(page: ArticlePage) -> set[int]:
    return set(Authorship.objects.filter(page_id=page.pk).values_list("user_id", flat=True))


def _changed_elsewhere(page: ArticlePage) -> ChangedElsewhere:
    revision = page.latest_revision
    person = revision.user if revision else None
    return ChangedElsewhere(
        who=person.name if person else "",
        when=revision.created_at if revision else None,
        version=page.latest_revision_id or 0,
    )
