"""The first step of review: rules look at the submitted version, and say yes or say why not."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django_tasks import task
from wagtail.models import TaskState

from sishu.content import markdown, text
from sishu.content.models.work import Work
from sishu.core.refs import ref
from sishu.moderation import cases, checks
from sishu.moderation.base import Subject
from sishu.moderation.models import Decision

REVIEW = "review"


@task()
def look_at(task_state_id: int) -> None:
    """Run the checks of one task state. Does nothing when it has been answered or taken back meanwhile."""
    with transaction.atomic():
        state = TaskState.objects.select_for_update().filter(pk=task_state_id).first()
        if state is None or state.status != TaskState.STATUS_IN_PROGRESS:
            return
        page = state.revision.as_object()
        if not isinstance(page, Work):  # a room: a few lines, which a reviewer reads anyway
            state.specific.approve()
            return
        step = state.specific
        step.findings = [finding.as_json() for finding in checks.look(subject_of(page))]
        case = cases.open(ref=ref("page", page.pk), kind=REVIEW, findings=step.findings)
        if checks.refusals(step.findings):
            cases.decide(case, Decision.Outcome.REFUSED)  # why is among the findings
            step.reject()
        else:
            step.approve()


def refusals(page: Any) -> list[str]:
    """Why the rules would send this version back, in the language of the moment; empty when they would not."""
    return checks.refusals(finding.as_json() for finding in checks.look(subject_of(page)))


def subject_of(page: Any) -> Subject:
    """A work as moderation sees it: the whole text, behind every paywall too."""
    words = text.full_text(page.body.raw_data)
    return Subject(
        ref=ref("page", page.pk),
        family=str(page.translation_key),
        title=page.title,
        text=words,
        words=markdown.count_words(words),
        digest=text.digest(words),
    )
