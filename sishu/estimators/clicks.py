"""What was shown, whether it was clicked, and what was known of it then: what every click model is fitted on."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sishu.estimators.columns import POSITION
from sishu.estimators.errors import InvalidInput
from sishu.estimators.interactions import Ids, seconds

Probabilities = NDArray[np.float64]
RESERVED = ":()"  # they join columns into terms: see `terms.py`


class ClickModel(Protocol):
    """What every model of clicks can be asked; `tests/estimators/test_click_conformance.py` holds all of them to it."""

    def fit(self, log: ClickLog) -> Self:
        """Learn from scratch; whatever was learnt before is forgotten.

        Raises InvalidInput for a log without rows or outcomes, and for a parameter out of range; OverBudget.
        """

    def partial_fit(self, log: ClickLog) -> Self:
        """Learn from later rows without forgetting; on a model that has learnt nothing yet the same as `fit`."""

    def predict_proba(self, log: ClickLog) -> Probabilities:
        """The chance of a click in each row, (rows,), in the order of the log. What was never seen is no error."""

    def save(self, path: Path) -> None:
        """Write the model as one file, whole or not at all."""

    @classmethod
    def load(cls, path: Path) -> Self:
        """The model that `save` wrote."""


@dataclass(frozen=True, eq=False)
class Category:
    """A column of names: `codes` (rows,) are positions in `names`; `hashes` (names,) are the same names as numbers.

    A name's hash is the first 8 bytes of its BLAKE2b, so that it is the same in every log, process and year.
    """

    names: Ids
    codes: NDArray[np.int32]
    hashes: NDArray[np.uint64]

    @classmethod
    def of(cls, names: Sequence[Hashable]) -> Category:
        return cls.of_codes(*Ids.coded(names))

    @classmethod
    def of_codes(cls, names: Ids, codes: NDArray[np.int64]) -> Category:
        """A column whose names are known apart."""
        return cls(names, codes.astype(np.int32), np.fromiter(map(hash_of, names), np.uint64, len(names)))

    def take(self, rows: NDArray[Any] | slice) -> Category:
        return replace(self, codes=self.codes[rows])


@dataclass(frozen=True, eq=False)
class ClickLog:
    """Rows of what was shown, in any order; models that go by time sort them by `times`, and else take them as they are.

    `clicked` (rows,): 1.0 or 0.0; None where it is only to be predicted. `categories` and `numbers`: what was known, by
    name. `positions`: int64, the place in the list or on the page. `propensities`: the chance in (0, 1] with which the
    policy that served the row chose it there. `times`: int64 seconds since 1970 (UTC). `weights`: how much a row
    counts, 1 where nothing is said. Arrays are read-only. Build it with `of`, which checks.
    """

    count: int
    clicked: NDArray[np.float64] | None = None
    categories: Mapping[str, Category] = field(default_factory=dict)
    numbers: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    positions: NDArray[np.int64] | None = None
    propensities: NDArray[np.float64] | None = None
    times: NDArray[np.int64] | None = None
    weights: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        for array in (
            self.clicked,
            self.positions,
            self.propensities,
            self.times,
            self.weights,
            *self.numbers.values(),
        ):
            if array is not None:
                array.flags.writeable = False

    @classmethod
    def of(
        cls,
        clicked: ArrayLike | None = None,
        categories: Mapping[str, Sequence[Hashable] | Category] | None = None,
        numbers: Mapping[str, ArrayLike] | None = None,
        positions: ArrayLike | None = None,
        propensities: ArrayLike | None = None,
        times: ArrayLike | None = None,
    ) -> ClickLog:
        """Rows given column by column.

        Raises InvalidInput, with row and column, for columns of different lengths, a click that is neither 0 nor 1, a
        number that is NaN or infinite, a position that is no whole number, a propensity outside (0, 1].
        """
        columns = {
            name: column if isinstance(column, Category) else Category.of(column)
            for name, column in (categories or {}).items()
        }
        outcome = None if clicked is None else _numbers("clicked", clicked)
        known = {name: _numbers(name, column) for name, column in (numbers or {}).items()}
        place = None if positions is None else _numbers("positions", positions)
        chance = None if propensities is None else _numbers("propensities", propensities)
        moment = None if times is None else seconds(times)
        lengths = {name: len(column.codes) for name, column in columns.items()} | {
            name: len(column)
            for name, column in (
                {"clicked": outcome, **known, "positions": place, "propensities": chance, "times": moment}.items()
            )
            if column is not None
        }
        _check_names(columns, known)
        if len(set(lengths.values())) > 1:
            said = ", ".join(f"{name} {length}" for name, length in lengths.items())
            raise InvalidInput(f"Columns are of one length, and these are not: {said}.")
        if outcome is not None:
            _refuse(outcome, (outcome != 0) & (outcome != 1), "clicked", "clicks are 0 or 1")
        if place is not None:
            _refuse(place, (place < 0) | (place % 1 != 0), "positions", "positions are whole numbers from 0")
        if chance is not None:
            _refuse(chance, (chance <= 0) | (chance > 1), "propensities", "a propensity is above 0 and at most 1")
        whole = None if place is None else place.astype(np.int64)
        return cls(next(iter(lengths.values()), 0), outcome, columns, known, whole, chance, moment)

    def __len__(self) -> int:
        return self.count

    def take(self, rows: NDArray[Any] | slice) -> ClickLog:
        """Some rows, by position, mask or slice, in that order."""
        return ClickLog(
            len(np.arange(self.count)[rows]),
            _taken(self.clicked, rows),
            {name: column.take(rows) for name, column in self.categories.items()},
            {name: column[rows] for name, column in self.numbers.items()},
            _taken(self.positions, rows), _taken(self.propensities, rows),
            _taken(self.times, rows), _taken(self.weights, rows),
        )  # fmt: skip

    def ordered(self) -> ClickLog:
        """The same rows, oldest first; rows of one moment stay as they came."""
        return self if self.times is None else self.take(np.argsort(self.times, kind="stable"))

    def parted(self, share: float) -> tuple[ClickLog, ClickLog]:
        """The first rows by time, and the last `share` of them: what is said of later rows is never known before."""
        if not 0 < share < 1:
            raise InvalidInput(f"The share of later rows is {share}: it lies between 0 and 1.")
        log = self.ordered()
        return log.take(slice(round(self.count * (1 - share)))), log.take(slice(round(self.count * (1 - share)), None))

    def forward(self, begins: Sequence[float]) -> list[tuple[ClickLog, ClickLog]]:
        """At each share of the rows by time: those before it, and those up to the next share or the end.

        Of a log that is too short for it one pair, the whole and the whole.
        """
        log = self.ordered()
        bounds = [*(round(self.count * begin) for begin in begins), self.count]
        if len(set(bounds)) < len(bounds) or not bounds[0]:
            return [(log, log)]
        return [(log.take(slice(begin)), log.take(slice(begin, end))) for begin, end in pairwise(bounds)]

    def with_weights(self, weights: NDArray[np.float64]) -> ClickLog:
        return replace(self, weights=weights)

    def without_positions(self) -> ClickLog:
        return replace(self, positions=None)

    def with_positions_named(self) -> ClickLog:
        """The place as one more column of names, `position`, for models that know of no places."""
        if self.positions is None:
            return self
        return replace(
            self, positions=None, categories={**self.categories, POSITION: Category.of(self.positions.tolist())}
        )

    @property
    def outcomes(self) -> NDArray[np.float64]:
        """`clicked`, where there is something to learn from. Raises InvalidInput where there is not."""
        if self.clicked is None:
            raise InvalidInput("This log does not say what was clicked: a model is fitted on rows with outcomes.")
        if not self.count:
            raise InvalidInput("This log has no row: nothing can be learnt.")
        return self.clicked

    @property
    def row_weights(self) -> NDArray[np.float64]:
        return np.ones(self.count) if self.weights is None else self.weights

    def rate(self) -> float:
        """Clicks per row, (clicks + ½) / (rows + 1): above 0 and below 1 whatever the log holds (Jeffreys 1946)."""
        weights = self.row_weights
        return float((weights @ self.outcomes + 0.5) / (weights.sum() + 1))

    def category(self, name: str) -> Category:
        """A column of names. Raises InvalidInput where there is none of this name."""
        if name not in self.categories:
            raise InvalidInput(
                f"The log has no column of names {name!r}; it has {', '.join(self.categories) or 'none'}."
            )
        return self.categories[name]


def hash_of(name: str) -> int:
    """A name as a number of 64 bits."""
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def join(logs: Sequence[ClickLog]) -> ClickLog:
    """The rows of several logs, one after the other. A column is kept where all of them have it."""
    if not logs:
        raise InvalidInput("There is no log to join.")
    first, *others = logs
    numbers = [name for name in first.numbers if all(name in log.numbers for log in others)]
    return ClickLog.of(
        _joined([log.clicked for log in logs]),
        {
            name: _joined_categories([log.categories[name] for log in logs])
            for name in first.categories
            if all(name in log.categories for log in others)
        },
        {name: np.concatenate([log.numbers[name] for log in logs]) for name in numbers},
        _joined([log.positions for log in logs]),
        _joined([log.propensities for log in logs]),
        _joined([log.times for log in logs]),
    )


def _joined(parts: Sequence[NDArray[Any] | None]) -> NDArray[Any] | None:
    there = [part for part in parts if part is not None]
    return np.concatenate(there) if len(there) == len(parts) else None


def _joined_categories(parts: Sequence[Category]) -> Category:
    names, codes = Ids.coded([name for part in parts for name in part.names])
    ends = np.cumsum([len(part.names) for part in parts])
    pieces = np.split(codes, ends[:-1])
    rows = [piece[part.codes] for piece, part in zip(pieces, parts, strict=True)]
    hashes = np.empty(len(names), np.uint64)
    for piece, part in zip(pieces, parts, strict=True):
        hashes[piece] = part.hashes
    return Category(names, np.concatenate(rows).astype(np.int32), hashes)


def _taken(array: NDArray[Any] | None, rows: NDArray[Any] | slice) -> NDArray[Any] | None:
    return None if array is None else array[rows]


def _numbers(name: str, column: ArrayLike) -> NDArray[np.float64]:
    try:
        numbers = np.array(column, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{name} holds what is no number: {error}. Give it as a column of names.") from error
    if numbers.ndim != 1:
        raise InvalidInput(f"{name} has the shape {numbers.shape}: a column has one value a row.")
    _refuse(numbers, ~np.isfinite(numbers), name, "numbers are finite")
    return numbers


def _refuse(numbers: NDArray[np.float64], is_bad: NDArray[np.bool_], name: str, rule: str) -> None:
    if is_bad.any():
        row = int(np.flatnonzero(is_bad)[0])
        raise InvalidInput(f"{name} of row {row} is {numbers[row]}: {rule}. Leave the row out, or mend it.")


def _check_names(categories: Mapping[str, Any], numbers: Mapping[str, Any]) -> None:
    for name in (*categories, *numbers):
        if not name or any(sign in RESERVED for sign in name):
            raise InvalidInput(f"A column is called {name!r}: a name is not empty and holds none of {RESERVED}")
    if both := [name for name in categories if name in numbers]:
        raise InvalidInput(f"The column {both[0]!r} is given as names and as numbers: give it once.")
