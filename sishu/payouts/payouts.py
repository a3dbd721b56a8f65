"""Paying creators by hand: asked for, agreed to by a second person, transferred at the bank, written down.

The money leaves the creator's available account when it is asked for, so that it cannot be asked for twice; it stands
in transit until the bank has it or the payout ends. Every function does its work once, however often it is called.
"""

from __future__ import annotations

import secrets
from datetime import date

from django.db import transaction
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from sishu.accounts import roles
from sishu.accounts.models import User
from sishu.core import clock
from sishu.core.errors import DomainError, Invalid, Missing, NotAllowed
from sishu.core.money import Money, check_amount
from sishu.ledger import chart, journal
from sishu.ledger.journal import Move
from sishu.ledger.models import Book, Journal
from sishu.ledger.selectors import balance
from sishu.outbox import publisher
from sishu.payouts import payees
from sishu.payouts.facts import PayoutPaid, PayoutReleased, PayoutRequested
from sishu.payouts.models import Payout


class NotAvailable(DomainError):
    """The creator has less than that to be paid out, or owes."""

    code = "not_available"


class AlreadyUnderWay(DomainError):
    """Another payout of the same creator, book and currency has not ended."""

    code = "payout_under_way"


class AlreadyPaid(DomainError):
    """The payout was written down as paid under another reference."""

    code = "payout_already_paid"


@transaction.atomic
def request(payee: User, amount: Money, *, by: User, book: Book = Book.LIVE) -> Payout:
    """Set a creator's money on its way. Who asks for the same sum while it is under way gets the same payout.

    Raises NotAllowed, Invalid, NoAccount, CoolingDown, NotAvailable and AlreadyUnderWay.
    """
    if by != payee and not by.has_perm(roles.REQUEST_PAYOUT):
        raise NotAllowed(_("You may ask for payouts of your own earnings only."))
    if amount.amount <= 0:
        raise Invalid(_("Name an amount above zero."))
    check_amount(amount.amount, least=1)
    # First of all: who asks second counts what the first has left.
    account = payees.lock(payee, by=by, book=book)
    key = f"{payee.pk}:{book}:{amount.currency}"
    if (open_one := Payout.objects.filter(open_key=key).first()) is not None:
        return _same(open_one, amount)
    check_available(payee, amount, book)
    payout = Payout(
        reference=secrets.token_hex(6), payee=payee, book=book, amount=amount.amount, currency=amount.currency,
        requested_by=by, open_key=key,
    )  # fmt: skip
    payees.seal_into(payout, account)
    payout.save(force_insert=True)
    _post(payout, _request_key(payout), "payout", chart.creator_available(payee.pk), _transit(payout), by)
    publisher.publish(PayoutRequested(payout_id=payout.pk))
    return payout


@transaction.atomic
def approve(payout_id: int, *, by: User) -> Payout:
    """A second person agrees. Raises NotAllowed for who asked and for the payee, NotAvailable, WrongStatus, Missing."""
    payout = _lock(payout_id)
    check_approve(payout, by)
    if payout.status in (Payout.Status.APPROVED, Payout.Status.PAID):
        return payout
    held = _available(payout.payee, Book(payout.book), payout.currency)
    if held.amount < 0:
        # A refund came after the request: what is on its way is partly owed back.
        raise NotAvailable(
            _("Since this was asked for, refunds took %(payee)s to %(held)s. Reject it, and ask for less.")
            % {"payee": payout.payee.name, "held": held}
        )
    payout.move_to(Payout.Status.APPROVED, approved_by=by, approved_at=clock.now())
    return payout


@transaction.atomic
def settle(payout_id: int, *, proof: str, paid_on: date, by: User) -> Payout:
    """The money was transferred at the bank on that day, under the bank's own number.

    Raises NotAllowed for the payee, and for who approved what the payee asked for; Invalid, WrongStatus, Missing,
    and AlreadyPaid when it was paid under another number.
    """
    payout = _lock(payout_id)
    _check_duty(by)
    proof = " ".join(proof.split())
    if payout.status == Payout.Status.PAID and payout.proof == proof:
        return payout
    if payout.status == Payout.Status.PAID:
        raise AlreadyPaid(
            _("Payout %(reference)s was paid on %(day)s under %(proof)s. If money left twice, get the second back.")
            % {"reference": payout.reference, "day": payout.paid_on, "proof": payout.proof}
        )
    check_settle(payout, by)
    if not proof:
        raise Invalid(_("Give the bank’s reference of the transfer."))
    if paid_on > localdate(clock.now()):
        raise Invalid(_("%(day)s is still to come. Write a payout down once it is made.") % {"day": paid_on})
    payout.move_to(
        Payout.Status.PAID, proof=proof[:120], paid_on=paid_on, settled_by=by, settled_at=clock.now(), open_key=None
    )
    _post(payout, _paid_key(payout), "payout_paid", _transit(payout), chart.BANK, by)
    publisher.publish(PayoutPaid(payout_id=payout.pk))
    return payout


@transaction.atomic
def reject(payout_id: int, *, reason: str, by: User) -> Payout:
    """It is not paid, and the money can be paid out again. Who asked for it, or would get it, may take it back so.

    Raises NotAllowed, also for the payee once it was approved; Invalid, Missing, and WrongStatus once it was paid.
    """
    payout = _lock(payout_id)
    check_reject(payout, by)
    return _end(payout, Payout.Status.REJECTED, reason, by)


