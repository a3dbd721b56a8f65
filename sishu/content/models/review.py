"""The first step of review."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from wagtail.models import Task, TaskState, WorkflowState

from sishu.content import first_checks


class FirstChecksTask(Task):
    """A review step done by rules: it holds the work until the checks have spoken."""

    admin_form_fields = Task.admin_form_fields

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
