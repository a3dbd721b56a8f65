"""The house's own keys at payment providers, as an owner entered them in the studio."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from sishu.core import clock


class MerchantKeys(models.Model):
    """What is kept for one gateway beside its settings, sealed for the house: {constructor argument: text} as JSON."""

    gateway = models.CharField(_("gateway"), max_length=20, unique=True)
    # Another with every change: by it each process sees that there was one. Never used twice, so no backup brings one back.
    stamp = models.CharField(max_length=32, editable=False)
    sealed = models.BinaryField(editable=False)

    class Meta:
        verbose_name = _("merchant keys")
        verbose_name_plural = _("merchant keys")

    def __str__(self) -> str:
        return self.gateway


class MerchantKeysChange(models.Model):
    """One change of a gateway's keys: who made it, and to which. What it replaced stays sealed in it for a time."""

    gateway = models.CharField(_("gateway"), max_length=20, db_index=True)
    changed_at = models.DateTimeField(_("changed"), default=clock.now, db_index=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("changed by")
    )
    # The arguments that were set anew or removed; never a value.
    names = models.JSONField(_("keys"), default=list)
    replaced_stamp = models.CharField(max_length=32, blank=True, editable=False)
    replaced = models.BinaryField(null=True, editable=False)

    class Meta:
        verbose_name = _("change of merchant keys")
        verbose_name_plural = _("changes of merchant keys")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.gateway} {self.changed_at:%Y-%m-%d %H:%M}"
