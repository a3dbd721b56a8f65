"""Money given back: how much of what, by whose word, and how far it got."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from sishu.commerce.models.order import OrderLine
from sishu.commerce.models.payment import Payment
from sishu.core import refs
from sishu.core.models import Stateful, Timestamped
from sishu.core.money import Money


class Refund(Stateful, Timestamped):
    """Money that goes back from one payment: some or all of the sale, or of what arrived without buying anything.

    One that was made at the provider's own console, or taken by a dispute, bears the provider's reference, and nobody
    requested it.
    """

    class Part(models.TextChoices):
        SALE = "sale", _("the sale")
        UNAPPLIED = "unapplied", _("money that bought nothing")

    class Status(models.TextChoices):
        PROPOSED = "proposed", _("waits for a second person")
        REQUESTED = "requested", _("requested")
        PROCESSING = "processing", _("on its way")
        SUCCEEDED = "succeeded", _("succeeded")
        FAILED = "failed", _("failed")
        REJECTED = "rejected", _("rejected")

    MOVES: ClassVar = {
        # The provider is right: what it had given up it may carry out after all.
        Status.PROPOSED: frozenset({Status.REQUESTED, Status.REJECTED, Status.SUCCEEDED}),
        Status.REQUESTED: frozenset({Status.PROCESSING, Status.SUCCEEDED, Status.FAILED}),
        Status.PROCESSING: frozenset({Status.SUCCEEDED, Status.FAILED}),
        # The buyer's bank sent it back; or the objection that had taken it was rejected on appeal.
        Status.SUCCEEDED: frozenset({Status.FAILED, Status.REJECTED}),
        # Tried again under the same reference.
        Status.FAILED: frozenset({Status.PROPOSED, Status.REQUESTED, Status.SUCCEEDED}),
        Status.REJECTED: frozenset({Status.SUCCEEDED}),
    }
    # While it is one of these, its money is spoken for and no other refund of the part is begun.
    OPEN: ClassVar = (Status.PROPOSED, Status.REQUESTED, Status.PROCESSING)

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds", verbose_name=_("payment"))
    part = models.CharField(_("part"), max_length=10, choices=Part.choices)
    reference = models.CharField(_("reference"), max_length=64, unique=True)
    status = models.CharField(
        _("status"), max_length=10, choices=Status.choices, default=Status.REQUESTED, db_index=True
    )
    amount = models.BigIntegerField(_("amount in minor units"))
    currency = models.CharField(_("currency"), max_length=3)
    # A part that goes back out of kindness leaves what it bought open; all of a line never does.
    closes_access = models.BooleanField(_("closes what was bought"), default=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("requested by")
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("approved by")
    )
    settled_at = models.DateTimeField(_("settled"), null=True)
    next_try_at = models.DateTimeField(_("next try"), null=True, db_index=True)
    try_count = models.PositiveSmallIntegerField(_("tries"), default=0)
    # What is said of an earlier attempt is no news about this one.
    failure_count = models.PositiveSmallIntegerField(_("times given up"), default=0)
    # "payment:part" while under way, null otherwise: however many press the button, one is under way.
    open_key = models.CharField(max_length=48, unique=True, null=True, editable=False)  # noqa: DJ001  null is the point
    # The form it was asked for by, so that a part asked for twice by one form goes back once.
    form_key = models.CharField(max_length=40, unique=True, null=True, editable=False)  # noqa: DJ001  null is the point

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="commerce_refund_amount_positive"),
            models.CheckConstraint(
                condition=Q(status__in=["proposed", "requested", "processing"], open_key__isnull=False)
                | Q(status__in=["succeeded", "failed", "rejected"], open_key__isnull=True),
                name="commerce_refund_key_while_open",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("requested_by")),
                name="commerce_refund_two_people",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def ref(self) -> str:
        return refs.ref("refund", self.pk)

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN


class RefundLine(models.Model):
    """What of one order line goes back, and out of whose part, once it did."""

    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, related_name="lines", verbose_name=_("refund"))
    line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="refunds", verbose_name=_("order line"))
    amount = models.BigIntegerField(_("amount in minor units"))
    # [[payee's user id or null for the house, minor units], …]; empty until the books say so.
    parts = models.JSONField(_("taken from"), default=list)

    class Meta:
        verbose_name = _("refunded line")
        verbose_name_plural = _("refunded lines")
        constraints = [
            models.UniqueConstraint(fields=["refund", "line"], name="commerce_refundline_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="commerce_refundline_amount_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.refund_id} · {self.line_id}"
