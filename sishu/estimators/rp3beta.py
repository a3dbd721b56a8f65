"""RP³β: where a walk of three steps from the reader ends, less for what everybody ends at.

    W_ij = Σ_v p_iv^α p_vj^α / d_j^β,   p_iv = x_vi / Σ_v x_vi,   p_vj = x_vj / Σ_j x_vj

    s = h W

Paudel, Christoffel, Newell & Bernstein 2017, "Updatable, accurate, diverse, and scalable recommendations for
interactive applications" (ACM TiiS 7:1), after P³α of Cooper et al. 2014. A walk goes from a reader to an item of
theirs, to another user v who has it, to what that user has: item i → user v → item j. α bends the chances of each step,
β takes from items with many interactions: d_j is the sum of the weights of j. The first step's chance is the same for
all items of a reader and is left out. W is items x items; each row keeps its `top_k` strongest and none of i itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sishu.estimators.base import require
from sishu.estimators.errors import OverBudget
from sishu.estimators.interactions import Interactions
from sishu.estimators.items import Items
from sishu.estimators.linear import LinearModel, inputs, strongest

BLOCK_CELLS = 2**21


class RP3Beta(LinearModel):
    """RP³β with exponents `alpha` and `beta`, and so many items kept for each; `weighted` walks heavy edges rather.

    `memory_limit` in bytes. Raises OverBudget before a fit that would take more.
    """

    def __init__(
        self,
        *,
        alpha: float = 0.8,
        beta: float = 0.6,
        top_k: int = 400,
        weighted: bool = False,
        memory_limit: int = 4 * 2**30,
    ) -> None:
        self.alpha = alpha
        self.beta = beta
        self.top_k = top_k
        self.weighted = weighted
        self.memory_limit = memory_limit

    def _learn(self, interactions: Interactions, items: Items | None) -> None:
        require("alpha", self.alpha, above=0)
        require("beta", self.beta, at_least=0)
        require("top_k", self.top_k, at_least=1)
        require("memory_limit", self.memory_limit, above=0)
        matrix = inputs(interactions.matrix, self.weighted)
        self._refuse_over_budget(matrix)
        of_items, of_users = (np.asarray(matrix.sum(axis=axis)).ravel() for axis in (0, 1))
        edges = matrix.power(self.alpha)
        leave, pass_on, arrive = (
            _power(of_items, -self.alpha),
            _power(of_users, -self.alpha),
            _power(of_items, -self.beta),
        )
        from_items = (sparse.diags(pass_on) @ edges @ sparse.diags(leave)).T.tocsr()
        to_items = edges @ sparse.diags(arrive)
        size, rows = matrix.shape[1], []
        step = max(1, BLOCK_CELLS // size)
        for begin in range(0, size, step):
            block = from_items[begin : begin + step] @ to_items
            block.data[block.indices == np.repeat(np.arange(begin, begin + block.shape[0]), np.diff(block.indptr))] = 0
            rows.append(strongest(block, self.top_k))
        self.weights_ = sparse.vstack(rows, format="csr")

    def memory_needed(self, users: int, items: int, entries: int) -> int:
        """Bytes that a fit takes at its peak beside the interactions; of so many entries users x items."""
        block = min(max(BLOCK_CELLS, items), items**2)
        return 16 * min(self.top_k, items) * items + 32 * block + 48 * entries

    def _refuse_over_budget(self, matrix: sparse.csr_matrix) -> None:
        users, items = matrix.shape
        needed = self.memory_needed(users, items, matrix.nnz)
        if needed > self.memory_limit:
            way_out = "Give more memory, fewer items, or a smaller top_k."
            raise OverBudget(f"RP3beta over {items} items", needed, self.memory_limit, way_out)


def _power(sums: NDArray[np.float32], exponent: float) -> NDArray[np.float32]:
    """0 stays 0: nothing comes from there, nothing ends there."""
    return np.power(sums, exponent, out=np.zeros_like(sums), where=sums > 0)
