"""Implicit ALS beside its formulas written down pair by pair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from sishu.estimators import als
from sishu.estimators.als import ALS
from sishu.estimators.errors import InvalidInput, OverBudget
from sishu.estimators.interactions import History, Interactions
from tests.estimators import worlds

WORLD = worlds.circles()
RATED = worlds.ratings(users=30, items=20)


def solution(model: ALS, weights: np.ndarray, l2: float) -> np.ndarray:
    """x_u of one user by its formula, from the weights of all items."""
    factors = model.item_factors_.astype(np.float64)
    belief = np.diag(1 + model.alpha * weights)
    return np.linalg.solve(
        factors.T @ belief @ factors + l2 * np.eye(model.factors), factors.T @ belief @ (weights > 0).astype(float)
    )


def loss(model: ALS, rows: Interactions) -> float:
    factors, weights = model.item_factors_, rows.matrix.toarray()
    users = np.stack([solution(model, row, model.l2) for row in weights])
    errors = (1 + model.alpha * weights) * ((weights > 0) - users @ factors.T) ** 2
    return float(errors.sum() + model.l2 * ((users**2).sum() + (factors**2).sum()))


def test_one_factor_by_hand():
    model = ALS(factors=1, alpha=2, l2=3, frequency=0, iterations=3).fit(Interactions.of("uuv", "aba", [1, 2, 1]))
    a, b = model.item_factors_[:, 0].astype(float)
    user = ((1 + 2 * 1) * a + (1 + 2 * 2) * b) / (a * a + b * b + 2 * (1 * a * a + 2 * b * b) + 3)
    assert model.score("u") == pytest.approx([user * a, user * b], abs=1e-6)


def test_a_reader_is_folded_in_by_the_exact_solution():
    model = ALS(factors=8, alpha=3, l2=2, frequency=0).fit(RATED)
    weights = RATED.matrix[4].toarray()[0]
    expected = model.item_factors_ @ solution(model, weights, 2)
    assert model.score(RATED.user_ids[4]) == pytest.approx(expected, abs=1e-5)


def test_what_was_done_twice_is_believed_more():
    model = ALS(factors=8).fit(WORLD)
    a, b = WORLD.item_ids[:2]
    assert model.score(History((a, b, a))) == pytest.approx(model.score(History((a, b), (2, 1))), abs=1e-6)
    assert np.array_equal(model.score(History((a, b), (1, 0))), model.score(History((a,))))


def test_every_iteration_comes_nearer():
    losses = [loss(ALS(factors=8, l2=1, frequency=0, iterations=count).fit(WORLD), WORLD) for count in (1, 2, 4, 8, 16)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.5 * 5 * WORLD.matrix.nnz  # half of what saying nothing would cost


def test_few_steps_end_near_the_exact_solution(monkeypatch):
    quick = loss(ALS(factors=8, l2=5, frequency=0, iterations=30).fit(RATED), RATED)
    monkeypatch.setattr(als, "STEPS", 20)
    assert quick == pytest.approx(loss(ALS(factors=8, l2=5, frequency=0, iterations=30).fit(RATED), RATED), rel=0.02)


def test_enough_steps_are_the_solution(monkeypatch):
    monkeypatch.setattr(als, "STEPS", 12)
    rng = np.random.default_rng(0)
    near = rng.normal(size=(3, 5, 4)).astype(np.float32)
    had = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [1, 0, 0, 0, 0]], bool)
    extra = np.where(had, rng.uniform(0, 9, (3, 5)), 0).astype(np.float32)
    gram, l2 = np.eye(4, dtype=np.float32) * 3, np.array([1, 2, 3], np.float32)
    found = als._conjugate_gradients(near, had, extra, gram, l2, np.linalg.inv(gram + 2 * np.eye(4, dtype=np.float32)))
    for row in range(3):
        system = gram + l2[row] * np.eye(4) + (near[row].T * extra[row]) @ near[row]
        assert found[row] == pytest.approx(np.linalg.solve(system, (had[row] + extra[row]) @ near[row]), abs=1e-4)


def test_frequency_shares_the_penalty_out():
    model = ALS(l2=6, alpha=2, frequency=1)
    matrix = sparse.csr_matrix(np.array([[1, 1, 1], [2, 0, 0], [0, 0, 0]], np.float32))
    l2, mean = model._penalties(matrix)
    assert mean == pytest.approx((9 + 7 + 3) / 3)
    assert l2 == pytest.approx(6 * np.array([9, 7, 3]) / mean)
    assert ALS(l2=6, frequency=0)._penalties(matrix)[0] == pytest.approx([6, 6, 6])
    fitted = ALS(factors=4, l2=6, alpha=2, frequency=1).fit(RATED)
    weights = RATED.matrix[4].toarray()[0]
    own = 6 * (20 + 2 * weights.sum()) / fitted.mean_belief_
    expected = fitted.item_factors_ @ solution(fitted, weights, own)
    assert fitted.score(RATED.user_ids[4]) == pytest.approx(expected, abs=1e-5)


def test_alpha_of_nothing_counts_all_pairs_the_same():
    model = ALS(factors=4, alpha=0, l2=0.5).fit(WORLD)
    factors = model.item_factors_
    user = WORLD.matrix[7].toarray()[0] @ factors @ np.linalg.inv(factors.T @ factors + 0.5 * np.eye(4))
    assert model.score("u7") == pytest.approx(factors @ user, abs=1e-5)


def test_tastes_are_found():
    model = ALS(factors=8).fit(worlds.circles(items=80))
    first = [each.item_id for each in model.recommend("u0", 3)]
    assert {int(name.split()[1]) % 4 for name in first} == {0}
    assert {int(each.item_id.split()[1]) % 4 for each in model.similar("第 5 课", 3)} == {1}


def test_the_seed_decides():
    assert np.array_equal(ALS(seed=1).fit(WORLD).item_factors_, ALS(seed=1).fit(WORLD).item_factors_)
    assert not np.array_equal(ALS(seed=1).fit(WORLD).item_factors_, ALS(seed=2).fit(WORLD).item_factors_)


def test_an_item_that_nobody_has_is_no_trouble():
    model = ALS(factors=4).fit(WORLD.with_catalogue(["new"]))
    assert model.recommend(History(("new",))) == []
    assert model.similar("new") == []
    assert "new" not in {each.item_id for each in model.recommend("u0", 100)}


def test_a_user_of_fifty_thousand_events_is_learnt():
    items = [f"i{event % 9000}" for event in range(50_000)]
    rows = Interactions.of(["eager"] * len(items) + ["calm"] * 2, [*items, "i3", "i7"])
    model = ALS(factors=4, iterations=2).fit(rows)
    assert np.isfinite(model.score("eager")).all()
    assert len(model.recommend("calm", 5)) == 5


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from([0, 0, 1, 2]), min_size=6, max_size=6), min_size=1, max_size=12))
def test_batches_hold_every_entry_once(rows):
    matrix = sparse.csr_matrix(np.array(rows, np.float32))
    found = np.zeros_like(matrix.toarray())
    for places, columns, weights in als._batches(matrix):
        for row, at, weight in zip(places, columns, weights, strict=True):
            np.add.at(found[row], at, weight)
    assert found.tolist() == matrix.toarray().tolist()


def test_batches_are_small_and_hardly_padded():
    lengths = np.random.default_rng(0).zipf(1.5, 2000).clip(max=9000)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    matrix = sparse.csr_matrix(
        (np.ones(starts[-1], np.float32), np.concatenate([np.arange(n) for n in lengths]), starts)
    )
    sizes = [weights.size for _, _, weights in als._batches(matrix)]
    assert all(size <= als.BATCH_ENTRIES or size in lengths for size in sizes)  # one long row may be more
    assert sum(sizes) < 1.3 * matrix.nnz


@pytest.mark.parametrize(
    ("name", "value"),
    [("factors", 0), ("iterations", 0), ("l2", 0), ("alpha", -1), ("frequency", -1), ("memory_limit", 0)],
)
def test_parameters_out_of_range_are_refused(name, value):
    with pytest.raises(InvalidInput, match=name):
        ALS(**{name: value}).fit(WORLD)


def test_what_would_take_too_much_is_refused():
    with pytest.raises(OverBudget, match=r"ALS of 60 users and 40 items .* fewer factors"):
        ALS(factors=10_000, memory_limit=2**20).fit(WORLD)
