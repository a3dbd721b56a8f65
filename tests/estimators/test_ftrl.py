"""FTRL-Proximal: the paper's steps by hand, what batches change, and what a draw of the weights is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from sishu.estimators import metrics
from sishu.estimators.clicks import ClickLog, join
from sishu.estimators.errors import OverBudget
from sishu.estimators.ftrl import Ftrl
from tests.estimators.worlds import shown

TERMS = ("ad", "city", "price", "ad:city")


def of_the_paper(matrix, clicked, alpha, beta, l1, l2):
    """Algorithm 1 of McMahan et al. 2013, one row and one coordinate after the other."""
    z, n = np.zeros(matrix.shape[1]), np.zeros(matrix.shape[1])
    w = np.zeros(matrix.shape[1])
    for row, y in zip(matrix.toarray(), clicked, strict=True):
        for i in np.flatnonzero(row):
            free = abs(z[i]) > l1
            w[i] = -(z[i] - np.sign(z[i]) * l1) / ((beta + np.sqrt(n[i])) / alpha + l2) if free else 0.0
        p = 1 / (1 + np.exp(-sum(w[i] * row[i] for i in np.flatnonzero(row))))
        for i in np.flatnonzero(row):
            g = (p - y) * row[i]
            sigma = (np.sqrt(n[i] + g * g) - np.sqrt(n[i])) / alpha
            z[i] += g - sigma * w[i]
            n[i] += g * g
    return z, n


def test_the_first_steps_by_hand():
    log = ClickLog.of([1, 0], {"ad": ["a", "a"]})
    model = Ftrl(("ad",), alpha=0.5, beta=1, l1=0.1, l2=0, offset=0, batch_size=1, bits=1).fit(log)
    # Row 1: p = .5, g = -.5, σ = √.25 / .5 = 1, w = 0: z = -.5, n = .25.
    w = (0.5 - 0.1) / ((1 + 0.5) / 0.5)
    p = expit(2 * w)  # the intercept and the ad
    grown = 0.25 + p * p
    z = -0.5 + p - (np.sqrt(grown) - 0.5) / 0.5 * w
    met = np.flatnonzero(model.n_)
    assert len(met) == 2
    assert model.n_[met] == pytest.approx([grown] * 2)
    assert model.z_[met] == pytest.approx([z] * 2)


@pytest.mark.parametrize(("l1", "l2"), [(0.0, 1.0), (2.0, 0.0)])
def test_a_batch_of_one_is_the_paper(l1, l2):
    log = shown(300).log
    model = Ftrl(TERMS, alpha=0.2, l1=l1, l2=l2, offset=0, batch_size=1, bits=12).fit(log)
    matrix = model.features_.transform(log)
    z, n = of_the_paper(matrix, log.clicked, 0.2, 1.0, l1, l2)
    assert model.z_ == pytest.approx(z, abs=1e-9)
    assert model.n_ == pytest.approx(n, abs=1e-9)


def test_the_first_rows_are_learnt_one_by_one_and_batches_grow():
    log = shown(300).log
    assert (
        Ftrl(TERMS).fit(log.take(slice(16))).z_.tolist()
        == Ftrl(TERMS, batch_size=1).fit(log.take(slice(16))).z_.tolist()
    )
    assert Ftrl(TERMS).fit(log).z_.tolist() != Ftrl(TERMS, batch_size=1).fit(log).z_.tolist()


def test_batches_say_nearly_what_single_rows_say():
    world = shown(6_000)
    said = [Ftrl(TERMS, batch_size=size).fit(world.log).predict_proba(world.log) for size in (1, 256)]
    assert np.abs(said[0] - said[1]).mean() < 0.01
    losses = [metrics.log_loss(world.log.clicked, each) for each in said]
    assert losses[0] == pytest.approx(losses[1], rel=0.005)


def test_l1_keeps_weights_at_zero():
    log = shown(3000).log
    counts = [np.count_nonzero(Ftrl(TERMS, l1=l1, bits=10).fit(log).weights()) for l1 in (0.0, 3.0, 1000.0)]
    assert counts[0] > counts[1] > counts[2] == 0


def test_learning_in_two_parts_is_learning_at_once():
    log = shown(2000).log
    whole = Ftrl(TERMS, batch_size=1, bits=10).fit(log)
    parts = Ftrl(TERMS, batch_size=1, bits=10, offset=whole.offset_).fit(log.take(slice(1000)))
    parts.features_.means_, parts.features_.scales_ = whole.features_.means_, whole.features_.scales_
    parts.z_[:], parts.n_[:] = 0, 0
    parts.partial_fit(log.take(slice(1000))).partial_fit(log.take(slice(1000, None)))
    assert parts.z_ == pytest.approx(whole.z_, abs=1e-9)


def test_a_second_epoch_learns_more_and_sees_no_click_of_its_own():
    world = shown(4000)
    earlier, later = world.log.parted(0.5)
    terms = (*TERMS, "rate(ad:city)")
    losses = [
        metrics.log_loss(later.clicked, Ftrl(terms, alpha=0.02, epochs=epochs).fit(earlier).predict_proba(later))
        for epochs in (1, 4)
    ]
    assert losses[1] < losses[0] < metrics.log_loss(later.clicked, np.full(later.count, earlier.rate()))


def test_draws_lie_around_the_chance_and_spread_where_little_is_known():
    log = shown(4000).log
    model = Ftrl(TERMS, alpha=0.1, bits=10).fit(log)
    new = ClickLog.of(categories={"ad": ["never shown"], "city": ["nowhere"]}, numbers={"price": [20.0]})
    asked = join([log.take(slice(1)), new])
    rng = np.random.default_rng(3)
    drawn = model.sample_proba(asked, rng, draws=4000)
    odds = np.log(drawn / (1 - drawn))
    assert np.median(drawn, axis=0) == pytest.approx(model.predict_proba(asked), rel=0.1)
    assert odds[:, 1].std() > 1.5 * odds[:, 0].std()
    # Of the new row the three names were never met, so that each has the variance 1 / (β/α + λ2).
    known_part = model.variances(np.array([0, 1])) @ np.array(
        [1.0, model.features_.transform(new).toarray()[0, 1] ** 2]
    )
    assert odds[:, 1].var() == pytest.approx(3 / 11 + known_part, rel=0.15)


def test_a_table_over_budget_is_refused_before_it_is_taken():
    with pytest.raises(OverBudget, match="FTRL would take about"):
        Ftrl(TERMS, bits=29).fit(shown(100).log)
