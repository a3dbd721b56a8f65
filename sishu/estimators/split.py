"""Which rows a model may learn from, and which it is then asked about.

Every split keeps the ids of the whole: positions in `train` and `test` mean the same, and the full catalogue is ranked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sishu.estimators.errors import InvalidInput
from sishu.estimators.interactions import Interactions


@dataclass(frozen=True, eq=False)
class Split:
    """`train` and `test` have the same ids. `candidates`: positions of the only items that are ranked; None is all.

    Of equals the first of `candidates` is ranked first.
    """

    train: Interactions
    test: Interactions
    candidates: NDArray[np.int64] | None = None

    @cached_property
    def relevant(self) -> sparse.csr_matrix:
        """What a list should hold, users x items: the pairs of the test that weigh more than nothing."""
        found = self.test.matrix.copy()
        found.eliminate_zeros()
        return found


def holdout(interactions: Interactions, share: float = 0.2, at_least: int = 5, seed: int = 42) -> Split:
    """A random share of each user's items is asked about: max(1, floor(share n)) of n, each with all its rows.

    Users with fewer than `at_least` items stay whole in train. Random items say how well taste is learnt; they say
    nothing about time, since the future is in train.
    """
    _share(share)
    _, first, which = np.unique(_pairs(interactions), return_index=True, return_inverse=True)
    users = interactions.users[first]  # sorted
    order = np.lexsort((np.random.default_rng(seed).random(len(interactions))[first], users))
    starts = np.searchsorted(users, np.arange(len(interactions.user_ids) + 1))
    counts = np.diff(starts)
    asked = np.where(counts >= at_least, np.maximum(1, np.floor(share * counts)), 0)
    is_test = np.zeros(len(first), bool)
    is_test[order] = np.arange(len(first)) - starts[users] < asked[users]
    return _parted(interactions, is_test[which])


def leave_last(interactions: Interactions, at_least: int = 3) -> Split:
    """Each user's last row is asked about. Users with fewer than `at_least` rows stay whole in train.

    Nobody is asked whose last row is of an item that they had before: what a reader has already is not recommended.
    """
    _timed(interactions)
    ends, counts = interactions.starts[1:], np.diff(interactions.starts)
    is_test = np.zeros(len(interactions), bool)
    is_test[ends[counts >= at_least] - 1] = True
    return _parted(interactions, is_test)


def by_time(interactions: Interactions, share: float = 0.2) -> Split:
    """The last `share` of all rows by the clock is asked about: what a site lives through.

    Of those, pairs that train holds are left out: what a reader has already is not recommended.
    """
    _share(share)
    times = _timed(interactions)
    moment = np.sort(times)[int(len(times) * (1 - share))]
    is_test = times >= moment
    if is_test.all():
        raise InvalidInput("All rows are of one moment: they cannot be parted by time.")
    return _parted(interactions, is_test)


def cold_items(interactions: Interactions, share: float = 0.2, seed: int = 42) -> Split:
    """A random share of the items has no row in train, and only those are ranked: what is known of them must do.

    They stand in random order. By their positions popular items, met early, would come first of equals.
    """
    _share(share)
    count = len(interactions.item_ids)
    cold = np.random.default_rng(seed).permutation(count)[: max(1, int(share * count))]
    split = _parted(interactions, np.isin(interactions.items, cold))
    return Split(split.train, split.test, cold)


def folds(interactions: Interactions, count: int = 5, seed: int = 42) -> Iterator[Split]:
    """Every row is asked about once: row r in fold `permutation[r] % count`."""
    if not 2 <= count <= len(interactions):
        raise InvalidInput(f"{len(interactions)} rows cannot be parted into {count} folds.")
    fold = np.random.default_rng(seed).permutation(len(interactions)) % count
    for number in range(count):
        yield _parted(interactions, fold == number)


# How a list is judged: by name, a part to learn from and a part to ask about, given rows and a seed.
PROTOCOLS: dict[str, Callable[[Interactions, int], Split]] = {
    "ratio": lambda rows, seed: holdout(rows, seed=seed),
    "leave-last": lambda rows, seed: leave_last(rows),
    "time": lambda rows, seed: by_time(rows),
    "cold": lambda rows, seed: cold_items(rows, seed=seed),
}


def repeated(protocol: str, interactions: Interactions, seed: int, times: int) -> list[Split]:
    """Several parts of the same kind, to ask more often than there are users: other draws, or ever earlier pasts.

    Where nothing is left to ask about earlier, there are fewer. Raises InvalidInput where there is none.
    """
    if protocol not in ("leave-last", "time"):
        return [PROTOCOLS[protocol](interactions, seed + number) for number in range(times)]
    splits = [PROTOCOLS[protocol](interactions, seed)]
    with suppress(InvalidInput):
        while len(splits) < times:
            splits.append(PROTOCOLS[protocol](splits[-1].train, seed))
    return splits


def _parted(interactions: Interactions, is_test: NDArray[Any]) -> Split:
    train, test = interactions.take(~is_test), interactions.take(is_test)
    test = test.take(~np.isin(_pairs(test), _pairs(train)))
    if not len(test):
        raise InvalidInput(
            "No user has enough rows: nothing is left to ask about. Give more data, or another protocol."
        )
    return Split(train, test)


def _pairs(interactions: Interactions) -> NDArray[np.int64]:
    """A number for each row's user and item, sorted by user."""
    return interactions.users * len(interactions.item_ids) + interactions.items


def _share(share: float) -> None:
    if not 0 < share < 1:
        raise InvalidInput(f"The share asked about is {share}: it lies between 0 and 1.")


def _timed(interactions: Interactions) -> NDArray[np.int64]:
    if interactions.times is None:
        raise InvalidInput("These interactions have no times, and this protocol goes by time: name the time column.")
    return interactions.times
