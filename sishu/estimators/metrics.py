"""How good a list, a predicted rating or a predicted click is. Everything for all users at once, one value a user.

Ranked lists are `ranked`, (users, k) positions of items, best first, -1 where a list ends early. What was right is
`relevant`, a users x items CSR matrix whose entries are the items of the test. Definitions follow Järvelin & Kekäläinen
2002 for NDCG, with gains of 0 and 1, and cut the ideal at min(k, |T|) where T is what was right.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from sishu.estimators.errors import InvalidInput

Floats = NDArray[np.float64]
SMALLEST = 1e-15  # a probability is never taken for 0 or 1: one surprise would cost an infinite loss


# --- Ranked lists -----------------------------------------------------------------------------------


def hits(ranked: NDArray[np.int64], relevant: sparse.csr_matrix) -> NDArray[np.bool_]:
    """Which of the ranked were right, (users, k)."""
    if ranked.shape[0] != relevant.shape[0]:
        raise InvalidInput(f"{ranked.shape[0]} lists and {relevant.shape[0]} rows of what was right.")
    users = np.repeat(np.arange(relevant.shape[0]), np.diff(relevant.indptr))
    right = np.unique(users * relevant.shape[1] + relevant.indices)
    asked = np.arange(ranked.shape[0])[:, None] * relevant.shape[1] + ranked
    return np.isin(asked, right) & (ranked >= 0)


def ndcg(hit: NDArray[np.bool_], counts: NDArray[np.int64]) -> Floats:
    """Σ hit_r / log2(r + 1) over ranks r = 1…k, by the same sum of an ideal list. `counts` (users,) is |T|."""
    gains = 1 / np.log2(np.arange(2, hit.shape[1] + 2))
    ideal = np.concatenate([[0.0], np.cumsum(gains)])[np.minimum(counts, hit.shape[1])]
    return _by(np.dot(hit, gains), ideal)


def recall(hit: NDArray[np.bool_], counts: NDArray[np.int64]) -> Floats:
    """Hits by min(k, |T|): what could be found in k places at most.

    Others divide by |T| alone, so that who has more than k right can never reach 1; their figures are lower.
    """
    return _by(hit.sum(axis=1), np.minimum(counts, hit.shape[1]))


def hit_rate(hit: NDArray[np.bool_]) -> Floats:
    """1 where any of the list was right."""
    return np.asarray(hit.any(axis=1), dtype=np.float64)


def average_precision(hit: NDArray[np.bool_], counts: NDArray[np.int64]) -> Floats:
    """Mean over the right items of the share of hits down to their rank, by min(k, |T|). Its mean over users is MAP."""
    precision = np.cumsum(hit, axis=1) / np.arange(1, hit.shape[1] + 1)
    return _by((precision * hit).sum(axis=1), np.minimum(counts, hit.shape[1]))


def coverage(ranked: NDArray[np.int64], catalogue: int) -> float:
    """Share of the catalogue that somebody is shown."""
    return len(np.unique(ranked[ranked >= 0])) / catalogue


def novelty(ranked: NDArray[np.int64], popularity: NDArray[np.integer], users: int) -> Floats:
    """Mean of log2(users / k_i) over the list, in bits: how little a list is what everybody knows (Zhou et al. 2010).

    `popularity` (items,) is k, how many of the `users` of train have each item; one of nobody counts as of half a user.
    """
    return _mean_of_listed(np.log2(users / np.maximum(popularity, 0.5))[ranked], ranked)


def intra_list_distance(ranked: NDArray[np.int64], vectors: sparse.csr_matrix) -> Floats:
    """Mean of 1 − cosine over the pairs of a list; `vectors` is items x anything. 0 for a list of one."""
    norms = np.sqrt(np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel())
    unit = sparse.diags(np.where(norms > 0, 1 / np.maximum(norms, SMALLEST), 0)) @ vectors
    distances = np.zeros(len(ranked))
    for user, row in enumerate(ranked):
        listed = row[row >= 0]
        if len(listed) > 1:
            total = np.asarray(unit[listed].sum(axis=0)).ravel()
            pairs = len(listed) * (len(listed) - 1)
            own = np.count_nonzero(norms[listed])  # the cosine of an item with itself, which is no pair
            distances[user] = 1 - (total @ total - own) / pairs
    return distances


# --- Ratings ----------------------------------------------------------------------------------------


def rmse(truth: ArrayLike, predicted: ArrayLike) -> float:
    """sqrt(mean((r − r̂)²))"""
    return float(np.sqrt(np.mean(np.square(np.subtract(*_same(truth, predicted))))))


def mae(truth: ArrayLike, predicted: ArrayLike) -> float:
    """mean(|r − r̂|)"""
    return float(np.mean(np.abs(np.subtract(*_same(truth, predicted)))))


# --- Clicks -----------------------------------------------------------------------------------------


def log_losses(clicked: ArrayLike, predicted: ArrayLike) -> Floats:
    """−log of the probability given to what happened, one a row, in nats."""
    happened, chance = _same(clicked, predicted)
    chance = np.clip(chance, SMALLEST, 1 - SMALLEST)
    return -(happened * np.log(chance) + (1 - happened) * np.log1p(-chance))


def log_loss(clicked: ArrayLike, predicted: ArrayLike) -> float:
    """The mean of `log_losses`."""
    return float(log_losses(clicked, predicted).mean())


def relative_information_gain(clicked: ArrayLike, predicted: ArrayLike, rate: float | None = None) -> float:
    """1 − log-loss / log-loss of saying the rate always (Graepel et al. 2010). Below 0: worse than a constant.

    `rate` is the constant's, as a rule that of train; left out it is that of `clicked` itself.
    """
    happened = np.asarray(clicked, dtype=np.float64)
    constant = log_loss(happened, np.full(len(happened), happened.mean() if rate is None else rate))
    return 1 - log_loss(happened, predicted) / constant if constant > 0 else 0.0


def auc(clicked: ArrayLike, predicted: ArrayLike) -> float:
    """The chance that a click is ranked above a row without one, equals counting half; 0.5 where only one kind is.

    By the sum of ranks (Mann & Whitney 1947).
    """
    happened, score = _same(clicked, predicted)
    positive = int(happened.sum())
    negative = len(happened) - positive
    if not positive or not negative:
        return 0.5
    return float((ranks(score)[happened > 0].sum() - positive * (positive + 1) / 2) / (positive * negative))


def expected_calibration_error(clicked: ArrayLike, predicted: ArrayLike, bins: int = 10) -> float:
    """Mean over bins of equal size of |clicks said − clicks seen|, weighted by size (Naeini et al. 2015)."""
    happened, chance = _same(clicked, predicted)
    parts = np.array_split(np.argsort(chance, kind="stable"), min(bins, len(chance)))
    gaps = [len(part) * abs(chance[part].mean() - happened[part].mean()) for part in parts]
    return float(sum(gaps) / len(chance))


def calibration(clicked: ArrayLike, predicted: ArrayLike) -> float:
    """Clicks said by clicks seen: 1 is right on the whole, 2 promises twice what comes."""
    happened, chance = _same(clicked, predicted)
    return float(chance.sum() / happened.sum()) if happened.any() else float("inf")


# --- Parts ------------------------------------------------------------------------------------------


def ranks(scores: Floats) -> Floats:
    """From 1 for the lowest; equals share the mean of their ranks."""
    _, place, size = np.unique(scores, return_inverse=True, return_counts=True)
    return (np.cumsum(size) - (size - 1) / 2)[place]


def _by(values: Any, bounds: Any) -> Floats:
    return np.divide(values, bounds, out=np.zeros(len(values)), where=np.asarray(bounds) > 0)


def _mean_of_listed(values: Floats, ranked: NDArray[np.int64]) -> Floats:
    listed = ranked >= 0
    return _by(np.where(listed, values, 0).sum(axis=1), listed.sum(axis=1))


def _same(truth: ArrayLike, predicted: ArrayLike) -> tuple[Floats, Floats]:
    first, second = np.asarray(truth, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    if first.shape != second.shape or not first.size:
        raise InvalidInput(f"As many predictions as truths, and at least one: {second.shape} for {first.shape}.")
    return first, second
