"""scikit-learn: all that is said of an item as one text, by TF-IDF."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from sishu.estimators.base import top
from sishu.estimators.errors import InvalidInput
from sishu.estimators.interactions import Interactions
from sishu.estimators.items import Items
from sishu.estimators.ranking import Ranked
from sishu.estimators.split import Split


class Tfidf:
    """A reader is the sum of what they had; what is near by the cosine comes first."""

    about = ""

    def __init__(self, train: Interactions, items: Items, **params: Any) -> None:
        fields = items.aligned(train.item_ids).fields.values()
        texts = (" ".join(parts) for parts in zip(*fields, strict=True))
        self.matrix, self.vectors = train.matrix, TfidfVectorizer(**params).fit_transform(texts)

    def rank(self, split: Split, k: int, users: NDArray[np.int64]) -> Ranked:
        lists = np.full((len(users), k), -1, np.int64)
        for row, user in enumerate(users.tolist()):
            best = self._best(user, k, split.candidates)
            lists[row, : len(best)] = best
        return Ranked(users, lists, split.relevant[users])

    def recommend(self, user: int, k: int) -> None:
        self._best(user, k, None)

    def _best(self, user: int, k: int, candidates: NDArray[np.int64] | None) -> NDArray[np.int64]:
        had = self.matrix[user]
        profile = normalize(sparse.csr_matrix(had @ self.vectors))
        scores = (profile @ self.vectors.T).toarray().ravel()
        scores[had.indices] = scores[scores == 0] = -np.inf
        return top(scores, k) if candidates is None else candidates[top(scores[candidates], k)]


def tfidf(train: Interactions, items: Items | None, seed: int, **params: Any) -> Tfidf:
    """Profiles of TF-IDF vectors (Rocchio 1971)."""
    if items is None:
        raise InvalidInput("There is nothing known of the items: give --items.")
    return Tfidf(train, items, **params)
