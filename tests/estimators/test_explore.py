"""What is shown to learn of it, and that the chances written down are those it is shown by."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sishu.estimators.base import Scored
from sishu.estimators.errors import InvalidInput
from sishu.estimators.explore import KNOWN_AFTER, Newcomer, chance_to_win, epsilon_greedy, thompson

RANKED = [Scored(name, 1 / place) for place, name in enumerate("abcde", start=1)]
NEW = [Newcomer("x"), Newcomer("y", clicks=3, skips=10), Newcomer("z", skips=60)]


def names(shown) -> str:
    return "".join(each.item_id for each in shown)


def test_two_that_are_believed_the_same_of_win_as_often():
    assert chance_to_win([(1, 20), (1, 20)], 0) == pytest.approx(1 / 2, abs=1e-8)
    assert chance_to_win([(1, 20)] * 1000, 7) == pytest.approx(1 / 1000, abs=1e-9)
    assert chance_to_win([(3, 40)], 0) == pytest.approx(1, abs=1e-8)


def test_of_beta_1_and_beta_n_the_chance_is_a_fraction():
    # θ ~ Beta(1, 20), η ~ Beta(1, 40): P(η > θ) = ∫ 40 (1−x)^39 (1 − (1−x)^20) dx = 1 − 40/60.
    assert chance_to_win([(1, 20), (1, 40)], 1) == pytest.approx(1 / 3, abs=1e-8)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 90), st.integers(20, 120)), min_size=1, max_size=12))
def test_somebody_wins(beliefs):
    assert sum(chance_to_win(beliefs, arm) for arm in range(len(beliefs))) == pytest.approx(1, abs=1e-6)


def test_a_newcomer_stands_in_the_reserved_place_alone():
    shown = thompson(RANKED, NEW, k=4, places=[2])
    assert names(shown[:2]) == "ab"
    assert shown[2].item_id in "xyz"
    assert shown[3].item_id == "c"
    assert [each.propensity for each in shown if each.item_id in "abc"] == [1, 1, 1]
    assert [each.score for each in shown[:2]] == [1, 1 / 2]
    assert shown[2].score == 0


def test_newcomers_are_shown_as_often_as_is_written_down():
    rng = np.random.default_rng(0)
    first, chances = Counter[str](), {}
    for _ in range(3000):
        (shown,) = thompson([], NEW, k=1, places=[0], seed=rng)
        first[shown.item_id] += 1
        chances[shown.item_id] = shown.propensity
    assert sum(chances.values()) == pytest.approx(1, abs=1e-6)
    for item, chance in chances.items():
        assert first[item] / 3000 == pytest.approx(chance, abs=4 * np.sqrt(chance / 3000))


def test_a_second_reserved_place_draws_among_those_left():
    shown = thompson(RANKED, NEW, k=3, places=[0, 1, 2], seed=3)
    assert sorted(names(shown)) == list("xyz")
    assert shown[2].propensity == pytest.approx(1, abs=1e-8)


def test_what_was_shown_often_enough_is_no_newcomer():
    old = Newcomer("old", clicks=1, skips=KNOWN_AFTER - 1)
    assert names(thompson(RANKED, [old], k=3, places=[1])) == "abc"
    assert names(thompson([], [old])) == ""


def test_an_item_stands_in_one_place_alone():
    both = [Newcomer("a"), Newcomer("c")]
    shown = thompson(RANKED, both, k=5, places=[0, 3])
    assert sorted(names(shown)) == list("abcde")
    assert all(each.score > 0 for each in shown)
    assert names(thompson(RANKED, both, k=9, places=[8])) == "abcde"


def test_without_ranked_items_newcomers_fill_the_list():
    assert sorted(names(thompson([], NEW, k=10, places=[9]))) == list("xyz")


def test_without_chance_the_best_are_shown_for_sure():
    shown = epsilon_greedy(RANKED, "xyz", k=3, epsilon=0)
    assert [(each.item_id, each.propensity) for each in shown] == [("a", 1), ("b", 1), ("c", 1)]


def test_by_chance_alone_all_are_alike():
    shown = epsilon_greedy(RANKED, "xyz", k=3, epsilon=1, seed=5)
    assert [each.propensity for each in shown] == pytest.approx([1 / 8, 1 / 7, 1 / 6])
    assert len(set(names(shown))) == 3


def test_lists_come_as_often_as_is_written_down():
    rng = np.random.default_rng(1)
    seen, chances = Counter[str](), {}
    for _ in range(4000):
        shown = epsilon_greedy(RANKED[:2], "x", k=2, epsilon=0.4, seed=rng)
        seen[names(shown)] += 1
        chances[names(shown)] = np.prod([each.propensity for each in shown])
    assert sum(chances.values()) == pytest.approx(1)
    assert chances["ab"] == pytest.approx((0.6 + 0.4 / 3) * (0.6 + 0.4 / 2))
    for listed, chance in chances.items():
        assert seen[listed] / 4000 == pytest.approx(chance, abs=4 * np.sqrt(chance / 4000))


def test_when_nothing_ranked_is_left_any_other_follows():
    shown = epsilon_greedy(RANKED[:1], "xy", k=5, epsilon=0)
    assert [each.propensity for each in shown] == [1, 1 / 2, 1]
    assert epsilon_greedy([], k=3) == []


def test_the_seed_decides():
    assert thompson(RANKED, NEW, seed=4, places=[0]) == thompson(RANKED, NEW, seed=4, places=[0])
    answers = {names(epsilon_greedy(RANKED, "xyz", epsilon=0.5, seed=seed)) for seed in range(10)}
    assert len(answers) > 1
    assert epsilon_greedy(RANKED, "xyz", epsilon=0.5, seed=3) == epsilon_greedy(RANKED, "xyz", epsilon=0.5, seed=3)


def test_what_is_out_of_range_is_refused():
    with pytest.raises(InvalidInput, match="'x' has -1 clicks"):
        Newcomer("x", clicks=-1)
    with pytest.raises(InvalidInput, match=r"epsilon is 1\.5"):
        epsilon_greedy(RANKED, epsilon=1.5)
    for call in (thompson, epsilon_greedy):
        with pytest.raises(InvalidInput, match="k is 0"):
            call(RANKED, [], k=0)
