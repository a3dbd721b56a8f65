"""river (Montiel et al. 2021): logistic regression by FTRL-Proximal, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from river.linear_model import LogisticRegression
from river.optim import FTRLProximal
from scipy.special import logit

from sishu.cli.evaluation.contestants import texts
from sishu.estimators.clicks import ClickLog, Probabilities


class Rows:
    """Rows as river wants them, a dictionary each, of the same features as ours: names, and numbers standardised."""

    def __init__(self, log: ClickLog) -> None:
        self.scales = {name: (column.mean(), column.std() or 1.0) for name, column in log.numbers.items()}

    def __call__(self, log: ClickLog) -> Iterator[dict[str, float]]:
        columns = [texts(name, column) for name, column in log.categories.items()]
        scaled = [((log.numbers[name] - mean) / scale).tolist() for name, (mean, scale) in self.scales.items()]
        for row in range(log.count):
            features = dict.fromkeys([column[row] for column in columns], 1.0)
            features.update(zip(self.scales, [column[row] for column in scaled], strict=True))
            yield features


class River:
    """A regression that learnt a log, oldest row first."""

    def __init__(self, log: ClickLog, **params: Any) -> None:
        log = log.ordered()
        self.rows, self.model = Rows(log), began(log, **params)
        for row, clicked in zip(self.rows(log), (log.outcomes > 0).tolist(), strict=True):
            self.model.learn_one(row, clicked)

    def predict_proba(self, log: ClickLog) -> Probabilities:
        return np.array([self.model.predict_proba_one(row)[True] for row in self.rows(log)])


def began(log: ClickLog, **params: Any) -> LogisticRegression:
    """A regression that has learnt nothing but the log-odds of the log, as ours begins."""
    return LogisticRegression(FTRLProximal(**params), intercept_init=float(logit(log.rate())))


def ftrl(log: ClickLog, seed: int, **params: Any) -> River:
    """FTRL-Proximal (McMahan et al. 2013)."""
    return River(log, **params)
