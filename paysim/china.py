"""What providers in China share: their clock, and how they write money."""

from __future__ import annotations

from datetime import timedelta, timezone

CHINA = timezone(timedelta(hours=8))


def yuan(fen: int) -> str:
    """Two decimals: 990 → "9.90"."""
    whole, rest = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{whole}.{rest:02d}"
