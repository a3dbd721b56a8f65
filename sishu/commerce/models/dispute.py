"""A buyer's objection to a charge, made at their bank or provider."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from sishu.commerce.models.payment import Payment
from sishu.core import refs
from sishu.core.models import Stateful, Timestamped
from sishu.core.money import Money


class Dispute(Stateful, Timestamped):
    """Money that a provider took back until an objection is decided, by the provider's own reference."""

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        WON = "won", _("won")
        LOST = "lost", _("lost")

    # What was lost may be won on appeal.
    MOVES: ClassVar = {Status.OPEN: frozenset({Status.WON, Status.LOST}), Status.LOST: frozenset({Status.WON})}

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="disputes", verbose_name=_("payment"))
    reference = models.CharField(_("provider's reference"), max_length=64, unique=True)
    status = models.CharField(_("status"), max_length=6, choices=Status.choices, default=Status.OPEN, db_index=True)
    amount = models.BigIntegerField(_("amount in minor units"))
    currency = models.CharField(_("currency"), max_length=3)
    decided_at = models.DateTimeField(_("decided"), null=True)

    class Meta:
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")
        ordering = ["-id"]
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="commerce_dispute_amount_positive")]

    def __str__(self) -> str:
        return self.reference

    @property
    def ref(self) -> str:
        return refs.ref("dispute", self.pk)

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)
