"""The numbers under which WeChat Pay is asked for a refund: ours, and a new one each time it closed the one before."""

from __future__ import annotations

import re

# [From WeChat's guide to refunds; never seen.] CLOSED: for seven days the balance held too little, nothing went, and nothing
# ever goes under this number: asked for anew, it wants another. ABNORMAL is no such end: its money waits between WeChat
# and the buyer for a person at WeChat's console, and under another number it could go twice.
WANTS_NEW_NUMBER = frozenset({"CLOSED"})
AGAIN = re.compile(r"(.+)-again([1-9][0-9]*)")


def number_of(reference: str, attempt: int) -> str:
    """WeChat's out_refund_no for our refund, after `attempt` numbers were closed."""
    return f"{reference}-again{attempt}" if attempt else reference


def reference_of(number: str) -> tuple[str, int]:
    """Our refund that an out_refund_no is of, and how many numbers were closed before."""
    again = AGAIN.fullmatch(number)
    return (again[1], int(again[2])) if again else (number, 0)
