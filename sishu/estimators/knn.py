"""What like-minded readers thought of an item, or what a reader thought of like items.

Both go by what biases leave over, e_ui = r_ui − b_ui with b_ui = μ + b_u + b_i (`bias`):

    UserKNN    r̂_ui = b_ui + Σ_{v ∈ N(u)} α_v (r_vi − b_vi)        α_v = s_uv^ρ / (δ + Σ_{v ∈ N(u)} s_uv^ρ)
    ItemKNN    r̂_ui = b_ui + Σ_{j ∈ N(i)} α_j (r_uj − b_uj)        α_j = s_ij^ρ / (δ + Σ_{j ∈ N(i)} s_ij^ρ)

N(u) are those of the `k` nearest readers of u who rated i, N(i) those near to i that u rated. δ is `damping`: where only
distant neighbours speak the biases hold. ρ is `amplification` (Breese, Heckerman & Kadie 1998).

With sums over what x and y have in common, n of them, s_xy is one of

    cosine     Σ e_x e_y / (‖e_x‖ ‖e_y‖)    · n / (n + λ)             ‖·‖ over all that x has: what is not shared counts
    pearson    Σ e_x e_y / √(Σ e_x² Σ e_y²) · (n − 1) / (n − 1 + λ)
    msd        1 / (1 + Σ (e_x − e_y)² / n) · n / (n + λ)

λ is `shrinkage`: few ratings in common prove little. Below zero, or below `min_support` in common, s is 0. Source: Koren
2010, "Factor in the Neighbors: Scalable and Accurate Collaborative Filtering"; pearson is Surprise's
`pearson_baseline`. Surprise's cosine and msd go by raw ratings, and its cosine by norms over what is in common.

Items are compared in blocks, so that memory is that of a block and of k neighbours an item.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sishu.estimators.base import Past, Scores, require
from sishu.estimators.bias import OnBias
from sishu.estimators.errors import InvalidInput, OverBudget
from sishu.estimators.ratings import BATCH, Floats, Positions

MEASURES = ("cosine", "pearson", "msd")
BLOCK_CELLS = 2**20  # of one block of comparisons; some ten arrays of float32 of this size live at once
BYTES_OF_NEIGHBOUR = 40  # index and value, kept from both sides, and once more while they are put together
BYTES_OF_RATING = 32  # from both sides, and as ones and squares


class Comparison:
    """How alike rows are to the columns of `others` (m x n), in one of `MEASURES`. `norms` (n,) are of the columns."""

    def __init__(
        self, others: sparse.csr_matrix, norms: NDArray[np.float32], measure: str, shrinkage: float, min_support: int
    ) -> None:
        self.others, self.norms = others, norms
        self.measure, self.shrinkage, self.min_support = measure, shrinkage, min_support
        self.others_ones, self.others_squares = _ones(others), _squares(others)

    def nearest(self, rows: sparse.csr_matrix, k: int, besides_itself: bool = False) -> sparse.csr_matrix:
        """Similarities of rows (r x m) to the k columns most like each, (r, n); zeros are left out.

        `besides_itself`: the rows are the columns, and none is its own neighbour.
        """
        count = self.others.shape[1]
        step, k = max(1, BLOCK_CELLS // count), min(int(k), count)
        blocks = []
        for begin in range(0, rows.shape[0], step):
            alike = self._alike(rows[begin : begin + step])
            if besides_itself:
                alike[np.arange(len(alike)), np.arange(begin, begin + len(alike))] = 0
            columns = np.argpartition(-alike, k - 1, axis=1)[:, :k]
            values = np.take_along_axis(alike, columns, axis=1)
            starts = np.arange(len(alike) + 1) * k
            blocks.append(sparse.csr_matrix((values.ravel(), columns.ravel(), starts), shape=alike.shape))
            blocks[-1].eliminate_zeros()
        return sparse.vstack(blocks, format="csr")

    def _alike(self, rows: sparse.csr_matrix) -> NDArray[np.float32]:
        ones, squares = _ones(rows), _squares(rows)
        common = (ones @ self.others_ones).toarray()
        products = (rows @ self.others).toarray()
        support = common
        if self.measure == "cosine":
            alike = _by(products, _norms(rows)[:, None] * self.norms)
        else:
            ours, theirs = (squares @ self.others_ones).toarray(), (ones @ self.others_squares).toarray()
            if self.measure == "pearson":
                alike, support = _by(products, np.sqrt(ours * theirs)), np.maximum(common - 1, 0)
            else:
                alike = 1 / (1 + np.maximum(_by(ours + theirs - 2 * products, common), 0))
        alike *= _by(support, support + np.float32(self.shrinkage))
        alike[common < self.min_support] = 0
        return np.maximum(alike, 0, out=alike)


class KNN(OnBias):
    """What both have in common. `k`, `min_support` count neighbours and ratings; see above for the others.

    `memory_limit` in bytes. Raises OverBudget before a fit that would take more.
    """

    def __init__(
        self,
        *,
        similarity: str = "cosine",
        k: int = 300,
        min_support: int = 1,
        shrinkage: float = 10.0,
        amplification: float = 2.0,
        damping: float = 0.02,
        reg_user: float = 10.0,
        reg_item: float = 5.0,
        lowest: float | None = None,
        highest: float | None = None,
        memory_limit: int = 4 * 2**30,
    ) -> None:
        super().__init__(reg_user=reg_user, reg_item=reg_item, lowest=lowest, highest=highest)
        self.similarity = similarity
        self.k = k
        self.min_support = min_support
        self.shrinkage = shrinkage
        self.amplification = amplification
        self.damping = damping
        self.memory_limit = memory_limit

    def _learn_left(self, left: sparse.csr_matrix) -> None:
        if self.similarity not in MEASURES:
            raise InvalidInput(f"similarity is {self.similarity!r}; known: {', '.join(MEASURES)}.")
        require("k", self.k, at_least=1)
        require("min_support", self.min_support, at_least=1)
        require("shrinkage", self.shrinkage, at_least=0)
        require("amplification", self.amplification, above=0)
        require("damping", self.damping, at_least=0)
        require("memory_limit", self.memory_limit, above=0)
        self._learn_near(left)

    @abstractmethod
    def _learn_near(self, left: sparse.csr_matrix) -> None:
        """Learn what is near from e_ui, users x items; an entry may be 0 and is a rating all the same."""

    def _refuse_over_budget(self, what: str, rows: int, columns: int, ratings: int) -> None:
        """Raises OverBudget where the k nearest `columns` of so many `rows`, and the ratings, take too much."""
        needed = rows * min(int(self.k), columns) * BYTES_OF_NEIGHBOUR + ratings * BYTES_OF_RATING
        if needed > self.memory_limit:
            raise OverBudget(what, needed, self.memory_limit, "Give a lower k, fewer ratings, or more memory.")

    def _average(self, near: sparse.csr_matrix, left: sparse.csr_matrix) -> NDArray[np.float32]:
        """Σ α e of each row, over what `near` (rows x any) has a weight s^ρ for and `left` (rows x any) a rating."""
        spoken, heard = near.multiply(left).sum(axis=1), near.multiply(_ones(left)).sum(axis=1)
        return np.asarray(_by(spoken, heard + np.float32(self.damping))).ravel()

    def _compare(self, others: sparse.csr_matrix, norms: NDArray[np.float32]) -> Comparison:
        return Comparison(others, norms, self.similarity, self.shrinkage, self.min_support)


class ItemKNN(KNN):
    """The score of an item from those like it that the reader rated."""

    likeness_: sparse.csr_matrix  # items x items, symmetric: s_ij where either is of the k nearest of the other

    def _learn_near(self, left: sparse.csr_matrix) -> None:
        count = left.shape[1]
        self._refuse_over_budget(f"ItemKNN with k = {self.k} of {count} items", count, count, left.nnz)
        by_item = left.T.tocsr()
        nearest = self._compare(left, _norms(by_item)).nearest(by_item, self.k, besides_itself=True)
        self.likeness_ = nearest.maximum(nearest.T.tocsr())

    def _beyond(self, left: sparse.csr_matrix) -> NDArray[np.float32]:
        rated, place = np.unique(left.indices, return_inverse=True)
        near = self.likeness_[rated]
        near = _with_data(near, near.data**self.amplification)
        rows = sparse.csr_matrix((left.data, place, left.indptr), shape=(left.shape[0], len(rated)))
        spoken, heard = (rows @ near).toarray(), (_ones(rows) @ near).toarray()
        return _by(spoken, heard + np.float32(self.damping))

    def _beyond_pairs(self, left: sparse.csr_matrix, readers: Positions, items: Positions) -> NDArray[np.float32]:
        near = self.likeness_[items]
        return self._average(_with_data(near, near.data**self.amplification), left[readers])

    def _parts_beyond(self, past: Past, left: sparse.csr_matrix, item: int) -> Floats:
        weights = self._likeness(item)[past.items].astype(np.float64) ** self.amplification
        return _by(weights * left.data, weights.sum() + self.damping)

    def _likeness(self, item: int) -> Scores:
        return np.asarray(self.likeness_[[item]].toarray()[0], np.float32)


class UserKNN(KNN):
    """The score of an item from the readers most like this one.

    Neighbours are no names to be told: what one of them adds is explained, in equal parts, by the items that both rated.
    A known reader is one of their own neighbours, which counts for the items they rated themselves and for no other.
    """

    left_: sparse.csr_matrix  # users x items: e_vi
    by_item_: sparse.csr_matrix  # the same, items x users
    norms_: NDArray[np.float32]  # (users,)

    def _learn_near(self, left: sparse.csr_matrix) -> None:
        count = left.shape[0]
        # Neighbours are not kept: those of a batch of readers are found anew whenever it is asked about.
        self._refuse_over_budget(f"UserKNN with k = {self.k} of {count} users", min(count, BATCH), count, left.nnz)
        self.by_item_ = left.T.tocsr()
        self.left_ = self.by_item_.T.tocsr()  # sorted by item, as the other is by user
        self.norms_ = _norms(left)

    def _near(self, left: sparse.csr_matrix) -> sparse.csr_matrix:
        """s^ρ of the k readers nearest to each of some, (some, users)."""
        rated, place = np.unique(left.indices, return_inverse=True)
        rows = sparse.csr_matrix((left.data, place, left.indptr), shape=(left.shape[0], len(rated)))
        near = self._compare(self.by_item_[rated], self.norms_).nearest(rows, self.k)
        return _with_data(near, near.data**self.amplification)

    def _beyond(self, left: sparse.csr_matrix) -> NDArray[np.float32]:
        near = self._near(left)
        spoken, heard = (near @ self.left_).toarray(), (near @ _ones(self.left_)).toarray()
        return _by(spoken, heard + np.float32(self.damping))

    def _beyond_pairs(self, left: sparse.csr_matrix, readers: Positions, items: Positions) -> NDArray[np.float32]:
        return self._average(self._near(left)[readers], self.by_item_[items])

    def _parts_beyond(self, past: Past, left: sparse.csr_matrix, item: int) -> Floats:
        weights = self._near(left).toarray()[0].astype(np.float64)
        theirs, shared = self.by_item_[[item]], _ones(self.by_item_[past.items])
        spoken = np.zeros(len(weights))
        spoken[theirs.indices] = weights[theirs.indices] * theirs.data
        spoken = _by(spoken, weights[theirs.indices].sum() + self.damping)
        return np.asarray(shared @ _by(spoken, np.bincount(shared.indices, minlength=len(weights))))

    def _likeness(self, item: int) -> Scores:
        norms = _norms(self.by_item_)
        products = (self.by_item_[[item]] @ self.left_).toarray()[0]
        return _by(products, norms * norms[item]).astype(np.float32)


def _norms(rows: sparse.csr_matrix) -> NDArray[np.float32]:
    return np.sqrt(np.asarray(_squares(rows).sum(axis=1), np.float32).ravel())


def _ones(rows: sparse.csr_matrix) -> sparse.csr_matrix:
    """1 where there is a rating."""
    return _with_data(rows, np.ones_like(rows.data))


def _squares(rows: sparse.csr_matrix) -> sparse.csr_matrix:
    return _with_data(rows, rows.data**2)


def _with_data(matrix: sparse.csr_matrix, data: NDArray[Any]) -> sparse.csr_matrix:
    return sparse.csr_matrix((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def _by(values: Any, bounds: Any) -> Any:
    """The quotient; 0 where nothing bounds."""
    return np.divide(values, bounds, out=np.zeros_like(values), where=np.asarray(bounds) > 0)
