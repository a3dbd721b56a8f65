"""Double entry in one row: every transfer moves an amount from one account to another, so the books cannot fail to sum."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Book(models.TextChoices):
    """Real money and play money never meet."""

    LIVE = "live", pgettext_lazy("book", "Live")
    SANDBOX = "sandbox", _("Sandbox")


class Account(models.Model):
    """A named pot in one currency and one book. Never renamed, never deleted."""

    class Kind(models.TextChoices):
        ASSET = "asset", _("Asset")
        LIABILITY = "liability", _("Liability")
        INCOME = "income", _("Income")
        EXPENSE = "expense", _("Expense")
        EQUITY = "equity", _("Equity")

    book = models.CharField(_("book"), max_length=8, choices=Book.choices)
    code = models.CharField(_("code"), max_length=80, validators=[RegexValidator(r"^[a-z]+(:[A-Za-z0-9_-]+)+$")])
    currency = models.CharField(_("currency"), max_length=3)
    kind = models.CharField(_("kind"), max_length=9, choices=Kind.choices)

    class Meta:
        verbose_name = _("ledger account")
        verbose_name_plural = _("ledger accounts")
        constraints = [
            models.UniqueConstraint(fields=["book", "code", "currency"], name="ledger_account_once"),
            models.CheckConstraint(condition=Q(book__in=Book.values), name="ledger_account_book_known"),
        ]

    def __str__(self) -> str:
        return f"{self.code} ({self.currency}, {self.book})"

    @property
    def is_debit_normal(self) -> bool:
        """Whether a debit makes the balance grow: assets and expenses."""
        return self.kind in {self.Kind.ASSET, self.Kind.EXPENSE}


class Balance(models.Model):
    """What an account holds, kept beside it where spending needs permission: the floor is never passed.

    Only guarded accounts have one (`chart.is_guarded`), all of them liabilities: what the house owes to a purse.
    A busy account has none; its balance is the sum of its transfers.
    """

    account = models.OneToOneField(
        Account, on_delete=models.PROTECT, primary_key=True, related_name="guard", verbose_name=_("ledger account")
    )
    posted = models.BigIntegerField(_("posted in minor units"), default=0)
    floor = models.BigIntegerField(_("floor in minor units"), default=0)

    class Meta:
        verbose_name = _("guarded balance")
        verbose_name_plural = _("guarded balances")
        constraints = [models.CheckConstraint(condition=Q(posted__gte=F("floor")), name="ledger_balance_above_floor")]

    def __str__(self) -> str:
        return f"{self.account}: {self.posted}"


class Journal(models.Model):
    """One business fact, posted once: its key says which."""

    key = models.CharField(_("posting key"), max_length=80, unique=True)
    kind = models.CharField(_("kind"), max_length=20)
    ref = models.CharField(_("about"), max_length=80, db_index=True)
    book = models.CharField(_("book"), max_length=8, choices=Book.choices)
    period = models.CharField(_("month"), max_length=7, db_index=True)
    digest = models.CharField(_("digest"), max_length=64)
    reverses = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="reversal", verbose_name=_("reverses")
    )
    actor = models.CharField(_("posted by"), max_length=80, blank=True)
    posted_at = models.DateTimeField(_("posted"))

    class Meta:
        verbose_name = _("journal")
        verbose_name_plural = _("journals")
        constraints = [
            models.CheckConstraint(condition=Q(book__in=Book.values), name="ledger_journal_book_known"),
            models.CheckConstraint(condition=~Q(key=""), name="ledger_journal_key_not_empty"),
        ]

    def __str__(self) -> str:
        return self.key


class Transfer(models.Model):
    """One move of `amount` minor units, debit → credit, inside a journal. Never changed; a mistake is reversed."""

    journal = models.ForeignKey(Journal, on_delete=models.PROTECT, related_name="transfers", verbose_name=_("journal"))
    line = models.PositiveSmallIntegerField(_("line"))
    debit = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="debits", verbose_name=_("debit"))
    credit = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="credits", verbose_name=_("credit"))
    currency = models.CharField(_("currency"), max_length=3)
    amount = models.BigIntegerField(_("amount in minor units"))
    code = models.CharField(_("code"), max_length=20)

    class Meta:
        verbose_name = _("transfer")
        verbose_name_plural = _("transfers")
        constraints = [
            models.UniqueConstraint(fields=["journal", "line"], name="ledger_transfer_line_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="ledger_transfer_amount_positive"),
            models.CheckConstraint(condition=~Q(debit=F("credit")), name="ledger_transfer_two_accounts"),
        ]

    def __str__(self) -> str:
        return f"{self.journal_id}.{self.line} {self.code} {self.amount} {self.currency}"


class PeriodLock(models.Model):
    """A closed month, "2026-11": nothing more is posted into it."""

    period = models.CharField(_("month"), max_length=7, primary_key=True)
    closed_at = models.DateTimeField(_("closed at"))
    closed_by = models.CharField(_("closed by"), max_length=80)

    class Meta:
        verbose_name = _("closed month")
        verbose_name_plural = _("closed months")

    def __str__(self) -> str:
        return self.period
