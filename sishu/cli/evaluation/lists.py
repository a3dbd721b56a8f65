"""One recommender of lists under one protocol: searched, fitted, asked and timed, in the process that calls."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sishu.cli.evaluation import kept
from sishu.cli.evaluation.contestants import OurRanker, Ranker, of_library
from sishu.cli.evaluation.isolated import cpu_seconds
from sishu.estimators import metrics
from sishu.estimators.auto import Auto
from sishu.estimators.errors import InvalidInput
from sishu.estimators.interactions import Interactions
from sishu.estimators.items import Items
from sishu.estimators.kinds import TOP_N, grid
from sishu.estimators.ranking import some_users, test_users
from sishu.estimators.search import AT_MOST_USERS
from sishu.estimators.split import PROTOCOLS, Split

K, RECALL_K = 10, 20
TIMED_CALLS = 1000


@dataclass(frozen=True)
class Task:
    """What to try: a model by name, on the rows kept in `folder`."""

    model: str
    folder: Path
    protocol: str
    seed: int
    seconds: float
    memory: int


@dataclass(frozen=True, eq=False)
class Lists:
    """What came of it. `ndcg`, `recall` and `hit_rate` are of each user of the test, in the same order for every model."""

    model: str
    ndcg: NDArray[np.float64]
    recall: NDArray[np.float64]
    hit_rate: NDArray[np.float64]
    novelty: float
    coverage: float
    params: Mapping[str, Any]
    about: str
    search_seconds: float
    fit_seconds: float
    call_ms: NDArray[np.float64]


@dataclass(frozen=True)
class Peer:
    """Another library's model: where it is, and what it is tuned over."""

    module: str
    function: str
    candidates: tuple[Mapping[str, Any], ...]
    extra: str = "peers"

    def fit(self, train: Interactions, items: Items | None, seed: int, **params: Any) -> Ranker:
        ranker: Ranker = of_library(self.module, self.function, self.extra)(train, items, seed, **params)
        return ranker


PEERS = {
    "implicit-als": Peer(
        "sishu.cli.evaluation.peers.with_implicit", "als",
        grid(factors=(32, 64, 128), regularization=(1.0, 10.0, 30.0, 100.0), alpha=(1.0, 5.0, 17.0)),
    ),
    "implicit-bm25": Peer(
        "sishu.cli.evaluation.peers.with_implicit", "bm25", grid(K=(100, 300), K1=(0.3, 1.2), B=(0.3, 0.75)),
    ),
    "implicit-cosine": Peer("sishu.cli.evaluation.peers.with_implicit", "cosine", grid(K=(50, 100, 300))),
    "sklearn-tfidf": Peer(
        "sishu.cli.evaluation.peers.with_sklearn_texts", "tfidf", grid(sublinear_tf=(False, True), ngram_range=((1, 1), (1, 2))),
    ),
    "rectools-ease": Peer(
        "sishu.cli.evaluation.peers.with_rectools", "ease", grid(regularization=(5.0, 20.0, 100.0, 300.0, 1000.0)), "rectools",
    ),
}  # fmt: skip


def attempt(task: Task) -> Lists:
    """Choose parameters on an inner split of the same protocol, fit all of train with them, and ask once."""
    rows, items = kept.read(task.folder)
    split = PROTOCOLS[task.protocol](rows, task.seed)
    if task.model in PEERS:
        return _attempt_peer(task, split, items)
    if task.model == "auto":
        model = Auto(protocol=task.protocol, seconds=task.seconds, memory_limit=task.memory, seed=task.seed)
        _, seconds = cpu_seconds(lambda: model.fit(split.train, items))
        # What auto spends on choosing is its own; the fit of what it chose is told apart by the model.
        return _asked(
            task, OurRanker(model), split, model.chosen_params_, seconds - model.fit_seconds_, model.fit_seconds_
        )
    params, search_seconds = cpu_seconds(lambda: _search(task, split, items))
    chosen = TOP_N[task.model].made(params, task.memory)
    _, fit_seconds = cpu_seconds(lambda: chosen.fit(split.train, items))
    return _asked(task, OurRanker(chosen), split, params, search_seconds, fit_seconds)


def _search(task: Task, split: Split, items: Items | None) -> Mapping[str, Any]:
    """The best parameters of one of our models on an inner split of the train."""
    kind = TOP_N[task.model]
    choices = kind.choices(split.train)
    with suppress(InvalidInput):  # too little to part once more: no choice can be made
        if len(choices) > 1:
            inner = PROTOCOLS[task.protocol](split.train, task.seed + 1)
            return kind.best(inner, items, task.seconds, task.memory).params
    return choices[0]


def _attempt_peer(task: Task, split: Split, items: Items | None) -> Lists:
    peer = PEERS[task.model]
    inner = PROTOCOLS[task.protocol](split.train, task.seed + 1)
    users = some_users(inner, AT_MOST_USERS)

    def ndcg(params: Mapping[str, Any]) -> float:
        ranker = peer.fit(inner.train, items, task.seed, **params)
        return float(ranker.rank(inner, K, users).ndcg(K).mean())

    def search() -> Mapping[str, Any]:
        began, best, score = time.process_time(), peer.candidates[0], -1.0
        for params in peer.candidates:
            if (value := ndcg(params)) > score:
                best, score = params, value
            if time.process_time() - began > task.seconds:
                break
        return best

    params, search_seconds = cpu_seconds(search)
    ranker, fit_seconds = cpu_seconds(lambda: peer.fit(split.train, items, task.seed, **params))
    return _asked(task, ranker, split, params, search_seconds, fit_seconds)


def _asked(
    task: Task, ranker: Ranker, split: Split, params: Mapping[str, Any], search_seconds: float, fit_seconds: float
) -> Lists:
    ranked = ranker.rank(split, RECALL_K, test_users(split))
    popularity = split.train.matrix.getnnz(axis=0)  # users of each item, not rows
    return Lists(
        model=task.model,
        ndcg=ranked.ndcg(K), recall=ranked.recall(RECALL_K), hit_rate=ranked.hit_rate(K),
        novelty=float(metrics.novelty(ranked.items[:, :K], popularity, len(split.train.user_ids)).mean()),
        coverage=ranked.coverage(K),
        params=params, about=ranker.about, search_seconds=search_seconds, fit_seconds=fit_seconds,
        call_ms=_timed_calls(ranker, ranked.users, task.seed),
    )  # fmt: skip


def _timed_calls(ranker: Ranker, users: NDArray[np.int64], seed: int) -> NDArray[np.float64]:
    asked = np.random.default_rng(seed).choice(users, TIMED_CALLS)
    ranker.recommend(int(asked[0]), K)  # the first call pays for what is made once
    took = np.empty(TIMED_CALLS)
    for number, user in enumerate(asked.tolist()):
        began = time.perf_counter()
        ranker.recommend(user, K)
        took[number] = (time.perf_counter() - began) * 1000
    return took
