"""How sure a mean is, by the bootstrap (Efron 1979): draw the users anew, with replacement, and look at the spread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sishu.estimators.errors import InvalidInput

DRAWS = 1000
CHUNK = 2**24  # cells of one block of draws


@dataclass(frozen=True)
class Interval:
    """A mean, and between which bounds it lies in 95 of 100 draws."""

    value: float
    low: float
    high: float

    @property
    def half(self) -> float:
        return (self.high - self.low) / 2

    def __str__(self) -> str:
        return f"{self.value:.4f} ±{self.half:.4f}"


def of_mean(values: ArrayLike, draws: int = DRAWS, seed: int = 0, sides: int = 2) -> Interval:
    """The mean of `values` (n,), one for each user, with the bounds of its middle 95 %.

    With one side each bound by itself holds in 95 of 100 draws: for asking whether something is better, and not how much.
    """
    each = np.asarray(values, dtype=np.float64)
    if not each.size:
        raise InvalidInput("There is no value to take a mean of.")
    means = _means_drawn(each, draws, np.random.default_rng(seed))
    outside = 0.05 / sides
    low, high = np.quantile(means, [outside, 1 - outside])
    return Interval(float(each.mean()), float(low), float(high))


def of_difference(ours: ArrayLike, theirs: ArrayLike, draws: int = DRAWS, seed: int = 0, sides: int = 2) -> Interval:
    """The mean of ours − theirs for the same users, paired: what both find hard cancels out."""
    first, second = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    if first.shape != second.shape:
        raise InvalidInput(f"Paired values are of the same users: {first.shape} and {second.shape}.")
    return of_mean(first - second, draws, seed, sides)


def _means_drawn(each: NDArray[np.float64], draws: int, rng: np.random.Generator) -> NDArray[np.float64]:
    step = max(1, CHUNK // each.size)
    sizes = [min(step, draws - begin) for begin in range(0, draws, step)]
    return np.concatenate([each[rng.integers(each.size, size=(size, each.size))].mean(axis=1) for size in sizes])
