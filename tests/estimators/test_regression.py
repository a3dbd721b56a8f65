"""Batch regressions: equal to scikit-learn's, and later rows learnt as if they had been there."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.linear_model import Ridge as Peer

from sishu.estimators import metrics
from sishu.estimators.clicks import ClickLog
from sishu.estimators.errors import OverBudget
from sishu.estimators.logistic import Logistic
from sishu.estimators.ridge import Ridge
from tests.estimators.worlds import shown

TERMS = ("ad", "city", "price", "ad:city")


def test_logistic_is_that_of_scikit_learn():
    world = shown(3000)
    model = Logistic(TERMS, l2=10.0, bits=8).fit(world.log)
    matrix = model.features_.transform(world.log)[:, 1:]
    peer = LogisticRegression(C=0.1, tol=1e-8, max_iter=1000).fit(matrix, world.log.clicked)
    assert model.predict_proba(world.log) == pytest.approx(peer.predict_proba(matrix)[:, 1], abs=1e-3)


def test_linear_is_ridge():
    world = shown(3000)
    model = Ridge(TERMS, l2=10.0, bits=8).fit(world.log)
    matrix = model.features_.transform(world.log)[:, 1:].toarray()
    peer = Peer(alpha=10.0).fit(matrix, world.log.clicked)
    assert model.predict_proba(world.log) == pytest.approx(np.clip(peer.predict(matrix), 0, 1), abs=1e-5)


@pytest.mark.parametrize("kind", [Logistic, Ridge])
def test_later_rows_are_learnt_as_if_they_had_been_there(kind):
    world = shown(8000)
    earlier, later = world.log.parted(0.5)
    asked = shown(2000, seed=8).log
    whole = kind(TERMS, l2=10.0, bits=10).fit(world.log).predict_proba(asked)
    half = kind(TERMS, l2=10.0, bits=10).fit(earlier)
    apart = np.abs(half.predict_proba(asked) - whole).mean()
    both = half.partial_fit(later).predict_proba(asked)
    assert np.abs(both - whole).mean() < apart / 3


@pytest.mark.parametrize("kind", [Logistic, Ridge])
def test_the_penalty_is_strong_where_there_is_nothing_to_learn(kind):
    rng = np.random.default_rng(1)
    names = {f"c{number}": rng.integers(200, size=3000) for number in range(4)}
    noise = ClickLog.of(rng.random(3000) < 0.1, names)
    assert kind(tuple(names), bits=12).fit(noise).l2_ == kind.PENALTIES[0]
    assert kind(TERMS, bits=10).fit(shown(8000).log).l2_ < kind.PENALTIES[0]


def test_linear_orders_as_logistic_does_and_promises_nothing():
    earlier, later = shown(12_000).log.parted(0.3)
    linear, logistic = (kind(TERMS, bits=10).fit(earlier).predict_proba(later) for kind in (Ridge, Logistic))
    assert metrics.auc(later.clicked, linear) == pytest.approx(metrics.auc(later.clicked, logistic), abs=0.01)
    assert metrics.log_loss(later.clicked, linear) > metrics.log_loss(later.clicked, logistic)


def test_a_matrix_over_budget_is_refused():
    with pytest.raises(OverBudget, match="Take FTRL"):
        Logistic(TERMS, memory_limit=2**20).fit(shown(100).log)


@pytest.mark.parametrize("kind", [Logistic, Ridge])
def test_of_a_log_that_knows_nothing_it_learns_the_rate(kind):
    log = ClickLog.of([1, 0, 0, 0] * 50)
    assert kind(l2=1.0, bits=2).fit(log).predict_proba(log.take(slice(2))) == pytest.approx([0.25, 0.25], abs=0.003)
