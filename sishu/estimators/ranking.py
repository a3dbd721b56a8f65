"""What a fitted model would show each user of a test, and how good that is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sishu.estimators import metrics
from sishu.estimators.base import ItemModel, top
from sishu.estimators.split import Split

BATCH_CELLS = 2**23  # scores of one batch: 32 MiB of float32


@dataclass(frozen=True, eq=False)
class Ranked:
    """The lists of some users, by position: `users` (n,), `items` (n, k) with -1 where a list ends early."""

    users: NDArray[np.int64]
    items: NDArray[np.int64]
    relevant: sparse.csr_matrix  # n x items: what the test holds of each

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        return np.diff(self.relevant.indptr).astype(np.int64)

    def ndcg(self, k: int = 10) -> NDArray[np.float64]:
        return metrics.ndcg(metrics.hits(self.items[:, :k], self.relevant), self.counts)

    def recall(self, k: int = 20) -> NDArray[np.float64]:
        return metrics.recall(metrics.hits(self.items[:, :k], self.relevant), self.counts)

    def hit_rate(self, k: int = 10) -> NDArray[np.float64]:
        return metrics.hit_rate(metrics.hits(self.items[:, :k], self.relevant))

    def average_precision(self, k: int = 10) -> NDArray[np.float64]:
        return metrics.average_precision(metrics.hits(self.items[:, :k], self.relevant), self.counts)

    def coverage(self, k: int = 10) -> float:
        return metrics.coverage(self.items[:, :k], self.relevant.shape[1])


def rank(model: ItemModel, split: Split, k: int = 20, users: NDArray[np.int64] | None = None) -> Ranked:
    """The k best of the full catalogue for each user of the test (or `users`), without what train holds of them."""
    asked = test_users(split) if users is None else users
    item_count = len(split.train.item_ids)
    lists = np.full((len(asked), k), -1, np.int64)
    step = max(1, BATCH_CELLS // item_count)
    for begin in range(0, len(asked), step):
        batch = asked[begin : begin + step]
        pasts = [model.past_of(user) for user in batch]
        scores = np.array(model.score_many(pasts), dtype=np.float32)
        for row, past in enumerate(pasts):
            model.hide(scores[row], past)
            if split.candidates is None:
                best = top(scores[row], k)
            else:
                best = split.candidates[top(scores[row, split.candidates], k)]
            lists[begin + row, : len(best)] = best
    return Ranked(asked, lists, split.relevant[asked])


def test_users(split: Split) -> NDArray[np.int64]:
    """Positions of the users that the test asks about."""
    return np.flatnonzero(np.diff(split.relevant.indptr))


def some_users(split: Split, at_most: int, seed: int = 0) -> NDArray[np.int64]:
    """At most so many of them, drawn without favour: enough to choose a parameter by."""
    users = test_users(split)
    if len(users) <= at_most:
        return users
    return np.sort(np.random.default_rng(seed).choice(users, at_most, replace=False))
