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


def creator_available(user_id: int) -> str:
    """A creator's earnings that can be paid out. Below zero it is what they owe: a refund after their payout."""
    return f"liability:creator:{user_id}:available"


def creator_of(code: str) -> tuple[int, str]:
    """Whose account a creator's code is, and which of the three: (42, "pending"), (42, "available"), (42, "transit")."""
    _kind, noun, user_id, *pot = code.split(":")
    return int(user_id), "transit" if noun == "payout" else pot[0]


def payout_in_transit(user_id: int) -> str:
    """A creator's money on its way to them: asked for, and not yet confirmed as paid."""
    return f"liability:payout:{user_id}"


def refund_in_transit(payment_reference: str) -> str:
    """Money on its way back to a payer: the provider accepted the refund and has not yet made it."""
    return f"liability:refund:{payment_reference}"


def disputed(gateway: str) -> str:
    """Money a provider took back for the time of a dispute."""
    return f"asset:dispute:{gateway}"


PROVIDER_FEES = "expense:psp_fee"
# What the house pays creators from, where no provider does it: its own bank account.
BANK = "asset:bank"


def unapplied(payment_reference: str) -> str:
    """Money that arrived but belongs to no order yet."""
    return f"liability:unapplied:{payment_reference}"


def suspense(payment_reference: str) -> str:
    """Money that went back to a payer by nobody's order here."""
    return f"asset:suspense:{payment_reference}"


def unclaimed(gateway: str) -> str:
    """Money on a provider's bill that nobody here knows of; less than nothing where it went out so."""
    return f"liability:unclaimed:{gateway}"


def kind_of(code: str) -> Account.Kind:
    """The kind that a code's first word names. ValueError when it names none."""
    return Account.Kind(code.partition(":")[0])


def purse(owner: str) -> str:
    """Money an owner may spend; its balance is kept and never below zero."""
    return f"liability:purse:{owner}"


def is_guarded(code: str) -> bool:
    """Whether spending from the account needs permission, so that its balance is kept beside it."""
    return code.startswith("liability:purse:")
