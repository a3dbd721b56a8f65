"""Attempts to collect an order."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from sishu.commerce.gateway_words import label_of
from sishu.commerce.models.order import Order
from sishu.core import refs
from sishu.core.models import Stateful, Timestamped
from sishu.core.money import Money


class Payment(Stateful, Timestamped):
    """One attempt to collect an order through one gateway, known to the provider by `reference`."""

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        CAPTURED = "captured", _("captured")
        FAILED = "failed", _("failed")
        CLOSED = "closed", _("closed")

    MOVES: ClassVar = {
        Status.PENDING: frozenset({Status.CAPTURED, Status.FAILED, Status.CLOSED}),
        # The provider is right: money can arrive for an attempt that looked dead.
        Status.FAILED: frozenset({Status.CAPTURED}),
        Status.CLOSED: frozenset({Status.CAPTURED}),
    }

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="payments", verbose_name=_("order"))
    gateway = models.CharField(_("gateway"), max_length=20)
    # Which of the gateway's products: one begun on a telephone is not the one begun at a desk.
    product = models.CharField(_("product"), max_length=12, blank=True)
    book = models.CharField(_("book"), max_length=8)
    reference = models.CharField(_("reference"), max_length=32, unique=True)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.PENDING, db_index=True)
    amount = models.BigIntegerField(_("due in minor units"))
    currency = models.CharField(_("currency"), max_length=3)
    # Money of this payment buys the order until then: until the order expires, or longer by a way that takes days.
    expires_at = models.DateTimeField(_("expires"))
    captured_amount = models.BigIntegerField(_("captured in minor units"), default=0)
    captured_currency = models.CharField(_("captured in"), max_length=3, blank=True)
    captured_at = models.DateTimeField(_("captured"), null=True)
    provider_reference = models.CharField(_("provider's reference"), max_length=128, blank=True)
    # Whether the sale was settled by this payment; money of any other stands in an unapplied account.
    is_applied = models.BooleanField(_("settled the order"), default=False)
    # "order:gateway" while pending, null afterwards, or once it made room for another: one open attempt each.
    open_key = models.CharField(max_length=48, unique=True, null=True, editable=False)  # noqa: DJ001  null is the point
    next_poll_at = models.DateTimeField(_("next question to the provider"), null=True, db_index=True)
    poll_count = models.PositiveSmallIntegerField(_("questions asked"), default=0)

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="commerce_payment_amount_positive"),
            models.CheckConstraint(condition=Q(captured_amount__gte=0), name="commerce_payment_captured_not_negative"),
            models.CheckConstraint(
                condition=~Q(status="captured") | Q(captured_amount__gt=0), name="commerce_payment_captured_something"
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def ref(self) -> str:
        return refs.ref("payment", self.pk)

    @property
    def gateway_label(self) -> str:
        return label_of(self.gateway)

    @property
    def due(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def captured(self) -> Money:
        return Money(self.captured_amount, self.captured_currency or self.currency)

    def told(self, money: Money) -> dict[str, Any]:
        """What a case about some money of this payment has to say, as JSON."""
        return {"money": money.as_json(), "reference": self.reference, "order": self.order.number}
