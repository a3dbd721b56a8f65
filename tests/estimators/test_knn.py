"""Neighbours by hand: each similarity and each sum as the formula has it, one pair after the other."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from sishu.estimators import metrics
from sishu.estimators.bias import Bias
from sishu.estimators.errors import InvalidInput, OverBudget
from sishu.estimators.interactions import History, Interactions
from sishu.estimators.knn import KNN, ItemKNN, UserKNN
from sishu.estimators.ratings import EVERYBODY
from sishu.estimators.split import folds
from tests.estimators import worlds

WORLD = worlds.ratings(users=20, items=15)
SHRINKAGE, AMPLIFICATION, DAMPING = 4.0, 1.5, 0.1


def left_over(world: Interactions) -> tuple[np.ndarray, np.ndarray]:
    """e_ui as users x items with NaN where there is no rating, and b_ui of all."""
    bias = Bias().fit(world)
    baseline = bias.mean_ + bias.user_bias_[:, None] + bias.item_bias_[None, :]
    left = np.full(world.shape, np.nan)
    left[world.users, world.items] = world.weights - baseline[world.users, world.items]
    return left, baseline


def alike(x: np.ndarray, y: np.ndarray, measure: str, shrinkage: float) -> float:
    """s_xy, as the docstring of `knn` has it."""
    common = ~np.isnan(x) & ~np.isnan(y)
    n, both = int(common.sum()), float((x * y)[common].sum())
    if not n:
        return 0.0
    if measure == "cosine":
        value, support = both / sqrt(np.nansum(x**2) * np.nansum(y**2)), n
    elif measure == "pearson":
        value, support = both / sqrt((x[common] ** 2).sum() * (y[common] ** 2).sum()), n - 1
    else:
        value, support = 1 / (1 + ((x - y)[common] ** 2).sum() / n), n
    return max(value, 0.0) * (support / (support + shrinkage) if support else 0.0)


def averaged(neighbours: list[tuple[float, float]]) -> float:
    """Σ α e of pairs (s, e)."""
    weights = [likeness**AMPLIFICATION for likeness, _ in neighbours]
    return sum(weight * e for weight, (_, e) in zip(weights, neighbours, strict=True)) / (DAMPING + sum(weights))


def make(kind: type[KNN], measure: str, **more: int) -> KNN:
    return kind(
        similarity=measure, shrinkage=SHRINKAGE, amplification=AMPLIFICATION, damping=DAMPING, **{"k": 1000} | more
    )  # fmt: skip


@pytest.mark.parametrize("measure", ["cosine", "pearson", "msd"])
def test_an_item_goes_by_like_items(measure: str) -> None:
    left, baseline = left_over(WORLD)
    scores = np.stack([make(ItemKNN, measure).fit(WORLD).score(user) for user in WORLD.user_ids])
    for user, item in [(0, 3), (4, 4), (7, 11), (19, 0)]:
        rated = [j for j in range(left.shape[1]) if not np.isnan(left[user, j]) and j != item]
        near = [(alike(left[:, item], left[:, j], measure, SHRINKAGE), left[user, j]) for j in rated]
        assert scores[user, item] == pytest.approx(baseline[user, item] + averaged(near), abs=1e-4)


@pytest.mark.parametrize("measure", ["cosine", "pearson", "msd"])
def test_an_item_goes_by_like_readers(measure: str) -> None:
    left, baseline = left_over(WORLD)
    scores = np.stack([make(UserKNN, measure).fit(WORLD).score(user) for user in WORLD.user_ids])
    asked = [(user, item) for user, item in np.ndindex(*left.shape) if np.isnan(left[user, item])]
    for user, item in asked[::11]:
        raters = [v for v in range(left.shape[0]) if not np.isnan(left[v, item])]
        near = [(alike(left[user], left[v], measure, SHRINKAGE), left[v, item]) for v in raters]
        assert scores[user, item] == pytest.approx(baseline[user, item] + averaged(near), abs=1e-4)


def test_the_k_nearest_readers_speak_and_no_other() -> None:
    left, baseline = left_over(WORLD)
    scores = make(UserKNN, "cosine", k=6).fit(WORLD).score(WORLD.user_ids[2])
    likeness = [alike(left[2], left[v], "cosine", SHRINKAGE) for v in range(left.shape[0])]
    nearest = np.argsort(likeness)[::-1][:6]
    heard = 0
    for item in np.flatnonzero(np.isnan(left[2])):
        near = [(likeness[v], left[v, item]) for v in nearest if not np.isnan(left[v, item])]
        heard += len(near)
        assert scores[item] == pytest.approx(baseline[2, item] + averaged(near), abs=1e-4)
    assert heard > 5


def test_items_are_kept_where_either_is_near_the_other() -> None:
    left, _ = left_over(WORLD)
    count = left.shape[1]
    whole = np.array([[alike(left[:, i], left[:, j], "cosine", SHRINKAGE) for j in range(count)] for i in range(count)])
    np.fill_diagonal(whole, 0)
    near = whole >= np.sort(whole, axis=1)[:, [-3]]
    model = make(ItemKNN, "cosine", k=3).fit(WORLD)
    assert isinstance(model, ItemKNN)
    kept = model.likeness_.toarray()
    assert kept == pytest.approx(np.where(near | near.T, whole, 0), abs=1e-5)


@pytest.mark.parametrize("kind", [ItemKNN, UserKNN])
def test_too_few_in_common_say_nothing(kind: type[KNN]) -> None:
    baseline = Bias().fit(WORLD).score("u3")
    assert make(kind, "cosine", min_support=3).fit(WORLD).score("u3") != pytest.approx(baseline, abs=1e-3)
    assert make(kind, "cosine", min_support=99).fit(WORLD).score("u3") == pytest.approx(baseline)


@pytest.mark.parametrize("kind", [ItemKNN, UserKNN])
def test_blocks_change_nothing(kind: type[KNN], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = kind().fit(WORLD).predict(WORLD.users, WORLD.items)
    monkeypatch.setattr("sishu.estimators.knn.BLOCK_CELLS", 40)
    monkeypatch.setattr("sishu.estimators.ratings.BATCH", 7)
    assert kind().fit(WORLD).predict(WORLD.users, WORLD.items) == pytest.approx(whole, abs=1e-5)


@pytest.mark.parametrize("kind", [ItemKNN, UserKNN])
def test_better_than_the_biases_alone(kind: type[KNN]) -> None:
    split = next(folds(worlds.ratings(users=150)))
    errors = [
        metrics.rmse(split.test.weights, model.fit(split.train).predict(split.test.users, split.test.items))
        for model in (kind(), Bias())
    ]
    assert errors[0] < 0.97 * errors[1]


def test_like_items_are_those_rated_alike() -> None:
    # The same readers love one and two, and three bores them; the others the other way round.
    users = [f"u{number}" for number in range(12)]
    stars = {"one": [5, 1], "two": [5, 1], "three": [1, 5], "four": [3, 3]}
    rows = [(user, item, halves[place % 2]) for item, halves in stars.items() for place, user in enumerate(users)]
    names, works, weights = zip(*rows, strict=True)
    world = Interactions.of(names, works, weights)
    for model in (ItemKNN().fit(world), UserKNN().fit(world)):
        assert [each.item_id for each in model.similar("one")] == ["two"]


def test_a_reason_is_an_item_that_was_rated() -> None:
    model = UserKNN().fit(WORLD)
    reader = History((WORLD.item_ids[0], WORLD.item_ids[1]), (5.0, 1.0))
    reasons = model.explain(reader, WORLD.item_ids[7])
    assert {reason.because for reason in reasons} == {EVERYBODY, *reader.items}


def test_a_similarity_nobody_knows_is_refused() -> None:
    with pytest.raises(InvalidInput, match="similarity is 'jaccard'; known: cosine, pearson, msd"):
        ItemKNN(similarity="jaccard").fit(WORLD)


def test_more_neighbours_than_memory_are_refused_before_they_are_looked_for() -> None:
    with pytest.raises(OverBudget, match="Give a lower k"):
        ItemKNN(memory_limit=10_000).fit(WORLD)
    ItemKNN(k=2, memory_limit=10_000).fit(WORLD)
