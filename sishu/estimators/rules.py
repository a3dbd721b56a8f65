"""What is taken after what: sequential association rules between items that stand near each other in a history.

    rule(i → j) = Σ w_e w_f / d(e, f)  /  (Σ w_e + shrinkage)
    score(j)    = Σ_n w_n exp(−n / τ) rule(i_n → j)

The first sum goes over each event e of item i and each event f of item j by the same user, d = 1 … `window` events
later; w are their weights. A rule is thus how much of j lies near after an i, as if i had been met `shrinkage` times
more with nothing after it, so that what was seen once is not believed. The second goes over the reader's history from
the newest, n = 0, backwards: after τ more events an event counts 1/e of what it did.

Events of one moment have no order between them: each follows the other. Without times they stand as they came.

Source: rules "SR" with weight 1/distance of Ludewig & Jannach 2018, Evaluation of session-based recommendation
algorithms; shrinkage, and a history that fades instead of its last item alone, are ours.

Learning takes time of events x window, scoring of the newest events only, and no more memory than `top_k` rules an item
and one block of pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sishu.estimators.base import Past, Scores, require
from sishu.estimators.errors import OverBudget
from sishu.estimators.interactions import Interactions
from sishu.estimators.items import Items
from sishu.estimators.linear import LinearModel, strongest

BLOCK_PAIRS = 2**21  # pairs of events looked at together
PAIR_BYTES = 64  # of one such pair: positions, masks, and the entry it becomes


class Rules(LinearModel):
    """Says what others took soon after what this reader took last. `tau` and `window` are counted in events.

    Row i of `weights_` holds the `top_k` strongest rules i → j. `memory_limit` in bytes. Raises OverBudget before a fit
    that would take more.
    """

    weighted = True

    weights_: sparse.csr_matrix

    def __init__(
        self,
        *,
        window: int = 10,
        tau: float = 3.0,
        shrinkage: float = 20.0,
        top_k: int = 500,
        memory_limit: int = 4 * 2**30,
    ) -> None:
        self.window = window
        self.tau = tau
        self.shrinkage = shrinkage
        self.top_k = top_k
        self.memory_limit = memory_limit

    def _learn(self, interactions: Interactions, items: Items | None) -> None:
        require("window", self.window, at_least=1)
        require("tau", self.tau, above=0)
        require("shrinkage", self.shrinkage, at_least=0)
        require("top_k", self.top_k, at_least=1)
        require("memory_limit", self.memory_limit, above=0)
        offsets = np.arange(1, min(self.window, np.diff(interactions.starts).max()) + 1)
        if interactions.times is not None:
            offsets = np.concatenate([-offsets[::-1], offsets])
        counts = np.bincount(interactions.items, minlength=len(self.item_ids_))
        self._check_memory(counts, len(offsets))
        met = np.bincount(interactions.items, interactions.weights, minlength=len(counts)) + self.shrinkage
        by_item = np.argsort(interactions.items, kind="stable")
        ends = np.cumsum(counts)
        blocks = []
        for begin, end in _blocks(counts, max(1, BLOCK_PAIRS // len(offsets))):
            events = by_item[ends[begin] - counts[begin] : ends[end - 1]]
            pairs = _pairs(interactions, events, offsets, begin, end)
            pairs.data /= np.repeat(met[begin:end], np.diff(pairs.indptr))
            blocks.append(strongest(pairs.astype(np.float32), self.top_k))
        self.weights_ = sparse.vstack(blocks, format="csr")

    def _check_memory(self, counts: NDArray[np.int64], near: int) -> None:
        widest = max(BLOCK_PAIRS, int(counts.max()) * near) * PAIR_BYTES
        kept = min(int(counts.sum()) * near, len(counts) * min(self.top_k, len(counts))) * 8
        if (needed := widest + 2 * kept) > self.memory_limit:
            way_out = "Give a smaller window or top_k, fewer or more recent interactions, or more memory."
            raise OverBudget(f"Rules of {counts.sum()} events", needed, self.memory_limit, way_out)

    def score_many(self, pasts: Sequence[Past]) -> Scores:
        return super().score_many([past.faded(self.tau) for past in pasts])

    def _scores(self, past: Past) -> Scores:
        return super()._scores(past.faded(self.tau))

    def _contributions(self, past: Past, item: int) -> NDArray[np.floating[Any]]:
        return super()._contributions(past.faded(self.tau), item)


def _blocks(counts: NDArray[np.int64], at_most: int) -> Iterator[tuple[int, int]]:
    """Runs of items that together have so many events at most; an item of more is a run of its own."""
    begin, ends = 0, np.cumsum(counts)
    while begin < len(counts):
        before = ends[begin] - counts[begin]
        end = max(begin + 1, int(np.searchsorted(ends, before + at_most, side="right")))
        yield begin, end
        begin = end


def _pairs(
    rows: Interactions, events: NDArray[np.int64], offsets: NDArray[np.int64], begin: int, end: int
) -> sparse.csr_matrix:
    """The sum of w_e w_f / d over what follows these events of the items `begin` to `end`; (end − begin) x items."""
    near = events[:, None] + offsets
    is_row = (near >= 0) & (near < len(rows))
    near[~is_row] = 0
    follows = is_row & (rows.users[near] == rows.users[events][:, None])
    follows &= rows.items[near] != rows.items[events][:, None]
    if rows.times is not None:
        follows &= (offsets > 0) | (rows.times[near] == rows.times[events][:, None])
    first, column = np.nonzero(follows)
    second, first = near[first, column], events[first]
    strength = rows.weights[first] * rows.weights[second] / np.abs(offsets)[column]
    shape = (end - begin, len(rows.item_ids))
    return sparse.csr_matrix((strength, (rows.items[first] - begin, rows.items[second])), shape=shape)
