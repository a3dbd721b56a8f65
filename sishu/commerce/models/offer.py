"""What is for sale, and who gets which part of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from sishu.core.models import Timestamped
from sishu.core.money import Money


class Offer(Timestamped):
    """Something for sale at a price, never the content itself. With an interval it is a plan.

    An access offer opens `page` and everything below it, in every language.
    """

    class Kind(models.TextChoices):
        ACCESS = "access", _("access")

    class Interval(models.TextChoices):
        ONCE = "", _("once")
        MONTH = "month", _("a month")

    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices, default=Kind.ACCESS)
    title = models.CharField(_("title"), max_length=160)
    amount = models.BigIntegerField(_("price in minor units"))
    currency = models.CharField(_("currency"), max_length=3)
    interval = models.CharField(_("interval"), max_length=5, choices=Interval.choices, blank=True)
    page = models.ForeignKey(
        "wagtailcore.Page",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="offers",
        verbose_name=_("page"),
    )
    is_open = models.BooleanField(_("for sale"), default=True)
    # "kind:interval:translation key" while open, null afterwards: one open offer of a kind for a work in all languages.
    open_key = models.CharField(max_length=80, unique=True, null=True, editable=False)  # noqa: DJ001  null is the point

    class Meta:
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=0), name="commerce_offer_amount_not_negative"),
            models.CheckConstraint(
                condition=Q(is_open=False, open_key__isnull=True) | Q(is_open=True, open_key__isnull=False),
                name="commerce_offer_key_while_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.price})"

    @property
    def price(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def is_plan(self) -> bool:
        return bool(self.interval)


class RevenueShare(models.Model):
    """A payee's part of an offer in basis points of the gross; what nobody holds is the platform's."""

    offer = models.ForeignKey(Offer, on_delete=models.CASCADE, related_name="shares", verbose_name=_("offer"))
    payee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="revenue_shares", verbose_name=_("payee")
    )
    share_bps = models.PositiveIntegerField(_("basis points"))

    class Meta:
        verbose_name = _("revenue share")
        verbose_name_plural = _("revenue shares")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["offer", "payee"], name="commerce_share_once_per_payee"),
            models.CheckConstraint(
                condition=Q(share_bps__gte=1, share_bps__lte=10_000), name="commerce_share_in_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.payee}: {self.share_bps / 100:g} %"
