"""Logistic regression on the whole log at once.

    p = σ(w·x),   w = argmin ½ λ |w|² + Σ_t log-loss(y_t, p_t)

by scikit-learn's LogisticRegression, whose C is 1 / λ; the intercept is not held. What is added later is learnt as
`regression.py` says, with log-loss'' = p (1 − p).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from sishu.estimators import metrics
from sishu.estimators.clicks import Probabilities
from sishu.estimators.regression import Regression

Floats = NDArray[np.float64]
ITERATIONS = 1000


class Logistic(Regression):
    """The chance of a click by batch logistic regression."""

    PENALTIES: ClassVar[Sequence[float]] = (10_000.0, 3000.0, 1000.0, 300.0, 100.0, 30.0, 10.0, 3.0)

    def _minimum(self, matrix: sparse.csr_matrix, clicked: Floats, counts: Floats, m: Floats, q: Floats) -> Floats:
        if not m.any():
            return _first(matrix, clicked, counts, l2=q[-1])
        met = np.unique(matrix.indices)
        part, start, held = matrix[:, met], m[met], q[met]

        def loss(w: Floats) -> tuple[float, Floats]:
            scores = part @ w
            moved = w - start
            value = counts @ (np.logaddexp(0, scores) - clicked * scores) + 0.5 * (held @ moved**2)
            return float(value), part.T @ (counts * (expit(scores) - clicked)) + held * moved

        weights = m.copy()
        weights[met] = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS}).x
        return weights

    def _curvature(self, scores: Floats) -> Floats:
        chance = expit(scores)
        return chance * (1 - chance)

    def _chance(self, scores: Floats) -> Probabilities:
        return expit(scores)

    def _loss(self, clicked: Floats, scores: Floats) -> float:
        return metrics.log_loss(clicked, expit(scores))


def _first(matrix: sparse.csr_matrix, clicked: Floats, counts: Floats, l2: float) -> Floats:
    """The weights where nothing was known before."""
    weights = np.zeros(matrix.shape[1])
    met = np.setdiff1d(matrix.indices, [0])
    # scikit-learn wants both outcomes and a column; without either the rate of all is all there is to learn.
    if clicked.min() == clicked.max() or not len(met):
        weights[0] = logit((counts @ clicked + 0.5) / (counts.sum() + 1))
        return weights
    model = LogisticRegression(C=1 / l2, max_iter=ITERATIONS).fit(matrix[:, met], clicked, counts)
    weights[0], weights[met] = model.intercept_[0], model.coef_[0]
    return weights
