"""Who may read what, from when until when."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from sishu.core.models import Timestamped


class EntitlementQuerySet(models.QuerySet["Entitlement"]):
    """Entitlements by time."""

    def valid(self, at: datetime) -> EntitlementQuerySet:
        """Those that open their page at that moment."""
        return self.not_over(at).filter(starts_at__lte=at)

    def not_over(self, at: datetime) -> EntitlementQuerySet:
        """Those that open their page at that moment or later: a renewed month of a plan begins where the last one ends."""
        return self.filter(Q(ends_at=None) | Q(ends_at__gt=at), revoked_at=None)


EntitlementManager = models.Manager.from_queryset(EntitlementQuerySet)


class Entitlement(Timestamped):
    """A person may read a page and everything below it, in every language, in [starts_at, ends_at)."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="entitlements", verbose_name=_("reader")
    )
    page = models.ForeignKey(
        "wagtailcore.Page", on_delete=models.PROTECT, related_name="entitlements", verbose_name=_("page")
    )
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"), null=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True)
    # "line:7" for what was bought: each source entitles once.
    source = models.CharField(_("source"), max_length=48, unique=True)
    # "user:translation key" while held for good, null otherwise: nobody is sold the same work twice.
    owned_key = models.CharField(max_length=60, unique=True, null=True, editable=False)  # noqa: DJ001  null is the point

    objects = EntitlementManager()

    class Meta:
        verbose_name = _("entitlement")
        verbose_name_plural = _("entitlements")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")), name="commerce_entitlement_lasts"
            ),
            models.CheckConstraint(
                condition=Q(owned_key__isnull=False, ends_at__isnull=True, revoked_at__isnull=True)
                | Q(owned_key__isnull=True) & (Q(ends_at__isnull=False) | Q(revoked_at__isnull=False)),
                name="commerce_entitlement_key_while_owned",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} → {self.page}"
