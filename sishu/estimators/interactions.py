"""Who had to do with what, how much and when: what every recommender is fitted on."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from sishu.estimators.errors import InvalidInput

LARGEST = float(np.finfo(np.float32).max)  # models are fitted on weights in float32
WEIGHTS = "weights are finite, in 4 bytes, and not negative"
YEAR_10000 = 253_402_300_800  # in seconds; no calendar of ours goes so far, before 1970 or after


class Ids(Sequence[str]):
    """The outer ids of rows or columns, by position, and the way back. Any string is an id; each occurs once."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names: tuple[str, ...] = tuple(names)
        self._positions: dict[str, int] | None = None

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, position: Any) -> Any:
        return self.names[position]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self.by_name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ids) and self.names == other.names

    def __hash__(self) -> int:
        return hash(self.names)

    def __repr__(self) -> str:
        return f"Ids({len(self)})"

    @property
    def by_name(self) -> dict[str, int]:
        if self._positions is None:  # a model that is only mapped pays for this at the first question
            self._positions = {name: position for position, name in enumerate(self.names)}
        return self._positions

    def positions(self, names: Iterable[str]) -> NDArray[np.int64]:
        """Where these are; -1 for a name that is not among them."""
        find = self.by_name.get
        return np.fromiter((find(name, -1) for name in names), dtype=np.int64)

    def many(self, positions: Iterable[int]) -> list[str]:
        return [self.names[position] for position in positions]

    @classmethod
    def coded(cls, names: Sequence[Hashable]) -> tuple[Ids, NDArray[np.int64]]:
        """The distinct `names` in order of first appearance, and the position of each of `names` among them."""
        seen: dict[str, int] = {}
        codes = np.fromiter((seen.setdefault(str(name), len(seen)) for name in names), np.int64, len(names))
        return cls(seen), codes


@dataclass(frozen=True)
class History:
    """What one person did: ids of items, oldest first, and how much each counts.

    An id that a model does not know is passed over: a work may be newer than the model.
    """

    items: tuple[str, ...]
    weights: tuple[float, ...] = ()
    times: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name in ("weights", "times"):
            if getattr(self, name) and len(getattr(self, name)) != len(self.items):
                raise InvalidInput(f"A history of {len(self.items)} items has {len(getattr(self, name))} {name}.")
        if not self.weights:
            object.__setattr__(self, "weights", (1.0,) * len(self.items))
        if bad := [weight for weight in self.weights if not 0 <= weight <= LARGEST]:
            raise InvalidInput(f"A history's weight is {bad[0]}: {WEIGHTS}.")

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, eq=False)
class Interactions:
    """Rows of (user, item, weight, time), sorted by user, then time, then as they came.

    `users`, `items`: int64 positions in `user_ids`, `item_ids`; `weights`: float64, finite and not negative (for
    ratings models the rating itself); `times`: int64 seconds since 1970 (UTC), or None where nobody wrote them down.
    A pair may stand in many rows: `matrix` adds their weights up, `latest` keeps the last. Arrays are read-only. Build
    it with `of`, which sorts. Raises InvalidInput for rows that are not as said here.
    """

    user_ids: Ids
    item_ids: Ids
    users: NDArray[np.int64]
    items: NDArray[np.int64]
    weights: NDArray[np.float64]
    times: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        _check(self.user_ids, self.item_ids, self.users, self.items, self.weights, self.times)
        if not _is_ordered(self.users, self.times):
            raise InvalidInput("These rows are not sorted by user, then time: build them with Interactions.of.")
        for name in ("users", "items", "weights", "times"):
            if getattr(self, name) is not None:
                seen = getattr(self, name).view()  # whoever gave the array may still write to their own
                seen.flags.writeable = False
                object.__setattr__(self, name, seen)

    @classmethod
    def of(
        cls,
        users: Sequence[Hashable],
        items: Sequence[Hashable],
        weights: ArrayLike | None = None,
        times: ArrayLike | None = None,
    ) -> Interactions:
        """Rows given column by column. Times are seconds since 1970 or datetime64; without weights each row counts 1.

        An id is the text of whatever names it, and not empty. Raises InvalidInput for a row without an id, columns of
        different lengths, and a weight that is no number, NaN, infinite or negative.
        """
        for name, column in (("user", users), ("item", items)):
            _refuse_missing(name, column)
        user_ids, user_codes = Ids.coded(users)
        item_ids, item_codes = Ids.coded(items)
        weight = np.ones(len(user_codes)) if weights is None else _numbers("weights", weights)
        moment = None if times is None else seconds(times)
        return cls.of_codes(user_ids, item_ids, user_codes, item_codes, weight, moment)

    @classmethod
    def of_codes(
        cls,
        user_ids: Ids,
        item_ids: Ids,
        users: NDArray[np.int64],
        items: NDArray[np.int64],
        weights: NDArray[np.float64],
        times: NDArray[np.int64] | None = None,
    ) -> Interactions:
        """Rows in any order, whose ids were already made positions. Raises InvalidInput as `of` does."""
        _check(user_ids, item_ids, users, items, weights, times)
        order = np.lexsort((users,) if times is None else (times, users))  # stable: of one moment as they came
        ordered = None if times is None else times[order]
        return cls(user_ids, item_ids, users[order], items[order], weights[order], ordered)

    def take(self, rows: NDArray[Any]) -> Interactions:
        """Some rows, by position or mask; the ids stay, also those without a row left."""
        times = None if self.times is None else self.times[rows]
        return Interactions(self.user_ids, self.item_ids, self.users[rows], self.items[rows], self.weights[rows], times)

    def compact(self) -> Interactions:
        """The same rows with only the ids that occur in them."""
        users, user_codes = np.unique(self.users, return_inverse=True)
        items, item_codes = np.unique(self.items, return_inverse=True)
        return Interactions(
            Ids(self.user_ids.many(users)), Ids(self.item_ids.many(items)),
            user_codes.astype(np.int64), item_codes.astype(np.int64), self.weights, self.times,
        )  # fmt: skip

    def latest(self) -> Interactions:
        """One row a pair: the last, as a rating given anew replaces the old one."""
        pair = self.users * len(self.item_ids) + self.items
        _, from_the_end = np.unique(pair[::-1], return_index=True)
        return self.take(np.sort(len(pair) - 1 - from_the_end))

    def with_catalogue(self, item_ids: Iterable[str]) -> Interactions:
        """The same rows over more items: those nobody had to do with yet stand after the others."""
        known = self.item_ids.by_name
        more = [name for name in item_ids if name not in known]
        ids = Ids(dict.fromkeys([*self.item_ids, *more]))
        return Interactions(self.user_ids, ids, self.users, self.items, self.weights, self.times)

    def with_weights(self, weights: NDArray[np.float64]) -> Interactions:
        """The same rows with other weights. Raises InvalidInput as `of` does."""
        return Interactions(self.user_ids, self.item_ids, self.users, self.items, weights, self.times)

    def __len__(self) -> int:
        return len(self.users)

    @property
    def shape(self) -> tuple[int, int]:
        """(users, items)."""
        return len(self.user_ids), len(self.item_ids)

    @cached_property
    def matrix(self) -> sparse.csr_matrix:
        """users x items, float32; the weights of a pair's rows added up."""
        data = self.weights.astype(np.float32)
        matrix = sparse.csr_matrix((data, (self.users, self.items)), shape=self.shape)
        matrix.sum_duplicates()
        return matrix

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """The rows of user u are `starts[u]:starts[u + 1]`; shape (users + 1,)."""
        return np.concatenate([[0], np.cumsum(np.bincount(self.users, minlength=len(self.user_ids)))])

    def history(self, user: int) -> History:
        """What the user at this position did, oldest first."""
        rows = slice(self.starts[user], self.starts[user + 1])
        times = () if self.times is None else tuple(self.times[rows].tolist())
        return History(tuple(self.item_ids.many(self.items[rows])), tuple(self.weights[rows].tolist()), times)


