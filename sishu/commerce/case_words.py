"""Cases of money in words: the question, and what is known about it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from sishu.commerce import gateway_words
from sishu.commerce.models import Order, Payment, Refund
from sishu.core.money import Money
from sishu.moderation.models import Case


def kind_label(kind: str) -> str:
    """The question a case asks, in words."""
    known = {
        "unapplied": _("money that bought nothing"),
        "foreign_refund": _("refund made at the provider"),
        "refund_failed": _("refund refused by the provider"),
        "refund_proposed": _("refund that waits for a second person"),
        "dispute": _("buyer’s objection to a charge"),
        "reconciliation": _("difference between books and bill"),
        "unknown_payment": _("payment that nobody here asked for"),
        "former_account": _("payment that only a former account may know"),
        "review": _("review of a work"),
    }
    return known.get(kind, kind)


def remark(case: Case) -> str:
    """What is known about a case, in the language of the moment; what somebody noted stands behind it as it is."""
    known = {
        "surplus": _("%(money)s of %(reference)s: more than was due for order %(order)s."),
        "captured_again": _("%(money)s of %(reference)s: captured again, now %(captured)s in all."),
        "other_currency": _("%(money)s of %(reference)s: order %(order)s is in %(currency)s."),
        "too_little": _("%(money)s of %(reference)s: order %(order)s costs %(due)s."),
        "order_closed": _("%(money)s of %(reference)s: order %(order)s is %(status)s."),
        "already_owned": _("%(money)s of %(reference)s: by then the buyer owned what order %(order)s would give."),
        "too_late": _("%(money)s of %(reference)s: it came too late for order %(order)s."),
        "foreign_refund": _("%(money)s of %(reference)s: given back at the provider as %(refund)s."),
        "foreign_part": _(
            "%(money)s of %(reference)s: given back at the provider as %(refund)s, and booked as a part of order %(order)s."
        ),
        "refund_proposed": _("%(money)s of %(reference)s: more than one person may give back alone."),
        "dispute_open": _(
            "%(money)s of %(reference)s: the buyer of order %(order)s objects. Answer at the provider in time."
        ),
        "dispute_lost": _("%(money)s of %(reference)s: the objection to order %(order)s was upheld."),
        "dispute_odd": _(
            "%(money)s of %(reference)s: the objection was upheld, but order %(order)s holds less than that."
        ),
        "dispute_appealed": _(
            "%(money)s of %(reference)s: the objection to order %(order)s was upheld, and rejected on appeal. The money is back."
        ),
        "missing_local": _(
            "%(money)s of %(reference)s on the bill of %(gateway)s, %(day)s: nobody here knows of it. It stands apart in the books."
        ),
        "amount_differs": _(
            "%(money)s of %(reference)s on the bill of %(gateway)s, %(day)s: by our books it was %(ours)s."
        ),
        "status_differs": _("%(money)s of %(reference)s on the bill of %(gateway)s, %(day)s: here it is %(status)s."),
        "duplicate": _(
            "%(money)s of %(reference)s on the bill of %(gateway)s, %(day)s: it stands in the bills twice; our books have %(ours)s."
        ),
        "fee_differs": _(
            "%(money)s of %(reference)s on the bill of %(gateway)s, %(day)s: another fee than %(ours)s, which was booked."
        ),
        "missing_remote": _(
            "%(money)s of %(reference)s came on %(day)s; %(gateway)s confirms it, but no bill tells of it."
        ),
        "access_without_money": _(
            "Order %(order)s was opened for %(money)s of %(reference)s on %(day)s, and %(gateway)s knows of no such money."
        ),
        "trial_without_money": _(
            "%(money)s of trial purchase %(reference)s came on %(day)s by our books, and %(gateway)s knows of no such money."
        ),
        "refund_missing_remote": _(
            "%(money)s of %(reference)s went back on %(day)s by our books; no bill of %(gateway)s tells of it."
        ),
        "balance_differs": _("By our books %(gateway)s holds %(ours)s, by its bills up to %(day)s %(billed)s."),
        "closing_differs": _("On the evening of %(day)s %(gateway)s should hold %(ours)s; its bill says %(billed)s."),
        "refund_refused": _("%(money)s of %(reference)s: it did not go back."),
        "former_account": _(
            "%(money)s for order %(order)s: payment %(reference)s was begun before the keys of %(gateway)s were changed, and the account of now does not know it. Look in the former account whether the buyer paid."
        ),
        "unknown_money": _("%(gateway)s took %(money)s for a payment %(reference)s that was not begun here."),
        "unknown_payment": _("%(gateway)s tells of a payment %(reference)s that was not begun here; it took no money."),
    }
    if case.code not in known:
        return case.note
    said = {name: _said(name, value) for name, value in case.data.items()}
    return f"{known[case.code] % said} {case.note}".rstrip()


def _said(name: str, value: Any) -> str:
    """A value of a case's data as people read it."""
    if name == "status":
        labels = {**dict(Refund.Status.choices), **dict(Payment.Status.choices), **dict(Order.Status.choices)}
        return str(labels.get(value, value))
    if name == "gateway":
        return gateway_words.label_of(value)
    return str(Money(**value)) if isinstance(value, dict) else str(value)