@transaction.atomic
def fail(payout_id: int, *, reason: str, by: User) -> Payout:
    """The bank could not make it, or sent it back, even after it was written down as paid: available again.

    Raises NotAllowed, also for the payee; Invalid, WrongStatus and Missing.
    """
    payout = _lock(payout_id)
    check_fail(payout, by)
    return _end(payout, Payout.Status.FAILED, reason, by)


def check_approve(payout: Payout, by: User) -> None:
    """NotAllowed for who may not agree to it: who asked, and who gets it."""
    _check_duty(by)
    if by.pk in (payout.requested_by_id, payout.payee_id):
        raise NotAllowed(
            _("Whoever asked for a payout, and whoever gets it, cannot approve it. It takes another person.")
        )


def check_settle(payout: Payout, by: User) -> None:
    """NotAllowed for who may not write it down as paid: the payee, and who approved what the payee asked for."""
    _check_duty(by)
    if by.pk == payout.payee_id:
        raise NotAllowed(_("Nobody writes down their own payout as paid. It takes another person."))
    if payout.requested_by_id == payout.payee_id and by.pk == payout.approved_by_id:
        raise NotAllowed(
            _(
                "%(payee)s asked for this payout, and you approved it: somebody else writes it down as paid. "
                "The owner can give another person the role finance."
            )
            % {"payee": payout.payee.name}
        )


def check_reject(payout: Payout, by: User) -> None:
    """NotAllowed for who may not take it back: until it is approved, who asked and who gets it may, afterwards not the payee."""
    is_early = payout.status in (Payout.Status.REQUESTED, Payout.Status.REJECTED)
    if not is_early:
        _check_others_money(payout, by)
    if not is_early or by.pk not in (payout.requested_by_id, payout.payee_id):
        _check_duty(by)


def check_fail(payout: Payout, by: User) -> None:
    """NotAllowed for who may not say that it did not arrive: the payee."""
    _check_duty(by)
    _check_others_money(payout, by)


def check_available(payee: User, amount: Money, book: Book) -> None:
    """NotAvailable, with the way out, when the creator has less than `amount` to be paid out."""
    held = _available(payee, book, amount.currency)
    if held.amount < 0:
        raise NotAvailable(
            _("%(payee)s owes %(debt)s after refunds. It is taken from what they earn next; then payouts go on.")
            % {"payee": payee.name, "debt": -held}
        )
    if amount.amount > held.amount:
        raise NotAvailable(
            _("%(payee)s has %(held)s to be paid out, which is less than %(amount)s.")
            % {"payee": payee.name, "held": held, "amount": amount}
        )


def _end(payout: Payout, status: Payout.Status, reason: str, by: User) -> Payout:
    if payout.status == status:
        return payout
    if not (reason := reason.strip()):
        raise Invalid(_("Say why: the creator reads it."))
    was_paid = payout.status == Payout.Status.PAID
    payout.move_to(status, reason=reason[:300], ended_by=by, ended_at=clock.now(), open_key=None)
    if was_paid:
        _reverse(_paid_key(payout), f"payout:{payout.reference}:returned", "payout_returned", by)
    _reverse(_request_key(payout), f"payout:{payout.reference}:released", "payout_released", by)
    publisher.publish(PayoutReleased(payout_id=payout.pk))
    return payout


def _same(payout: Payout, amount: Money) -> Payout:
    if payout.money == amount:
        return payout
    raise AlreadyUnderWay(
        _("Payout %(reference)s of %(money)s is under way. Wait until it is paid, or take it back first.")
        % {"reference": payout.reference, "money": payout.money}
    )


def _lock(payout_id: int) -> Payout:
    payout = Payout.objects.select_for_update().filter(pk=payout_id).first()
    if payout is None:
        raise Missing(_("There is no such payout."))
    return payout


def _check_duty(by: User) -> None:
    if not by.has_perm(roles.APPROVE_PAYOUT):
        raise NotAllowed(_("Payouts are decided by who looks after the money. Ask the owner for the role finance."))


def _check_others_money(payout: Payout, by: User) -> None:
    # The transfer may have been made: who has the money and takes back the record could ask for it once more.
    if by.pk == payout.payee_id:
        raise NotAllowed(
            _(
                "Once a payout is approved, whoever gets the money cannot end it. Another person looks at the bank first."
            )
        )


def _available(payee: User, book: Book, currency: str) -> Money:
    return Money(balance(chart.creator_available(payee.pk), book=book, currency=currency), currency)


def _transit(payout: Payout) -> str:
    return chart.payout_in_transit(payout.payee_id)


def _request_key(payout: Payout) -> str:
    return f"payout:{payout.reference}"


def _paid_key(payout: Payout) -> str:
    return f"payout:{payout.reference}:paid"


def _post(payout: Payout, key: str, kind: str, debit: str, credit: str, by: User) -> None:
    journal.post(
        key=key, kind=kind, ref=payout.ref, book=Book(payout.book), currency=payout.currency,
        moves=[Move(debit, credit, payout.amount, "payout")], actor=by.username,
    )  # fmt: skip


def _reverse(key: str, mirror: str, kind: str, by: User) -> None:
    journal.reverse(Journal.objects.get(key=key), key=mirror, kind=kind, actor=by.username)
