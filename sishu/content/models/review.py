"""The first step of review."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail.models import Task


class FirstChecksTask(Task):
    """A review step done by rules: it holds the work until the checks have spoken."""

    admin_form_fields = Task.admin_form_fields

    class Meta:
        verbose_name = _("first checks")
        verbose_name_plural = _("first checks")

    def user_can_access_editor(self, obj: Any, user: Any) -> bool:
        return False

    def locked_for_user(self, obj: Any, user: Any) -> bool:
        return True

    def get_actions(self, obj: Any, user: Any) -> list[Any]:
        return []

    @classmethod
    def get_description(cls) -> str:
        return str(_("Rules look at the work before a person does."))
