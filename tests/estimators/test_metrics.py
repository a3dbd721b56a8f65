"""Each figure beside one worked out by hand, and beside scikit-learn's where that means the same."""

from __future__ import annotations

from math import log, log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn import metrics as sklearn_metrics

from sishu.estimators import metrics
from sishu.estimators.errors import InvalidInput

# Two users, a catalogue of six. The first is right at ranks 1 and 3 of three, with four right in all; the second gets a
# list that ends early, and none of it was right.
RANKED = np.array([[0, 1, 2], [5, -1, -1]])
RELEVANT = sparse.csr_matrix(np.array([[1, 0, 1, 1, 1, 0], [1, 0, 0, 0, 0, 0]]))
COUNTS = np.array([4, 1])


def test_lists_by_hand():
    hit = metrics.hits(RANKED, RELEVANT)
    assert hit.tolist() == [[True, False, True], [False, False, False]]
    ideal = 1 / log2(2) + 1 / log2(3) + 1 / log2(4)
    assert metrics.ndcg(hit, COUNTS).tolist() == pytest.approx([(1 + 1 / 2) / ideal, 0])
    assert metrics.recall(hit, COUNTS).tolist() == pytest.approx([2 / 3, 0])
    assert metrics.hit_rate(hit).tolist() == [1, 0]
    assert metrics.average_precision(hit, COUNTS).tolist() == pytest.approx([(1 + 2 / 3) / 3, 0])
    assert metrics.coverage(RANKED, 6) == 4 / 6


def test_an_end_of_a_list_is_no_hit_of_the_last_item():
    relevant = sparse.csr_matrix(np.array([[0, 1]]))
    assert not metrics.hits(np.array([[-1, -1]]), relevant).any()
    # and it does not reach into the row before
    assert not metrics.hits(np.array([[0], [-1]]), sparse.csr_matrix(np.array([[0, 1], [0, 0]]))).any()


def test_a_user_with_nothing_right_counts_as_zero():
    hit = metrics.hits(np.array([[0]]), sparse.csr_matrix((1, 1)))
    for value in (metrics.ndcg(hit, np.array([0])), metrics.recall(hit, np.array([0]))):
        assert value.tolist() == [0]


@given(st.integers(0, 2**32 - 1))
def test_ndcg_is_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    scores, right = rng.permutation(12).astype(float), rng.random(12) < 0.4
    if not right.any():
        right[0] = True
    ranked = np.argsort(-scores)[None, :5]
    ours = metrics.ndcg(metrics.hits(ranked, sparse.csr_matrix(right[None, :])), np.array([right.sum()]))
    assert ours[0] == pytest.approx(sklearn_metrics.ndcg_score(right[None, :], scores[None, :], k=5))


def test_novelty_is_the_surprise_in_bits():
    popularity = np.array([8, 4, 2, 2, 0, 0])
    expected = [(0 + 1 + 2) / 3, 4]  # of eight users all, half, a quarter; nobody's item counts as of half a user
    assert metrics.novelty(RANKED, popularity, users=8).tolist() == pytest.approx(expected)


def test_distance_within_a_list_by_hand():
    vectors = sparse.csr_matrix(np.array([[1.0, 0], [0, 2], [3, 3], [0, 0], [0, 0], [0, 0]]))
    cosines = [0, 1 / np.sqrt(2), 1 / np.sqrt(2)]
    assert metrics.intra_list_distance(RANKED, vectors).tolist() == pytest.approx([1 - np.mean(cosines), 0])


def test_ratings_by_hand():
    assert metrics.rmse([1, 2, 5], [1, 4, 4]) == pytest.approx(np.sqrt(5 / 3))
    assert metrics.mae([1, 2, 5], [1, 4, 4]) == 1


def test_clicks_by_hand():
    clicked, said = [1, 0, 0, 1], [0.8, 0.4, 0.1, 0.3]
    loss = -(log(0.8) + log(0.6) + log(0.9) + log(0.3)) / 4
    assert metrics.log_loss(clicked, said) == pytest.approx(loss)
    assert metrics.relative_information_gain(clicked, said) == pytest.approx(1 - loss / log(2))
    assert metrics.relative_information_gain(clicked, [0.5] * 4) == pytest.approx(0)
    assert metrics.auc(clicked, said) == 3 / 4
    assert metrics.calibration(clicked, said) == pytest.approx(1.6 / 2)
    # By halves: 0.1 and 0.3 were clicked half the time, 0.4 and 0.8 too.
    assert metrics.expected_calibration_error(clicked, said, bins=2) == pytest.approx((0.3 + 0.1) / 2)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 10)), min_size=2, max_size=40))
def test_clicks_are_scikit_learns(rows):
    clicked, said = np.array([row[0] for row in rows], float), np.array([row[1] for row in rows]) / 10
    if len(set(clicked)) < 2:
        assert metrics.auc(clicked, said) == 0.5
        return
    assert metrics.auc(clicked, said) == pytest.approx(sklearn_metrics.roc_auc_score(clicked, said))
    inside = np.clip(said, 0.01, 0.99)
    assert metrics.log_loss(clicked, inside) == pytest.approx(sklearn_metrics.log_loss(clicked, inside))


def test_certain_and_wrong_costs_much_and_not_everything():
    assert 30 < metrics.log_loss([1], [0]) < 40


def test_figures_of_different_lengths_or_of_nothing_are_refused():
    with pytest.raises(InvalidInput, match="As many predictions as truths"):
        metrics.rmse([1, 2], [1])
    with pytest.raises(InvalidInput, match="at least one"):
        metrics.log_loss([], [])
    with pytest.raises(InvalidInput, match="1 lists and 2 rows"):
        metrics.hits(RANKED[:1], RELEVANT)
