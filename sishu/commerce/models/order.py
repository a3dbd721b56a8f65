"""What a buyer agreed to pay."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from sishu.commerce.models.offer import Offer
from sishu.core import refs
from sishu.core.models import Stateful, Timestamped
from sishu.core.money import Money

if TYPE_CHECKING:
    from sishu.gateways.base import Snapshot


class Order(Stateful, Timestamped):
    """One purchase by one person. Price and split stand on its lines, copied when it was placed."""

    class Status(models.TextChoices):
        AWAITING_PAYMENT = "awaiting_payment", _("awaiting payment")
        PAID = "paid", _("paid")
        EXPIRED = "expired", _("expired")
        CANCELLED = "cancelled", _("cancelled")
        REFUNDED = "refunded", _("refunded")

    MOVES: ClassVar = {
        Status.AWAITING_PAYMENT: frozenset({Status.PAID, Status.EXPIRED, Status.CANCELLED}),
        # Money taken in time whose notice came late still buys.
        Status.EXPIRED: frozenset({Status.PAID}),
        Status.PAID: frozenset({Status.REFUNDED}),
        # The provider accepted a refund, and gave it up.
        Status.REFUNDED: frozenset({Status.PAID}),
    }

    number = models.CharField(_("number"), max_length=24, unique=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="orders", verbose_name=_("buyer")
    )
    status = models.CharField(
        _("status"), max_length=16, choices=Status.choices, default=Status.AWAITING_PAYMENT, db_index=True
    )
    amount = models.BigIntegerField(_("total in minor units"))
    currency = models.CharField(_("currency"), max_length=3)
    language = models.CharField(_("language"), max_length=12)
    # Where the reader was, to be led back to; a path of this site.
    return_path = models.CharField(_("way back"), max_length=400, blank=True)
    # No payment is begun after it. One that was begun has a time of its own.
    expires_at = models.DateTimeField(_("expires"))
    paid_at = models.DateTimeField(_("paid"), null=True)
    # "user:offer" while awaiting payment, null afterwards: two tabs share one order.
    open_key = models.CharField(max_length=48, unique=True, null=True, editable=False)  # noqa: DJ001  null is the point

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ["-id"]
        constraints = [models.CheckConstraint(condition=Q(amount__gte=0), name="commerce_order_amount_not_negative")]
        indexes = [models.Index(fields=["status", "expires_at"], name="commerce_order_expiry")]
        permissions = [
            ("refund_payment", "Can give money back"),
            ("explain_access", "Can ask why a person can or cannot open a page"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def ref(self) -> str:
        return refs.ref("order", self.pk)

    @property
    def total(self) -> Money:
        return Money(self.amount, self.currency)

    def accepts(self, snapshot: Snapshot, until: datetime) -> bool:
        """Whether money that arrived buys this order: in its payment's time, in the order's currency, and enough."""
        return (
            self.status in {self.Status.AWAITING_PAYMENT, self.Status.EXPIRED}
            and snapshot.captured is not None
            and snapshot.captured.currency == self.currency
            and snapshot.captured.amount >= self.amount
            and snapshot.captured_at is not None
            and snapshot.captured_at <= until
        )


class OrderLine(models.Model):
    """One offer in an order, with title, price and split as they were at that moment."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="lines", verbose_name=_("order"))
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="lines", verbose_name=_("offer"))
    title = models.CharField(_("title"), max_length=160)
    amount = models.BigIntegerField(_("price in minor units"))
    # [[payee's user id, basis points], …]; the rest is the platform's.
    split = models.JSONField(_("shares"), default=list)
    # Within so many days of the payment the buyer gets it back by asking, as the checkout said.
    refund_days = models.PositiveSmallIntegerField(_("days to ask for it back"), default=0)
    # What went back or is on its way, minor units.
    refunded_amount = models.BigIntegerField(_("given back in minor units"), default=0)

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=0), name="commerce_line_amount_not_negative"),
            models.CheckConstraint(
                condition=Q(refunded_amount__gte=0, refunded_amount__lte=F("amount")),
                name="commerce_line_refunded_within_amount",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def ref(self) -> str:
        return refs.ref("line", self.pk)

    @property
    def refundable_amount(self) -> int:
        """Minor units that were paid, and neither went back nor are on their way."""
        return self.amount - self.refunded_amount
