"""The declared schema of a click model: terms, written as in the formulas of statistics (Wilkinson & Rogers 1973).

| term | it stands for |
|---|---|
| `ad` | each name of the column has a weight of its own; a column of numbers has one weight |
| `ad:city` | each pair of names that occurs has a weight of its own: a cross; a number in it is multiplied |
| `rate(ad)`, `rate(ad:city)` | the smoothed click rate of that name or pair so far, as a number (`rates.py`) |

`matrix(ads, users)` writes the terms of an ad x user matrix: every feature of the one, of the other, and every pair.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sishu.estimators.clicks import ClickLog, hash_of
from sishu.estimators.errors import InvalidInput

Keys = NDArray[np.uint64]
RATE = re.compile(r"rate\(([^()]+)\)")


@dataclass(frozen=True)
class Term:
    """Columns that count together; `is_rate`: not themselves, but how often they were clicked."""

    columns: tuple[str, ...]
    is_rate: bool = False

    @classmethod
    @lru_cache(maxsize=1024)
    def of(cls, text: str) -> Term:
        """Raises InvalidInput for what is no term."""
        rate = RATE.fullmatch(text.strip())
        columns = tuple(name.strip() for name in (rate[1] if rate else text).split(":"))
        if not all(columns) or any(sign in name for name in columns for sign in "()"):
            raise InvalidInput(f"{text!r} is no term: write 'ad', 'ad:city' or 'rate(ad)'.")
        return cls(columns, rate is not None)

    def __str__(self) -> str:
        joined = ":".join(self.columns)
        return f"rate({joined})" if self.is_rate else joined

    def names(self, log: ClickLog) -> list[str]:
        """Its columns of names. Raises InvalidInput for a column that the log does not have."""
        for name in self.columns:
            if name not in log.categories and name not in log.numbers:
                known = ", ".join((*log.categories, *log.numbers)) or "none"
                raise InvalidInput(f"The term {self} needs the column {name!r}, and the log has {known}.")
        return [name for name in self.columns if name in log.categories]


def matrix(ads: Sequence[str], users: Sequence[str]) -> tuple[str, ...]:
    """The terms of the ad x user matrix: what an ad is, who a user is, and each of the one with each of the other."""
    return (*ads, *users, *(f"{ad}:{user}" for ad in ads for user in users))


def columns(log: ClickLog) -> tuple[str, ...]:
    """The terms where none is declared: every column by itself."""
    return (*log.categories, *log.numbers)


def keys(log: ClickLog, names: Iterable[str], seed: int = 0) -> Keys:
    """One number of 64 bits for the names that stand in these columns of each row, (rows,).

    Equal names give equal numbers in every log and process; other names, columns or seeds give other numbers, but for
    one pair in 2⁶⁴. Vectorised: each distinct name was hashed once, and here the hashes are mixed.
    """
    mixed = np.full(log.count, hash_of(f"{seed}"), np.uint64)
    for number, name in enumerate(names):
        column = log.category(name)
        mixed = _mix(mixed ^ np.uint64(hash_of(name))) if number else _begun(name, seed)
        mixed = _mix(mixed ^ column.hashes[column.codes])
    return mixed


def keys_of_each(log: ClickLog, names: Sequence[str], seed: int = 0) -> Keys:
    """`keys` of each of these columns by itself, (columns, rows): at once, since a request has few rows and many columns."""
    columns = [log.category(name) for name in names]
    begun = np.concatenate([_begun(name, seed) for name in names])
    hashes: Keys = np.stack([column.hashes[column.codes] for column in columns])
    return _mix(np.bitwise_xor(begun[:, None], hashes, dtype=np.uint64))


@lru_cache(maxsize=1024)
def _begun(name: str, seed: int) -> Keys:
    """What every key begins with whose first column is this one, (1,)."""
    return _mix(np.array([hash_of(f"{seed}")], np.uint64) ^ np.uint64(hash_of(name)))


def _mix(number: Keys) -> Keys:
    """The finaliser of SplitMix64 (Steele, Lea & Flood 2014): each bit of the answer hangs on every bit given."""
    number = (number ^ (number >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    number = (number ^ (number >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return number ^ (number >> np.uint64(31))
