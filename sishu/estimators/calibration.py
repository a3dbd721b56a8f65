"""Chances put right: of a hundred rows that are said to be clicked once in ten, ten are clicked.

`isotonic`: the rising steps that are nearest to what happened (Zadrozny & Elkan 2002), by scikit-learn, of groups of
rows that are said nearly the same: alone, the few rows at either end would be taken at their word. Each group is drawn
towards the rate of all by one row, so that no chance is 0 or 1, and between the groups it is a line.
`platt`: σ(a logit p + b) of highest likelihood (Platt 1999), which needs less data and can bend less. Either needs
clicks: fitted on few it learns their accidents (Niculescu-Mizil & Caruana 2005), and so nothing is put right below
`least_clicks`.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression

from sishu.estimators.base import Saved
from sishu.estimators.clicks import Probabilities
from sishu.estimators.errors import InvalidInput
from sishu.estimators.metrics import SMALLEST

Floats = NDArray[np.float64]
GROUP = 50  # clicks of a group, on average
METHODS = ("isotonic", "platt", "none")


class Calibration(Saved):
    """Fitted on chances that a model gave to rows it did not learn from, and what happened."""

    steps_: Floats  # of isotonic: chances as given, rising
    values_: Floats  # of isotonic: as they should be; of Platt: a and b
    is_fitted_: bool

    def __init__(self, method: str = "isotonic", least_clicks: int = 1000) -> None:
        self.method, self.least_clicks = method, least_clicks

    def fit(self, chances: Probabilities, clicked: Floats) -> Self:
        if self.method not in METHODS:
            raise InvalidInput(f"There is no calibration {self.method!r}; known: {', '.join(METHODS)}.")
        fewer = min(clicked.sum(), len(clicked) - clicked.sum())
        self.is_fitted_ = self.method != "none" and fewer >= max(1, self.least_clicks)
        if not self.is_fitted_:
            self.steps_, self.values_ = np.empty(0), np.empty(0)
        elif self.method == "isotonic":
            self.steps_, self.values_ = _isotonic(chances, clicked)
        else:
            self.steps_, self.values_ = np.empty(0), _platt(chances, clicked)
        return self

    def __call__(self, chances: Probabilities) -> Probabilities:
        if not self.is_fitted_:
            return chances
        if self.method == "isotonic":
            return np.interp(chances, self.steps_, self.values_)
        slope, shift = self.values_
        return expit(slope * _log_odds(chances) + shift)


def _isotonic(chances: Probabilities, clicked: Floats) -> tuple[Floats, Floats]:
    groups = np.array_split(np.argsort(chances, kind="stable"), max(2, int(clicked.sum()) // GROUP))
    rows = np.array([len(group) for group in groups])
    said = np.array([chances[group].mean() for group in groups])
    seen = np.array([(clicked[group].sum() + clicked.mean()) / (len(group) + 1) for group in groups])
    return said, IsotonicRegression().fit(said, seen, rows).predict(said)


def _platt(chances: Probabilities, clicked: Floats) -> Floats:
    odds = _log_odds(chances)

    def loss(line: Floats) -> tuple[float, Floats]:
        scores = line[0] * odds + line[1]
        error = expit(scores) - clicked
        return float((np.logaddexp(0, scores) - clicked * scores).mean()), np.array([error @ odds, error.sum()]) / len(
            odds
        )

    return minimize(loss, np.array([1.0, 0.0]), jac=True, method="BFGS").x


def _log_odds(chances: Probabilities) -> Floats:
    return np.asarray(logit(np.clip(chances, SMALLEST, 1 - SMALLEST)))
