"""Logistic regression learnt row by row: Follow the Regularised Leader, Proximal (FTRL).

McMahan et al. 2013, Ad click prediction: a view from the trenches, algorithm 1. For row t with features x and click y:

    w_i = 0 where |z_i| ≤ λ1, else −(z_i − sign(z_i) λ1) / ((β + √n_i) / α + λ2)
    p   = σ(o + w·x)            g_i = (p − y) x_i
    σ_i = (√(n_i + g_i²) − √n_i) / α
    z_i ← z_i + g_i − σ_i w_i   n_i ← n_i + g_i²

Each weight has a learning rate of its own, α / (β + √n_i), and λ1 keeps most of them at exactly 0. The offset o, which
the paper does not have (0), lets a weight of 0 mean "as all are" and not "one in two is clicked".

Rows are taken in batches, for numpy. All rows of a batch are predicted with the weights of its beginning; n grows by
the sum of their g², z by the sum of their g less (√n after − √n before) / α · w, to which the σ of one row after the
other add up. So the gradients are late by less than a batch, and nothing else differs: a batch of 1 is the paper. A
batch holds no more than one in `GROWTH` of the rows seen so far, so that the first rows are learnt one by one.

The weights are known only so far: w_i ~ Normal(w_i, 1 / (β/α + λ2 + n_i)), since n_i = Σ g_i² estimates the curvature
of the log-loss and β/α + λ2 is what holds a weight that was never met (Laplace's approximation, its diagonal: Chapelle
& Li 2011, An empirical evaluation of Thompson sampling, algorithm 3). `sample_proba` draws from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import expit, logit

from sishu.estimators.base import Saved, require
from sishu.estimators.clicks import ClickLog, Probabilities
from sishu.estimators.features import Features, require_memory
from sishu.estimators.terms import columns

Floats = NDArray[np.float64]
CHUNK = 2**16  # rows made into a matrix at a time
GROWTH = 8
TABLES = 2 * 8  # bytes of z and n for one column


class Ftrl(Saved):
    """Logistic regression that learns while it serves. One weight for each column of `Features`.

    `terms`: the schema (`terms.py`), empty for every column. `alpha`, `beta`, `l1`, `l2`: α, β, λ1, λ2.
    `offset`: o, or None for the log-odds of the log that is fitted. `epochs`: how often `fit` goes through it.
    """

    features_: Features
    offset_: float
    seen_: int  # rows
    z_: Floats  # (columns,)
    n_: Floats

    def __init__(
        self,
        terms: Sequence[str] = (),
        alpha: float = 0.1,
        beta: float = 1.0,
        l1: float = 0.0,
        l2: float = 1.0,
        offset: float | None = None,
        epochs: int = 1,
        batch_size: int = 256,
        bits: int = 18,
        memory_limit: int = 2**32,
        seed: int = 0,
    ) -> None:
        self.terms, self.alpha, self.beta, self.l1, self.l2 = tuple(terms), alpha, beta, l1, l2
        self.offset, self.epochs, self.batch_size = offset, epochs, batch_size
        self.bits, self.memory_limit, self.seed = bits, memory_limit, seed

    def fit(self, log: ClickLog) -> Self:
        for name in ("alpha", "beta"):
            require(name, getattr(self, name), above=0)
        for name in ("l1", "l2"):
            require(name, getattr(self, name), at_least=0)
        for name in ("epochs", "batch_size"):
            require(name, getattr(self, name), at_least=1)
        log = log.ordered()
        rate = log.rate()
        self.features_ = Features(self.terms or columns(log), self.bits, self.seed).fit(log)
        kept = log.count if self.epochs > 1 else min(log.count, CHUNK)
        needed = self.features_.memory(kept) + self.features_.width * TABLES
        require_memory("FTRL", needed, self.memory_limit, "Give fewer bits, or one epoch.")
        self.offset_ = float(logit(rate)) if self.offset is None else self.offset
        self.z_, self.n_ = np.zeros(self.features_.width), np.zeros(self.features_.width)
        self.seen_ = 0
        # A rate reckoned anew in a second epoch would count the row's own click: what later epochs need is kept.
        chunks = self._learn(log, is_kept=self.epochs > 1)
        for _ in range(1, self.epochs):
            for matrix, clicked, weights in chunks:
                self._descend(matrix, clicked, weights)
        return self

    def partial_fit(self, log: ClickLog) -> Self:
        if not hasattr(self, "z_"):
            return self.fit(log)
        if not self.z_.flags.writeable:  # mapped from a file
            self.z_, self.n_ = self.z_.copy(), self.n_.copy()
        self._learn(log.ordered())
        return self

    def predict_proba(self, log: ClickLog) -> Probabilities:
        begins = range(0, log.count, CHUNK)
        chunks = [log] if len(begins) == 1 else [log.take(slice(begin, begin + CHUNK)) for begin in begins]
        odds = [self.offset_ + self._sums(self.features_.transform(chunk)) for chunk in chunks]
        return expit(np.concatenate(odds)) if odds else np.empty(0)

    def sample_proba(self, log: ClickLog, rng: np.random.Generator, draws: int = 1) -> Floats:
        """The chances under draws of the weights, (draws, rows): who serves the row that is highest serves by Thompson.

        The rows of one draw share their weights: what all ads of a request have in common changes nothing.
        """
        matrix = self.features_.transform(log)
        columns, local = np.unique(matrix.indices, return_inverse=True)
        drawn = rng.normal(self.weights(columns), np.sqrt(self.variances(columns)), (draws, len(columns)))
        parts = sparse.csr_matrix((matrix.data, local, matrix.indptr), shape=(log.count, len(columns)))
        return expit(self.offset_ + (parts @ drawn.T).T)

    def weights(self, columns: NDArray[np.integer] | slice = slice(None)) -> Floats:
        """w of these columns."""
        z, n = self.z_[columns], self.n_[columns]
        rate = (self.beta + np.sqrt(n)) / self.alpha + self.l2
        free = np.sign(z) * np.maximum(np.abs(z) - self.l1, 0)
        return -free / rate

    def variances(self, columns: NDArray[np.integer] | slice = slice(None)) -> Floats:
        """How little is known of the w of these columns."""
        return 1 / (self.beta / self.alpha + self.l2 + self.n_[columns])

    def _sums(self, matrix: sparse.csr_matrix) -> Floats:
        """w·x of each row. A request has few entries: of those alone w is reckoned, and not of all columns."""
        if matrix.nnz >= len(self.z_):
            return matrix @ self.weights()
        parts = matrix.data * self.weights(matrix.indices)
        return parts.reshape(matrix.shape[0], -1).sum(axis=1) if matrix.nnz else np.zeros(matrix.shape[0])

    def _learn(self, log: ClickLog, is_kept: bool = False) -> list[tuple[sparse.csr_matrix, Floats, Floats]]:
        clicked, weights, kept = log.outcomes, log.row_weights, []
        for begin in range(0, log.count, CHUNK):
            rows = slice(begin, begin + CHUNK)
            chunk = (self.features_.update(log.take(rows)), clicked[rows], weights[rows])
            self._descend(*chunk)
            if is_kept:
                kept.append(chunk)
        return kept

    def _descend(self, matrix: sparse.csr_matrix, clicked: Floats, weights: Floats) -> None:
        shape = (len(clicked), -1)  # as many entries in every row
        columns, values = matrix.indices.reshape(shape), matrix.data.reshape(shape)
        begin = 0
        while begin < len(clicked):
            rows = slice(begin, begin + min(self.batch_size, max(1, self.seen_ // GROWTH)))
            self._step(columns[rows], values[rows], clicked[rows], weights[rows])
            self.seen_ += len(clicked[rows])
            begin = rows.stop

    def _step(self, columns: NDArray[np.int32], values: Floats, clicked: Floats, weights: Floats) -> None:
        met, local = np.unique(columns, return_inverse=True)
        w, n = self.weights(met), self.n_[met]
        chance = expit(self.offset_ + (w[local.reshape(columns.shape)] * values).sum(axis=1))
        gradient = (((chance - clicked) * weights)[:, None] * values).ravel()
        grown = n + np.bincount(local.ravel(), gradient**2)
        self.z_[met] += np.bincount(local.ravel(), gradient) - (np.sqrt(grown) - np.sqrt(n)) / self.alpha * w
        self.n_[met] = grown
