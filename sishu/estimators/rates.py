"""The smoothed click rate of a key: of an ad, or of an ad in a city.

    p_k = (c_k + s m) / (n_k + s)

c_k clicks in n_k impressions of key k, m the rate of all, s the strength of the prior Beta(s m, s (1 − m)) that the
rates of all keys are taken to come from. It is the mean of the posterior: a key that was never shown has the rate of
all, and one that was shown much has its own. s is chosen by empirical Bayes: it makes the counts seen most likely,
∏_k BetaBinomial(c_k | n_k, s m, s (1 − m)) (Gelman et al. 2013, Bayesian Data Analysis, 5.3; for click rates Wang, Li,
Cui, Zhang & Mao 2011, "Click-Through Rate Estimation for Rare Events in Online Advertising"). The estimate by moments is
in closed form and, where a few keys have most of the impressions, smooths too little.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import betaln, logit

from sishu.estimators.base import Saved, require
from sishu.estimators.clicks import ClickLog, Probabilities
from sishu.estimators.errors import InvalidInput
from sishu.estimators.terms import Keys, Term, keys

Floats = NDArray[np.float64]
WEAKEST, STRONGEST = 1.0, 1e7  # in impressions; at the strongest the keys are all alike


class Counts(Saved):
    """Clicks and impressions of each key met so far: `keys_` sorted, `clicks_` and `shows_` beside it."""

    def __init__(self) -> None:
        self.keys_ = np.empty(0, np.uint64)
        self.clicks_: Floats = np.empty(0)
        self.shows_: Floats = np.empty(0)

    def find(self, asked: Keys) -> tuple[Floats, Floats]:
        """(clicks, impressions) of each; zeros for a key that was never met."""
        if not len(self.keys_):
            return np.zeros(len(asked)), np.zeros(len(asked))
        place = np.minimum(np.searchsorted(self.keys_, asked), len(self.keys_) - 1)
        is_known = self.keys_[place] == asked
        return np.where(is_known, self.clicks_[place], 0.0), np.where(is_known, self.shows_[place], 0.0)

    def before(self, met: Keys, clicked: Floats, weights: Floats) -> tuple[Floats, Floats]:
        """(clicks, impressions) of each row's key in what was counted and in the rows above it; never of itself."""
        order = np.argsort(met, kind="stable")
        begins = np.concatenate([[True], met[order][1:] != met[order][:-1]])
        first = np.maximum.accumulate(np.where(begins, np.arange(len(met)), 0))
        known = self.find(met)
        for counted, each in zip(known, (clicked * weights, weights), strict=True):
            above = np.cumsum(each[order]) - each[order]
            counted[order] += above - above[first]
        return known

    def add(self, met: Keys, clicked: Floats, weights: Floats) -> None:
        """Count these rows too."""
        every = np.concatenate([self.keys_, met])
        self.keys_, place = np.unique(every, return_inverse=True)
        self.clicks_ = sums(place, np.concatenate([self.clicks_, clicked * weights]))
        self.shows_ = sums(place, np.concatenate([self.shows_, weights]))


class SmoothedRate(Saved):
    """Every row gets the smoothed click rate of its key, a term as `ad` or `ad:city`. `strength`: s, or None to choose.

    Without a key every row gets the rate of all, (clicks + ½) / (rows + 1): the constant that others must beat.
    """

    mean_: float
    strength_: float
    counts_: Counts

    def __init__(self, key: str = "", strength: float | None = None, seed: int = 0) -> None:
        self.key, self.strength, self.seed = key, strength, seed

    def fit(self, log: ClickLog) -> Self:
        if self.strength is not None:
            require("strength", self.strength, above=0)
        self.counts_ = Counts()
        return self.partial_fit(log)

    def partial_fit(self, log: ClickLog) -> Self:
        if not hasattr(self, "counts_"):
            return self.fit(log)
        self.counts_.add(self._keys(log), log.outcomes, log.row_weights)
        clicks, shows = self.counts_.clicks_, self.counts_.shows_
        self.mean_ = float((clicks.sum() + 0.5) / (shows.sum() + 1))
        self.strength_ = strength(clicks, shows, self.mean_) if self.strength is None else self.strength
        return self

    def predict_proba(self, log: ClickLog) -> Probabilities:
        if not self.key:
            return np.full(log.count, self.mean_)
        return smoothed(*self.counts_.find(self._keys(log)), self.mean_, self.strength_)

    def _keys(self, log: ClickLog) -> Keys:
        if not self.key:
            return keys(log, (), self.seed)
        term = Term.of(self.key)
        if term.is_rate or len(term.names(log)) < len(term.columns):
            raise InvalidInput(f"The key {self.key!r} is not made of columns of names: a rate is counted by name.")
        return keys(log, term.columns, self.seed)


def sums(place: NDArray[np.intp], values: Floats) -> Floats:
    """The sum of `values` in each place, (places,)."""
    return np.asarray(np.bincount(place, values), np.float64)


def smoothed(clicks: Floats, shows: Floats, mean: float, strength: float | Floats) -> Floats:
    """(c + s m) / (n + s)"""
    return (clicks + strength * mean) / (shows + strength)


def log_odds(rates: Any, mean: float) -> Floats:
    """logit p − logit m: 0 for a key that is as all are."""
    return np.asarray(logit(rates) - logit(mean))


def strength(clicks: Floats, shows: Floats, mean: float) -> float:
    """The s under which clicks (keys,) in shows (keys,) are most likely; keys of equal counts are reckoned once."""
    pairs, times = np.unique(clicks + 1j * shows, return_counts=True)
    c, n = pairs.real, pairs.imag

    def surprise(log_strength: float) -> float:
        a, b = np.exp(log_strength) * mean, np.exp(log_strength) * (1 - mean)
        return -float(times @ (betaln(c + a, n - c + b) - betaln(a, b)))

    found = minimize_scalar(surprise, bounds=(np.log(WEAKEST), np.log(STRONGEST)), method="bounded")
    return float(np.exp(found.x))
