"""JSON that every database can keep: what Python's reader takes beyond the standard, and what SQL cannot store."""

from __future__ import annotations

import re

# What JSON can spell but no database stores: NUL, and halves of characters.
UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def refuse_constant(name: str) -> None:
    """For `json.loads(parse_constant=…)`: NaN and Infinity are not JSON."""
    raise ValueError(f"{name} is not JSON.")
