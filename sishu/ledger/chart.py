"""The chart of accounts: every code the house posts to has its name here."""

from __future__ import annotations

from sishu.ledger.models import Account

# What an order's payment passes through; nets to zero within every journal.
CLEARING = "liability:clearing"
PLATFORM_INCOME = "income:platform"


def provider(gateway: str) -> str:
    """Money a payment provider holds for us."""
    return f"asset:psp:{gateway}"


def creator_pending(user_id: int) -> str:
    """A creator's earnings within the refund window."""
    return f"liability:creator:{user_id}:pending"


def unapplied(payment_reference: str) -> str:
    """Money that arrived but belongs to no order yet."""
    return f"liability:unapplied:{payment_reference}"


def suspense(payment_reference: str) -> str:
    """Money that went back to a payer by nobody's order here."""
    return f"asset:suspense:{payment_reference}"


def kind_of(code: str) -> Account.Kind:
    """The kind that a code's first word names. ValueError when it names none."""
    return Account.Kind(code.partition(":")[0])


def purse(owner: str) -> str:
    """Money an owner may spend; its balance is kept and never below zero."""
    return f"liability:purse:{owner}"


def is_guarded(code: str) -> bool:
    """Whether spending from the account needs permission, so that its balance is kept beside it."""
    return code.startswith("liability:purse:")
