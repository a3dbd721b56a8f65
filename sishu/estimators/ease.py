"""EASE: items explained by items, in closed form, none by itself.

    B = argmin ‖X − XB‖² + λ‖B‖²  with diag(B) = 0
      = −P_ij / P_jj off the diagonal,   P = (X'X + λI)⁻¹                              items x items

    s = h B

Steck 2019, "Embarrassingly shallow autoencoders for sparse data" (arXiv:1905.03375). X is users x items, 1 where the
user had to do with the item (or the weight), h one row of the like. Where users are less than half as many as items
the inverse is taken over users, by the Woodbury identity, and P is had some rows at a time:

    P = (I − X'KX) / λ,   K = (XX' + λI)⁻¹                                             users x users

Both give the same B. λ is everything on sparse data, so that it is chosen anew at each fit unless it is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import lapack

from sishu.estimators.base import require
from sishu.estimators.errors import InvalidInput, OverBudget
from sishu.estimators.interactions import Interactions
from sishu.estimators.items import Items
from sishu.estimators.linear import LinearModel, inputs, strongest
from sishu.estimators.ranking import rank, some_users
from sishu.estimators.split import holdout

L2_GRID = (1.0, 5.0, 20.0, 50.0, 100.0, 200.0, 300.0, 500.0, 800.0, 1200.0, 2000.0)
L2_START = 100.0  # where the search begins, and what is taken where there is too little to search on
VALIDATION_USERS = 2000
# Single precision errs by about 1e-5 of the greatest score at a condition of 1e5, measured; beyond it, double. Over
# users it is always double: I − X'KX cancels.
SINGLE_CONDITION = 1e5
BLOCK_CELLS = 2**21


class Ease(LinearModel):
    """EASE with λ = `l2`, in the units of squared weights; None searches `L2_GRID` on an inner split by NDCG@10.

    `top_k` keeps only so many weights of each item (the largest |B_ij| of column j) and makes the model sparse; None
    keeps all, 4 bytes x items². `memory_limit` in bytes. Raises OverBudget before a fit that would take more.
    """

    def __init__(
        self,
        *,
        l2: float | None = None,
        top_k: int | None = None,
        weighted: bool = False,
        memory_limit: int = 4 * 2**30,
        seed: int = 0,
    ) -> None:
        self.l2 = l2
        self.top_k = top_k
        self.weighted = weighted
        self.memory_limit = memory_limit
        self.seed = seed

    def _learn(self, interactions: Interactions, items: Items | None) -> None:
        if self.l2 is not None:
            require("l2", self.l2, above=0)
        if self.top_k is not None:
            require("top_k", self.top_k, at_least=1)
        require("memory_limit", self.memory_limit, above=0)
        self.l2_ = self.l2 if self.l2 is not None else self._chosen(interactions)
        matrix = inputs(interactions.matrix, self.weighted)
        self._refuse_over_budget(matrix)
        learn = _by_users if _is_by_users(*matrix.shape) else _by_items
        self.weights_ = learn(matrix, self.l2_, self.top_k)

    def _chosen(self, interactions: Interactions) -> float:
        """The λ of the grid with the best NDCG@10, which has one hill over log λ: it is climbed from the middle."""
        try:
            split = holdout(interactions.take(interactions.weights > 0), seed=self.seed)
        except InvalidInput:  # nobody has rows enough to be asked about
            return L2_START
        users = some_users(split, VALIDATION_USERS, self.seed)

        @cache
        def gain(place: int) -> float:
            model = Ease(**self.params() | {"l2": L2_GRID[place]}).fit(split.train)
            return float(rank(model, split, 10, users).ndcg().mean())

        best = L2_GRID.index(L2_START)
        for step in (-1, 1):
            while 0 <= best + step < len(L2_GRID) and gain(best + step) > gain(best):
                best += step
        return L2_GRID[best]

    def memory_needed(self, users: int, items: int, entries: int, itemsize: int = 4) -> int:
        """Bytes that a fit takes at its peak beside the interactions; of so many entries users x items.

        `itemsize` is 8 where single precision is too little for the inverse over items.
        """
        inverse = 8 * users**2 if _is_by_users(users, items) else itemsize * items**2
        if self.top_k is not None:
            result = 16 * min(self.top_k, items) * items  # values and places, and both again while they are transposed
        else:
            result = 0 if inverse == 4 * items**2 else 4 * items**2
        block = min(max(BLOCK_CELLS, items), items**2)
        return inverse + result + 32 * block + 48 * entries

    def _refuse_over_budget(self, matrix: sparse.csr_matrix) -> None:
        users, items = matrix.shape
        needed = self.memory_needed(users, items, matrix.nnz, _item_precision(matrix, self.l2_).itemsize)
        if needed > self.memory_limit:
            way_out = "Give more memory, fewer items, or a top_k (500, say)."
            raise OverBudget(f"EASE over {items} items and {users} users", needed, self.memory_limit, way_out)


def _is_by_users(users: int, items: int) -> bool:
    return 2 * users < items


def _item_precision(matrix: sparse.csr_matrix, l2: float) -> np.dtype[Any]:
    """X'X has no eigenvalue above its greatest row sum."""
    greatest = (matrix.T @ (matrix @ np.ones(matrix.shape[1]))).max()
    return np.dtype(np.float32 if greatest / l2 < SINGLE_CONDITION else np.float64)


