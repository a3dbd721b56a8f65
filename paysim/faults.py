"""What is made to go wrong, once or by chance."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock


class FaultKind(StrEnum):
    """One way in which providers, networks and strangers misbehave. `value` of a Fault means what stands behind it."""

    DROP_NOTICE = "drop_notice"  # a notice is never sent
    DELAY_NOTICE = "delay_notice"  # by value seconds
    DUPLICATE_NOTICE = "duplicate_notice"  # value more times at once
    REORDER_NOTICES = "reorder_notices"  # this one after the next one
    WRONG_AMOUNT = "wrong_amount"  # captures value minor units instead
    WRONG_CURRENCY = "wrong_currency"  # captures in currency value
    OTHER_MERCHANT = "other_merchant"  # a genuine notice, for somebody else
    FORGED_SIGNATURE = "forged_signature"  # signed with a key of nobody's
    OLD_TIMESTAMP = "old_timestamp"  # signed value seconds ago; negative: in the future
    SIGN_PROBE = "sign_probe"  # the provider's own test of whether we verify
    OTHER_KEY = "other_key"  # signed with the other of two valid kinds of keys
    ERROR_AFTER_EFFECT = "error_after_effect"  # done, and answered 500
    ERROR_BEFORE_EFFECT = "error_before_effect"  # not done, and answered 500
    TIMEOUT = "timeout"  # done, and never answered
    PAY_WHILE_CLOSING = "pay_while_closing"  # the buyer pays in the moment it is closed
    CLOSE_WITHOUT_EFFECT = "close_without_effect"  # confirmed, and left open
    REFUND_ABNORMAL = "refund_abnormal"  # accepted, then failed
    REFUND_CLOSED = "refund_closed"  # accepted, then closed: its number never gives anything back (WeChat)
    REFUND_REFUSED = "refund_refused"
    REFUND_PENDING = "refund_pending"  # accepted, and on its way until `settle_refund`
    BALANCE_TOO_LOW = "balance_too_low"  # for a refund or a transfer
    TRANSFER_STUCK = "transfer_stuck"  # the payee does not confirm
    BILL_MISSES_ROW = "bill_misses_row"
    BILL_HAS_MORE = "bill_has_more"  # a row of a payment we know nothing of
    BILL_OTHER_FEE = "bill_other_fee"  # value minor units
    BILL_OTHER_AMOUNT = "bill_other_amount"  # value minor units


@dataclass(slots=True)
class Fault:
    """A fault that waits for its moment: at this reference (empty: at any), `times` times."""

    kind: FaultKind
    reference: str = ""
    value: int | str = 0
    times: int = 1


class Faults:
    """All faults that wait, and those that come by chance with a seed of their own."""

    def __init__(self, *, seed: int = 0) -> None:
        self._waiting: list[Fault] = []
        self._rates: dict[FaultKind, tuple[float, int | str]] = {}
        self._chance = random.Random(seed)
        self._lock = Lock()

    def add(self, fault: Fault) -> None:
        """Let it happen at the next moment that fits."""
        with self._lock:
            self._waiting.append(fault)

    def by_chance(self, kind: FaultKind, rate: float, value: int | str = 0) -> None:
        """Let it happen with probability `rate` each time it could."""
        with self._lock:
            self._rates[kind] = (rate, value)

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._waiting.clear()
            self._rates.clear()

    def take(self, kind: FaultKind, reference: str = "") -> Fault | None:
        """The fault of this kind that happens now, if one does; it is used up by that."""
        with self._lock:
            for fault in self._waiting:
                if fault.kind == kind and fault.reference in ("", reference):
                    fault.times -= 1
                    if fault.times <= 0:
                        self._waiting.remove(fault)
                    return fault
            rate, value = self._rates.get(kind, (0.0, 0))
            if rate and self._chance.random() < rate:
                return Fault(kind, reference, value)
        return None
