"""What the item-based models share: a reader's scores are their history times a matrix of items by items.

    s = h W,   s_j = Σ_i h_i W_ij

`h` (items,) is 1 for what the reader had to do with, or the weights added up where the model is `weighted`; W_ij is what
having i says for j. Nobody need be fitted to be scored, and each item's part of a score is a term of the sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg.blas import saxpy

from sishu.estimators.base import ItemModel, Past, Scores, stack


class LinearModel(ItemModel):
    """A model that learns `weights_`, items x items float32: whole, or CSR where only the strongest are kept."""

    is_additive: ClassVar[bool] = True

    weighted: bool
    weights_: NDArray[np.float32] | sparse.csr_matrix

    def score_many(self, pasts: Sequence[Past]) -> Scores:
        scores = inputs(stack(pasts, len(self.item_ids_)), self.weighted) @ self.weights_
        return scores.toarray() if sparse.issparse(scores) else scores

    def _scores(self, past: Past) -> Scores:
        row = inputs(past.row(len(self.item_ids_)), self.weighted)
        if sparse.issparse(self.weights_):
            return row.data @ self.weights_[row.indices]
        scores, weights = np.zeros(len(self.item_ids_), np.float32), np.asarray(self.weights_)
        for item, amount in zip(row.indices.tolist(), row.data.tolist(), strict=True):
            saxpy(weights[item], scores, a=amount)  # in place: to copy the rows together would be most of the work
        return scores

    def _contributions(self, past: Past, item: int) -> NDArray[np.floating[Any]]:
        amounts = past.weights.astype(np.float64)
        if not self.weighted:  # an item met twice counts once: half for each time
            _, which = np.unique(past.items, return_inverse=True)
            met = (amounts > 0).astype(np.float64)
            amounts = met / np.maximum(np.bincount(which, met), 1)[which]
        to_item = self.weights_[past.items, np.full(len(past.items), item)]
        return amounts * np.asarray(to_item).ravel()


def inputs(rows: sparse.csr_matrix, weighted: bool) -> sparse.csr_matrix:
    """Histories x items as the model takes them: float32, 1 for each item that was met where it is not `weighted`."""
    data = rows.data if weighted else (rows.data > 0).astype(np.float32)
    taken = sparse.csr_matrix((data, rows.indices, rows.indptr), shape=rows.shape)
    if not data.all():
        taken = taken.copy()
        taken.eliminate_zeros()
    return taken


def strongest(rows: sparse.csr_matrix, k: int) -> sparse.csr_matrix:
    """The k entries of each row that are furthest from zero; of equals those of the first columns."""
    kept, starts = [], np.zeros(rows.shape[0] + 1, np.int64)
    for row, (begin, end) in enumerate(pairwise(rows.indptr.tolist())):
        chosen = np.arange(begin, end)
        if end - begin > k:
            chosen = begin + _furthest(np.abs(rows.data[begin:end]), rows.indices[begin:end], k)
        kept.append(chosen)
        starts[row + 1] = starts[row] + len(chosen)
    every = np.concatenate(kept)
    result = sparse.csr_matrix((rows.data[every], rows.indices[every], starts), shape=rows.shape)
    result.eliminate_zeros()
    result.sort_indices()
    return result


def _furthest(sizes: NDArray[np.float32], columns: NDArray[np.int32], k: int) -> NDArray[np.int64]:
    bound = np.partition(sizes, len(sizes) - k)[len(sizes) - k]
    above, equal = np.flatnonzero(sizes > bound), np.flatnonzero(sizes == bound)
    return np.concatenate([above, equal[np.argsort(columns[equal])][: k - len(above)]])
