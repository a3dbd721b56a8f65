"""implicit (Frederickson): ALS and item kNN."""

from __future__ import annotations

from typing import Any

import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender
from numpy.typing import NDArray

from sishu.estimators.interactions import Interactions
from sishu.estimators.items import Items
from sishu.estimators.ranking import Ranked
from sishu.estimators.split import Split

ITERATIONS = 15


class Implicit:
    """A fitted model of implicit with the matrix it filters by."""

    about = ""

    def __init__(self, model: Any, train: Interactions) -> None:
        self.model, self.matrix = model, train.matrix
        self.model.fit(self.matrix, show_progress=False)

    def rank(self, split: Split, k: int, users: NDArray[np.int64]) -> Ranked:
        items, scores = self.model.recommend(users, self.matrix[users], N=k, items=split.candidates)
        return Ranked(users, np.where(scores > -1e30, items, -1).astype(np.int64), split.relevant[users])

    def recommend(self, user: int, k: int) -> None:
        self.model.recommend(user, self.matrix[user], N=k)


def als(train: Interactions, items: Items | None, seed: int, **params: Any) -> Implicit:
    """Implicit ALS (Hu, Koren & Volinsky 2008)."""
    return Implicit(AlternatingLeastSquares(**params, iterations=ITERATIONS, random_state=seed, num_threads=1), train)


def bm25(train: Interactions, items: Items | None, seed: int, **params: Any) -> Implicit:
    """Item kNN over BM25 weights."""
    return Implicit(BM25Recommender(**params, num_threads=1), train)


def cosine(train: Interactions, items: Items | None, seed: int, **params: Any) -> Implicit:
    """Item kNN by cosine."""
    return Implicit(CosineRecommender(**params, num_threads=1), train)
