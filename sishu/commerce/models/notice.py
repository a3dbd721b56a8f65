"""What providers wrote to us, as it came."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from sishu.core import refs


class ReceivedNotice(models.Model):
    """One message whose signature was right. Its bytes are sealed: they name buyers as the provider knows them."""

    gateway = models.CharField(_("gateway"), max_length=20)
    notice_id = models.CharField(_("number"), max_length=128)
    reference = models.CharField(_("payment"), max_length=64, blank=True, db_index=True)
    # For whom it is sealed: who erases a buyer erases their notices too.
    subject = models.CharField(max_length=80, editable=False)
    sealed = models.BinaryField(editable=False)
    count = models.PositiveIntegerField(_("times"), default=1)
    received_at = models.DateTimeField(_("received"), db_index=True)
    applied_at = models.DateTimeField(_("applied"), null=True)

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["gateway", "notice_id"], name="commerce_notice_once")]

    def __str__(self) -> str:
        return self.notice_id

    @property
    def ref(self) -> str:
        return refs.ref("notice", self.pk)
