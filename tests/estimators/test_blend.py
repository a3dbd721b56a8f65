"""How far each model is to be believed."""

from __future__ import annotations

import numpy as np
import pytest

from sishu.estimators import metrics
from sishu.estimators.blend import Blend
from sishu.estimators.errors import InvalidInput

RNG = np.random.default_rng(11)
TRUTH = RNG.uniform(0.01, 0.3, 20_000)
CLICKED = (RNG.random(20_000) < TRUTH).astype(float)
CONSTANT = np.full(20_000, CLICKED.mean())


def test_weights_by_hand():
    clicked, safe, rich = np.array([1.0]), np.array([0.5]), np.array([0.9])
    weights = Blend(odds=3).fit([safe, rich], clicked).weights_
    assert weights == pytest.approx([0.5 / (0.5 + 0.9 / 3), (0.9 / 3) / (0.5 + 0.9 / 3)])
    best_of_two = Blend(odds=3).fit([safe, rich], clicked, tried=(1, 2)).weights_
    assert best_of_two == pytest.approx([0.5 / (0.5 + 0.9 / 6), (0.9 / 6) / (0.5 + 0.9 / 6)])


def test_many_rows_give_all_weight_to_the_truth():
    assert Blend().fit([CONSTANT, np.roll(TRUTH, 1), TRUTH], CLICKED).weights_.tolist() == [0, 0, 1]


def test_few_rows_leave_the_safe_one_where_it_was():
    few = slice(30)
    assert Blend().fit([CONSTANT[few], TRUTH[few]], CLICKED[few]).weights_[0] > 0.5


@pytest.mark.parametrize("seed", range(20))
def test_it_is_never_worse_than_the_safe_one_on_those_rows(seed):
    rng = np.random.default_rng(seed)
    few = slice(seed * 100, seed * 100 + 100)
    noise = [CONSTANT[few], *(np.clip(CONSTANT[few] + rng.normal(0, 0.1, 100), 0.01, 0.99) for _ in range(4))]
    blend = Blend(odds=1).fit(noise, CLICKED[few])
    assert metrics.log_loss(CLICKED[few], blend(noise)) <= metrics.log_loss(CLICKED[few], noise[0])


def test_noise_gains_the_upper_hand_less_often_than_the_odds_say():
    taken = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        clicked = (rng.random(400) < 0.1).astype(float)
        noise = np.clip(0.1 * np.exp(rng.normal(0, 0.3, 400)), 0, 0.9)
        taken += Blend(odds=20).fit([np.full(400, 0.1), noise], clicked).weights_[1] > 0.5
    assert taken <= 400 / 20


def test_no_model_or_odds_below_one_are_refused():
    with pytest.raises(InvalidInput, match="no model"):
        Blend().fit([], CLICKED)
    with pytest.raises(InvalidInput, match="odds is"):
        Blend(odds=0.5).fit([CONSTANT], CLICKED)
