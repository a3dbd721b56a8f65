"""Smoothed rates: by hand, and as strong as the world they come from."""

from __future__ import annotations

import numpy as np
import pytest

from sishu.estimators.clicks import ClickLog
from sishu.estimators.errors import InvalidInput
from sishu.estimators.rates import Counts, SmoothedRate, strength


def test_the_rate_by_hand():
    log = ClickLog.of([1, 1, 0, 0, 0], {"ad": ["a", "a", "a", "b", "b"]})
    model = SmoothedRate("ad", strength=4).fit(log)
    m = 2.5 / 6
    asked = ClickLog.of(categories={"ad": ["a", "b", "never shown"]})
    assert model.predict_proba(asked) == pytest.approx([(2 + 4 * m) / 7, (0 + 4 * m) / 6, m])


def test_without_a_key_every_row_has_the_rate_of_all():
    model = SmoothedRate().fit(ClickLog.of([1, 0, 0], {"ad": ["a", "b", "c"]}))
    assert model.predict_proba(ClickLog.of(categories={"ad": ["a", "z"]})) == pytest.approx([1.5 / 4] * 2)


def test_rows_that_count_less_count_less():
    log = ClickLog.of([1, 0], {"ad": ["a", "a"]}).with_weights(np.array([1.0, 0.5]))
    model = SmoothedRate("ad", strength=1).fit(log)
    m = 1.5 / 2.5
    assert model.predict_proba(log)[0] == pytest.approx((1 + m) / 2.5)


@pytest.mark.parametrize("truth", [30, 300])
def test_the_strength_is_that_of_the_world(truth):
    rng = np.random.default_rng(5)
    shows = rng.zipf(1.4, 2000).clip(max=20_000).astype(float) + 20  # few keys have most of the impressions
    clicks = rng.binomial(shows.astype(int), rng.beta(truth * 0.05, truth * 0.95, 2000)).astype(float)
    assert strength(clicks, shows, clicks.sum() / shows.sum()) == pytest.approx(truth, rel=0.35)


def test_keys_that_are_alike_have_the_rate_of_all():
    shows = np.full(500, 200.0)
    assert strength(np.full(500, 10.0), shows, 0.05) > 1e6


def test_what_was_before_a_row_is_counted_by_key():
    counts = Counts()
    counts.add(np.array([7, 7], np.uint64), np.array([1.0, 0.0]), np.ones(2))
    met = np.array([9, 7, 9, 7], np.uint64)
    clicks, shows = counts.before(met, np.array([1.0, 1.0, 0.0, 0.0]), np.ones(4))
    assert (clicks.tolist(), shows.tolist()) == ([0, 1, 1, 2], [0, 2, 1, 3])


def test_a_key_of_numbers_or_an_unknown_column_is_refused():
    log = ClickLog.of([1, 0], {"ad": ["a", "b"]}, {"price": [1, 2]})
    for key, said in (("price", "counted by name"), ("rate(ad)", "counted by name"), ("size", "needs the column")):
        with pytest.raises(InvalidInput, match=said):
            SmoothedRate(key).fit(log)
    with pytest.raises(InvalidInput, match="strength is 0"):
        SmoothedRate("ad", strength=0).fit(log)
