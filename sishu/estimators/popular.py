"""What most people like, for those of whom nothing is known: by weight, by mean, or what is newest.

    "weight":  s_i = Σ_r w_r f_r
    "mean":    s_i = (Σ_r w_r f_r + m μ) / (Σ_r f_r + m)
    "newest":  s_i = 1 + days from the first row of all to the first of i

over the rows r of item i. f_r = 2^(−age_r / h) with the half-life h in days, 1 without one; age is counted from the
newest row, or from now where a row is dated later. The mean is Bayesian: it is believed as much as there are rows,
beside m rows of μ, the mean of all, so that one enthusiast makes no masterpiece. An item without rows has 0 by
weight and as the newest, and is not recommended; by mean it has μ, and stands before what is known to be worse.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sishu.estimators.base import ItemModel, Past, Scored, Scores, require
from sishu.estimators.errors import InvalidInput
from sishu.estimators.interactions import History, Ids, Interactions
from sishu.estimators.items import Items

DAY = 86_400
MEASURES = ("weight", "mean", "newest")


class Popular(ItemModel):
    """The most popular by `measure`, one of `MEASURES`. `half_life` in days; `prior` is m, in rows.

    With `segment_field`, a field of the items such as their category, each label has a list of its own.
    """

    needs_history = False
    zero_says_nothing = True

    scores_: Scores
    segments_: Ids
    in_segment_: sparse.csr_matrix  # segments x items

    def __init__(
        self,
        *,
        measure: str = "weight",
        half_life: float | None = None,
        prior: float = 10.0,
        segment_field: str | None = None,
    ) -> None:
        self.measure, self.half_life, self.prior, self.segment_field = measure, half_life, prior, segment_field

    def recommend(
        self, reader: str | History, k: int = 10, exclude: Collection[str] = (), segment: str | None = None
    ) -> list[Scored]:
        """As every model; of one `segment` only where it is named, none where no item has this label."""
        if segment is None:
            return super().recommend(reader, k, exclude)
        if self.segment_field is None:
            raise InvalidInput(f"Segment {segment!r} is asked for, and the model knows none: fit with a segment_field.")
        position = self.segments_.by_name.get(segment)
        if position is None:
            return []
        return self._among(self.in_segment_[[position]].indices, self.past(reader), k, exclude)

    def similar(self, item_id: str, k: int = 10) -> list[Scored]:
        """The most popular with a label of this one; none where there are no segments."""
        item = self.item_ids_.by_name.get(item_id)
        if item is None:
            return []
        labels = self.in_segment_[:, [item]].nonzero()[0]
        alone = Past(np.array([item]), np.ones(1, np.float32))
        return self._among(np.unique(self.in_segment_[labels].indices), alone, k)

    def score_many(self, pasts: Sequence[Past]) -> Scores:
        return np.tile(self.scores_, (len(pasts), 1))

    def _learn(self, interactions: Interactions, items: Items | None) -> None:
        require("prior", self.prior, at_least=0)
        if self.half_life is not None:
            require("half_life", self.half_life, above=0)
        if self.measure not in MEASURES:
            raise InvalidInput(f"measure is {self.measure!r}; known: {', '.join(MEASURES)}.")
        self.scores_ = self._measured(interactions).astype(np.float32)
        self.segments_, self.in_segment_ = self._segments(items)

    def _scores(self, past: Past) -> Scores:
        return self.scores_

    def _measured(self, interactions: Interactions) -> NDArray[np.float64]:
        count = len(interactions.item_ids)
        if self.measure == "newest":
            days = _times(interactions, "measure 'newest'") / DAY
            first = np.full(count, np.inf)
            np.minimum.at(first, interactions.items, days)
            return np.where(np.isfinite(first), 1 + first - days.min(), 0)
        fresh = np.ones(len(interactions))
        if self.half_life is not None:
            times = _times(interactions, "a half-life")
            fresh = np.exp2((times - times.max()) / (self.half_life * DAY))
        sums = np.bincount(interactions.items, interactions.weights * fresh, count).astype(np.float64)
        if self.measure == "weight":
            return sums
        rows = np.bincount(interactions.items, fresh, count) + self.prior
        mean = np.average(interactions.weights, weights=fresh)
        return np.divide(sums + self.prior * mean, rows, out=np.zeros(count), where=rows > 0)

    def _segments(self, items: Items | None) -> tuple[Ids, sparse.csr_matrix]:
        labels: list[tuple[str, ...]] = [()] * len(self.item_ids_)
        if self.segment_field is not None:
            if items is None:
                raise InvalidInput(
                    f"segment_field is {self.segment_field!r}, and no items are given: give them to fit."
                )
            labels = items.aligned(self.item_ids_).labels(self.segment_field)
        ids, codes = Ids.coded([label for each in labels for label in each])
        places = np.repeat(np.arange(len(labels)), [len(each) for each in labels])
        shape = (len(ids), len(labels))
        return ids, sparse.csr_matrix((np.ones(len(codes), np.float32), (codes, places)), shape=shape)

    def _among(self, members: NDArray[np.integer], past: Past, k: int, exclude: Collection[str] = ()) -> list[Scored]:
        scores = np.full(len(self.item_ids_), -np.inf, np.float32)
        scores[members] = self.scores_[members]
        scores[past.items] = -np.inf
        scores[scores == 0] = -np.inf
        return self.best(scores, k, exclude)


def _times(interactions: Interactions, what: str) -> NDArray[np.float64]:
    """Seconds, none later than now: one wrong clock would make everything else old."""
    if interactions.times is None:
        raise InvalidInput(f"These interactions have no times, and {what} goes by time: name the time column.")
    return np.minimum(interactions.times, time.time())
