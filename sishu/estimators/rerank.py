"""The same items in another order: less of the same beside each other, and not too much of one maker or kind.

    next = argmax_i  b r_i − (1 − b) max_j cos(v_i, v_j)        over i not yet chosen, j chosen

Maximal marginal relevance, Carbonell & Goldstein 1998, "The use of MMR, diversity-based reranking for reordering
documents and producing summaries" (SIGIR). r_i is the score brought to 0 … 1 over what is given, b the `balance`
between relevance and novelty, v_i any vector of the item: its words, its factors.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sishu.estimators.base import Scored, require
from sishu.estimators.errors import InvalidInput
from sishu.estimators.interactions import Ids
from sishu.estimators.items import Items


def mmr(
    ranked: Sequence[Scored], ids: Ids, vectors: sparse.csr_matrix, k: int = 10, balance: float = 0.8
) -> list[Scored]:
    """The k of `ranked` that are good and unlike each other, in the order they are chosen.

    Row i of `vectors`, items x anything, belongs to `ids[i]`. An item without a vector is like no other. `balance` 1
    keeps the order, 0 looks at the vectors alone. Of equals the one ranked first is taken.
    """
    require("k", k, at_least=1)
    if not 0 <= balance <= 1:
        raise InvalidInput(f"balance is {balance}: it lies between 0 and 1.")
    if not ranked:
        return []
    unit = _unit(vectors, ids.positions(each.item_id for each in ranked))
    scores = np.array([each.score for each in ranked], dtype=np.float64)
    spread = scores.max() - scores.min()
    relevance = (scores - scores.min()) / spread if spread else np.ones(len(scores))
    nearest = np.zeros(len(ranked))  # to what is chosen; no cosine below 0 makes an item better
    free = np.ones(len(ranked), bool)
    chosen: list[Scored] = []
    while len(chosen) < min(k, len(ranked)):
        gains = np.where(free, balance * relevance - (1 - balance) * nearest, -np.inf)
        best = int(np.argmax(gains))
        chosen.append(ranked[best])
        free[best] = False
        nearest = np.maximum(nearest, unit @ unit[[best]].toarray()[0])
    return chosen


def _unit(vectors: sparse.csr_matrix, rows: NDArray[np.int64]) -> sparse.csr_matrix:
    """These rows at length 1; zeros for a row of zeros, and for -1, of which there is no vector."""
    known = np.flatnonzero(rows >= 0)
    pick = sparse.csr_matrix((np.ones(len(known)), (known, rows[known])), shape=(len(rows), vectors.shape[0]))
    taken = (pick @ vectors).tocsr()
    lengths = np.sqrt(np.asarray(taken.multiply(taken).sum(axis=1)).ravel())
    return (sparse.diags(np.divide(1, lengths, out=np.zeros(len(rows)), where=lengths > 0)) @ taken).tocsr()


@dataclass(frozen=True)
class Cap:
    """No label on more than `at_most` items: `labels` of each item, its makers, say. An item not named has none."""

    labels: Mapping[str, Collection[str]]
    at_most: int

    @classmethod
    def of(cls, items: Items, field: str, at_most: int) -> Self:
        """By a field of the items. Raises InvalidInput where there is no such field."""
        return cls(dict(zip(items.ids, items.labels(field), strict=True)), at_most)


def capped(ranked: Sequence[Scored], caps: Sequence[Cap], k: int = 10) -> list[Scored]:
    """The same list, its first k within every cap; what had to give way follows, everything else in its order.

    Where fewer than k can stand within the caps, the first that had to give way fill the places: a list is not cut.
    """
    require("k", k, at_least=1)
    for cap in caps:
        require("at_most", cap.at_most, at_least=1)
    counts: dict[tuple[int, str], int] = {}
    first: list[Scored] = []
    later: list[Scored] = []
    for each in ranked:
        labels = {(place, label) for place, cap in enumerate(caps) for label in cap.labels.get(each.item_id, ())}
        if len(first) < k and all(counts.get(label, 0) < caps[label[0]].at_most for label in labels):
            first.append(each)
            for label in labels:
                counts[label] = counts.get(label, 0) + 1
        else:
            later.append(each)
    return first + later
