"""What the house's own bank says, as somebody wrote it down."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from sishu.commerce.models.payment import Payment
from sishu.commerce.models.refund import Refund
from sishu.core.models import Timestamped
from sishu.core.money import Money


class BankEntry(Timestamped):
    """One line of the bank's statement: a transfer that arrived for a payment, or one that was sent for a refund."""

    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, related_name="bank_entries", verbose_name=_("payment")
    )
    # Of a transfer that was sent; null for one that arrived.
    refund = models.OneToOneField(
        Refund, on_delete=models.PROTECT, null=True, related_name="bank_entry", verbose_name=_("refund")
    )
    amount = models.BigIntegerField(_("amount in minor units"))
    currency = models.CharField(_("currency"), max_length=3)
    booked_on = models.DateField(_("day by the bank"))
    # The bank's own, without spaces and in capitals: one line of its statement counts once.
    bank_reference = models.CharField(_("bank’s reference"), max_length=64, unique=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("recorded by")
    )

    class Meta:
        verbose_name = _("bank entry")
        verbose_name_plural = _("bank entries")
        ordering = ["-id"]
        default_permissions = ()
        permissions = [("record_transfer", "Can record transfers that the bank made")]
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="commerce_bank_entry_amount_positive")]

    def __str__(self) -> str:
        return self.bank_reference

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)
