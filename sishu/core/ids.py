"""Primary keys as clients write them."""

from __future__ import annotations

# What a bigint column counts to: a larger number names nothing, and most databases refuse to look for it.
MAX_ID = 2**63 - 1


def parse_id(value: object) -> int:
    """The number in a JSON integer or a string of ASCII digits, 0 included. ValueError for what no column counts to."""
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdigit()) or len(text) > len(str(MAX_ID)):
        raise ValueError(f"{text[:40]!r} is not a whole number.")
    if (number := int(text)) > MAX_ID:
        raise ValueError(f"{number} is beyond {MAX_ID}.")
    return number
