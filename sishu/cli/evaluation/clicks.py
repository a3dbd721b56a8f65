"""One model of clicks: searched on the earlier rows, fitted, asked about the later ones and timed, in this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sishu.cli.evaluation import kept
from sishu.cli.evaluation.contestants import Clicker, of_library
from sishu.cli.evaluation.isolated import cpu_seconds
from sishu.estimators import intervals, metrics
from sishu.estimators.clicks import ClickLog
from sishu.estimators.ctr import ClickThroughRate
from sishu.estimators.intervals import Interval
from sishu.estimators.kinds import CLICKS, grid
from sishu.estimators.regression import LATER

TRAIN, TEST = "train.npz", "test.npz"
ADS, TIMED_CALLS = 50, 1000  # an ad server asks about so many ads at once
Params = Mapping[str, Any]


@dataclass(frozen=True)
class Task:
    """What to try: a model by name, on the logs kept in `folder`."""

    model: str
    folder: Path
    seed: int
    seconds: float
    memory: int


@dataclass(frozen=True, eq=False)
class Clicks:
    """What came of it. `losses` (rows,) are of each row of the test, in the same order for every model."""

    model: str
    losses: NDArray[np.float64]
    gain: float
    auc: Interval
    calibration_error: float
    calibration: float
    params: Params
    about: str
    search_seconds: float
    fit_seconds: float
    learnt: int
    call_ms: NDArray[np.float64]


@dataclass(frozen=True)
class ClickPeer:
    """Another library's model: where it is, and what it is tuned over."""

    module: str
    function: str
    candidates: tuple[Params, ...]

    def fit(self, log: ClickLog, seed: int, **params: Any) -> Clicker:
        clicker: Clicker = of_library(self.module, self.function)(log, seed, **params)
        return clicker


PEERS = {
    "sklearn-logistic": ClickPeer(
        "sishu.cli.evaluation.peers.with_sklearn", "logistic", grid(C=(0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3)),
    ),
    "lightgbm": ClickPeer(
        "sishu.cli.evaluation.peers.with_lightgbm", "trees",
        grid(num_leaves=(7, 31), n_estimators=(20, 100), learning_rate=(0.03, 0.1)),
    ),
    "river-ftrl": ClickPeer(
        "sishu.cli.evaluation.peers.with_river", "ftrl", grid(alpha=(0.01, 0.03, 0.1, 0.3), l2=(1.0, 30.0)),
    ),
}  # fmt: skip


def attempt(task: Task) -> Clicks:
    """Choose parameters by the last fifth of train, learn all of train with them, and ask once."""
    train, test = (kept.read_log(task.folder / name) for name in (TRAIN, TEST))
    if task.model in PEERS or not CLICKS[task.model].knows_places:
        train, test = train.with_positions_named(), test.with_positions_named()
    fit, choices = _contestant(task, train)
    params, search_seconds = cpu_seconds(lambda: _best(fit, choices, train, task.seconds))
    model, fit_seconds = cpu_seconds(lambda: fit(train, params))
    about = ""
    if isinstance(model, ClickThroughRate):  # it chooses inside
        search_seconds, fit_seconds = fit_seconds - model.fit_seconds_, model.fit_seconds_
        params = {name: round(weight, 3) for name, weight in model.weights.items() if weight}
        about = model.reason
    said, clicked = model.predict_proba(test), test.outcomes
    return Clicks(
        model=task.model, losses=metrics.log_losses(clicked, said),
        gain=metrics.relative_information_gain(clicked, said, train.rate()),
        auc=intervals.of_auc(clicked, said),
        calibration_error=metrics.expected_calibration_error(clicked, said),
        calibration=metrics.calibration(clicked, said), params=params, about=about,
        search_seconds=search_seconds, fit_seconds=fit_seconds, learnt=train.count,
        call_ms=_timed_calls(model, test, task.seed),
    )  # fmt: skip


def _contestant(task: Task, train: ClickLog) -> tuple[Callable[[ClickLog, Params], Clicker], Sequence[Params]]:
    if task.model in PEERS:
        peer = PEERS[task.model]
        return lambda log, params: peer.fit(log, task.seed, **params), peer.candidates
    kind = CLICKS[task.model]
    return lambda log, params: kind.made(params, task.memory, task.seed).fit(log), kind.choices(train)


def _best(
    fit: Callable[[ClickLog, Params], Clicker], choices: Sequence[Params], train: ClickLog, seconds: float
) -> Params:
    """Of equals the first. At least one is tried, and no further one begins once `seconds` of the processor are gone."""
    if len(choices) == 1:
        return choices[0]
    earlier, later = train.parted(LATER)
    began, best, least = time.process_time(), choices[0], np.inf
    for params in choices:
        loss = metrics.log_loss(later.outcomes, fit(earlier, params).predict_proba(later))
        if loss < least:
            best, least = params, loss
        if time.process_time() - began > seconds:
            break
    return best


def _timed_calls(model: Clicker, test: ClickLog, seed: int) -> NDArray[np.float64]:
    drawn = np.random.default_rng(seed).integers(test.count, size=(TIMED_CALLS, ADS))
    took = np.empty(TIMED_CALLS)
    model.predict_proba(test.take(drawn[0]))  # the first call pays for what is made once
    for number, rows in enumerate(drawn):
        asked = test.take(rows)
        began = time.perf_counter()
        model.predict_proba(asked)
        took[number] = (time.perf_counter() - began) * 1000
    return took
