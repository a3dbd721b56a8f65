"""How much of a click is the place: nobody clicks what they did not see.

    P(click | x, k) = e_k a(x)

the examination hypothesis (Richardson, Dominowska & Ragno 2007; Craswell et al. 2008): e_k is the chance that a reader
looks at place k at all, a(x) that they click once they look. e is estimated from a log in which keys (ads) moved between
places, by the equations that clicks on the whole are as many as expected, of each key and in each place,

    a_i = (c_i + s m) / (Σ_k e_k n_ik + s)          e_k = (c_k + v) / (Σ_i a_i n_ik + v)

taken in turns (the marginal method of Bailey & Simon 1960; unbiased for any rate since E c_ik = e_k a_i n_ik). The
rates of keys are smoothed as in `rates.py`, and v clicks say beforehand that places are alike. Then e is divided by its
largest: a(x) is the rate at the place that is seen best.

A model of a(x) is fitted on the same rows with weights: a click was seen for certain; a row without one was, in place k,
with chance e_k (1 − a(x)) / (1 − e_k a(x)), and says so much less against the ad (Wang et al. 2018, Position bias
estimation for unbiased learning to rank in personal search). There a(x) and e are taken in turns; here the rate of the
whole log, by the mean of e, stands for every a(x): where clicks are rare the weight is near e_k whatever a(x) is. When
an ad is chosen no place is given, and none is multiplied.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from sishu.estimators.base import Saved, require
from sishu.estimators.clicks import ClickLog
from sishu.estimators.rates import strength, sums
from sishu.estimators.terms import Term, keys

Floats = NDArray[np.float64]
ROUNDS = 100
SMALLEST_STEP = 1e-6


class Examination(Saved):
    """How well each place is seen, by 1 for the best. `key`: what moved between the places, as `ad`; `alike`: v.

    Of a log without positions it learns that every row was seen.
    """

    places_: NDArray[np.int64]  # (places,), sorted
    seen_: Floats  # e, (places,)
    mean_seen_: float  # of the rows that were fitted: taken for a place that was not among them

    def __init__(self, key: str = "", alike: float = 20.0, seed: int = 0) -> None:
        self.key, self.alike, self.seed = key, alike, seed

    def fit(self, log: ClickLog) -> Self:
        require("alike", self.alike, above=0)
        clicked = log.outcomes
        self.places_, self.seen_, self.mean_seen_ = np.empty(0, np.int64), np.empty(0), 1.0
        if log.positions is None:
            return self
        self.places_, place = np.unique(log.positions, return_inverse=True)
        columns = Term.of(self.key).columns if self.key else ()
        _, key = np.unique(keys(log, columns, self.seed), return_inverse=True)
        cells, cell = np.unique(key * len(self.places_) + place, return_inverse=True)
        of_key, of_place = np.divmod(cells, len(self.places_))
        shows = sums(cell, np.ones(log.count))
        key_clicks, place_clicks = sums(key, clicked), sums(place, clicked)
        mean = log.rate()
        smoothing = strength(key_clicks, sums(key, np.ones(log.count)), mean)
        seen = np.ones(len(self.places_))
        for _ in range(ROUNDS):
            rates = (key_clicks + smoothing * mean) / (sums(of_key, shows * seen[of_place]) + smoothing)
            now = (place_clicks + self.alike) / (sums(of_place, shows * rates[of_key]) + self.alike)
            moved, seen = np.abs(now - seen).max(), now
            if moved < SMALLEST_STEP:
                break
        self.seen_ = seen / seen.max()
        self.mean_seen_ = float(self.seen_[place].mean())
        return self

    def seen(self, log: ClickLog) -> Floats:
        """e of each row's place, (rows,); 1 where the log has no places."""
        if log.positions is None or not len(self.places_):
            return np.ones(log.count)
        place = np.minimum(np.searchsorted(self.places_, log.positions), len(self.places_) - 1)
        return np.where(self.places_[place] == log.positions, self.seen_[place], self.mean_seen_)

    def weighted(self, log: ClickLog) -> ClickLog:
        """The same rows, each counting as much as it was likely seen."""
        if log.positions is None or not len(self.places_):
            return log
        seen, rate = self.seen(log), min(log.rate() / self.mean_seen_, 1 - 1e-9)
        unclicked = seen * (1 - rate) / (1 - seen * rate)
        return log.with_weights(np.where(log.outcomes > 0, 1.0, unclicked))
