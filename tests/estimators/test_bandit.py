"""Bandits: chances that are true, and a regret that grows ever slower."""

from __future__ import annotations

import numpy as np
import pytest

from sishu.estimators import ope
from sishu.estimators.bandit import Choice, Greedy, Policy, Thompson, Ucb, by_model, choose
from sishu.estimators.clicks import ClickLog
from sishu.estimators.errors import InvalidInput
from sishu.estimators.ftrl import Ftrl
from tests.estimators.worlds import Audience, shown

RATES = (0.25, 0.2, 0.4, 0.15, 0.3)


@pytest.mark.parametrize(
    ("clicks", "shows"),
    [
        ([0, 0, 0], [0, 0, 0]),
        ([3, 10, 0], [100, 200, 5]),
        ([900, 1, 40], [20_000, 3, 900]),
        ([1_000_000, 1_002_000, 0], [10_000_000, 10_000_000, 0]),
    ],
)
def test_thompsons_chances_are_those_of_draws(clicks, shows):
    c, n = np.array(clicks), np.array(shows)
    draws = np.random.default_rng(1).beta(1 + c, 20 + n - c, (200_000, 3))
    counted = np.bincount(draws.argmax(axis=1), minlength=3) / 200_000
    assert Thompson().chances(clicks, shows) == pytest.approx(counted, abs=0.004)


def test_thompsons_chances_by_hand():
    # P(Beta(1, 1) > Beta(2, 1)) = ∫ x² dx
    assert Thompson(clicks=1, skips=1).chances([0, 1], [0, 1]) == pytest.approx([1 / 3, 2 / 3], abs=1e-4)


def test_a_hopeless_ad_among_many_sure_ones_has_no_chance_and_harms_no_other():
    chances = Thompson().chances([0] * 40 + [600_000, 590_000], [900_000] * 40 + [1_000_000] * 2)
    assert chances.sum() == pytest.approx(1)
    assert chances[-2] == pytest.approx(1)
    assert chances[:40].max() < 1e-6


def test_ucb_by_hand():
    # ln 110 = 4.70: .1 + √(9.40 / 100) = .407, and 0 + √(9.40 / 10) = .970
    assert Ucb().chances([10, 0], [100, 10]).tolist() == [0, 1]
    assert Ucb().chances([60, 0], [100, 10]).tolist() == [0, 1]
    assert Ucb().chances([90, 0], [100, 10]).tolist() == [1, 0]
    assert Ucb().chances([5, 0, 0], [5, 0, 0]).tolist() == [0, 0.5, 0.5]  # what was never shown comes first


def test_greedy_with_a_share_for_all():
    assert Greedy(epsilon=0.1).chances([5, 1, 0], [10, 10, 0]) == pytest.approx([0.9 + 0.1 / 3, 0.1 / 3, 0.1 / 3])
    assert Greedy().chances([0, 0], [0, 0]).tolist() == [0.5, 0.5]


def test_one_is_drawn_by_its_chance_and_says_it():
    rng = np.random.default_rng(2)
    drawn = [choose(np.array([0.2, 0.0, 0.8]), rng) for _ in range(2000)]
    assert set(drawn) == {Choice(0, 0.2), Choice(2, 0.8)}
    assert sum(each.place == 0 for each in drawn) == pytest.approx(400, abs=60)


@pytest.mark.parametrize("policy", [Thompson(), Ucb(), Thompson(epsilon=0.02)], ids=["thompson", "ucb", "with ε"])
def test_regret_grows_ever_slower(policy):
    regrets = np.mean([Audience(RATES, seed).serve(policy, 40_000).regret() for seed in range(4)], axis=0)
    blind = (max(RATES) - np.mean(RATES)) * 40_000
    assert regrets[-1] < blind / 2
    first, last = regrets[9_999], regrets[-1] - regrets[29_999]  # of the first and of the last quarter
    assert last < 0.7 * first


def test_thompson_learns_for_less_than_a_fixed_share_of_chance():
    regrets = {
        name: np.mean([Audience(RATES, seed).serve(policy, 40_000).regret()[-1] for seed in range(4)])
        for name, policy in (("thompson", Thompson()), ("ε-greedy", Greedy(epsilon=0.2)))
    }
    assert regrets["thompson"] < regrets["ε-greedy"]


def test_what_it_logs_tells_what_another_policy_would_have_earned():
    served = Audience(RATES, seed=3).serve(Thompson(epsilon=0.2), 30_000)
    uniform = np.full(30_000, 1 / len(RATES))
    value = ope.inverse_propensity(served.clicked, uniform, served.propensities)
    assert abs(value.value - np.mean(RATES)) < 3 * value.standard_error
    assert value.mean_weight == pytest.approx(1, abs=0.05)


def test_a_models_own_doubt_is_what_it_explores_by():
    world = shown(6000)
    model = Ftrl(("ad",), bits=8).fit(world.log)
    rates = [world.log.clicked[world.log.category("ad").codes == code].mean() for code in range(12)]
    names = world.log.category("ad").names
    candidates = ClickLog.of(categories={"ad": [names[int(np.argmax(rates))], names[int(np.argmin(rates))], "new"]})
    chances = by_model(model, candidates, np.random.default_rng(1), draws=2000)
    assert chances.sum() == pytest.approx(1)
    assert chances[0] > chances[2] > chances[1] > 0
    assert by_model(model, candidates, np.random.default_rng(1), epsilon=0.3).min() >= 0.1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: Thompson(epsilon=2), "epsilon lies between"),
        (lambda: Greedy(clicks=0), "above 0"),
        (lambda: Ucb().chances([], []), "one ad or more"),
        (lambda: Thompson().chances([1], [1, 2]), "one of each"),
        (lambda: Thompson().chances([0, 3], [5, 2]), "Ad 1 has 3.0 clicks in 2.0"),
        (lambda: Thompson().chances([0, np.nan], [5, 2]), "Ad 1 has nan"),
        (lambda: by_model(Ftrl(), ClickLog.of(), np.random.default_rng(1)), "no candidate"),
    ],
)
def test_what_cannot_be_chosen_from_is_refused(wrong, said):
    with pytest.raises(InvalidInput, match=said):
        wrong()


def test_every_policy_is_one():
    assert {kind.__name__ for kind in Policy.__subclasses__()} == {"Thompson", "Ucb", "Greedy"}
