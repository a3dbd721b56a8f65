"""Hidden tastes: each solution against the formula, and tastes that are there are found."""

from __future__ import annotations

import numpy as np
import pytest

from sishu.estimators import metrics
from sishu.estimators.bias import Bias
from sishu.estimators.errors import InvalidInput, OverBudget
from sishu.estimators.interactions import History, Interactions
from sishu.estimators.mf import MF
from sishu.estimators.split import folds
from tests.estimators import worlds

WORLD = worlds.ratings(users=30, items=20)


def test_a_reader_is_folded_in_by_one_solve() -> None:
    model = MF(factors=3, reg=0.5, frequency=0.7).fit(WORLD)
    bias = Bias().fit(WORLD)
    for user in (0, 11):
        mine = WORLD.users == user
        items = WORLD.items[mine]
        left = WORLD.weights[mine] - bias.mean_ - bias.user_bias_[user] - bias.item_bias_[items]
        rated = model.item_factors_[items].astype(float)
        ridge = model.ridge_ * len(items) ** 0.7 * np.eye(3)
        taste = np.linalg.solve(rated.T @ rated + ridge, rated.T @ left)
        expected = bias.score(WORLD.user_ids[user]) + model.item_factors_ @ taste
        assert model.score(WORLD.user_ids[user]) == pytest.approx(expected, abs=1e-4)


def test_many_iterations_come_to_rest() -> None:
    """Item factors solved from the readers' solved from them are the same again: a minimum of the formula."""
    model = MF(factors=2, iterations=400).fit(WORLD)
    left = model._left([model.past_of(user) for user in range(len(WORLD.user_ids))])
    again = model._solved(left.T.tocsr(), model._solved(left, model.item_factors_))
    assert np.abs(model.item_factors_).max() > 0.1
    assert again == pytest.approx(model.item_factors_, abs=1e-3)


def test_the_ridge_is_in_units_of_what_is_left_over() -> None:
    bias = Bias().fit(WORLD)
    left = WORLD.weights - bias.mean_ - bias.user_bias_[WORLD.users] - bias.item_bias_[WORLD.items]
    assert MF(reg=2).fit(WORLD).ridge_ == pytest.approx(2 * np.sqrt(np.mean(left**2)), rel=1e-5)


def test_tastes_that_are_there_are_found() -> None:
    split = next(folds(worlds.ratings(users=200, items=60)))
    errors = [
        metrics.rmse(split.test.weights, model.fit(split.train).predict(split.test.users, split.test.items))
        for model in (MF(), Bias())
    ]
    assert errors[0] < 0.9 * errors[1]


def test_batches_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = MF().fit(WORLD).score("u1")
    monkeypatch.setattr("sishu.estimators.mf.BATCH_CELLS", 1)
    assert MF().fit(WORLD).score("u1") == pytest.approx(whole, abs=1e-4)


def test_a_heavy_ridge_leaves_the_biases() -> None:
    assert MF(reg=1e9).fit(WORLD).score("u1") == pytest.approx(Bias().fit(WORLD).score("u1"), abs=1e-4)


def test_one_seed_one_answer_and_another_another() -> None:
    reader = History((WORLD.item_ids[0],), (5.0,))
    first = MF(seed=1).fit(WORLD).score(reader)
    assert np.array_equal(first, MF(seed=1).fit(WORLD).score(reader))
    assert not np.array_equal(first, MF(seed=2).fit(WORLD).score(reader))


def test_a_reader_of_very_many_and_one_of_one_are_solved_together() -> None:
    eager = [("eager", f"i{number}", 1.0 + number % 5) for number in range(400)]
    others = [(f"u{number}", f"i{number}", 5.0) for number in range(50)]
    users, items, stars = zip(*eager, *others, strict=True)
    model = MF(factors=4).fit(Interactions.of(users, items, stars))
    assert np.isfinite(model.score("eager")).all()
    assert np.isfinite(model.score("u49")).all()


def test_too_little_ridge_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match="reg is 1e-200"):
        MF(reg=1e-200).fit(WORLD.with_weights(np.full(len(WORLD), 3.0)))


def test_more_factors_than_memory_are_refused_before_they_are_taken() -> None:
    with pytest.raises(OverBudget, match="Give fewer factors"):
        MF(factors=100_000).fit(WORLD)
