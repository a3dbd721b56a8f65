"""A few hidden tastes, of readers and of items, whose product is what biases leave over.

    r̂_ui = μ + b_u + b_i + p_u · q_i

    min Σ (e_ui − p_u · q_i)² + λσ Σ_u n_u^ν |p_u|² + λσ Σ_i n_i^ν |q_i|²        e_ui = r_ui − μ − b_u − b_i

by alternating least squares: with all q held, each p_u is the solution of a small linear system, and the other way round,

    p_u = (Σ_i q_i q_iᵀ + λσ n_u^ν I)⁻¹ Σ_i e_ui q_i        i over what u rated, n_u of them

which also folds in a reader who was not fitted; so no p is kept. σ is the root of the mean of e²: with it the same λ
serves stars from 1 to 5 and points from 1 to 100. ν = 1 is ALS-WR of Zhou, Wilkinson, Schreiber & Pan
2008, "Large-Scale Parallel Collaborative Filtering for the Netflix Prize"; ν = 0 is one ridge for all; between them,
readers of few ratings are held to the biases more and those of many less than by ALS-WR. Biases: `bias`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sishu.estimators.base import Past, Scores, require
from sishu.estimators.bias import OnBias
from sishu.estimators.errors import InvalidInput, OverBudget
from sishu.estimators.ratings import Positions

BATCH_CELLS = 2**21  # of factors gathered at once
SMALLEST = 1e-6  # where nothing is left over, as when all ratings are equal


class MF(OnBias):
    """`factors` tastes, λ = `reg`, ν = `frequency`; both sides are solved `iterations` times."""

    item_factors_: NDArray[np.float32]  # (items, factors)
    ridge_: float  # λσ

    def __init__(
        self,
        *,
        factors: int = 40,
        reg: float = 0.85,
        frequency: float = 0.6,
        iterations: int = 4,
        seed: int = 0,
        reg_user: float = 10.0,
        reg_item: float = 5.0,
        lowest: float | None = None,
        highest: float | None = None,
        memory_limit: int = 4 * 2**30,
    ) -> None:
        super().__init__(reg_user=reg_user, reg_item=reg_item, lowest=lowest, highest=highest)
        self.factors = factors
        self.reg = reg
        self.frequency = frequency
        self.iterations = iterations
        self.seed = seed
        self.memory_limit = memory_limit

    def _learn_left(self, left: sparse.csr_matrix) -> None:
        require("factors", self.factors, at_least=1)
        require("reg", self.reg, above=0)
        require("frequency", self.frequency, at_least=0)
        require("iterations", self.iterations, at_least=1)
        require("memory_limit", self.memory_limit, above=0)
        factors = int(self.factors)
        needed = 4 * (sum(left.shape) * factors + 4 * max(BATCH_CELLS, factors * factors))
        if needed > self.memory_limit:
            raise OverBudget(f"MF with {factors} factors", needed, self.memory_limit, "Give fewer factors.")
        by_item = left.T.tocsr()
        spread = max(float(np.sqrt(np.mean(np.square(left.data, dtype=np.float64)))), SMALLEST)
        self.ridge_ = self.reg * spread
        rng = np.random.default_rng(self.seed)
        items = rng.normal(0, 0.1 * np.sqrt(spread), (left.shape[1], factors)).astype(np.float32)
        for _ in range(int(self.iterations)):
            items = self._solved(by_item, self._solved(left, items))
        self.item_factors_ = items

    def _solved(self, left: sparse.csr_matrix, others: NDArray[np.float32]) -> NDArray[np.float32]:
        """The factors of the rows of `left` (rows x others) when those of its columns are held, (rows, factors)."""
        factors = others.shape[1]
        padded = np.vstack([others, np.zeros((1, factors), np.float32)])
        counts = np.diff(left.indptr)
        solved = np.zeros((left.shape[0], factors), np.float32)
        order = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
        begin = 0
        while begin < len(order):  # rows of like counts together, so that little is padded
            width = int(counts[order[begin]])
            rows = order[begin : begin + max(1, BATCH_CELLS // (factors * max(width, factors)))]
            begin += len(rows)
            place = left.indptr[rows][:, None] + np.arange(width)
            real = np.arange(width) < counts[rows][:, None]
            place = np.where(real, place, 0)
            theirs = padded[np.where(real, left.indices[place], -1)]
            across = theirs.transpose(0, 2, 1)
            gram = across @ theirs
            gram[:, np.arange(factors), np.arange(factors)] += (self.ridge_ * counts[rows] ** self.frequency)[:, None]
            pulled = across @ np.where(real, left.data[place], 0)[:, :, None]
            solved[rows] = self._solve(gram, pulled)[:, :, 0]
        return solved

    def _solve(self, gram: NDArray[np.float32], pulled: NDArray[np.float32]) -> NDArray[np.float32]:
        try:
            return np.linalg.solve(gram, pulled)
        except np.linalg.LinAlgError as error:
            raise InvalidInput(f"reg is {self.reg}: too little for {self.factors} factors. Give more.") from error

    def _beyond(self, left: sparse.csr_matrix) -> NDArray[np.float32]:
        return self._solved(left, self.item_factors_) @ self.item_factors_.T

    def _beyond_pairs(self, left: sparse.csr_matrix, readers: Positions, items: Positions) -> NDArray[np.float32]:
        tastes = self._solved(left, self.item_factors_)
        return np.asarray(np.einsum("pf,pf->p", tastes[readers], self.item_factors_[items]))

    def _parts_beyond(self, past: Past, left: sparse.csr_matrix, item: int) -> NDArray[np.floating[Any]]:
        rated = self.item_factors_[past.items].astype(np.float64)
        gram = rated.T @ rated + self.ridge_ * len(past.items) ** self.frequency * np.eye(rated.shape[1])
        return np.asarray(rated @ np.linalg.solve(gram, self.item_factors_[item]) * left.data)

    def _likeness(self, item: int) -> Scores:
        norms = np.linalg.norm(self.item_factors_, axis=1)
        cosines = self.item_factors_ @ self.item_factors_[item] / np.maximum(norms * norms[item], np.float32(1e-12))
        return np.asarray(cosines, np.float32)
