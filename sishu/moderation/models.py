"""Files to judge, and the judgements."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from sishu.core.errors import DomainError
from sishu.core.models import Stateful


class Case(Stateful):
    """One thing that waits for, or had, a judgement. `ref` says which thing, `kind` what the question is."""

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        DECIDED = "decided", _("decided")

    MOVES: ClassVar = {Status.OPEN: frozenset({Status.DECIDED})}

    ref = models.CharField(_("about"), max_length=100, db_index=True)
    kind = models.CharField(_("question"), max_length=40, db_index=True)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.OPEN, db_index=True)
    findings = models.JSONField(_("what the rules found"), default=list, blank=True)
    # What is known, in no language: who shows the case finds the words for `code` and puts the values of `data` in.
    code = models.CharField(_("what is known"), max_length=40, blank=True)
    data = models.JSONField(_("particulars"), default=dict, blank=True)
    # What somebody said in words.
    note = models.TextField(_("remark"), blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="cases",
        verbose_name=_("looked after by"),
    )
    opened_at = models.DateTimeField(_("opened"))
    # ref and kind while the case is open, null afterwards: at most one open case of a kind, on every database.
    open_key = models.CharField(max_length=160, unique=True, null=True, editable=False)  # noqa: DJ001  null is the point

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        permissions = [("review_work", "Can review works")]
        ordering = ["-opened_at", "-id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.ref}"


class Decision(models.Model):
    """Who ruled what, and why. Written once; a change of mind is a new case."""

    class Outcome(models.TextChoices):
        PASSED = "passed", _("passed")
        REFUSED = "refused", _("refused")
        SETTLED = "settled", _("settled")

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="decisions", verbose_name=_("case"))
    # Null: decided by a rule, without a person.
    who = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="decisions", verbose_name=_("who")
    )
    outcome = models.CharField(_("ruling"), max_length=10, choices=Outcome.choices)
    reason = models.TextField(_("reason"), blank=True)
    created_at = models.DateTimeField(_("decided at"), auto_now_add=True)

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.case}: {self.get_outcome_display()}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise DomainError("A decision is never edited. Open a new case for this thing instead.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise DomainError("A decision is never deleted. Open a new case for this thing instead.")
