"""EASE beside its formula written down in one line, and where it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from sishu.estimators import ease
from sishu.estimators.ease import Ease
from sishu.estimators.errors import InvalidInput, OverBudget
from sishu.estimators.interactions import History, Interactions
from sishu.estimators.ranking import rank
from sishu.estimators.split import holdout
from tests.estimators import worlds

WORLD = worlds.circles()
FEW_USERS = worlds.circles(users=12, items=60)  # fewer than half as many users as items: solved over users


def by_formula(matrix: sparse.csr_matrix, l2: float) -> np.ndarray:
    precision = np.linalg.inv(matrix.T.toarray().astype(np.float64) @ matrix.toarray() + l2 * np.eye(matrix.shape[1]))
    weights = -precision / np.diag(precision)
    np.fill_diagonal(weights, 0)
    return weights


def test_two_items_by_hand():
    # X'X = [[3, 2], [2, 2]], λ = 1: P = [[3, -2], [-2, 4]] / 8, so B_01 = 2/4 and B_10 = 2/3.
    model = Ease(l2=1).fit(Interactions.of("uuvvw", "ababa"))
    assert model.weights_ == pytest.approx(np.array([[0, 1 / 2], [2 / 3, 0]]), abs=1e-6)
    assert model.score(History(("b",))) == pytest.approx([2 / 3, 0], abs=1e-6)


@pytest.mark.parametrize("l2", [1.0, 20.0, 1000.0])
@pytest.mark.parametrize("world", [WORLD, FEW_USERS], ids=["over items", "over users"])
def test_weights_are_those_of_the_formula_to_four_digits(world, l2):
    expected = by_formula(world.matrix, l2)
    assert Ease(l2=l2).fit(world).weights_ == pytest.approx(expected, abs=1e-4 * np.abs(expected).max())


def test_both_ways_give_the_same():
    for matrix in (WORLD.matrix, FEW_USERS.matrix):
        assert ease._by_items(matrix, 10, None) == pytest.approx(ease._by_users(matrix, 10, None), abs=1e-5)


def test_the_greatest_condition_takes_double_precision():
    rows = Interactions.of([f"u{user}" for user in range(2000) for _ in "ab"], list("ab") * 2000)
    expected = by_formula(rows.matrix, 1e-3)
    assert Ease(l2=1e-3).fit(rows).weights_ == pytest.approx(expected, abs=1e-6)


def test_weights_count_where_asked():
    world = worlds.ratings(users=30, items=10)
    assert Ease(l2=50, weighted=True).fit(world).weights_ == pytest.approx(by_formula(world.matrix, 50), abs=1e-5)
    ones = world.matrix.copy()
    ones.data[:] = 1
    assert Ease(l2=50).fit(world).weights_ == pytest.approx(by_formula(ones, 50), abs=1e-5)


@pytest.mark.parametrize("world", [WORLD, FEW_USERS], ids=["over items", "over users"])
def test_the_strongest_of_each_column_are_kept(world):
    whole, sparse_ = Ease(l2=10).fit(world).weights_, Ease(l2=10, top_k=5).fit(world).weights_.toarray()
    assert ((sparse_ != 0).sum(axis=0) <= 5).all()
    for column in range(whole.shape[1]):
        kept = np.flatnonzero(sparse_[:, column])
        assert sparse_[kept, column] == pytest.approx(whole[kept, column], abs=1e-6)
        left = np.delete(np.abs(whole[:, column]), kept)
        assert left.max() <= np.abs(whole[kept, column]).min() + 1e-6
    assert Ease(l2=10, top_k=1000).fit(world).weights_.toarray() == pytest.approx(whole, abs=1e-6)


def test_what_is_chosen_is_the_top_of_the_hill():
    split = holdout(WORLD, seed=0)
    gains = [float(rank(Ease(l2=l2).fit(split.train), split, 10).ndcg().mean()) for l2 in ease.L2_GRID]
    place = ease.L2_GRID.index(Ease().fit(WORLD).l2_)
    assert gains[place] == max(gains[max(0, place - 1) : place + 2])
    assert gains[place] >= gains[ease.L2_GRID.index(ease.L2_START)]


def test_too_little_to_choose_by_is_no_trouble():
    assert Ease().fit(Interactions.of("uv", "ab")).l2_ == ease.L2_START
    assert Ease().fit(Interactions.of("uuuuuu", "abcdef", [1, 0, 0, 0, 0, 0])).l2_ == ease.L2_START


def test_what_would_take_too_much_is_refused_before_it_is_taken():
    names = [f"i{item}" for item in range(50_000)]
    wide = Interactions.of(["eager"] * len(names), names)
    with pytest.raises(OverBudget, match=r"EASE over 50000 items and 1 users would take about 9\.\d GiB.*top_k"):
        Ease(l2=10).fit(wide)
    few = Interactions.of("uuvv", "abbc")
    with pytest.raises(OverBudget, match="would take about 516 bytes, and 300 bytes is allowed"):
        Ease(l2=10, memory_limit=300).fit(few)
    with pytest.raises(OverBudget):
        Ease(memory_limit=2**16).fit(WORLD)


def test_one_user_of_ten_thousand_items_is_learnt_when_pruned():
    names = [f"i{item}" for item in range(3_000)]
    rows = Interactions.of(["eager"] * len(names) + ["calm"] * 2, [*names, "i1", "i2"])
    model = Ease(l2=10, top_k=20).fit(rows)
    assert model.weights_.nnz <= 20 * 3_000
    assert [each.item_id for each in model.recommend(History(("i1",)), 1)] == ["i2"]


@pytest.mark.parametrize(("name", "value"), [("l2", 0), ("l2", float("inf")), ("top_k", 0), ("memory_limit", 0)])
def test_parameters_out_of_range_are_refused(name, value):
    with pytest.raises(InvalidInput, match=name):
        Ease(**{"l2": 10, name: value}).fit(WORLD)


def test_too_little_regularisation_is_named():
    twins = Interactions.of([f"u{user}" for user in range(50) for _ in "ab"], list("ab") * 50)
    with pytest.raises(InvalidInput, match="l2 is 1e-18"):
        Ease(l2=1e-18).fit(twins)
