"""How well a place is seen, told apart from what stands there."""

from __future__ import annotations

import numpy as np
import pytest

from sishu.estimators.clicks import ClickLog
from sishu.estimators.position import Examination
from sishu.estimators.rates import SmoothedRate


def placed(rows: int = 200_000, seed: int = 4) -> ClickLog:
    """Good ads mostly stand first, and are seen there."""
    rng = np.random.default_rng(seed)
    ad = rng.integers(10, size=rows)
    good = ad >= 5
    place = np.where(rng.random(rows) < 0.8, np.where(good, 1, 2), rng.integers(1, 4, rows))
    chance = np.where(good, 0.3, 0.1) * np.array([1.0, 0.5, 0.2])[place - 1]
    return ClickLog.of(rng.random(rows) < chance, {"ad": ad}, positions=place)


def test_the_chance_to_be_seen_is_that_of_the_world():
    log = placed()
    assert Examination("ad").fit(log).seen_ == pytest.approx([1, 0.5, 0.2], abs=0.03)
    # Without a key the good ads are taken for the place's merit.
    assert Examination().fit(log).seen_[1] < 0.35


def test_rows_weighted_by_how_they_were_seen_give_the_rate_where_it_is_seen_best():
    log = placed()
    said = SmoothedRate("ad").fit(Examination("ad").fit(log).weighted(log))
    asked = ClickLog.of(categories={"ad": [7, 2]})
    assert said.predict_proba(asked) == pytest.approx([0.3, 0.1], abs=0.02)
    plain = SmoothedRate("ad").fit(log).predict_proba(asked)
    assert plain[1] < 0.07


def test_few_clicks_say_that_places_are_alike():
    log = placed(rows=60)
    assert Examination("ad").fit(log).seen_.min() > 0.6


def test_a_place_that_was_never_met_is_seen_as_most_are():
    log = ClickLog.of([1, 0, 0, 0], {"ad": list("aabb")}, positions=[1, 2, 1, 2])
    examination = Examination("ad").fit(log)
    assert examination.seen(ClickLog.of(positions=[9])) == pytest.approx([examination.mean_seen_])
    assert examination.seen(ClickLog.of(categories={"ad": ["a"]})).tolist() == [1]


def test_without_positions_every_row_was_seen():
    log = ClickLog.of([1, 0], {"ad": ["a", "b"]})
    examination = Examination("ad").fit(log)
    assert examination.weighted(log) is log
    assert examination.seen(ClickLog.of(positions=[1])).tolist() == [1]
