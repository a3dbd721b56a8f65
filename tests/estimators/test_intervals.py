"""Intervals hold what they say they hold."""

from __future__ import annotations

import numpy as np
import pytest

from sishu.estimators import intervals, metrics
from sishu.estimators.errors import InvalidInput


def test_the_interval_is_that_of_the_textbook_for_many_users():
    values = np.random.default_rng(1).normal(0.3, 0.2, 5000)
    found = intervals.of_mean(values)
    assert found.value == pytest.approx(values.mean())
    assert found.half == pytest.approx(1.96 * values.std() / np.sqrt(5000), rel=0.1)
    assert found == intervals.of_mean(values)  # the same every time
    assert str(intervals.Interval(0.30512, 0.29, 0.32)) == "0.3051 ±0.0150"
    assert str(intervals.Interval(0.03239412, 0.0323821, 0.0324061)) == "0.032394 ±0.000012"


def test_it_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(2)
    found = [intervals.of_mean(rng.exponential(1, 100), draws=300, seed=run) for run in range(300)]
    covered = sum(interval.low <= 1 <= interval.high for interval in found) / 300
    assert 0.88 < covered < 0.98


def test_paired_users_cancel_out():
    hard = np.random.default_rng(3).normal(0, 1, 500)
    ours = hard + 0.05
    difference = intervals.of_difference(ours, hard)
    assert (difference.low, difference.high) == (pytest.approx(0.05), pytest.approx(0.05))
    assert intervals.of_mean(ours).half > 0.05


def test_the_same_however_the_draws_are_cut(monkeypatch):
    values = np.arange(50.0)
    whole = intervals.of_mean(values)
    monkeypatch.setattr(intervals, "CHUNK", 200)
    assert intervals.of_mean(values) == whole


def test_nothing_has_no_mean_and_strangers_are_not_paired():
    with pytest.raises(InvalidInput, match="no value"):
        intervals.of_mean([])
    with pytest.raises(InvalidInput, match="same users"):
        intervals.of_difference([1], [1, 2])


def test_the_interval_of_auc_is_that_of_the_bootstrap():
    rng = np.random.default_rng(4)
    clicked = rng.random(2000) < 0.1
    said = np.round(rng.normal(size=2000) + 0.7 * clicked, 1)  # with equals
    found = intervals.of_auc(clicked, said)
    assert found.value == pytest.approx(metrics.auc(clicked, said))
    drawn = (rng.integers(2000, size=2000) for _ in range(500))
    low, high = np.quantile([metrics.auc(clicked[rows], said[rows]) for rows in drawn], [0.025, 0.975])
    assert (found.low, found.high) == (pytest.approx(low, abs=0.01), pytest.approx(high, abs=0.01))


@pytest.mark.parametrize("clicked", [[1, 0, 0], [1, 1, 0], [1, 1, 0, 0, 0]])
def test_an_interval_of_auc_wants_two_of_each(clicked):
    with pytest.raises(InvalidInput, match="two rows with a click"):
        intervals.of_auc(clicked, [0.1, 0.2, 0.3])
