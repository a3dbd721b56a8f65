"""Trial purchases: a little money taken through a gateway and given back, to see that its keys work."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from sishu.core import refs
from sishu.core.models import Stateful, Timestamped
from sishu.core.money import Money


class TrialPurchase(Stateful, Timestamped):
    """One trial. It sells nothing and is no Order; its money stands apart in the books until it went back."""

    class Status(models.TextChoices):
        """Where a trial is. A provider may take money for one that had ended."""

        PENDING = "pending", _("not paid yet")
        CAPTURED = "captured", _("paid, on its way back")
        RETURNED = "returned", _("given back")
        REFUSED = "refused", _("paid; the provider refused to give it back")
        ENDED = "ended", _("ended without payment")

    MOVES: ClassVar = {
        Status.PENDING: frozenset({Status.CAPTURED, Status.ENDED}),
        Status.ENDED: frozenset({Status.CAPTURED}),
        Status.CAPTURED: frozenset({Status.RETURNED, Status.REFUSED}),
        Status.RETURNED: frozenset({Status.CAPTURED}),
        Status.REFUSED: frozenset({Status.CAPTURED, Status.RETURNED}),
    }

    gateway = models.CharField(_("gateway"), max_length=20, db_index=True)
    product = models.CharField(_("product"), max_length=20, blank=True)
    book = models.CharField(_("book"), max_length=8)
    reference = models.CharField(_("reference"), max_length=32, unique=True)
    # Another one only when more money came after the first went back.
    refund_reference = models.CharField(_("refund"), max_length=32, blank=True, db_index=True)
    provider_reference = models.CharField(_("provider's reference"), max_length=128, blank=True)
    amount = models.BigIntegerField(_("amount in minor units"))
    currency = models.CharField(_("currency"), max_length=3)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.PENDING, db_index=True)
    captured_amount = models.BigIntegerField(_("captured in minor units"), default=0)
    returned_amount = models.BigIntegerField(_("given back in minor units"), default=0)
    captured_at = models.DateTimeField(_("captured"), null=True)
    returned_at = models.DateTimeField(_("given back"), null=True)
    begun_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("begun by")
    )

    class Meta:
        verbose_name = _("trial purchase")
        verbose_name_plural = _("trial purchases")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0, returned_amount__gte=0, returned_amount__lte=F("captured_amount")),
                name="commerce_trial_amounts",
            )
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def ref(self) -> str:
        return refs.ref("trial", self.pk)

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def captured(self) -> Money:
        return Money(self.captured_amount, self.currency)

    @property
    def held(self) -> Money:
        """What arrived and has not gone back."""
        return Money(self.captured_amount - self.returned_amount, self.currency)

    def told(self, money: Money) -> dict[str, Any]:
        """What a case about some money of this trial has to say, as JSON."""
        return {"money": money.as_json(), "reference": self.reference}
