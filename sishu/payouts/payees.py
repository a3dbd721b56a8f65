"""Where a creator is paid to: sealed for them, changed with care, copied into each payout."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from sishu.accounts import selectors as people
from sishu.accounts.models import User
from sishu.core import clock, crypto, refs
from sishu.core.errors import DomainError, NotAllowed
from sishu.ledger.models import Book
from sishu.outbox import publisher
from sishu.payouts.facts import PayeeChanged
from sishu.payouts.models import Method, PayeeAccount, Payout

HIDDEN = "····"


class NoAccount(DomainError):
    """The creator has not said where to."""

    code = "no_payee_account"


class CoolingDown(DomainError):
    """The account was changed too recently to be paid to."""

    code = "payee_account_changed"


@dataclass(frozen=True, slots=True)
class PayeeDetails:
    """What a transfer needs: whose account, which, and where it is kept (a bank and branch, or nothing)."""

    holder: str
    account: str
    bank: str = ""


@transaction.atomic
def change(user: User, method: Method, details: PayeeDetails) -> PayeeAccount:
    """Pay this person to this account from now on. The same again changes nothing. Raises NotAllowed.

    The web layer asks for the password first. Payouts that are under way keep the account they were requested with.
    """
    if not people.has_verified_email(user):
        raise NotAllowed(_("Verify your e-mail address first: every change of this account is told to you there."))
    User.objects.select_for_update().get(pk=user.pk)  # two first accounts at once would be one too many
    account = PayeeAccount.objects.select_for_update().filter(user=user).first() or PayeeAccount(user=user, version=0)
    if account.version and account.method == method and _reads(account, details):
        return account
    account.method, account.tail = method, mask(details.account)
    account.sealed = crypto.seal(_subject(user.pk), _place_of(account), _packed(details))
    account.version += 1
    account.changed_at = clock.now()
    account.save()
    publisher.publish(PayeeChanged(user_id=user.pk))
    return account


def lock(payee: User, *, by: User, book: Book) -> PayeeAccount:
    """The account a payout goes to, its row locked, so that one person's payouts are requested one after another.

    Raises NoAccount, and CoolingDown for real money while the account is too new.
    """
    # People before accounts, as in `change`. The payout's row will point at both people, which locks them too: in one
    # order, or two who ask for each other would each wait for the other.
    list(User.objects.select_for_update().filter(pk__in={payee.pk, by.pk}).order_by("pk"))
    account = PayeeAccount.objects.select_for_update().filter(user=payee).first()
    if account is None:
        raise NoAccount(
            _("%(payee)s has not named an account to be paid to. They do so on their account page.")
            % {"payee": payee.name}
        )
    if book == Book.LIVE and (until := ready_at(account)) > clock.now():
        raise CoolingDown(
            _("The account of %(payee)s was changed on %(changed)s. It can be paid to from %(until)s (UTC) on.")
            % {"payee": payee.name, "changed": f"{account.changed_at:%Y-%m-%d}", "until": f"{until:%Y-%m-%d %H:%M}"}
        )
    return account


def ready_at(account: PayeeAccount) -> datetime:
    """When an account can be paid to: some hours after its last change, so that its owner can object."""
    return account.changed_at + timedelta(hours=settings.PAYOUT_COOLDOWN_HOURS)


def read(row: PayeeAccount | Payout) -> PayeeDetails:
    """The particulars in the clear, for who is about to transfer money or edits their own. Raises CryptoError."""
    payee_id = row.payee_id if isinstance(row, Payout) else row.user_id
    return PayeeDetails(**json.loads(crypto.unseal_text(_subject(payee_id), _place_of(row), row.sealed)))


def seal_into(payout: Payout, account: PayeeAccount) -> None:
    """Copy an account into a payout that has its reference, sealed anew: a sealed cell opens in its own place only."""
    payout.method, payout.tail, payout.account_version = account.method, account.tail, account.version
    payout.sealed = crypto.seal(_subject(account.user_id), _place_of(payout), _packed(read(account)))


def mask(account: str) -> str:
    """What may be shown of an account: "···· 4821", "l···@example.org"."""
    name, at, host = account.partition("@")
    if at:
        return f"{name[:1]}···@{host}"[:80]
    shown = 4 if len(account) >= 8 else 2 if len(account) >= 4 else 0
    return f"{HIDDEN} {account[len(account) - shown :]}".strip()


def _reads(account: PayeeAccount, details: PayeeDetails) -> bool:
    try:
        return read(account) == details
    except crypto.CryptoError:
        return False  # what cannot be opened any more is replaced


def _subject(user_id: int) -> str:
    return refs.ref("user", user_id)


def _place_of(row: PayeeAccount | Payout) -> str:
    # By what is known before the row has a key of its own.
    key = row.reference if isinstance(row, Payout) else row.user_id
    return crypto.place(row._meta.db_table, "sealed", key)


def _packed(details: PayeeDetails) -> str:
    return json.dumps(asdict(details), ensure_ascii=False)
