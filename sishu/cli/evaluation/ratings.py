"""One model of ratings under cross-validation, in the process that calls."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sishu.cli.evaluation import kept
from sishu.cli.evaluation.contestants import Rater, of_library
from sishu.cli.evaluation.isolated import cpu_seconds
from sishu.cli.evaluation.lists import Task
from sishu.estimators import metrics
from sishu.estimators.interactions import Interactions
from sishu.estimators.kinds import RATINGS, grid
from sishu.estimators.split import Split, folds

FOLDS = 5


@dataclass(frozen=True, eq=False)
class Ratings:
    """What came of it; `errors` (rows,) is r − r̂ of every row, in the same order for every model."""

    model: str
    errors: NDArray[np.float64]
    rmse_of_folds: NDArray[np.float64]
    params: Mapping[str, Any]
    search_seconds: float
    fit_seconds: float  # of one fold, the mean


@dataclass(frozen=True)
class RatingPeer:
    """Another library's model of ratings, and what it is tuned over on a part of the first fold's train."""

    module: str
    function: str
    candidates: tuple[Mapping[str, Any], ...]

    def fit(self, train: Interactions, seed: int, **params: Any) -> Rater:
        rater: Rater = of_library(self.module, self.function)(train, seed, **params)
        return rater


SURPRISE = "sishu.cli.evaluation.peers.with_surprise"
PEERS = {
    "surprise-svd": RatingPeer(
        SURPRISE, "svd",
        (
            {"n_factors": 100, "n_epochs": 20, "lr_all": 0.005, "reg_all": 0.02},
            {"n_factors": 100, "n_epochs": 40, "lr_all": 0.005, "reg_all": 0.08},
            {"n_factors": 200, "n_epochs": 60, "lr_all": 0.005, "reg_all": 0.08},
        ),
    ),
    "surprise-item-knn": RatingPeer(SURPRISE, "item_knn", grid(k=(40,))),
    "surprise-baseline": RatingPeer(SURPRISE, "baseline", ({},)),
}  # fmt: skip


def attempt(task: Task) -> Ratings:
    """Choose parameters on a part of the first fold's train, then predict every row from the other four fifths."""
    rows, _ = kept.read(task.folder)
    parts = list(folds(rows.latest(), FOLDS, task.seed))
    inner = next(folds(parts[0].train, FOLDS, task.seed + 1))
    found, search_seconds = cpu_seconds(lambda: _search(task, inner))
    errors, rmse, seconds = [], [], 0.0
    for part in parts:
        rater, spent = cpu_seconds(lambda part=part: _fit(task, part, found))  # type: ignore[misc]
        wrong = part.test.weights - rater.predict(part.test.users, part.test.items)
        errors.append(wrong)
        rmse.append(metrics.rmse(part.test.weights, part.test.weights - wrong))
        seconds += spent
    return Ratings(task.model, np.concatenate(errors), np.array(rmse), found, search_seconds, seconds / len(parts))


def _fit(task: Task, split: Split, params: Mapping[str, Any]) -> Rater:
    if task.model in PEERS:
        return PEERS[task.model].fit(split.train, task.seed, **params)
    return RATINGS[task.model].made(params, task.memory).fit(split.train)


def _search(task: Task, inner: Split) -> Mapping[str, Any]:
    """Of equals the first. At least one is tried, and no further one begins once the seconds of the task are gone."""
    candidates = (PEERS[task.model] if task.model in PEERS else RATINGS[task.model]).candidates
    if len(candidates) == 1:
        return candidates[0]
    began, best, least = time.process_time(), candidates[0], np.inf
    for params in candidates:
        predicted = _fit(task, inner, params).predict(inner.test.users, inner.test.items)
        if (error := metrics.rmse(inner.test.weights, predicted)) < least:
            best, least = params, error
        if time.process_time() - began > task.seconds:
            break
    return best
