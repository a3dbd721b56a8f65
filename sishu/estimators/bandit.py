"""Which ad to show while it is not known which is clicked most, and with what chance it was shown.

Each policy turns the clicks and impressions of K ads so far into K chances, and one is drawn by them: so the propensity
that is logged is the chance itself, and `ope.py` can say later what another policy would have earned.

| policy | chance of ad a |
|---|---|
| `Thompson` (Thompson 1933; Chapelle & Li 2011) | that its rate is the highest of all, each taken from Beta(α + clicks, β + skips) |
| `Ucb` (UCB1: Auer, Cesa-Bianchi & Fischer 2002) | 1 for the highest c / n + √(2 ln N / n), N = Σ n; what was never shown comes first |
| `Greedy` | 1 for the highest (c + α) / (n + α + β) |

Equals share. Each keeps a share ε for all alike, p ← (1 − ε) p + ε / K: without it the last two log chances of 0, from
which nothing is learnt afterwards. An ad that was never shown stands at α / (α + β).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, betaincinv, expit, logit

from sishu.estimators.clicks import ClickLog
from sishu.estimators.errors import InvalidInput

Floats = NDArray[np.float64]
CELLS = 2048  # of the integral over the highest rate, about
FEWEST, MOST = 16, 512  # of them by one ad's quantiles
TAIL = 1e-10  # of a rate's distribution, left out at either end


@dataclass(frozen=True)
class Choice:
    """Which one, by its place among the candidates, and the chance it had: log both."""

    place: int
    propensity: float


@dataclass(frozen=True)
class Policy(ABC):
    """`clicks`, `skips`: α and β, what every ad is taken to have had before; `epsilon`: ε."""

    clicks: float = 1.0
    skips: float = 20.0
    epsilon: float = 0.0

    def __post_init__(self) -> None:
        if not (0 < self.clicks < np.inf and 0 < self.skips < np.inf and 0 <= self.epsilon <= 1):
            raise InvalidInput(f"{self}: clicks and skips are above 0, epsilon lies between 0 and 1.")

    def chances(self, clicks: ArrayLike, shows: ArrayLike) -> Floats:
        """The chance of each ad, (K,), adding up to 1, from its clicks and impressions, (K,).

        Raises InvalidInput for no ad, and for clicks that are negative or more than the impressions.
        """
        c, n = np.asarray(clicks, np.float64), np.asarray(shows, np.float64)
        if c.shape != n.shape or c.ndim != 1 or not c.size:
            raise InvalidInput(
                f"Clicks {c.shape} and impressions {n.shape}: one of each for each ad, of one ad or more."
            )
        if not ((c >= 0) & (c <= n) & np.isfinite(n)).all():
            place = int(np.flatnonzero(~((c >= 0) & (c <= n) & np.isfinite(n)))[0])
            raise InvalidInput(
                f"Ad {place} has {c[place]} clicks in {n[place]} impressions: clicks are from 0 to those."
            )
        return mixed(self._chances(c, n), self.epsilon)

    @abstractmethod
    def _chances(self, clicks: Floats, shows: Floats) -> Floats:
        """Without ε."""


class Thompson(Policy):
    """Shows each ad as often as it may be the best."""

    def _chances(self, clicks: Floats, shows: Floats) -> Floats:
        # P(a) = ∫ ∏_{b ≠ a} F_b dF_a. Below the least of the best of the sure, no ad is the highest.
        a, b = clicks + self.clicks, shows - clicks + self.skips
        # Quantiles of every ad are among the edges, so that cells are narrow where an ad is well known.
        count = int(np.clip(CELLS / len(a), FEWEST, MOST))
        edges = np.unique(betaincinv(a[:, None], b[:, None], expit(np.linspace(logit(TAIL), -logit(TAIL), count))))
        edges = edges[edges >= betaincinv(a, b, TAIL).max()]
        below = betainc(a[:, None], b[:, None], edges)  # F, (K, edges)
        middle = np.maximum((below[:, 1:] + below[:, :-1]) / 2, np.finfo(float).tiny)
        logs = np.log(middle)
        others = np.exp(logs.sum(axis=0) - logs)
        highest = (np.diff(below, axis=1) * others).sum(axis=1)
        return highest / highest.sum()


class Ucb(Policy):
    """Shows the ad that may well be the best; always the same until its counts change."""

    def _chances(self, clicks: Floats, shows: Floats) -> Floats:
        if not shows.all():
            return _shared(-shows)
        return _shared(clicks / shows + np.sqrt(2 * np.log(shows.sum()) / shows))


class Greedy(Policy):
    """Shows the ad that looks best now. With `epsilon` it is ε-greedy, without it never learns what it does not show."""

    def _chances(self, clicks: Floats, shows: Floats) -> Floats:
        return _shared((clicks + self.clicks) / (shows + self.clicks + self.skips))


class Sampler(Protocol):
    """A click model that knows how sure it is, as `ftrl.Ftrl`."""

    def sample_proba(self, log: ClickLog, rng: np.random.Generator, draws: int = 1) -> Floats:
        """The chance of a click in each row under each draw, (draws, rows)."""


def by_model(
    model: Sampler, candidates: ClickLog, rng: np.random.Generator, draws: int = 200, epsilon: float = 0.0
) -> Floats:
    """Thompson sampling on a model's posterior: how often each row is the highest, (rows,), adding up to 1.

    By `draws` draws, and one more that all rows share, so that none has the chance 0.
    """
    if not candidates.count:
        raise InvalidInput("There is no candidate to choose from.")
    highest = np.argmax(model.sample_proba(candidates, rng, draws), axis=1)
    counts = np.bincount(highest, minlength=candidates.count) + 1 / candidates.count
    return mixed(counts / (draws + 1), epsilon)


def choose(chances: Floats, rng: np.random.Generator) -> Choice:
    """One, drawn by its chance."""
    place = int(rng.choice(len(chances), p=chances))
    return Choice(place, float(chances[place]))


def mixed(chances: Floats, epsilon: float) -> Floats:
    """The same, with the share ε for all alike."""
    return (1 - epsilon) * chances + epsilon / len(chances)


def _shared(index: Floats) -> Floats:
    best = index == index.max()
    return best / best.sum()
