"""What one list costs a server: the model's file mapped, a reader it was not fitted on, the ten best.

100,000 users and 10,000 items, made up as in `estimators_growth`; the readers asked about have the histories of users
drawn at random. Each model is fitted in one process and asked in another, with one thread. `calls_per_s` is by the
seconds of the processor, p50 and p99 are by the clock.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from implicit.nearest_neighbours import BM25Recommender
from scipy import sparse

from bench.estimators_growth import MEBIBYTE, zipf
from bench.evaluating import Lines
from sishu.cli.evaluation import isolated
from sishu.estimators.als import ALS
from sishu.estimators.base import History, ItemModel
from sishu.estimators.ease import Ease
from sishu.estimators.popular import Popular
from sishu.estimators.rp3beta import RP3Beta

USERS, ITEMS, K = 100_000, 10_000, 10
WARM_UP, CALLS = 500, 20_000
OURS: dict[str, Callable[[], ItemModel]] = {
    "popular": Popular,
    "rp3beta": lambda: RP3Beta(top_k=400),
    "ease": lambda: Ease(l2=200.0),
    "ease, top_k 500": lambda: Ease(l2=200.0, top_k=500),
    "als": lambda: ALS(factors=64),
}
PEERS = {
    "baseline: implicit ALS": (
        AlternatingLeastSquares, {"factors": 64, "iterations": 15, "num_threads": 1, "random_state": 0},
    ),
    "baseline: implicit BM25": (BM25Recommender, {"K": 400, "num_threads": 1}),
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """How long `CALLS` lists took: all by the processor, in s, and of each by the clock, in ms."""

    cpu_seconds: float
    p50: float
    p99: float


def serving() -> Lines:
    with tempfile.TemporaryDirectory() as folder:
        for name in (*OURS, *PEERS):
            path = Path(folder) / f"{name.replace(' ', '-')}.npz"
            fit, ask = (fit_ours, ask_ours) if name in OURS else (fit_peers, ask_peers)
            if refusal := isolated.run(fit, name, path).refusal:
                raise RuntimeError(refusal)
            outcome = isolated.run(ask, name, path)
            if outcome.refusal:
                raise RuntimeError(outcome.refusal)
            yield {
                "model": name, "calls_per_s": round(CALLS / outcome.value.cpu_seconds), "p50_ms": round(outcome.value.p50, 3),
                "p99_ms": round(outcome.value.p99, 3), "file MiB": round(path.stat().st_size / MEBIBYTE, 1),
            }  # fmt: skip
            path.unlink()
    yield {"remark": f"implicit {version('implicit')}, each user's row folded in as ours is."}


def fit_ours(name: str, path: Path) -> None:
    OURS[name]().fit(zipf(USERS, ITEMS)).save(path)


def ask_ours(name: str, path: Path) -> Asked:
    model = type(OURS[name]()).load(path)
    histories = [History(tuple(f"item {item}" for item in row.indices)) for row in _readers()]
    return _timed([lambda history=history: model.recommend(history, K) for history in histories])  # type: ignore[misc]


def fit_peers(name: str, path: Path) -> None:
    kind, settings = PEERS[name]
    model = kind(**settings)
    model.fit(zipf(USERS, ITEMS).matrix, show_progress=False)
    model.save(str(path))


def ask_peers(name: str, path: Path) -> Asked:
    kind, settings = PEERS[name]
    model = kind.load(str(path))
    model.num_threads = settings["num_threads"]
    # Its item models fold in whatever row they are given; its ALS does when asked to.
    more = {"recalculate_user": True} if kind is AlternatingLeastSquares else {}
    return _timed([lambda row=row: model.recommend(0, row, N=K, **more) for row in _readers()])  # type: ignore[misc]


def _readers() -> list[sparse.csr_matrix]:
    """A row for each call and for warming up."""
    matrix = zipf(USERS, ITEMS).matrix
    return [matrix[user] for user in np.random.default_rng(1).choice(USERS, WARM_UP + CALLS)]


def _timed(calls: list[Callable[[], Any]]) -> Asked:
    for call in calls[:WARM_UP]:
        call()
    took, cpu = np.empty(CALLS), time.process_time()
    for number, call in enumerate(calls[WARM_UP:]):
        began = time.perf_counter()
        call()
        took[number] = time.perf_counter() - began
    cpu = time.process_time() - cpu
    p50, p99 = np.percentile(took * 1000, [50, 99])
    return Asked(cpu, float(p50), float(p99))
