"""Who is asked to write with others."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from sishu.content.models.article import ArticlePage
from sishu.core.models import Stateful, Timestamped


class Invitation(Stateful, Timestamped):
    """Somebody is asked to be a co-author of a work in all its languages. Until they accept, they have no part in it."""

    class Status(models.TextChoices):
        PENDING = "pending", _("not answered yet")
        ACCEPTED = "accepted", _("accepted")
        DECLINED = "declined", _("declined")
        WITHDRAWN = "withdrawn", _("taken back")

    # Who declined is not asked for the same work again.
    MOVES: ClassVar = {
        Status.PENDING: frozenset({Status.ACCEPTED, Status.DECLINED, Status.WITHDRAWN}),
        Status.ACCEPTED: frozenset({Status.PENDING}),
        Status.WITHDRAWN: frozenset({Status.PENDING}),
    }

    page = models.ForeignKey(ArticlePage, on_delete=models.CASCADE, related_name="invitations", verbose_name=_("page"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="invitations", verbose_name=_("person")
    )
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("invited by")
    )
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.PENDING)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [models.UniqueConstraint(fields=["page", "user"], name="one_invitation_per_person_and_page")]

    def __str__(self) -> str:
        return f"{self.user} · {self.page} ({self.get_status_display()})"
