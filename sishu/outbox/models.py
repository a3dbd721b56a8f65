"""What happened, and who has been told."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from sishu.core import clock


class Fact(models.Model):
    """Something that happened, written in the transaction that made it true."""

    name = models.CharField(_("name"), max_length=80)
    body = models.JSONField(_("body"))
    created_at = models.DateTimeField(_("created at"), default=clock.now)
    # When there is next something to do for it. Facts whose reactions wait do not stand in the way of the others.
    next_attempt_at = models.DateTimeField(_("next attempt at"), default=clock.now)
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)

    class Meta:
        verbose_name = _("fact")
        verbose_name_plural = _("facts")
        indexes: ClassVar = [models.Index(fields=["delivered_at", "next_attempt_at"], name="fact_due")]

    def __str__(self) -> str:
        return f"{self.name} {self.pk}"


class Delivery(models.Model):
    """One reaction to one fact. Its done-mark commits with the reaction's effect."""

    fact = models.ForeignKey(Fact, on_delete=models.CASCADE, related_name="deliveries", verbose_name=_("fact"))
    reaction = models.CharField(_("reaction"), max_length=100)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt at"), default=clock.now)
    last_error = models.TextField(_("last error"), blank=True)
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints: ClassVar = [models.UniqueConstraint(fields=["fact", "reaction"], name="delivery_once")]
        indexes: ClassVar = [models.Index(fields=["done_at", "attempts"], name="delivery_failing")]

    def __str__(self) -> str:
        return f"{self.reaction} of fact {self.fact_id}"
