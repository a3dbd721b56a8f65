"""Bank transfers to the house's own account: the buyer names a code, and a person finds the money on the bank's statement.

No bank tells us anything here. What arrives and what is sent back is recorded in the studio (`sishu.commerce.transfers`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.text import format_lazy
from django.utils.timezone import get_default_timezone
from django.utils.translation import gettext_lazy as _

from sishu.core.languages import listed
from sishu.core.money import DIGITS, SYMBOLS
from sishu.gateways.base import (
    BadNotice,
    BankTransfer,
    Bill,
    Device,
    GatewayError,
    NoBills,
    Notice,
    Outcome,
    PaymentRequest,
    RefundOutcome,
    RefundRequest,
    RefundSnapshot,
    Snapshot,
    Started,
)

# Crockford's base 32: no I, L, O or U, and what is read for one of them is taken for what was meant.
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
MISREAD = str.maketrans("OIL", "011", " -·")
CODE_LENGTH = 9  # the last one checks the others
# Odd, so that any one wrong letter changes the sum, and unequal, so that swapped neighbours do.
WEIGHTS = (1, 3, 5, 7, 9, 11, 13, 15)
MAX_DAYS = 60
EXAMPLE = '{"CNY": {"payee": "…", "account": "…", "bank": "…"}}'


@dataclass(frozen=True, slots=True)
class Account:
    """Where money in one currency is sent to."""

    payee: str
    account: str
    bank: str


class OfflineGateway:
    """Takes transfers in the currencies it has an account for. The money is real, so its book is always the live one."""

    name = "offline"
    book = "live"
    FIXED_TOGETHER = (frozenset({"payee", "account", "bank", "accounts"}),)

    def __init__(
        self, *, accounts: str = "", payee: str = "", account: str = "", bank: str = "", currency: str, days: int
    ) -> None:
        self.accounts = _read_accounts(accounts)
        if payee or account or bank:
            self.accounts.setdefault(
                currency, _read_account(currency, {"payee": payee, "account": account, "bank": bank})
            )
        if not self.accounts:
            raise ImproperlyConfigured(
                _("The offline gateway has no account to name. Set OFFLINE_PAYEE, OFFLINE_ACCOUNT and OFFLINE_BANK, or "
                  "OFFLINE_ACCOUNTS for several currencies, or take offline out of GATEWAYS.")
            )  # fmt: skip
        if not 1 <= days <= MAX_DAYS:
            raise ImproperlyConfigured(
                format_lazy(
                    _("OFFLINE_DAYS is {days}; a transfer is waited for 1 to {most} days."), days=days, most=MAX_DAYS
                )
            )
        self.currencies = frozenset(self.accounts)
        self.zone = get_default_timezone()
        self.time_to_pay: timedelta | None = timedelta(days=days)

    def product_for(self, device: Device) -> str:
        return "transfer"

    def start(self, request: PaymentRequest) -> Started:
        if request.due.currency not in self.accounts:
            raise GatewayError(_("There is no account for {currency}."), currency=request.due.currency)
        there, code = self.accounts[request.due.currency], code_of(request.reference)
        return Started(BankTransfer(there.payee, there.account, there.bank, code), code)

    def query(self, reference: str, provider_reference: str = "") -> Snapshot:
        """Nobody can be asked: it is pending until somebody records a transfer."""
        return Snapshot(reference, Outcome.PENDING, provider_reference=provider_reference)

    def close(self, reference: str, provider_reference: str = "") -> Snapshot:
        """The house waits no longer. A transfer that comes all the same is recorded as late."""
        return Snapshot(reference, Outcome.CLOSED, provider_reference=provider_reference)

    def refund(self, request: RefundRequest) -> RefundSnapshot:
        """Pending until somebody has sent the money and says so."""
        return RefundSnapshot(request.reference, RefundOutcome.PENDING, request.amount)

    def query_refund(self, request: RefundRequest) -> RefundSnapshot:
        return self.refund(request)

    def parse_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        raise BadNotice("No bank sends notices here; transfers are recorded in the studio.")

    def fetch_bill(self, day: date) -> Bill:
        raise NoBills(_("The bank's statement is on paper, or in a file that this house cannot read."))


def code_of(reference: str) -> str:
    """The code a buyer writes beside a transfer: eight letters from the payment's reference, and one that checks them."""
    number = int.from_bytes(hashlib.sha256(reference.encode()).digest()[:5], "big")
    letters = "".join(LETTERS[number >> shift & 31] for shift in range(35, -5, -5))
    return letters + _check_letter(letters)


def read_code(text: str) -> str | None:
    """A code as a bank's statement has it, in any case and with spaces; None for what is no code."""
    code = text.strip().upper().translate(MISREAD)
    is_code = len(code) == CODE_LENGTH and set(code) <= set(LETTERS) and _check_letter(code[:-1]) == code[-1]
    return code if is_code else None


def _check_letter(letters: str) -> str:
    return LETTERS[sum(weight * LETTERS.index(each) for weight, each in zip(WEIGHTS, letters, strict=True)) % 32]


def _read_accounts(text: str) -> dict[str, Account]:
    try:
        said: Any = json.loads(text or "{}")
    except ValueError as error:
        raise ImproperlyConfigured(
            format_lazy(
                _("OFFLINE_ACCOUNTS holds JSON such as {example}. It cannot be read: {error}."),
                example=EXAMPLE, error=str(error),
            )
        ) from error  # fmt: skip
    if not isinstance(said, dict) or not all(isinstance(values, dict) for values in said.values()):
        raise ImproperlyConfigured(
            format_lazy(
                _("OFFLINE_ACCOUNTS holds JSON such as {example}. It is another kind of value."), example=EXAMPLE
            )
        )
    return {currency: _read_account(currency, values) for currency, values in said.items()}


def _read_account(currency: str, said: Mapping[str, Any]) -> Account:
    if currency not in {*SYMBOLS, *DIGITS}:
        raise ImproperlyConfigured(
            format_lazy(
                _("An offline account is in '{currency}'; known: {known}."),
                currency=currency, known=listed({**SYMBOLS, **DIGITS}),
            )
        )  # fmt: skip
    values = {part: said.get(part) for part in ("payee", "account", "bank")}
    if missing := [part for part, value in values.items() if not isinstance(value, str) or not value.strip()]:
        raise ImproperlyConfigured(
            format_lazy(
                _("The offline account in {currency} has no {parts}: nobody could transfer to it."),
                currency=currency, parts=listed(missing),
            )
        )  # fmt: skip
    return Account(**{part: str(value).strip() for part, value in values.items()})
