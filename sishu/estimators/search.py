"""Choosing a model's parameters: fit each candidate on a part, ask it about the rest, keep the best."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sishu.estimators import intervals
from sishu.estimators.base import ItemModel
from sishu.estimators.errors import InvalidInput, OverBudget
from sishu.estimators.intervals import Interval
from sishu.estimators.items import Items
from sishu.estimators.ranking import rank, some_users
from sishu.estimators.split import Split

AT_MOST_USERS = 4000  # of validation: more makes the choice no surer, only later


@dataclass(frozen=True, eq=False)
class Found:
    """The best candidate, its NDCG@10 on the users of the split's test, and how many candidates were tried."""

    params: Mapping[str, Any]
    ndcg: NDArray[np.float64]
    tried: int

    @property
    def interval(self) -> Interval:
        return intervals.of_mean(self.ndcg)


def best_of(
    make: Callable[..., ItemModel],
    candidates: Sequence[Mapping[str, Any]],
    split: Split,
    items: Items | None = None,
    seconds: float = float("inf"),
) -> Found:
    """The candidate with the highest mean NDCG@10; of equals the first.

    At least one is tried, and no further one begins once `seconds` of the processor are gone. A candidate over its
    memory is passed over. Raises OverBudget when all are, InvalidInput when there is none.
    """
    users = some_users(split, AT_MOST_USERS)
    best: Found | None = None
    refusal: OverBudget | None = None
    began = time.process_time()
    for number, params in enumerate(candidates, 1):
        try:
            ndcg = rank(make(**params).fit(split.train, items), split, k=10, users=users).ndcg(10)
        except OverBudget as error:
            refusal = error
            continue
        if best is None or ndcg.mean() > best.ndcg.mean():
            best = Found(params, ndcg, number)
        if time.process_time() - began > seconds:
            break
    if best is None:
        raise refusal or InvalidInput("There is no candidate to choose from.")
    return Found(best.params, best.ndcg, number)
