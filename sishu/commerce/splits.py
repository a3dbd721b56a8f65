"""Who gets which part of an amount, exactly. Pure arithmetic: no database."""

from __future__ import annotations

from collections import Counter
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


def unwind(amount: int, legs: Sequence[tuple[int | None, int]]) -> list[tuple[int | None, int]]:
    """(payee's user id, minor units) that go back out of what each of `legs` still holds; zero parts are left out.

    Split over what remains, not over the first split: so no part ever goes below zero, and parts that go back one after
    another end at exactly nothing (`allocate` of each sum anew can make a part negative).
    """
    parts = allocate(amount, [held for _, held in legs])
    return [(payee, part) for (payee, _), part in zip(legs, parts, strict=True) if part]


def remaining(
    legs: Iterable[tuple[int | None, int]], taken: Iterable[Iterable[Sequence[int | None]]]
) -> list[tuple[int | None, int]]:
    """What each leg still holds after the parts in `taken` (as a RefundLine keeps them) went back."""
    gone: Counter[int | None] = Counter()
    for parts in taken:
        for payee, part in parts:
            gone[payee] += part or 0
    return [(payee, held - gone[payee]) for payee, held in legs]


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


def of_refund(parts: Iterable[tuple[int | None, int]], to: str, *, is_matured: bool) -> list[Move]:
    """Moves of a refund of a sale: out of everyone's part through clearing to where the money goes.

    A creator's part comes out of what they may be paid, once it is there, and else out of what is still pending.
    """
    moves, creator = [], chart.creator_available if is_matured else chart.creator_pending
    for payee, part in parts:
        source = chart.PLATFORM_INCOME if payee is None else creator(payee)
        moves.append(Move(source, chart.CLEARING, part, "platform" if payee is None else "creator"))
    return [*moves, Move(chart.CLEARING, to, sum(move.amount for move in moves), "refund")]


def of_foreign_refund(gateway: str, reference: str, amount: int) -> list[Move]:
    """Money that left the provider's account without our asking: kept apart until a person says what it was for."""
    return [Move(chart.suspense(reference), chart.provider(gateway), amount, "refund")]


def of_dispute(gateway: str, amount: int, fee: int) -> list[Move]:
    """Money that a provider takes back until an objection is decided, and what it charges for that, whoever wins."""
    moves = [Move(chart.disputed(gateway), chart.provider(gateway), amount, "dispute")]
    return [*moves, *([Move(chart.PROVIDER_FEES, chart.provider(gateway), fee, "fee")] if fee else [])]
