"""What each model costs to fit as users and items grow, and where by its own estimate it leaves 4 GiB.

The data are made up: ten things done by each user on average, by a few far more, items by Zipf's law. Each fit is in a
process of its own with one thread. Seconds are of the processor; "peak" is the whole process, "data" what of that the
interactions alone took, "estimate" what the model said it would take beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from bench.evaluating import Lines
from sishu.cli.evaluation import isolated
from sishu.estimators.als import ALS
from sishu.estimators.base import ItemModel
from sishu.estimators.ease import Ease
from sishu.estimators.interactions import Ids, Interactions
from sishu.estimators.popular import Popular
from sishu.estimators.rp3beta import RP3Beta
from sishu.estimators.rules import Rules

SIZES = ((1_000, 1_000), (10_000, 2_000), (100_000, 5_000), (300_000, 10_000), (1_000_000, 20_000))
A_USER = 10
GIBIBYTE, MEBIBYTE = 2**30, 2**20
LIMIT = 4 * GIBIBYTE
MODELS: dict[str, Callable[[], ItemModel]] = {
    "popular": Popular,
    "rp3beta": RP3Beta,
    "als": ALS,
    "rules": Rules,
    "ease, top_k 500": lambda: Ease(l2=200.0, top_k=500),
    "ease": lambda: Ease(l2=200.0),
}


def growth(sizes: tuple[tuple[int, int], ...] = SIZES) -> Lines:
    for users, items in sizes:
        data = isolated.run(fitted, None, users, items).peak
        for name in MODELS:
            outcome = isolated.run(fitted, name, users, items)
            seconds, estimate = outcome.value or (None, None)
            yield {
                "model": name, "users": users, "items": items, "events": A_USER * users,
                "fit CPU s": outcome.refusal or round(seconds, 2), "peak MiB": outcome.peak // MEBIBYTE,
                "data MiB": data // MEBIBYTE, "estimate MiB": estimate and estimate // MEBIBYTE,
            }  # fmt: skip
    for name, model in estimating():
        yield {"remark": f"{name} leaves 4 GiB at {leaves(model):,} items of 1,000,000 users and 10,000,000 events."}


def fitted(name: str | None, users: int, items: int) -> tuple[float, int | None]:
    """Seconds of a fit, and the model's estimate in bytes where it makes one; without a name only the data are made."""
    rows = zipf(users, items)
    if name is None:
        return 0.0, None
    model = MODELS[name]()
    _, seconds = isolated.cpu_seconds(lambda: model.fit(rows))
    needed = getattr(model, "memory_needed", None)
    return seconds, needed and needed(users, items, rows.matrix.nnz)


def zipf(users: int, items: int, seed: int = 0) -> Interactions:
    """`A_USER` things done by each user on average, each user's number and each item's share by Zipf's law."""
    rng = np.random.default_rng(seed)
    of_user = 1 / np.arange(1, users + 1) ** 0.5
    of_item = 1 / np.arange(1, items + 1) ** 0.9
    count = A_USER * users
    who = rng.choice(users, count, p=of_user / of_user.sum())
    what = rng.choice(items, count, p=of_item / of_item.sum())
    ids = (Ids(f"{kind}{place}" for place in range(size)) for kind, size in (("user ", users), ("item ", items)))
    return Interactions.of_codes(*ids, who, what, np.ones(count), rng.integers(0, 10**8, count))


def estimating() -> Iterator[tuple[str, Any]]:
    """The models that say beforehand what they will take."""
    return ((name, make()) for name, make in MODELS.items() if hasattr(make(), "memory_needed"))


def leaves(model: Any, users: int = 1_000_000) -> int:
    """The fewest items with which the model's estimate is above `LIMIT`."""
    low, high = 1, 10**9
    while low < high:
        middle = (low + high) // 2
        if model.memory_needed(users, middle, A_USER * users) > LIMIT:
            high = middle
        else:
            low = middle + 1
    return low
