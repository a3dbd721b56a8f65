"""What the models that predict ratings share: pairs, the scale, and one rating a pair.

The weight of an interaction is the rating itself. `score` is the rating predicted for every item and is not clipped, so
that two items above the top of the scale can still be told apart; `predict` is, as nobody can give more than the scale
has. Where a pair was rated again the last rating counts.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sishu.estimators.base import ItemModel, Past, Reason, Scored, Scores, top
from sishu.estimators.errors import InvalidInput
from sishu.estimators.interactions import History, Interactions
from sishu.estimators.items import Items

Positions = NDArray[np.int64]
Floats = NDArray[np.float64]

EVERYBODY = ""  # the reason of the part of a rating that everybody is told, whatever they did
BATCH = 2**12  # pairs predicted at once
NOBODY = Past(np.empty(0, np.int64), np.empty(0, np.float32))


class RatingModel(ItemModel):
    """A recommender whose score is a rating. A model gives `_learn`, `_scores`, `_rated` and `_contributions`.

    To somebody unknown it says what everybody says of an item; of an unknown item, what the reader says of any.
    """

    is_additive = True
    needs_history = False

    lowest: float | None
    highest: float | None
    lowest_: float
    highest_: float

    def fit(self, interactions: Interactions, items: Items | None = None) -> Self:
        return super().fit(interactions.latest(), items)

    def predict(self, users: Positions, items: Positions) -> Floats:
        """The ratings of pairs of positions, (pairs,), clipped to the scale; -1 is a user or an item never seen."""
        return np.clip(self._of_pairs(*pairs(users, items)), self.lowest_, self.highest_)

    def predict_ids(self, user_ids: Sequence[str], item_ids: Sequence[str]) -> Floats:
        """The same by ids; any may be unknown."""
        return self.predict(self.user_ids_.positions(user_ids), self.item_ids_.positions(item_ids))

    def past(self, reader: str | History) -> Past:
        past = super().past(reader)
        _, from_the_end = np.unique(past.items[::-1], return_index=True)
        rows = np.sort(len(past.items) - 1 - from_the_end)
        return Past(past.items[rows], past.weights[rows], None if past.times is None else past.times[rows])

    def similar(self, item_id: str, k: int = 10) -> list[Scored]:
        """The k items rated most alike, `score` being how much so; none where the model compares no items."""
        item = self.item_ids_.by_name.get(item_id)
        if item is None:
            return []
        likeness = np.array(self._likeness(item), np.float32)
        likeness[item] = -np.inf
        return [
            Scored(self.item_ids_[other], float(likeness[other])) for other in top(likeness, k) if likeness[other] > 0
        ]

    def explain(self, reader: str | History, item_id: str) -> list[Reason]:
        """The parts of the predicted rating. One, `because` of `EVERYBODY`, is what anybody is told; it stands first."""
        item = self.item_ids_.by_name.get(item_id)
        if item is None:
            return []
        return [Reason(EVERYBODY, float(self._scores(NOBODY)[item])), *super().explain(reader, item_id)]

    def _keep_scale(self, ratings: Floats) -> None:
        self.lowest_ = float(ratings.min() if self.lowest is None else self.lowest)
        self.highest_ = float(ratings.max() if self.highest is None else self.highest)
        if not self.lowest_ <= self.highest_:
            raise InvalidInput(f"lowest is {self.lowest_} and highest {self.highest_}: the scale is upside down.")

    def _likeness(self, item: int) -> Scores:
        """How alike the others are to this item, (items,); 0 says nothing."""
        return np.zeros(len(self.item_ids_), np.float32)

    def _of_pairs(self, users: Positions, items: Positions) -> Floats:
        """`predict` before clipping."""
        ratings = np.empty(len(users))
        order = np.argsort(users, kind="stable")
        for begin in range(0, len(order), BATCH):
            rows = order[begin : begin + BATCH]
            asked, readers = np.unique(users[rows], return_inverse=True)
            pasts = [self.past_of(user) if user >= 0 else NOBODY for user in asked]
            ratings[rows] = self._rated(pasts, readers, items[rows])
        return ratings

    @abstractmethod
    def _rated(self, pasts: Sequence[Past], readers: Positions, items: Positions) -> Floats:
        """What each of `readers`, positions in `pasts`, would rate each of `items`, -1 being one never seen; (pairs,)."""

    @abstractmethod
    def _contributions(self, past: Past, item: int) -> NDArray[np.floating[Any]]:
        """What each of `past.items` adds to what everybody is told of `item`, (len(past.items),)."""


def pairs(users: Positions, items: Positions) -> tuple[Positions, Positions]:
    """The two as arrays of one length. Raises InvalidInput where they are not."""
    first, second = np.asarray(users, np.int64), np.asarray(items, np.int64)
    if first.shape != second.shape or first.ndim != 1:
        raise InvalidInput(f"A rating is of one user and one item: there are {first.shape} and {second.shape}.")
    return first, second
