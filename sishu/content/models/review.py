"""The first step of review, and what came of it each time."""

from __future__ import annotations

from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _
from wagtail.models import Task, TaskState, WorkflowState

from sishu.content import first_checks
from sishu.moderation import checks


class FirstChecksState(TaskState):
    """One run of the first checks, with what they found."""

    findings = models.JSONField(_("what the rules found"), default=list)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("state of the first checks")
        verbose_name_plural = _("states of the first checks")

    def get_comment(self) -> str:
        """Why the rules sent the work back, in the language of the moment."""
        return self.comment or "\n".join(checks.refusals(self.findings))


class FirstChecksTask(Task):
    """A review step done by rules: it holds the work until the checks have spoken."""

    admin_form_fields = Task.admin_form_fields
    task_state_class = FirstChecksState

    class Meta:
        verbose_name = _("first checks")
        verbose_name_plural = _("first checks")

    @transaction.atomic
    def start(self, workflow_state: WorkflowState, user: Any = None) -> TaskState:
        """Begin, with the job that does the looking as a row of the same transaction."""
        state = super().start(workflow_state, user=user)
        first_checks.look_at.enqueue(state.pk)
        return state

    def user_can_access_editor(self, obj: Any, user: Any) -> bool:
        return False

    def locked_for_user(self, obj: Any, user: Any) -> bool:
        return True

    def get_actions(self, obj: Any, user: Any) -> list[Any]:
        return []

    @classmethod
    def get_description(cls) -> str:
        return str(_("Rules look at the work before a person does."))
