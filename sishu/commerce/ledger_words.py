"""The books in words: what was posted, and between which accounts."""

from __future__ import annotations

from django.utils.translation import gettext as _

from sishu.accounts.models import User
from sishu.commerce import gateway_words
from sishu.core.money import Money
from sishu.ledger import chart
from sishu.ledger.models import Transfer


def kind_label(kind: str) -> str:
    """Why something was posted."""
    known = {
        "sale": _("Sale booked"),
        "unapplied": _("Money set apart in the books"),
        "refund": _("Refund booked"),
        "refund_paid": _("Refund arrived"),
        "refund_failed": _("Refund taken back in the books"),
        "maturity": _("Earnings can be paid out"),
        "fee": _("Provider’s fee"),
        "dispute": _("Money taken for a dispute"),
        "dispute_won": _("Dispute won, money back"),
        "foreign_refund": _("Refund made at the provider set apart in the books"),
        "unclaimed": _("Money on a bill that is of nobody here"),
        "trial": _("Trial purchase"),
        "payout": _("Payout begun"),
        "payout_paid": _("Payout paid"),
        "payout_returned": _("Payout came back"),
        "payout_released": _("Payout that was not made"),
    }
    return known.get(kind, kind)


def move_label(move: Transfer) -> str:
    """One move between two accounts: "¥8.91: provider sandbox → clearing"."""
    return f"{Money(move.amount, move.currency)}: {account_label(move.debit.code)} → {account_label(move.credit.code)}"


def account_label(code: str) -> str:
    """What an account is called by people."""
    _kind, _colon, rest = code.partition(":")
    noun, _colon, key = rest.partition(":")
    if code == chart.CLEARING:
        return _("clearing")
    if code == chart.PLATFORM_INCOME:
        return _("income of the house")
    if code == chart.BANK:
        return _("bank account of the house")
    if noun == "payout":
        payee = User.objects.filter(pk=key).first()
        return _("on its way to %(name)s") % {"name": payee.name if payee else key}
    if noun == "psp":
        return _("held by %(gateway)s") % {"gateway": gateway_words.label_of(key)}
    if noun == "refund":
        return _("on its way back from payment %(reference)s") % {"reference": key}
    if noun == "dispute":
        return _("disputed at %(gateway)s") % {"gateway": gateway_words.label_of(key)}
    if code == chart.PROVIDER_FEES:
        return _("fees of providers")
    if noun == "unclaimed":
        return _("on the bills of %(gateway)s, of nobody here") % {"gateway": gateway_words.label_of(key)}
    if noun == "unapplied":
        return _("set apart for payment %(reference)s") % {"reference": key}
    if noun == "suspense":
        return _("given back by payment %(reference)s, for what is not known") % {"reference": key}
    if noun == "creator":
        user_id, _colon, state = key.partition(":")
        person = User.objects.filter(pk=user_id).first()
        known = {"name": person.name if person else user_id}
        return _("payable to %(name)s") % known if state == "available" else _("owed to %(name)s") % known
    return code
