"""How sure a mean is, by the bootstrap (Efron 1979): draw the users anew, with replacement, and look at the spread.

Of AUC, which is no mean, by the closed form.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log10

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from sishu.estimators.errors import InvalidInput
from sishu.estimators.metrics import ranks

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
        # Two digits of what is not sure, and four at least.
        digits = max(4, 1 - floor(log10(self.half))) if self.half > 0 else 4
        return f"{self.value:.{digits}f} ±{self.half:.{digits}f}"


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


def of_auc(clicked: ArrayLike, predicted: ArrayLike) -> Interval:
    """The chance that a click is ranked above a row without one, equals counting half, with 95 % bounds.

    By the normal approximation (DeLong, DeLong & Clarke-Pearson 1988): the share of the rows without a click that each
    click stands above, and of the clicks that each row without one stands below, vary by themselves. Raises InvalidInput
    where there are fewer than two of either.
    """
    happened, score = np.asarray(clicked, np.float64) > 0, np.asarray(predicted, np.float64)
    if happened.shape != score.shape or min(happened.sum(), (~happened).sum()) < 2:
        raise InvalidInput("An interval of AUC wants two rows with a click, two without, and a prediction for each.")
    ranked = ranks(score)
    above = (ranked[happened] - ranks(score[happened])) / (~happened).sum()
    below = 1 - (ranked[~happened] - ranks(score[~happened])) / happened.sum()
    error = np.sqrt(above.var(ddof=1) / len(above) + below.var(ddof=1) / len(below))
    value, reach = float(above.mean()), float(ndtri(0.975) * error)
    return Interval(value, max(0.0, value - reach), min(1.0, value + reach))


def _means_drawn(each: NDArray[np.float64], draws: int, rng: np.random.Generator) -> NDArray[np.float64]:
    step = max(1, CHUNK // each.size)
    sizes = [min(step, draws - begin) for begin in range(0, draws, step)]
    return np.concatenate([each[rng.integers(each.size, size=(size, each.size))].mean(axis=1) for size in sizes])
