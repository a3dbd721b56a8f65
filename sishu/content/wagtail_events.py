"""Wagtail's signals, said again as facts of ours. Connected in apps.py; nothing else here listens to signals."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from wagtail.models import GroupApprovalTask, Page, TaskState, WorkflowState

from sishu.content import facts
from sishu.content.first_checks import REVIEW
from sishu.content.models import ArticlePage, Authorship
from sishu.core.refs import ref
from sishu.moderation import cases
from sishu.moderation.models import Decision
from sishu.outbox import publisher


def page_published(instance: Page, **_kwargs: Any) -> None:
    """A page went live."""
    _say(facts.PagePublished(page_id=instance.pk))


def page_unpublished(instance: Page, **_kwargs: Any) -> None:
    """A page stopped being live."""
    _say(facts.PageUnpublished(page_id=instance.pk))


def workflow_submitted(instance: WorkflowState, **_kwargs: Any) -> None:
    """A review began."""
    if _is_of_work(instance):
        _say(facts.WorkSubmitted(page_id=int(instance.object_id)))


def task_submitted(instance: TaskState, **_kwargs: Any) -> None:
    """A step of a review began; the reviewers' own step is when somebody has to come."""
    task = instance.task.specific
    if isinstance(task, GroupApprovalTask) and _is_of_work(instance.workflow_state):
        _say(facts.WorkWaits(page_id=int(instance.workflow_state.object_id)))


def workflow_approved(instance: WorkflowState, user: Any = None, **_kwargs: Any) -> None:
    """A review ended well."""
    if _is_of_work(instance):
        _close_case(instance, Decision.Outcome.PASSED, user)
        _say(facts.WorkApproved(page_id=int(instance.object_id)))


def workflow_rejected(instance: WorkflowState, user: Any = None, **_kwargs: Any) -> None:
    """A step of the review sent the work back."""
    if _is_of_work(instance):
        state = TaskState.objects.get(pk=instance.current_task_state_id)
        _close_case(instance, Decision.Outcome.REFUSED, user, state.comment)
        _say(facts.WorkRejected(page_id=int(instance.object_id), task_state_id=state.pk))


def workflow_cancelled(instance: WorkflowState, user: Any = None, **_kwargs: Any) -> None:
    """Nobody waits for this review any more."""
    if _is_of_work(instance):
        _close_case(instance, Decision.Outcome.SETTLED, user)


def copied_for_translation(source_obj: Any, target_obj: Any, **_kwargs: Any) -> None:
    """A translation has the authors of what it translates."""
    if isinstance(target_obj, ArticlePage):
        copy_authors(source_obj.pk, target_obj.pk)


def copy_authors(source_id: int, target_id: int) -> None:
    """Give one page the authors of another."""
    for part in Authorship.objects.filter(page_id=source_id):
        Authorship.objects.get_or_create(page_id=target_id, user_id=part.user_id, defaults={"role": part.role})


def _is_of_work(state: WorkflowState) -> bool:
    return ArticlePage.objects.filter(pk=state.object_id).exists()


def _close_case(state: WorkflowState, outcome: str, user: Any, reason: str = "") -> None:
    if case := cases.find_open(ref=ref("page", state.object_id), kind=REVIEW):
        cases.decide(case, outcome, who=user, reason=reason)


def _say(fact: object) -> None:
    # Wagtail sends most signals inside its own transaction, but not all of them.
    with transaction.atomic():
        publisher.publish(fact)
