"""scikit-learn: batch logistic regression on hashed names."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.feature_extraction import FeatureHasher
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from sishu.cli.evaluation.contestants import texts
from sishu.estimators.clicks import ClickLog, Probabilities

WIDTH = 2**18
ITERATIONS = 1000


class Hashed:
    """Names by scikit-learn's own hasher, numbers by its scaler, and its regression on both."""

    def __init__(self, log: ClickLog, **params: Any) -> None:
        self.hasher = FeatureHasher(WIDTH, input_type="string", alternate_sign=False)
        self.scaler = StandardScaler().fit(_numbers(log)) if log.numbers else None
        self.model = LogisticRegression(**params, max_iter=ITERATIONS).fit(self._matrix(log), log.outcomes)

    def predict_proba(self, log: ClickLog) -> Probabilities:
        return self.model.predict_proba(self._matrix(log))[:, 1]

    def _matrix(self, log: ClickLog) -> sparse.csr_matrix:
        columns = [texts(name, column) for name, column in log.categories.items()]
        rows = zip(*columns, strict=True)
        matrix = self.hasher.transform(rows) if columns else sparse.csr_matrix((log.count, WIDTH))
        if self.scaler is None:
            return matrix
        return sparse.hstack([matrix, sparse.csr_matrix(self.scaler.transform(_numbers(log)))]).tocsr()


def logistic(log: ClickLog, seed: int, **params: Any) -> Hashed:
    """Hashed logistic regression."""
    return Hashed(log, **params)


def _numbers(log: ClickLog) -> np.ndarray:
    return np.column_stack(list(log.numbers.values()))
