"""Where a creator is paid to, and each payment to them."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sishu.core import refs
from sishu.core.models import Stateful, Timestamped
from sishu.core.money import Money
from sishu.ledger.models import Book


class Method(models.TextChoices):
    """The ways in which money leaves by hand."""

    BANK = "bank", _("bank account")
    ALIPAY = "alipay", _("Alipay")
    WECHAT = "wechat", _("WeChat Pay")
    OTHER = "other", _("another way")


class PayeeAccount(models.Model):
    """A person's own account for payouts. Its particulars are sealed; the tail is all that lists and mails show."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="payee_account", verbose_name=_("payee")
    )
    method = models.CharField(_("paid by"), max_length=8, choices=Method.choices)
    sealed = models.BinaryField(editable=False)
    tail = models.CharField(_("account"), max_length=80)
    # Counts the changes, so that a payout can tell whether the account is still the one it goes to.
    version = models.PositiveIntegerField(_("version"), default=1)
    changed_at = models.DateTimeField(_("last changed"))

    class Meta:
        verbose_name = _("payee account")
        verbose_name_plural = _("payee accounts")
        constraints = [
            models.CheckConstraint(condition=Q(method__in=Method.values), name="payouts_payee_method_known"),
        ]

    def __str__(self) -> str:
        return self.tail


class Payout(Stateful, Timestamped):
    """Money leaving to a creator's own account, paid by hand. Its account is a copy, made when it was requested."""

    class Status(models.TextChoices):
        REQUESTED = "requested", _("requested")
        APPROVED = "approved", _("approved")
        PAID = "paid", pgettext_lazy("payout", "paid")
        REJECTED = "rejected", _("rejected")
        FAILED = "failed", _("failed")

    MOVES: ClassVar = {
        Status.REQUESTED: frozenset({Status.APPROVED, Status.REJECTED}),
        Status.APPROVED: frozenset({Status.PAID, Status.REJECTED, Status.FAILED}),
        # A bank sends money back days later.
        Status.PAID: frozenset({Status.FAILED}),
    }
    OPEN = (Status.REQUESTED, Status.APPROVED)

    reference = models.CharField(_("reference"), max_length=32, unique=True)
    payee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="payouts", verbose_name=_("payee")
    )
    book = models.CharField(_("book"), max_length=8, choices=Book.choices)
    status = models.CharField(
        _("status"), max_length=10, choices=Status.choices, default=Status.REQUESTED, db_index=True
    )
    amount = models.BigIntegerField(_("amount in minor units"))
    currency = models.CharField(_("currency"), max_length=3)
    method = models.CharField(_("paid by"), max_length=8, choices=Method.choices)
    sealed = models.BinaryField(editable=False)
    tail = models.CharField(_("account"), max_length=80)
    account_version = models.PositiveIntegerField(_("version of the account"))
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("requested by")
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("approved by")
    )
    approved_at = models.DateTimeField(_("approved"), null=True)
    # The bank's own number of the transfer.
    proof = models.CharField(_("proof"), max_length=120, blank=True)
    paid_on = models.DateField(_("paid on"), null=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("paid by whom")
    )
    settled_at = models.DateTimeField(_("written down as paid"), null=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("ended by")
    )
    ended_at = models.DateTimeField(_("ended"), null=True)
    # "payee:book:currency" while requested or approved, null afterwards: one under way each.
    open_key = models.CharField(max_length=40, unique=True, null=True, editable=False)  # noqa: DJ001  null is the point

    class Meta:
        verbose_name = _("payout")
        verbose_name_plural = _("payouts")
        ordering = ["-id"]
        permissions = [
            ("request_payout", _("Can ask for a payout to a creator")),
            ("approve_payout", _("Can approve payouts, reject them and mark them as paid")),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="payouts_payout_amount_positive"),
            models.CheckConstraint(condition=Q(book__in=Book.values), name="payouts_payout_book_known"),
            models.CheckConstraint(
                condition=Q(status__in=["requested", "approved"], open_key__isnull=False)
                | Q(status__in=["paid", "rejected", "failed"], open_key__isnull=True),
                name="payouts_payout_key_while_open",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True)
                | (~Q(approved_by=F("requested_by")) & ~Q(approved_by=F("payee"))),
                name="payouts_payout_second_person",
            ),
            # Who asks for their own money is no second desk.
            models.CheckConstraint(
                condition=Q(settled_by__isnull=True) | ~Q(requested_by=F("payee")) | ~Q(settled_by=F("approved_by")),
                name="payouts_payout_second_desk",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["requested", "rejected"])
                | Q(approved_by__isnull=False, approved_at__isnull=False),
                name="payouts_payout_approved_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(status="paid")
                | (Q(paid_on__isnull=False, settled_by__isnull=False, settled_at__isnull=False) & ~Q(proof="")),
                name="payouts_payout_paid_with_proof",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["rejected", "failed"]) | (Q(ended_at__isnull=False) & ~Q(reason="")),
                name="payouts_payout_ended_with_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def ref(self) -> str:
        return refs.ref("payout", self.pk)

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def is_rehearsal(self) -> bool:
        """Whether this is play money, so that nothing leaves any bank."""
        return self.book == Book.SANDBOX
