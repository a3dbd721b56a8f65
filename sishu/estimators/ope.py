"""What another policy would have earned, from the log of the one that served (off-policy evaluation).

A row t was chosen with chance p_t by the policy that served, and would be with π_t by the other; w_t = π_t / p_t, y_t is
what it earned, q a guess at what a choice earns, and q̄_t = Σ_a π(a | x_t) q(x_t, a) what the other policy is then
guessed to earn there.

| | value | standard error |
|---|---|---|
| inverse propensity score (Horvitz & Thompson 1952) | mean w y | sd(w y) / √n |
| self-normalised (Swaminathan & Joachims 2015) | V = Σ w y / Σ w | √Σ w² (y − V)² / Σ w |
| direct method | mean q̄ | sd(q̄) / √n: of the rows alone, q taken for true |
| doubly robust (Dudík, Langford & Li 2011) | mean q̄ + w (y − q) | sd of that / √n |

The first is right on average if p is, the direct method if q is, doubly robust if either is. They want π to choose
nothing that the policy that served never chose: the mean of w is then near 1. The effective sample size (Σ w)² / Σ w²
(Kish 1965) says how many rows of one's own the log is worth. q fitted on the same rows makes the last two a little too
sure of themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from sishu.estimators.clicks import ClickLog
from sishu.estimators.errors import InvalidInput
from sishu.estimators.interactions import Ids
from sishu.estimators.intervals import Interval

Floats = NDArray[np.float64]
SMOOTHING = 200.0  # impressions of the rate of all that a guess begins with
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Value:
    """What a policy earns a row, and how sure that is. `mean_weight` far from 1: the log does not cover the policy."""

    value: float
    standard_error: float
    effective_sample_size: float
    mean_weight: float

    @property
    def interval(self) -> Interval:
        """With 95 % bounds, by the normal approximation."""
        reach = float(ndtri(0.975)) * self.standard_error
        return Interval(self.value, self.value - reach, self.value + reach)


def inverse_propensity(earned: Floats, target: Floats, logged: Floats) -> Value:
    """All (rows,): y, π and p. Raises InvalidInput for columns of other lengths and for what is no chance."""
    weight = _weights(earned, target, logged)
    return _of_terms(weight * earned, weight)


def self_normalised(earned: Floats, target: Floats, logged: Floats) -> Value:
    """All (rows,): y, π and p. Raises InvalidInput where π chooses no row of the log."""
    weight = _weights(earned, target, logged)
    if not weight.any():
        raise InvalidInput("The policy would have chosen no row of this log: nothing can be said of it.")
    value = float(weight @ earned / weight.sum())
    error = float(np.sqrt(np.sum(weight**2 * (earned - value) ** 2)) / weight.sum())
    return Value(value, error, _effective(weight), float(weight.mean()))


def direct(expected: Floats) -> Value:
    """`expected` (rows,): q̄."""
    _same_length(expected)
    return _of_terms(expected, np.ones(len(expected)))


def doubly_robust(earned: Floats, target: Floats, logged: Floats, guessed: Floats, expected: Floats) -> Value:
    """All (rows,): y, π, p, q of what was chosen, and q̄."""
    weight = _weights(earned, target, logged)
    _same_length(earned, guessed, expected)
    return _of_terms(expected + weight * (earned - guessed), weight)


@dataclass(frozen=True, eq=False)
class Table:
    """A policy that goes by the place alone: `chances` (places, items), each row adding up to 1."""

    places: NDArray[np.int64]  # sorted
    items: Ids
    chances: Floats

    @classmethod
    def of_log(cls, log: ClickLog, item: str) -> Table:
        """How often each item stood in each place of a log: what the policy that served it looks like from outside."""
        names = log.category(item)
        places, place = np.unique(_places(log), return_inverse=True)
        if not log.count:
            raise InvalidInput("The log of the policy has no row: it cannot be known from it.")
        counts = np.zeros((len(places), len(names.names)))
        np.add.at(counts, (place, names.codes), 1.0)
        return cls(places, names.names, counts / counts.sum(axis=1, keepdims=True))

    def chance(self, log: ClickLog, item: str) -> Floats:
        """π of each row, (rows,); 0 for an item that the policy never chooses."""
        names = log.category(item)
        column = self.items.positions(names.names)[names.codes]
        return np.where(column >= 0, self.chances[self._rows(log), column], 0.0)

    def guess(self, log: ClickLog, item: str, strength: float = SMOOTHING) -> tuple[Floats, Floats]:
        """q of what each row shows and q̄, both (rows,): the smoothed click rate of the item in its place."""
        names, mean = log.category(item), float(log.outcomes.mean())
        code = np.where(self.items.positions(names.names) >= 0, self.items.positions(names.names), len(self.items))
        cells = (self._rows(log), code[names.codes])
        clicks, shows = np.zeros((2, len(self.places), len(self.items) + 1))
        np.add.at(clicks, cells, log.outcomes)
        np.add.at(shows, cells, 1.0)
        rates = (clicks + strength * mean) / (shows + strength)
        return rates[cells], np.sum(self.chances * rates[:, :-1], axis=1)[cells[0]]

    def _rows(self, log: ClickLog) -> NDArray[np.intp]:
        asked = _places(log)
        row = np.minimum(np.searchsorted(self.places, asked), len(self.places) - 1)
        if (unknown := asked[self.places[row] != asked]).size:
            raise InvalidInput(f"The policy says nothing of place {unknown[0]}; it knows {self.places.tolist()}.")
        return row


def compare(log: ClickLog, policy: Table, item: str) -> dict[str, Value]:
    """What the policy would have earned on this log, by each of the four. Raises InvalidInput without propensities."""
    if log.propensities is None:
        raise InvalidInput("This log has no propensities: what another policy would have earned cannot be known.")
    earned, target, logged = log.outcomes, policy.chance(log, item), log.propensities
    guessed, expected = policy.guess(log, item)
    return {
        "IPS": inverse_propensity(earned, target, logged),
        "SNIPS": self_normalised(earned, target, logged),
        "DM": direct(expected),
        "DR": doubly_robust(earned, target, logged, guessed, expected),
    }


def _places(log: ClickLog) -> NDArray[np.int64]:
    return np.zeros(log.count, np.int64) if log.positions is None else log.positions


def _weights(earned: Floats, target: Floats, logged: Floats) -> Floats:
    _same_length(earned, target, logged)
    for name, chance, low in (("π", target, 0.0), ("p", logged, TOLERANCE)):
        if not ((chance >= low) & (chance <= 1 + TOLERANCE)).all():
            row = int(np.flatnonzero(~((chance >= low) & (chance <= 1 + TOLERANCE)))[0])
            raise InvalidInput(f"{name} of row {row} is {chance[row]}: a chance that is served by lies in (0, 1].")
    return target / logged


def _same_length(*columns: Floats) -> None:
    if len({len(column) for column in columns}) > 1 or not len(columns[0]):
        raise InvalidInput(f"Columns of one length, with at least one row: {', '.join(str(len(c)) for c in columns)}.")


def _of_terms(terms: Floats, weight: Floats) -> Value:
    error = float(terms.std() / np.sqrt(len(terms)))
    return Value(float(terms.mean()), error, _effective(weight), float(weight.mean()))


def _effective(weight: Floats) -> float:
    return float(weight.sum() ** 2 / np.sum(weight**2)) if weight.any() else 0.0
