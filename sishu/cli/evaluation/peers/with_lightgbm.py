"""LightGBM (Ke et al. 2017): boosted trees, names as categories of its own."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np

from sishu.estimators.clicks import ClickLog, Probabilities
from sishu.estimators.interactions import Ids


class Trees:
    """Boosted trees, and the names that they learnt: others are missing values."""

    def __init__(self, log: ClickLog, seed: int, **params: Any) -> None:
        self.names = {name: column.names for name, column in log.categories.items()}
        self.model = lightgbm.LGBMClassifier(
            **params, random_state=seed, n_jobs=1, deterministic=True, force_col_wise=True, verbose=-1
        )
        self.model.fit(self._table(log), log.outcomes, categorical_feature=list(range(len(self.names))))
        self.booster = self.model.booster_

    def predict_proba(self, log: ClickLog) -> Probabilities:
        return np.asarray(self.booster.predict(self._table(log), num_threads=1))

    def _table(self, log: ClickLog) -> np.ndarray:
        codes = [_codes(self.names[name], column.names, column.codes) for name, column in log.categories.items()]
        return np.column_stack([*codes, *log.numbers.values()]).astype(np.float64)


def trees(log: ClickLog, seed: int, **params: Any) -> Trees:
    """Gradient boosting of log-loss."""
    return Trees(log, seed, **params)


def _codes(known: Ids, names: Ids, codes: np.ndarray) -> np.ndarray:
    if names is known or names.names is known.names:
        return codes
    met, place = np.unique(codes, return_inverse=True)
    return known.positions(names.many(met.tolist()))[place]
