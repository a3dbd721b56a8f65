"""How generous a reader is and how good an item is, and nothing else: the baseline of every rating model.

    r̂_ui = μ + b_u + b_i

    b = argmin Σ (r_ui − μ − b_u − b_i)² + λ_u Σ b_u² + λ_i Σ b_i²

μ is the mean rating; b_u and b_i are solved in turn, each exactly with the other held:

    b_i = Σ_u (r_ui − μ − b_u) / (λ_i + n_i)        b_u = Σ_i (r_ui − μ − b_i) / (λ_u + n_u)

The second is also how a reader who was not fitted is folded in. With `time_bins` an item has its ups and downs,
r̂_ui(t) = μ + b_u + b_i + b_{i,bin(t)}, over spans of equal length; what lies outside the time learnt from belongs to the
nearest span, and `score` speaks of the last.

Sometimes the formula is printed as r_ui = μ + b_u + b_i + …, which adds the rating to its own biases and cannot be
computed before the rating is known; the source has b_ui, the prediction, on the left: Koren, Bell & Volinsky 2009,
"Matrix Factorization Techniques for Recommender Systems", equation 3. Time bins: Koren 2009, "Collaborative Filtering
with Temporal Dynamics". Units are those of the ratings throughout.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sishu.estimators.base import Past, Scores, require
from sishu.estimators.interactions import Interactions
from sishu.estimators.items import Items
from sishu.estimators.ratings import Floats, Positions, RatingModel, pairs


class Bias(RatingModel):
    """`reg_user`, `reg_item`, `reg_time`: λ, in ratings; `lowest`, `highest`: the scale, else that seen."""

    mean_: float
    user_bias_: Floats  # (users,)
    item_bias_: Floats  # (items,)
    time_bias_: Floats  # (time_bins, items)
    first_time_: int
    time_span_: float  # seconds of one bin

    def __init__(
        self,
        *,
        reg_user: float = 10.0,
        reg_item: float = 5.0,
        sweeps: int = 10,
        time_bins: int = 0,
        reg_time: float = 60.0,
        lowest: float | None = None,
        highest: float | None = None,
    ) -> None:
        self.reg_user = reg_user
        self.reg_item = reg_item
        self.sweeps = sweeps
        self.time_bins = time_bins
        self.reg_time = reg_time
        self.lowest = lowest
        self.highest = highest

    def _learn(self, interactions: Interactions, items: Items | None) -> None:
        require("reg_user", self.reg_user, at_least=0)
        require("reg_item", self.reg_item, at_least=0)
        require("reg_time", self.reg_time, at_least=0)
        require("sweeps", self.sweeps, at_least=1)
        require("time_bins", self.time_bins, at_least=0)
        self._keep_scale(interactions.weights)
        self._set_bins(interactions.times)
        self.mean_ = float(interactions.weights.mean())
        self._sweep(interactions)

    def _sweep(self, interactions: Interactions) -> None:
        user, item, rest = interactions.users, interactions.items, interactions.weights - self.mean_
        user_count, item_count = interactions.shape
        bins = self._bins(interactions.times)
        self.user_bias_, self.item_bias_ = np.zeros(user_count), np.zeros(item_count)
        self.time_bias_ = np.zeros((int(self.time_bins), item_count))
        for _ in range(int(self.sweeps)):  # users last: theirs must be what folding in would find
            drift: Floats | float = 0.0
            if bins is not None:
                cell = bins * item_count + item
                left = rest - self.user_bias_[user] - self.item_bias_[item]
                self.time_bias_ = shrunk_means(cell, left, self.time_bias_.size, self.reg_time).reshape(-1, item_count)
                drift = self.time_bias_[bins, item]
            left = rest - drift
            self.item_bias_ = shrunk_means(item, left - self.user_bias_[user], item_count, self.reg_item)
            self.user_bias_ = shrunk_means(user, left - self.item_bias_[item], user_count, self.reg_user)

    def _set_bins(self, times: Positions | None) -> None:
        self.first_time_, self.time_span_ = 0, 1.0
        if times is not None and self.time_bins:
            self.first_time_ = int(times.min())
            self.time_span_ = max(1.0, (float(times.max()) - self.first_time_ + 1) / self.time_bins)

    def _bins(self, times: Positions | None) -> Positions | None:
        if times is None or not self.time_bins:
            return None
        bins = np.floor((times.astype(np.float64) - self.first_time_) / self.time_span_)
        return np.clip(bins, 0, self.time_bins - 1).astype(np.int64)

    def predict(self, users: Positions, items: Positions, times: Positions | None = None) -> Floats:
        """The ratings of pairs of positions; with `time_bins` at these moments, or at the last without any."""
        users, items = pairs(users, items)
        bins = self._bins(times)
        if bins is None:
            return super().predict(users, items)
        drift = np.where(items >= 0, self.time_bias_[bins, items] - self.time_bias_[-1, items], 0.0)
        return np.clip(self._of_pairs(users, items) + drift, self.lowest_, self.highest_)

    def _rated(self, pasts: Sequence[Past], readers: Positions, items: Positions) -> Floats:
        leanings = np.array([self._shares(past).sum() for past in pasts])
        # Position -1 is the last: an item never seen has no bias.
        return self.mean_ + leanings[readers] + np.append(self._now(), 0.0)[items]

    def _scores(self, past: Past) -> Scores:
        return (self.mean_ + self._shares(past).sum() + self._now()).astype(np.float32)

    def _contributions(self, past: Past, item: int) -> NDArray[np.floating[Any]]:
        return self._shares(past)

    def _now(self) -> Floats:
        return self.item_bias_ + self.time_bias_[-1] if self.time_bins else self.item_bias_

    def _shares(self, past: Past) -> Floats:
        """What each rating of a reader adds to b_u, (len(past.items),): (r_ui − μ − b_i) / (λ_u + n_u)."""
        return self._above(past) / (self.reg_user + len(past.items))

    def _above(self, past: Past) -> Floats:
        """By how much each rating of a reader is above what anybody is told, (len(past.items),): r_ui − μ − b_i."""
        bins = self._bins(past.times)
        drift = 0.0 if bins is None else self.time_bias_[bins, past.items]
        return past.weights - (self.mean_ + self.item_bias_[past.items] + drift)


class OnBias(Bias):
    """Biases, and what a reader's ratings say beyond them: r̂_ui = μ + b_u + b_i + d_ui.

    A model gives `_learn_left`, `_beyond` and `_parts_beyond`. What is left of a rating is e_ui = r_ui − μ − b_u − b_i.
    """

    def score_many(self, pasts: Sequence[Past]) -> Scores:
        biases = np.stack([super(OnBias, self)._scores(past) for past in pasts])
        return biases + self._beyond(self._left(pasts)).astype(np.float32)

    def _learn(self, interactions: Interactions, items: Items | None) -> None:
        super()._learn(interactions, items)
        biases = self.mean_ + self.user_bias_[interactions.users] + self.item_bias_[interactions.items]
        left = (interactions.weights - biases).astype(np.float32)
        self._learn_left(sparse.csr_matrix((left, interactions.items, interactions.starts), interactions.shape))

    def _scores(self, past: Past) -> Scores:
        return self.score_many([past])[0]

    def _contributions(self, past: Past, item: int) -> NDArray[np.floating[Any]]:
        return self._shares(past) + self._parts_beyond(past, self._left([past]), item)

    def _rated(self, pasts: Sequence[Past], readers: Positions, items: Positions) -> Floats:
        ratings = super()._rated(pasts, readers, items)
        known = np.flatnonzero(items >= 0)
        ratings[known] += self._beyond_pairs(self._left(pasts), readers[known], items[known])
        return ratings

    def _left(self, pasts: Sequence[Past]) -> sparse.csr_matrix:
        """e_ui of what many rated, (pasts, items); an entry may be 0 and is a rating all the same."""
        left = [self._above(past) - self._shares(past).sum() for past in pasts]
        starts = np.concatenate([[0], np.cumsum([len(past.items) for past in pasts])])
        rated = np.concatenate([past.items for past in pasts])
        return sparse.csr_matrix(
            (np.concatenate(left).astype(np.float32), rated, starts), (len(pasts), len(self.item_ids_))
        )

    @abstractmethod
    def _learn_left(self, left: sparse.csr_matrix) -> None:
        """Check the parameters and learn from e_ui, users x items."""

    @abstractmethod
    def _beyond(self, left: sparse.csr_matrix) -> NDArray[np.floating[Any]]:
        """d_ui of readers with such e_ui, (readers, items)."""

    @abstractmethod
    def _beyond_pairs(self, left: sparse.csr_matrix, readers: Positions, items: Positions) -> NDArray[np.floating[Any]]:
        """The same of pairs alone, (pairs,); `readers` are rows of `left`."""

    @abstractmethod
    def _parts_beyond(self, past: Past, left: sparse.csr_matrix, item: int) -> NDArray[np.floating[Any]]:
        """What each rating of one reader, whose `left` is 1 x items, adds to d_ui, (len(past.items),)."""


def shrunk_means(groups: Positions, values: Floats, count: int, reg: float) -> Floats:
    """Σ values / (reg + n) of each group, (count,); 0 for a group without a value."""
    sums, sizes = np.bincount(groups, values, count), np.bincount(groups, minlength=count)
    return np.divide(sums, reg + sizes, out=np.zeros(count), where=sizes > 0)
