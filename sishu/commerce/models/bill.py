"""What providers say moved on a day, and how each line of it compares with our books."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from sishu.core import refs
from sishu.core.models import Timestamped
from sishu.core.money import Money


class ProviderBill(Timestamped):
    """A provider's bill of one of its days, as it came. The same file is imported once; a corrected one is another."""

    gateway = models.CharField(_("gateway"), max_length=20)
    book = models.CharField(_("book"), max_length=8)
    day = models.DateField(_("day"))
    digest = models.CharField(_("digest"), max_length=64)
    # The file names buyers: sealed for the house.
    sealed = models.BinaryField(editable=False)
    # What the provider then held for us, if it says: [[minor units, currency], …].
    closing = models.JSONField(_("closing balance"), default=list)
    reconciled_at = models.DateTimeField(_("compared"), null=True)

    class Meta:
        verbose_name = _("bill")
        verbose_name_plural = _("bills")
        ordering = ["-day", "-id"]
        constraints = [models.UniqueConstraint(fields=["gateway", "day", "digest"], name="commerce_bill_once")]

    def __str__(self) -> str:
        return f"{self.gateway} {self.day}"

    @property
    def ref(self) -> str:
        return refs.ref("bill", self.pk)


class BillLine(models.Model):
    """One line of a bill: what came in (positive) or went out (negative), the provider's fee, and what we make of it."""

    class Outcome(models.TextChoices):
        """How a line compares. All but the first three are a person's to look into."""

        MATCHED = "matched", _("agrees")
        TIMING = "timing", _("not yet comparable")
        POSTED = "posted", _("booked from the bill")
        MISSING_LOCAL = "missing_local", _("unknown here")
        AMOUNT_DIFFERS = "amount_differs", _("another amount")
        STATUS_DIFFERS = "status_differs", _("another state")
        DUPLICATE = "duplicate", _("twice in the bills")
        FEE_DIFFERS = "fee_differs", _("another fee")

    bill = models.ForeignKey(ProviderBill, on_delete=models.PROTECT, related_name="lines", verbose_name=_("bill"))
    number = models.PositiveIntegerField(_("line"))
    kind = models.CharField(_("kind"), max_length=10)
    reference = models.CharField(_("payment"), max_length=64, blank=True, db_index=True)
    refund_reference = models.CharField(_("refund"), max_length=64, blank=True, db_index=True)
    provider_reference = models.CharField(_("provider's reference"), max_length=128, blank=True)
    amount = models.BigIntegerField(_("amount in minor units"))
    fee = models.BigIntegerField(_("fee in minor units"), default=0)
    currency = models.CharField(_("currency"), max_length=3)
    at = models.DateTimeField(_("moved"))
    outcome = models.CharField(
        _("comparison"), max_length=16, choices=Outcome.choices, default=Outcome.TIMING, db_index=True
    )

    class Meta:
        verbose_name = _("bill line")
        verbose_name_plural = _("bill lines")
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["bill", "number"], name="commerce_billline_once")]

    def __str__(self) -> str:
        return f"{self.bill_id}.{self.number}"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def fee_money(self) -> Money:
        return Money(self.fee, self.currency)
