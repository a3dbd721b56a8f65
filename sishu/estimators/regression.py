"""What regressions on a whole log share: the schema, the choice of the penalty, and how later rows are learnt.

What is known of a weight is Normal(m_i, 1 / q_i): at first Normal(0, 1 / λ), which is the penalty ½ λ w_i². Rows make it

    m ← argmin_w ½ Σ_i q_i (w_i − m_i)² + Σ_t loss(y_t, w·x_t),   q_i ← q_i + Σ_t loss''(w·x_t) x_ti²

so that later rows need not be learnt together with those before, and a weight that much is known of moves little
(Laplace's approximation, its diagonal: Chapelle & Li 2011, An empirical evaluation of Thompson sampling, algorithm 3).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sishu.estimators.base import Saved, require
from sishu.estimators.clicks import ClickLog, Probabilities
from sishu.estimators.features import Features, require_memory
from sishu.estimators.terms import columns

Floats = NDArray[np.float64]
LATER = 0.2  # the share of a log on which a penalty is chosen
COPIES = 3  # of the matrix at most: ours, and those that a solver makes
FREE = 0.01  # the precision of the intercept at first: next to nothing holds it


class Regression(Saved, ABC):
    """One weight for each column of `Features`; a model gives its loss.

    `terms`: the schema (`terms.py`), empty for every column. `l2`: λ, or None to choose the one of
    `PENALTIES` that says the later rows of the log best.
    """

    PENALTIES: ClassVar[Sequence[float]]  # the strongest first

    features_: Features
    l2_: float
    weights_: Floats  # m, (columns,); the first is the intercept
    precisions_: Floats  # q

    def __init__(
        self,
        terms: Sequence[str] = (),
        l2: float | None = None,
        bits: int = 18,
        memory_limit: int = 2**32,
        seed: int = 0,
    ) -> None:
        self.terms, self.l2, self.bits, self.memory_limit, self.seed = tuple(terms), l2, bits, memory_limit, seed

    def fit(self, log: ClickLog) -> Self:
        if self.l2 is not None:
            require("l2", self.l2, above=0)
        log.outcomes  # noqa: B018 - refuse a log without them before anything is done
        log = log.ordered()
        features = self._features(log)
        needed = COPIES * features.memory(log.count) + 2 * 8 * 2**self.bits
        require_memory("A regression on the whole log", needed, self.memory_limit, "Take FTRL, or fewer rows.")
        self.l2_ = self._chosen(log) if self.l2 is None else self.l2
        self.features_ = features.fit(log)
        self.weights_, self.precisions_ = self._nothing(self.l2_, features.width)
        return self._learn(self.features_.update(log), log)

    def partial_fit(self, log: ClickLog) -> Self:
        if not hasattr(self, "weights_"):
            return self.fit(log)
        log = log.ordered()
        return self._learn(self.features_.update(log), log)

    def predict_proba(self, log: ClickLog) -> Probabilities:
        return self._chance(self.features_.transform(log) @ self.weights_)

    @abstractmethod
    def _minimum(self, matrix: sparse.csr_matrix, clicked: Floats, counts: Floats, m: Floats, q: Floats) -> Floats:
        """The weights (columns,) after rows of which each counts `counts` times."""

    @abstractmethod
    def _curvature(self, scores: Floats) -> Floats:
        """loss'' at each score w·x, (rows,)."""

    @abstractmethod
    def _chance(self, scores: Floats) -> Probabilities:
        """The chance of a click at each score."""

    @abstractmethod
    def _loss(self, clicked: Floats, scores: Floats) -> float:
        """How badly the scores say what happened: by which λ is chosen."""

    def _features(self, log: ClickLog) -> Features:
        return Features(self.terms or columns(log), self.bits, self.seed)

    def _nothing(self, l2: float, width: int) -> tuple[Floats, Floats]:
        precisions = np.full(width, l2)
        precisions[0] = FREE
        return np.zeros(width), precisions

    def _learn(self, matrix: sparse.csr_matrix, log: ClickLog) -> Self:
        counts = log.row_weights
        self.weights_ = self._minimum(matrix, log.outcomes, counts, self.weights_, self.precisions_)
        curvature = self._curvature(matrix @ self.weights_) * counts
        self.precisions_ = self.precisions_ + matrix.multiply(matrix).T @ curvature
        return self

    def _chosen(self, log: ClickLog) -> float:
        earlier, later = log.parted(LATER)
        if not earlier.count or not later.count:
            return self.PENALTIES[0]
        features = self._features(log)
        matrix = features.fit_transform(earlier)
        asked = features.transform(later)
        losses = []
        for l2 in self.PENALTIES:
            known = self._nothing(l2, features.width)
            weights = self._minimum(matrix, earlier.outcomes, earlier.row_weights, *known)
            losses.append(self._loss(later.outcomes, asked @ weights))
        return self.PENALTIES[int(np.argmin(losses))]
