"""Review: first the rules, then a person, then live. Every change of a live work goes the same way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import Group
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _
from wagtail.models import GroupApprovalTask, Page, TaskState, Workflow, WorkflowPage, WorkflowState, WorkflowTask

from sishu.accounts import roles
from sishu.accounts.models import User
from sishu.content.models import ArticlePage, FirstChecksTask

NAME = "Review"


class ReviewStatus(models.TextChoices):
    """Where a work stands, in its writer's eyes."""

    DRAFT = "draft", _("draft")
    IN_REVIEW = "in_review", _("in review")
    NEEDS_CHANGES = "needs_changes", _("needs changes")
    SCHEDULED = "scheduled", _("scheduled")
    LIVE = "live", _("live")
    WITHDRAWN = "withdrawn", _("withdrawn")


@dataclass(frozen=True, slots=True)
class ReviewState:
    """Where a work stands, and why. `is_live` says whether readers see some version of it now."""

    status: ReviewStatus
    is_live: bool
    has_unpublished_changes: bool
    reasons: str = ""
    since: datetime | None = None


@transaction.atomic
def ensure_workflow() -> Workflow:
    """The review, attached to the root of the tree, so that no page is outside it. Safe to repeat."""
    workflow = Workflow.objects.filter(name=NAME).first() or Workflow.objects.create(name=NAME)
    checks = FirstChecksTask.objects.first() or FirstChecksTask.objects.create(name="First checks")
    person = GroupApprovalTask.objects.filter(name="Reviewer").first() or GroupApprovalTask.objects.create(
        name="Reviewer"
    )
    person.groups.add(Group.objects.get_or_create(name=roles.REVIEWER)[0])
    for order, task in enumerate((checks, person)):
        WorkflowTask.objects.get_or_create(workflow=workflow, task=task.task_ptr, defaults={"sort_order": order})
    root = Page.objects.get(depth=1)
    WorkflowPage.objects.update_or_create(page=root, defaults={"workflow": workflow})
    return workflow


def review_state(page: ArticlePage) -> ReviewState:
    """Where `page` stands. Its last refusal's reasons stay until it is submitted again."""
    facts = {"is_live": page.live, "has_unpublished_changes": page.has_unpublished_changes}
    state = page.current_workflow_state
    if state is not None and state.status == WorkflowState.STATUS_IN_PROGRESS:
        return ReviewState(ReviewStatus.IN_REVIEW, since=state.created_at, **facts)
    if state is not None:
        task_state = state.current_task_state
        reasons, since = (task_state.specific.get_comment(), task_state.finished_at) if task_state else ("", None)
        return ReviewState(ReviewStatus.NEEDS_CHANGES, reasons=reasons, since=since, **facts)
    if page.withdrawn_at:
        return ReviewState(ReviewStatus.WITHDRAWN, since=page.withdrawn_at, **facts)
    if page.live:
        return ReviewState(ReviewStatus.LIVE, since=page.last_published_at, **facts)
    if scheduled := page.scheduled_revision:
        return ReviewState(ReviewStatus.SCHEDULED, since=scheduled.approved_go_live_at, **facts)
    return ReviewState(ReviewStatus.DRAFT, since=page.latest_revision_created_at, **facts)


def waiting_for(reviewer: User) -> models.QuerySet[TaskState]:
    """The submissions this person may judge now, oldest first."""
    return TaskState.objects.reviewable_by(reviewer).select_related("revision", "workflow_state").order_by("started_at")
