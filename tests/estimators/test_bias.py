"""Biases by hand, and what all rating models share: pairs, the scale, the last rating of a pair, reasons."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sishu.estimators import metrics
from sishu.estimators.bias import Bias
from sishu.estimators.errors import InvalidInput
from sishu.estimators.interactions import History, Interactions
from sishu.estimators.knn import ItemKNN, UserKNN
from sishu.estimators.mf import MF
from sishu.estimators.rating_blend import RatingBlend
from sishu.estimators.ratings import EVERYBODY, RatingModel
from sishu.estimators.split import folds
from tests.estimators import worlds

WORLD = worlds.ratings()
DAY = 86_400

#        甲  乙
# 一课    5   3
# 二课    4
SMALL = Interactions.of(["甲", "甲", "乙"], ["一课", "二课", "一课"], [5.0, 4.0, 3.0])

rows = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(1, 5)), min_size=1, max_size=20)


def made(given_rows: list[tuple[int, int, int]]) -> Interactions:
    users, items, stars = zip(*given_rows, strict=True)
    return Interactions.of(users, items, stars)


@pytest.fixture(params=[Bias, ItemKNN, UserKNN, MF, RatingBlend])
def make(request: pytest.FixtureRequest) -> Callable[..., RatingModel]:
    kind: Callable[..., RatingModel] = request.param
    return kind


# --- Biases -----------------------------------------------------------------------------------------


def test_one_sweep_by_hand() -> None:
    model = Bias(reg_user=1, reg_item=1, sweeps=1).fit(SMALL)
    assert model.mean_ == 4
    # Items first: (5 + 3 − 2 · 4) / (1 + 2) and (4 − 4) / (1 + 1); then users: (1 + 0) / (1 + 2) and −1 / (1 + 1).
    assert model.item_bias_.tolist() == [0, 0]
    assert model.user_bias_ == pytest.approx([1 / 3, -1 / 2])
    assert model.predict_ids(["甲", "乙"], ["一课", "二课"]) == pytest.approx([4 + 1 / 3, 3.5])


def test_two_sweeps_by_hand() -> None:
    model = Bias(reg_user=1, reg_item=1, sweeps=2).fit(SMALL)
    first = (1 - 1 / 3 - 1 + 1 / 2) / 3
    second = (0 - 1 / 3) / 2
    assert model.item_bias_ == pytest.approx([first, second])
    assert model.user_bias_ == pytest.approx([(1 - first - second) / 3, (-1 - first) / 2])


@given(rows)
@settings(deadline=None, max_examples=50)
def test_many_sweeps_solve_the_normal_equations(given_rows: list[tuple[int, int, int]]) -> None:
    world = made(given_rows).latest()
    model = Bias(reg_user=3, reg_item=2, sweeps=200).fit(world)
    users, items = np.eye(len(world.user_ids))[world.users], np.eye(len(world.item_ids))[world.items]
    both = np.hstack([users, items])
    ridge = np.diag([3.0] * users.shape[1] + [2.0] * items.shape[1])
    solved = np.linalg.solve(both.T @ both + ridge, both.T @ (world.weights - world.weights.mean()))
    assert np.concatenate([model.user_bias_, model.item_bias_]) == pytest.approx(solved, abs=1e-6)


@given(rows)
@settings(deadline=None, max_examples=50)
def test_folding_in_finds_the_bias_that_was_fitted(given_rows: list[tuple[int, int, int]]) -> None:
    world = made(given_rows).latest()
    model = Bias(sweeps=3).fit(world)
    for user, fitted in enumerate(model.user_bias_):
        folded = model.score(world.history(user)) - model.score(History(()))
        assert folded == pytest.approx(np.full(len(world.item_ids), fitted), abs=1e-5)


def test_an_item_has_its_ups_and_downs() -> None:
    early, late = 0, 100 * DAY
    users = [f"u{number}" for number in range(40)]
    world = Interactions.of(
        users + users, ["risen"] * 40 + ["even"] * 40,
        np.where(np.arange(80) < 40, np.where(np.arange(80) < 20, 2.0, 4.0), 3.0),
        np.tile(np.repeat([early, late], 20), 2),
    )  # fmt: skip
    model = Bias(time_bins=2, reg_time=1).fit(world)
    risen, even = model.item_ids_.positions(["risen", "even"])
    unknown = np.array([-1, -1])
    then = model.predict(unknown, np.array([risen, even]), np.array([early - DAY, early - DAY]))
    now = model.predict(unknown, np.array([risen, even]), np.array([late + 9_999 * DAY, late]))
    assert now[0] - then[0] > 1
    assert abs(now[1] - then[1]) < 0.2
    assert model.predict(unknown, np.array([risen, even])) == pytest.approx(now)


def test_without_times_bins_are_nothing() -> None:
    untimed = Interactions.of(["a", "b"], ["x", "y"], [1.0, 5.0])
    assert np.array_equal(Bias(time_bins=4).fit(untimed).score("a"), Bias().fit(untimed).score("a"))


# --- What all rating models share -------------------------------------------------------------------


def test_better_than_saying_the_mean(make: Callable[..., RatingModel]) -> None:
    split = next(folds(WORLD))
    predicted = make().fit(split.train).predict(split.test.users, split.test.items)
    constant = np.full(len(split.test), split.train.weights.mean())
    assert metrics.rmse(split.test.weights, predicted) < 0.9 * metrics.rmse(split.test.weights, constant)


def test_a_pair_is_rated_as_scored(make: Callable[..., RatingModel]) -> None:
    model = make().fit(WORLD)
    scores = np.stack([model.score(user) for user in model.user_ids_])
    users, items = (each.ravel() for each in np.indices(scores.shape))
    shuffled = np.random.default_rng(1).permutation(len(users))
    predicted = model.predict(users[shuffled], items[shuffled])
    assert predicted.dtype == np.float64
    assert predicted == pytest.approx(np.clip(scores.ravel()[shuffled], 1, 5), abs=1e-4)


def test_who_and_what_is_unknown_falls_back(make: Callable[..., RatingModel]) -> None:
    model = make().fit(WORLD)
    known, stranger, new = model.user_ids_[0], "谁也不认识", "newer than the model"
    item = model.item_ids_[0]
    told_anybody, of_any, mean = model.predict_ids([stranger, known, stranger], [item, new, new])
    assert told_anybody == pytest.approx(model.score(stranger)[0], abs=1e-5)
    assert mean == pytest.approx(WORLD.weights.mean())
    leaning = Bias().fit(WORLD).predict_ids([known], [new])[0]
    assert of_any == pytest.approx(leaning)
    assert model.predict_ids([], []).shape == (0,)


def test_predictions_stay_on_the_scale(make: Callable[..., RatingModel]) -> None:
    users, items = np.arange(10), np.arange(10)
    seen = make().fit(WORLD).predict(users, items)
    assert seen.min() >= 1
    assert seen.max() <= 5
    narrow = make(lowest=3.4, highest=3.5).fit(WORLD).predict(users, items)
    assert {narrow.min(), narrow.max()} == {3.4, 3.5}


def test_a_scale_upside_down_is_refused(make: Callable[..., RatingModel]) -> None:
    with pytest.raises(InvalidInput, match="lowest is 5"):
        make(lowest=5, highest=1).fit(WORLD)


def test_users_and_items_of_pairs_are_as_many() -> None:
    with pytest.raises(InvalidInput, match="one user and one item"):
        Bias().fit(WORLD).predict(np.array([0, 1]), np.array([0]))


def test_the_last_rating_of_a_pair_counts(make: Callable[..., RatingModel]) -> None:
    before = Interactions.of(["a", "b", "a", "b"], ["x", "x", "y", "y"], [1.0, 2.0, 3.0, 4.0], [1, 1, 1, 1])
    again = Interactions.of(["a", *"abab"], ["x", *"xxyy"], [5.0, 1.0, 2.0, 3.0, 4.0], [0, 1, 1, 1, 1])
    assert np.array_equal(make().fit(again).score("a"), make().fit(before).score("a"))
    model = make().fit(before)
    assert np.array_equal(model.score(History(("x", "x"), (5.0, 1.0))), model.score(History(("x",), (1.0,))))


def test_where_all_ratings_are_equal_so_are_the_predicted(make: Callable[..., RatingModel]) -> None:
    flat = WORLD.with_weights(np.full(len(WORLD), 4.0))
    model = make().fit(flat)
    assert model.predict(np.arange(20), np.arange(20)) == pytest.approx(np.full(20, 4.0))
    assert model.score(History((flat.item_ids[0],), (4.0,))) == pytest.approx(np.full(len(flat.item_ids), 4.0))


def test_stars_or_points_the_scale_is_no_matter(make: Callable[..., RatingModel]) -> None:
    points = WORLD.with_weights(20 * WORLD.weights)
    assert make().fit(points).score("u3") / 20 == pytest.approx(make().fit(WORLD).score("u3"), abs=2e-3)


def test_what_everybody_is_told_is_a_reason_of_its_own(make: Callable[..., RatingModel]) -> None:
    model = make().fit(WORLD)
    first, *others = model.explain("u3", WORLD.item_ids[1])
    assert first.because == EVERYBODY
    assert first.contribution == pytest.approx(model.score(History(()))[1], abs=1e-5)
    assert {reason.because for reason in others} == set(WORLD.history(3).items)
    assert [reason.because for reason in model.explain("stranger", WORLD.item_ids[1])] == [EVERYBODY]
