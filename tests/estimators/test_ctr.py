"""The whole click model: near the truth where there is one to learn, and never below the constant where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from sishu.estimators import metrics
from sishu.estimators.clicks import ClickLog
from sishu.estimators.ctr import ClickThroughRate
from sishu.estimators.errors import InvalidInput
from sishu.estimators.logistic import Logistic
from sishu.estimators.rates import SmoothedRate
from tests.estimators.worlds import shown

TERMS = ("ad", "city", "price", "ad:city", "rate(ad:city)")


def losses(earlier: ClickLog, later: ClickLog, *models) -> list[float]:
    return [metrics.log_loss(later.clicked, model.fit(earlier).predict_proba(later)) for model in models]


def test_it_says_what_the_best_of_its_members_says():
    earlier, later = shown(20_000).log.parted(0.3)
    whole, constant, rate, regression = losses(
        earlier, later, ClickThroughRate(TERMS, bits=10), SmoothedRate(), SmoothedRate("ad:city"),
        Logistic(TERMS, bits=10),
    )  # fmt: skip
    assert whole < min(constant, rate)
    assert whole == pytest.approx(regression, rel=0.01)


@pytest.mark.parametrize("seed", range(3))
def test_where_there_is_nothing_to_learn_it_says_the_rate_of_all(seed):
    rng = np.random.default_rng(seed)
    columns = {f"c{number}": rng.integers(30, size=8000) for number in range(5)}
    earlier, later = ClickLog.of(rng.random(8000) < 0.02, columns).parted(0.3)
    model = ClickThroughRate(bits=12).fit(earlier)
    assert model.weights["constant"] > 0.9
    constant = np.full(later.count, earlier.rate())
    assert metrics.relative_information_gain(later.clicked, model.predict_proba(later), earlier.rate()) > -0.001
    assert model.predict_proba(later) == pytest.approx(constant, rel=0.1)


def test_the_place_is_taken_out_where_an_ad_is_chosen():
    world = shown(20_000, places=True)
    model = ClickThroughRate(TERMS, bits=10).fit(world.log)
    # In place 1 every ad is seen, so that the rate without a place is the rate there.
    first = world.log.take(world.log.positions == 1)
    chosen, placed = model.predict_proba(first.without_positions()), model.predict_proba(first)
    assert chosen == pytest.approx(placed)
    third = world.log.take(world.log.positions == 3)
    assert model.predict_proba(third).mean() == pytest.approx(
        0.3 * model.predict_proba(third.without_positions()).mean(), rel=0.1
    )


def test_it_is_calibrated_where_clicks_are_many():
    rng = np.random.default_rng(6)
    price = rng.uniform(-1, 1, 30_000)
    log = ClickLog.of(rng.random(30_000) < np.where(price < 0.5, 0.1, 0.6), numbers={"price": price})
    earlier, later = log.parted(0.3)
    steps, line = (
        ClickThroughRate(calibration=each, bits=1).fit(earlier).predict_proba(later) for each in ("isotonic", "none")
    )
    assert metrics.expected_calibration_error(later.clicked, line) > 0.04  # a cliff is no line in log-odds
    assert metrics.expected_calibration_error(later.clicked, steps) < 0.025
    assert metrics.calibration(later.clicked, steps) == pytest.approx(1, abs=0.05)


def test_later_rows_are_learnt_without_choosing_anew():
    earlier, later = shown(16_000).log.parted(0.95)
    later, asked = later.parted(0.3)
    model = ClickThroughRate(TERMS, bits=10).fit(earlier)
    before, weights = metrics.log_loss(asked.clicked, model.predict_proba(asked)), model.weights
    model.partial_fit(later)
    assert metrics.log_loss(asked.clicked, model.predict_proba(asked)) < before
    assert model.weights == weights


def test_a_learner_that_there_is_not_is_refused():
    with pytest.raises(InvalidInput, match="known: auto, logistic, ftrl"):
        ClickThroughRate(learner="forest").fit(shown(100).log)
