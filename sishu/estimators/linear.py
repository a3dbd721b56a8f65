"""What the item-based models share: a reader's scores are their history times a matrix of items by items.

    s = h W,   s_j = Σ_i h_i W_ij

`h` (items,) is 1 for what the reader had to do with, or the weights added up where the model is `weighted`; W_ij is
what having i says for j. Nobody need be fitted to be scored, and each item's part of a score is a term of the sum.
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
    zero_says_nothing: ClassVar[bool] = True  # what shares no reader with the history

    weighted: bool
    weights_: NDArray[np.float32] | sparse.csr_matrix

    def score_many(self, pasts: Sequence[Past]) -> Scores:
        scores = inputs(stack(pasts, len(self.item_ids_)), self.weighted) @ self.weights_
        return scores.toarray() if sparse.issparse(scores) else scores

    def _scores(self, past: Past) -> Scores:
        items, weights = taken(past)
        amounts = self._amounts(weights)
        scores = np.zeros(len(self.item_ids_), np.float32)
        if sparse.issparse(self.weights_):
            kept: sparse.csr_matrix = self.weights_
            starts, columns, values = map(np.asarray, (kept.indptr, kept.indices, kept.data))
            for item, amount in zip(items.tolist(), amounts, strict=True):
                row = slice(starts[item], starts[item + 1])
                scores[columns[row]] += amount * values[row]  # each column stands once in a row
            return scores
        rows = np.asarray(self.weights_)
        for item, amount in zip(items.tolist(), amounts.tolist(), strict=True):
            saxpy(rows[item], scores, a=amount)  # in place: to copy the rows together would be most of the work
        return scores

    def _contributions(self, past: Past, item: int) -> NDArray[np.floating[Any]]:
        items, weights = taken(past)
        to_item = np.asarray(self.weights_[items, np.full(len(items), item)]).ravel()
        return shared_out(past, items, weights, self._amounts(weights) * to_item)

    def _amounts(self, weights: NDArray[np.float32]) -> NDArray[np.float32]:
        return weights if self.weighted else np.ones_like(weights)


def taken(past: Past) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """What was met, each item once, and its weights added up; nothing that weighs nothing."""
    items, which = np.unique(past.items, return_inverse=True)
    weights = np.bincount(which, past.weights).astype(np.float32)
    return items[weights > 0], weights[weights > 0]


def shared_out(
    past: Past, items: NDArray[np.int64], weights: NDArray[np.float32], parts: NDArray[np.floating[Any]]
) -> NDArray[np.floating[Any]]:
    """The part of each of `items`, as `taken` gave them, shared out to its events in the past by their weight."""
    rates = np.zeros(past.items.max(initial=0) + 1)
    rates[items] = parts / weights
    return rates[past.items] * past.weights


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
