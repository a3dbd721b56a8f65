"""Linear regression of clicks: orders ads as well as logistic regression does, and promises nothing.

    s = w·x,   w = argmin ½ λ |w|² + ½ Σ_t (y_t − s_t)²

(Hoerl & Kennard 1970), by LSQR (Paige & Saunders 1982); the intercept is not held. A straight line leaves [0, 1] and is
far off at both ends: the chances said are cut there, are for ranking only, and are not calibrated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import lsqr

from sishu.estimators.clicks import Probabilities
from sishu.estimators.regression import Regression

Floats = NDArray[np.float64]
ITERATIONS = 1000
PRECISION = 1e-8


class Ridge(Regression):
    """A score to rank by; as a chance it is uncalibrated."""

    PENALTIES: ClassVar[Sequence[float]] = (10_000.0, 3_000.0, 1_000.0, 300.0, 100.0, 30.0, 10.0)

    def _minimum(self, matrix: sparse.csr_matrix, clicked: Floats, counts: Floats, m: Floats, q: Floats) -> Floats:
        # With u_i = √q_i (w_i − m_i) it is the plain least-squares problem of what m leaves unsaid.
        met = np.unique(matrix.indices)
        root = np.sqrt(counts)
        scaled = sparse.diags(root) @ matrix[:, met] @ sparse.diags(1 / np.sqrt(q[met]))
        left = root * (clicked - matrix @ m)
        found = lsqr(scaled, left, damp=1.0, atol=PRECISION, btol=PRECISION, iter_lim=ITERATIONS)[0]
        weights = m.copy()
        weights[met] += found / np.sqrt(q[met])
        return weights

    def _curvature(self, scores: Floats) -> Floats:
        return np.ones(len(scores))

    def _chance(self, scores: Floats) -> Probabilities:
        return np.clip(scores, 0.0, 1.0)

    def _loss(self, clicked: Floats, scores: Floats) -> float:
        return float(np.mean((clicked - scores) ** 2))