def _refuse_missing(what: str, names: Iterable[Hashable]) -> None:
    for row, name in enumerate(names):
        # NaN, which tables have for what is missing, is not equal to itself; "" is in `explain` what anybody is told.
        if name is None or name == "" or name != name:
            raise InvalidInput(f"Row {row} has no {what}: its id is {name!r}. Leave the row out, or give it an id.")


def _numbers(what: str, column: ArrayLike) -> NDArray[np.float64]:
    try:
        return np.asarray(column, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"The {what} hold what is no number: {error}.") from error


def _check(
    user_ids: Ids,
    item_ids: Ids,
    users: NDArray[np.int64],
    items: NDArray[np.int64],
    weights: NDArray[np.float64],
    times: NDArray[np.int64] | None,
) -> None:
    for name, column in (("items", items), ("weights", weights), ("times", times)):
        if column is not None and column.shape != users.shape:
            raise InvalidInput(f"There are {len(users)} users and {len(column)} {name}: columns are of one length.")
    for name, positions, ids in (("user", users, user_ids), ("item", items, item_ids)):
        if len(bad := np.flatnonzero((positions < 0) | (positions >= len(ids)))):
            row = int(bad[0])
            raise InvalidInput(f"The {name} of row {row} is at {positions[row]}: there are {len(ids)}, from 0.")
    if len(bad := np.flatnonzero(~((weights >= 0) & (weights <= LARGEST)))):
        row = int(bad[0])
        user, item = user_ids[users[row]], item_ids[items[row]]
        raise InvalidInput(
            f"The weight of row {row} (user {user!r}, item {item!r}) is {weights[row]}: {WEIGHTS}. Leave the row out,"
            " or give it a weight."
        )


def _is_ordered(users: NDArray[np.int64], times: NDArray[np.int64] | None) -> bool:
    """Whether rows stand by user, then time."""
    if (users[1:] < users[:-1]).any():
        return False
    return times is None or not ((times[1:] < times[:-1]) & (users[1:] == users[:-1])).any()


def seconds(times: ArrayLike) -> NDArray[np.int64]:
    """Whole seconds since 1970 of numbers or datetime64, (rows,). Raises InvalidInput for a row without a time."""
    moments = np.asarray(times)
    if np.issubdtype(moments.dtype, np.datetime64):
        if np.isnat(moments).any():
            row = int(np.flatnonzero(np.isnat(moments))[0])
            raise InvalidInput(f"Row {row} has no time, and others have: give every row one, or none.")
        moments = moments.astype("datetime64[s]").astype(np.int64)
    seconds = _numbers("times", moments)
    if len(bad := np.flatnonzero(~(np.abs(seconds) < YEAR_10000))):
        raise InvalidInput(
            f"The time of row {bad[0]} is {seconds[bad[0]]}: times are seconds since 1970, or datetime64, up to the year"
            " 9999."
        )
    return seconds.astype(np.int64)
