"""Chances put right where there are clicks enough, and left alone where there are not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from sishu.estimators import metrics
from sishu.estimators.calibration import Calibration
from sishu.estimators.errors import InvalidInput


def boasted(rows: int = 40_000, seed: int = 2):
    """(said, clicked): log-odds said are twice what they should be, less two."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(-1, 1, rows)
    return expit(2 * odds - 2), (rng.random(rows) < expit(odds)).astype(float)


@pytest.mark.parametrize("method", ["isotonic", "platt"])
def test_what_is_said_becomes_what_happens(method):
    said, clicked = boasted()
    asked, happened = boasted(seed=3)
    right = Calibration(method).fit(said, clicked)(asked)
    assert metrics.expected_calibration_error(happened, asked) > 0.1
    assert metrics.expected_calibration_error(happened, right) < 0.01
    assert metrics.calibration(happened, right) == pytest.approx(1, abs=0.03)
    assert metrics.auc(happened, right) == pytest.approx(metrics.auc(happened, asked), abs=0.002)
    assert 0 < right.min() < right.max() < 1


def test_platt_finds_the_line():
    said, clicked = boasted()
    assert Calibration("platt").fit(said, clicked).values_ == pytest.approx([0.5, 1.0], abs=0.05)


def test_few_clicks_change_nothing():
    said, clicked = boasted(1000)
    for calibration in (Calibration().fit(said, clicked), Calibration("none").fit(said, clicked)):
        assert not calibration.is_fitted_
        assert calibration(said).tolist() == said.tolist()
    assert Calibration(least_clicks=100).fit(said, clicked).is_fitted_


def test_isotonic_never_promises_nothing_or_all():
    said = np.linspace(0.1, 0.9, 200)
    right = Calibration(least_clicks=1).fit(said, (said > 0.5).astype(float))(np.array([0.0, 1.0]))
    assert logit(right) == pytest.approx([-5.3, 5.3], abs=0.1)  # two groups: 100 rows and half a click


def test_an_unknown_method_is_refused():
    with pytest.raises(InvalidInput, match="known: isotonic, platt, none"):
        Calibration("beta").fit(*boasted(10))
