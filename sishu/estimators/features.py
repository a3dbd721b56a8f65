"""A log as numbers: hashed names and crosses, standardised numbers, smoothed rates.

Each term of the schema (`terms.py`) gives one entry to each row, so that the matrix is CSR with as many entries a row
as there are terms, and one more for the intercept. Columns: 0 is 1 in every row; then one for each term that is a
number or a rate; then 2^bits buckets that all the others share by the highest bits of their keys (Weinberger et al.
2009, without signs: terms are few and buckets many).

A number is (x − mean) / standard deviation of the log that was fitted. A rate is logit p_k − logit m, divided by its
standard deviation there. While a model learns, the rate of a row is reckoned from the rows before it alone: from a rate
that counts the row's own click a model learns nothing but that click.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sishu.estimators.base import Saved, require
from sishu.estimators.clicks import ClickLog
from sishu.estimators.errors import InvalidInput, OverBudget
from sishu.estimators.rates import Counts, log_odds, smoothed, strength
from sishu.estimators.terms import Keys, Term, keys, keys_of_each

Floats = NDArray[np.float64]
ENTRY = 12  # bytes in CSR: a float64 and an int32
LONGEST = 30  # bits


class Features(Saved):
    """Learns what a log's numbers and rates are like, and makes matrices of it and of later ones."""

    numbers_: list[str]  # columns that were numbers when this was fitted
    means_: Floats
    scales_: Floats
    counts_: Counts
    rate_: float
    strengths_: Floats  # of the rate terms, in their order
    rate_scales_: Floats

    def __init__(self, terms: Sequence[str] = (), bits: int = 18, seed: int = 0) -> None:
        self.terms, self.bits, self.seed = tuple(terms), bits, seed

    @property
    def width(self) -> int:
        """Columns of every matrix."""
        return 1 + len(self._dense()) + 2**self.bits

    def memory(self, rows: int) -> int:
        """Bytes of a matrix of so many rows."""
        return rows * (len(self.terms) + 1) * ENTRY

    def fit(self, log: ClickLog) -> Self:
        """Raises InvalidInput for a term that the log cannot fill."""
        require("bits", self.bits, at_least=1)
        if self.bits > LONGEST:
            raise InvalidInput(f"bits is {self.bits}: 2^{LONGEST} buckets are the most there can be.")
        terms = [Term.of(text) for text in self.terms]
        for term in terms:
            if len(term.names(log)) < len(term.columns) and term.is_rate:
                raise InvalidInput(f"The term {term} has a column of numbers: a rate is counted by name.")
        self.numbers_ = [name for name in log.numbers if any(name in term.columns for term in terms)]
        values = [log.numbers[name] for name in self.numbers_]
        self.means_ = np.array([column.mean() for column in values])
        self.scales_ = np.array([column.std() or 1.0 for column in values])
        self._fit_rates(log)
        return self

    def fit_transform(self, log: ClickLog) -> sparse.csr_matrix:
        """Learn this log, and make the matrix that a model may learn from."""
        return self.fit(log).update(log)

    def update(self, log: ClickLog) -> sparse.csr_matrix:
        """The matrix that a model may learn from, each rate of the rows before; then these rows are counted too."""
        return self._matrix(log, self._rates(log, is_learning=True))

    def transform(self, log: ClickLog) -> sparse.csr_matrix:
        """The matrix to predict from, each rate of all that was counted."""
        return self._matrix(log, self._rates(log, is_learning=False))

    def _dense(self) -> list[Term]:
        return [term for term in map(Term.of, self.terms) if term.is_rate or set(term.columns) <= set(self.numbers_)]

    def _rate_terms(self) -> list[Term]:
        return [term for term in map(Term.of, self.terms) if term.is_rate]

    def _fit_rates(self, log: ClickLog) -> None:
        self.counts_, self.rate_ = Counts(), log.rate()
        strengths, scales = [], []
        for term in self._rate_terms():
            met, counts = keys(log, term.columns, self.seed), Counts()
            counts.add(met, log.outcomes, log.row_weights)
            strengths.append(strength(counts.clicks_, counts.shows_, self.rate_))
            before = Counts().before(met, log.outcomes, log.row_weights)
            scales.append(log_odds(smoothed(*before, self.rate_, strengths[-1]), self.rate_).std() or 1.0)
        self.strengths_, self.rate_scales_ = np.array(strengths), np.array(scales)

    def _rates(self, log: ClickLog, is_learning: bool) -> list[Floats]:
        terms = self._rate_terms()
        if not terms:
            return []
        met = self._rate_keys(log, terms)
        counted = np.empty((2, *met.shape))
        if is_learning:
            for number, each in enumerate(met):
                counted[:, number] = self.counts_.before(each, log.outcomes, log.row_weights)
                self.counts_.add(each, log.outcomes, log.row_weights)
        else:
            counted[:] = np.reshape(self.counts_.find(met.ravel()), counted.shape)
        rates = smoothed(counted[0], counted[1], self.rate_, self.strengths_[:, None])
        return list(log_odds(rates, self.rate_) / self.rate_scales_[:, None])

    def _rate_keys(self, log: ClickLog, terms: Sequence[Term]) -> Keys:
        if all(len(term.columns) == 1 for term in terms):
            return keys_of_each(log, [term.columns[0] for term in terms], self.seed)
        return np.stack([keys(log, term.columns, self.seed) for term in terms])

    def _matrix(self, log: ClickLog, rates: list[Floats]) -> sparse.csr_matrix:
        shape = (log.count, 1 + len(self.terms))
        places, values = np.zeros(shape, np.int32), np.ones(shape)
        dense, rate = 1, iter(rates)
        first_bucket = 1 + len(self._dense())
        single: dict[int, str] = {}  # columns of names by themselves, hashed all at once
        for number, term in enumerate(map(Term.of, self.terms), 1):
            if term.is_rate:
                places[:, number], values[:, number], dense = dense, next(rate), dense + 1
                continue
            for name in term.columns:
                if name in self.numbers_:
                    values[:, number] *= self._standardised(log, name)
            names = [name for name in term.columns if name not in self.numbers_]
            if len(names) == 1:
                single[number] = names[0]
            elif names:
                places[:, number] = self._buckets(keys(log, names, self.seed)) + first_bucket
            else:
                places[:, number], dense = dense, dense + 1
        if single:
            every = keys_of_each(log, list(single.values()), self.seed)
            places[:, list(single)] = self._buckets(every).T + first_bucket
        starts = np.arange(0, places.size + 1, shape[1])
        return sparse.csr_matrix((values.ravel(), places.ravel(), starts), shape=(log.count, self.width))

    def _buckets(self, met: Keys) -> NDArray[np.int32]:
        return (met >> np.uint64(64 - self.bits)).astype(np.int32)

    def _standardised(self, log: ClickLog, name: str) -> Floats:
        if name not in log.numbers:
            raise InvalidInput(
                f"{name!r} was a column of numbers when this model was fitted: give it as numbers again."
            )
        place = self.numbers_.index(name)
        return (log.numbers[name] - self.means_[place]) / self.scales_[place]


def require_memory(what: str, needed: int, allowed: int, way_out: str) -> None:
    """Refuse a fit that would take more than it may."""
    if needed > allowed:
        raise OverBudget(what, needed, allowed, way_out)
