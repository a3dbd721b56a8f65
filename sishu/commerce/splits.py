"""Who gets which part of an amount, exactly. Pure arithmetic: no database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sishu.core.money import check_amount
from sishu.ledger import chart
from sishu.ledger.journal import Move

WHOLE_BPS = 10_000


def allocate(amount: int, weights: Sequence[int]) -> list[int]:
    """Parts of `amount` in proportion to `weights`, by largest remainder; ties go to the earlier position.

    Integers in and out; parts sum to `amount`, each is less than one unit from its exact share, and a zero weight
    gets zero. ValueError when nothing weighs anything.
    """
    check_amount(amount)
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError(f"Cannot split {amount} by weights {list(weights)}.")
    parts = [amount * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % whole), i))
    for i in by_remainder[: amount - sum(parts)]:
        parts[i] += 1
    return parts


def of_authors(weights: Mapping[int, int], platform_bps: int) -> dict[int, int]:
    """User id → basis points of a price: what the platform leaves, in proportion; alike when nobody weighs anything."""
    if not weights:
        return {}
    parts = allocate(WHOLE_BPS - platform_bps, list(weights.values()) if any(weights.values()) else [1] * len(weights))
    return {user_id: bps for user_id, bps in zip(weights, parts, strict=True) if bps}


def of_line(amount: int, split: Iterable[Sequence[int]]) -> list[tuple[int | None, int]]:
    """(payee's user id, minor units) for a line; None is the platform, which comes first and keeps what no one holds."""
    shares = [(int(payee), int(bps)) for payee, bps in split]
    rest = WHOLE_BPS - sum(bps for _, bps in shares)
    if rest < 0:
        raise ValueError(f"Shares of {WHOLE_BPS - rest} basis points are more than the whole.")
    parts = allocate(amount, [rest, *(bps for _, bps in shares)])
    return list(zip([None, *(payee for payee, _ in shares)], parts, strict=True))


def of_sale(gateway: str, amount: int, lines: Iterable[tuple[int, Iterable[Sequence[int]]]]) -> list[Move]:
    """Moves of a settled order: the provider's money into clearing, and out of it to everyone's account.

    `lines` are (amount, split) pairs whose amounts sum to `amount`.
    """
    moves = [Move(chart.provider(gateway), chart.CLEARING, amount, "capture")]
    for line_amount, split in lines:
        for payee, part in of_line(line_amount, split):
            if part:
                to = chart.PLATFORM_INCOME if payee is None else chart.creator_pending(payee)
                moves.append(Move(chart.CLEARING, to, part, "platform" if payee is None else "creator"))
    return moves


def of_unapplied(gateway: str, reference: str, amount: int) -> list[Move]:
    """Money that arrived and buys nothing: kept under the payment's reference until a person decides."""
    return [Move(chart.provider(gateway), chart.unapplied(reference), amount, "unapplied")]


def of_foreign_refund(gateway: str, reference: str, amount: int) -> list[Move]:
    """Money that left the provider's account without our asking: kept apart until a person says what it was for."""
    return [Move(chart.suspense(reference), chart.provider(gateway), amount, "refund")]