def _by_items(matrix: sparse.csr_matrix, l2: float, top_k: int | None) -> NDArray[np.float32] | sparse.csr_matrix:
    inverse = _inverse(_gram(matrix, _item_precision(matrix, l2)), l2)
    if top_k is None:
        return _scaled(inverse.astype(np.float32, copy=False))
    return _pruned(((begin, inverse[begin:end]) for begin, end in _blocks(len(inverse))), top_k)


def _by_users(matrix: sparse.csr_matrix, l2: float, top_k: int | None) -> NDArray[np.float32] | sparse.csr_matrix:
    blocks = _rows_over_users(matrix, l2)
    if top_k is not None:
        return _pruned(blocks, top_k)
    inverse = np.empty((matrix.shape[1], matrix.shape[1]), np.float32)
    for begin, rows in blocks:
        inverse[begin : begin + len(rows)] = rows
    return _scaled(inverse)


def _rows_over_users(matrix: sparse.csr_matrix, l2: float) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Rows of P, some at a time, each lot with the place of its first: items² is never held."""
    columns = matrix.T.tocsr().astype(np.float64)
    over_users = _inverse(_gram(columns, np.dtype(np.float64)), l2)
    for begin, end in _blocks(matrix.shape[1]):
        some = np.ascontiguousarray((columns[begin:end] @ over_users).T)
        rows = (columns @ some).T / -l2
        rows[np.arange(end - begin), np.arange(begin, end)] += 1 / l2
        yield begin, rows


def _scaled(inverse: NDArray[np.float32]) -> NDArray[np.float32]:
    """B in the memory of P."""
    inverse /= -inverse.diagonal()
    np.fill_diagonal(inverse, 0)
    return inverse


def _pruned(blocks: Iterable[tuple[int, NDArray[Any]]], top_k: int) -> sparse.csr_matrix:
    """The strongest of each column of B. Row j of P by P_jj is that column, since P is symmetric."""
    columns = []
    for begin, rows in blocks:
        own = np.arange(len(rows)), np.arange(begin, begin + len(rows))
        column = np.divide(rows, -rows[own][:, None], dtype=np.float32, casting="same_kind", order="C")
        column[own] = 0
        places = np.tile(np.arange(rows.shape[1], dtype=np.int32), len(rows))
        starts = np.arange(0, rows.size + 1, rows.shape[1])
        columns.append(strongest(sparse.csr_matrix((column.ravel(), places, starts), shape=rows.shape), top_k))
    return sparse.vstack(columns, format="csr").T.tocsr()


def _gram(matrix: sparse.csr_matrix, dtype: np.dtype[Any]) -> NDArray[Any]:
    """X'X, whole; multiplied in blocks, since the sparse product takes three times what it fills."""
    columns, rows = matrix.T.tocsr().astype(dtype, copy=False), matrix.astype(dtype, copy=False)
    size = matrix.shape[1]
    gram = np.empty((size, size), dtype)
    for begin, end in _blocks(size):
        gram[begin:end] = (columns[begin:end] @ rows).toarray()
    return gram


def _inverse(gram: NDArray[Any], l2: float) -> NDArray[Any]:
    """(gram + λI)⁻¹ in the memory of `gram`, by Cholesky."""
    size = len(gram)
    gram.flat[:: size + 1] += l2
    factorise, invert = lapack.get_lapack_funcs(("potrf", "potri"), (gram,))
    # The transpose is what LAPACK takes for columns: it works in place, on the upper triangle as we see it.
    factor, failed = factorise(gram.T, lower=True, overwrite_a=True, clean=False)
    if not failed:
        _, failed = invert(factor, lower=True, overwrite_c=True)
    if failed:
        raise InvalidInput(f"l2 is {l2}: too little beside these weights for the inverse to exist. Give a higher one.")
    for begin, end in _blocks(size):
        gram[end:, begin:end] = gram[begin:end, end:].T
        block = gram[begin:end, begin:end]
        block[:] = np.triu(block) + np.triu(block, 1).T
    return gram


def _blocks(size: int) -> Iterator[tuple[int, int]]:
    step = max(1, BLOCK_CELLS // size)
    for begin in range(0, size, step):
        yield begin, min(begin + step, size)
