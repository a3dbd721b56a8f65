"""What the models of items by items share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from sishu.estimators.base import Past
from sishu.estimators.ease import Ease
from sishu.estimators.interactions import History
from sishu.estimators.linear import inputs, shared_out, strongest, taken
from sishu.estimators.rp3beta import RP3Beta
from tests.estimators import worlds

WORLD = worlds.circles()
A, B, C = WORLD.item_ids[:3]
MODELS = {
    "whole": Ease(l2=10),
    "sparse": Ease(l2=10, top_k=8),
    "weighted": Ease(l2=10, weighted=True),
    "walks": RP3Beta(),
    "weighted walks": RP3Beta(weighted=True),
}


@pytest.fixture(scope="module", params=list(MODELS))
def model(request: pytest.FixtureRequest):
    return MODELS[request.param].fit(WORLD)


def test_an_item_met_twice_counts_once_or_by_its_weights(model):
    twice, once = model.score(History((A, B, A), (1, 1, 2))), model.score(History((A, B), (3, 1)))
    assert twice == pytest.approx(once, abs=1e-6)
    assert (once == pytest.approx(model.score(History((A, B))), abs=1e-6)) is not model.weighted


def test_what_weighs_nothing_brings_nothing(model):
    assert np.array_equal(model.score(History((A, B), (1, 0))), model.score(History((A,))))
    assert not model.score(History((A, B), (0, 0))).any()


def test_each_item_of_the_history_brings_its_part(model):
    history = History((A, B, C, A), (1, 2, 0, 3))
    for item in WORLD.item_ids:
        reasons = {reason.because: reason.contribution for reason in model.explain(history, item)}
        assert C not in reasons
        alone = [model.score(History((name,), (weight,))) for name, weight in ((A, 4.0), (B, 2.0))]
        position = model.item_ids_.by_name[item]
        assert [reasons.get(A, 0), reasons.get(B, 0)] == pytest.approx([each[position] for each in alone], abs=1e-5)


def test_a_history_of_fifty_thousand_events_is_scored(model):
    every = [WORLD.item_ids[event % 30] for event in range(50_000)]
    scores = model.score(History(tuple(every)))
    assert np.isfinite(scores).all()
    if not model.weighted:
        assert scores == pytest.approx(model.score(History(WORLD.item_ids[:30])), abs=1e-5)


def test_inputs_are_presence_or_weights():
    rows = sparse.csr_matrix(np.array([[0.5, 0, 3], [0, 0, 0]], np.float32))
    rows.data[0] = 0  # a weight of nothing that was written down
    assert inputs(rows, weighted=False).toarray().tolist() == [[0, 0, 1], [0, 0, 0]]
    assert inputs(rows, weighted=True).toarray().tolist() == [[0, 0, 3], [0, 0, 0]]
    assert rows.nnz == 2


def test_an_item_is_taken_once_and_its_part_shared_out():
    past = Past(np.array([4, 1, 4, 2]), np.array([1, 2, 3, 0], np.float32))
    items, weights = taken(past)
    assert (items.tolist(), weights.tolist()) == ([1, 4], [2, 4])
    assert shared_out(past, items, weights, np.array([10.0, 8.0])).tolist() == [2, 10, 6, 0]
    nothing = Past(np.empty(0, np.int64), np.empty(0, np.float32))
    assert shared_out(nothing, *taken(nothing), np.empty(0)).tolist() == []


def test_of_equals_the_first_columns_are_kept():
    rows = sparse.csr_matrix(np.array([[1, 3, 3, 3], [0, 0, -5, 1], [0, 0, 0, 0]], np.float32))
    assert strongest(rows, 2).toarray().tolist() == [[0, 3, 3, 0], [0, 0, -5, 1], [0, 0, 0, 0]]


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(-3, 3), min_size=5, max_size=5), min_size=1, max_size=4), st.integers(1, 6))
def test_the_strongest_are_those_of_a_sort(rows, k):
    kept = strongest(sparse.csr_matrix(np.array(rows, np.float32)), k).toarray()
    for row, kept_row in zip(rows, kept.tolist(), strict=True):
        best = sorted(range(5), key=lambda column: (-abs(row[column]), column))[:k]
        assert kept_row == [value if column in best else 0 for column, value in enumerate(row)]
