"""Implicit ALS: every pair is explained by a few factors, and what was done is believed more than what was not.

    min Σ_ui c_ui (p_ui − x_u·y_i)² + Σ_u λ_u |x_u|² + Σ_i λ_i |y_i|²,   p_ui = [w_ui > 0],  c_ui = 1 + α w_ui

    x_u = A_u⁻¹ Σ_i c_ui p_ui y_i,   A_u = Y'Y + α Σ_i w_ui y_i y_i' + λ_u I,   s_ui = x_u·y_i

Hu, Koren & Volinsky 2008, "Collaborative filtering for implicit feedback datasets" (ICDM), users and items in turn. The
x_u are users x factors, the y_i items x factors. λ_u = λ (Σ_i c_ui)^ν by the mean of that over users, and so for items:
ν = 0 is the plain λ, ν = 1 holds everybody by as much as is known of them, which Rendle et al. 2021, "Revisiting the
performance of iALS" (arXiv:2110.14037), found best.

While it learns, a few steps of conjugate gradients stand for the solution (Takács, Pilászy & Tikk 2011, RecSys), from
zero and preconditioned by (Y'Y + λI)⁻¹, which is all of A_u but what the reader did: two are enough, and stopping early
regularises. Afterwards a reader is folded in by one exact solution from their history, so that no x_u is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sishu.estimators.base import ItemModel, Past, Scored, Scores, require
from sishu.estimators.errors import OverBudget
from sishu.estimators.interactions import Interactions
from sishu.estimators.items import Items
from sishu.estimators.linear import inputs, shared_out, taken

Floats = NDArray[np.float32]

STEPS = 2
BATCH_ENTRIES = 2**12  # of one batch: their factors stay in the processor's cache, 64 of them take 1 MiB
START = 0.01  # standard deviation of the first factors


class ALS(ItemModel):
    """Implicit ALS with so many `factors`; λ is `l2`, ν is `frequency`, and weights count `alpha` times.

    `memory_limit` in bytes. Raises OverBudget before a fit that would take more.
    """

    is_additive = True  # Hu et al. §5: s_ui = Σ_j c_uj y_i' A_u⁻¹ y_j
    zero_says_nothing = True

    item_factors_: Floats
    gram_: NDArray[np.float64]  # Y'Y, factors x factors
    mean_belief_: float  # of (Σ_i c_ui)^ν over users

    def __init__(
        self,
        *,
        factors: int = 64,
        l2: float = 10.0,
        alpha: float = 4.0,
        frequency: float = 1.0,
        iterations: int = 10,
        memory_limit: int = 4 * 2**30,
        seed: int = 0,
    ) -> None:
        self.factors, self.l2, self.alpha, self.frequency = factors, l2, alpha, frequency
        self.iterations, self.memory_limit, self.seed = iterations, memory_limit, seed

    def similar(self, item_id: str, k: int = 10) -> list[Scored]:
        """By the cosine of their factors."""
        item = self.item_ids_.by_name.get(item_id)
        if item is None:
            return []
        lengths = np.linalg.norm(self.item_factors_, axis=1)
        products = self.item_factors_ @ self.item_factors_[item]
        cosines = np.divide(products, lengths * lengths[item], out=np.full_like(products, -np.inf), where=products != 0)
        cosines[item] = -np.inf
        return self.best(cosines, k)

    def score_many(self, pasts: Sequence[Past]) -> Scores:
        readers = np.empty((len(pasts), self.factors), np.float32)
        for reader, past in enumerate(pasts):
            near, belief, system = self._system(*taken(past))
            readers[reader] = np.linalg.solve(system, belief @ near)
        return readers @ self.item_factors_.T

    def _learn(self, interactions: Interactions, items: Items | None) -> None:
        for name in ("factors", "iterations"):
            require(name, getattr(self, name), at_least=1)
        for name in ("alpha", "frequency"):
            require(name, getattr(self, name), at_least=0)
        for name in ("l2", "memory_limit"):
            require(name, getattr(self, name), above=0)
        by_user = inputs(interactions.matrix, weighted=True)
        by_item = by_user.T.tocsr()
        self._refuse_over_budget(by_user, by_item)
        sides = [(list(_batches(matrix)), *self._penalties(matrix)) for matrix in (by_user, by_item)]
        (user_batches, user_l2, self.mean_belief_), (item_batches, item_l2, _) = sides
        users = np.zeros((by_user.shape[0], self.factors), np.float32)
        rng = np.random.default_rng(self.seed)
        self.item_factors_ = rng.normal(0, START, (by_item.shape[0], self.factors)).astype(np.float32)
        for _ in range(self.iterations):
            self._step(user_batches, user_l2, self.item_factors_, users)
            self.item_factors_[:] = 0  # of an item that nobody has: nothing
            self._step(item_batches, item_l2, users, self.item_factors_)
        self.gram_ = self.item_factors_.T.astype(np.float64) @ self.item_factors_

    def _penalties(self, matrix: sparse.csr_matrix) -> tuple[Floats, float]:
        """λ of each row, and the mean that they are taken by."""
        belief = self._belief(np.asarray(matrix.sum(axis=1)).ravel(), matrix.shape[1])
        mean = float(belief.mean())
        return (self.l2 * belief / mean).astype(np.float32), mean

    def _belief(self, weights: Any, count: int) -> Any:
        return (count + self.alpha * weights) ** self.frequency

    def _step(self, batches: Sequence[_Batch], l2: Floats, theirs: Floats, ours: Floats) -> None:
        """The factors of one side anew, those of the other held."""
        gram = theirs.T @ theirs
        nearly = np.linalg.inv(gram + self.l2 * np.eye(self.factors)).astype(np.float32)
        for rows, places, weights in batches:
            ours[rows] = _conjugate_gradients(
                theirs.take(places, axis=0), weights > 0, self.alpha * weights, gram, l2[rows], nearly
            )

    def _scores(self, past: Past) -> Scores:
        return self.score_many([past])[0]

    def _system(
        self, items: NDArray[np.int64], weights: Floats
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """The factors of what was done, (n, factors), how much each is believed, (n,), and A, (factors, factors)."""
        near, extra = self.item_factors_[items].astype(np.float64), self.alpha * weights.astype(np.float64)
        l2 = self.l2 * self._belief(weights.sum(), len(self.item_ids_)) / self.mean_belief_
        system = self.gram_ + (near.T * extra) @ near
        system.flat[:: self.factors + 1] += l2
        return near, 1 + extra, system

    def _contributions(self, past: Past, item: int) -> NDArray[np.floating[Any]]:
        items, weights = taken(past)
        near, belief, system = self._system(items, weights)
        return shared_out(past, items, weights, belief * (near @ np.linalg.solve(system, self.item_factors_[item])))

    def memory_needed(self, users: int, items: int, entries: int, longest: int = BATCH_ENTRIES) -> int:
        """Bytes that a fit takes at its peak beside the interactions; of so many entries users x items.

        `longest` is the greatest number of entries of one user or item.
        """
        return 4 * self.factors * (users + 2 * items + 2 * max(longest, BATCH_ENTRIES)) + 40 * entries

    def _refuse_over_budget(self, by_user: sparse.csr_matrix, by_item: sparse.csr_matrix) -> None:
        users, items = by_user.shape
        longest = max(int(np.diff(matrix.indptr).max()) for matrix in (by_user, by_item))
        needed = self.memory_needed(users, items, by_user.nnz, longest)
        if needed > self.memory_limit:
            way_out = "Give more memory, fewer factors, or fewer users."
            raise OverBudget(f"ALS of {users} users and {items} items", needed, self.memory_limit, way_out)


_Batch = tuple[NDArray[np.int64], NDArray[np.int32], Floats]


def _batches(matrix: sparse.csr_matrix) -> Iterator[_Batch]:
    """Rows of about one length: their positions (b,), columns (b, longest) and weights, those past a row's end 0."""
    lengths = np.diff(matrix.indptr)
    order = np.argsort(lengths, kind="stable")
    order = order[np.searchsorted(lengths[order], 1) :]  # rows without an entry are left as they are
    while len(order):
        sizes = lengths[order[:BATCH_ENTRIES]] * np.arange(1, min(len(order), BATCH_ENTRIES) + 1)
        rows, order = np.split(order, [max(1, int(np.searchsorted(sizes, BATCH_ENTRIES, side="right")))])
        steps = np.arange(lengths[rows[-1]])
        inside = steps < lengths[rows][:, None]
        entries = np.where(inside, matrix.indptr[rows][:, None] + steps, 0)
        yield rows, matrix.indices[entries], np.where(inside, matrix.data[entries], np.float32(0))


def _conjugate_gradients(
    near: Floats, had: NDArray[np.bool_], extra: Floats, gram: Floats, l2: Floats, nearly: Floats
) -> Floats:
    """`STEPS` towards the solutions of A_r x_r = Σ_n p_rn c_rn y_rn for all rows r at once, (rows, factors).

    `near` (rows, n, factors) are the y_rn, `had` (rows, n) is p, `extra` c − 1; `nearly` is about every A⁻¹.
    """
    rest = np.vecmat(had + extra, near)
    found = np.zeros_like(rest)
    better = direction = rest @ nearly
    size = np.vecdot(rest, better)
    for _ in range(STEPS):
        along = direction @ gram + l2[:, None] * direction + np.vecmat(extra * np.matvec(near, direction), near)
        length = np.vecdot(direction, along)
        step = np.divide(size, length, out=np.zeros_like(size), where=length > 0)[:, None]
        found += step * direction
        rest -= step * along
        better = rest @ nearly
        before, size = size, np.vecdot(rest, better)
        turn = np.divide(size, before, out=np.zeros_like(size), where=before > 0)[:, None]
        direction = better + turn * direction
    return found
