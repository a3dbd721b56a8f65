"""What was taken after what, counted by hand."""

from __future__ import annotations

from math import exp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sishu.estimators.errors import InvalidInput, OverBudget
from sishu.estimators.interactions import History, Interactions
from sishu.estimators.rules import Rules


def walks(*paths: str, **more) -> Interactions:
    """One user for each path, one letter after the other."""
    steps = [(f"u{user}", item, day) for user, path in enumerate(paths) for day, item in enumerate(path)]
    users, items, days = zip(*steps, strict=True)
    return Interactions.of(users, items, times=np.array(days), **more)


def rule(model: Rules, first: str, then: str) -> float:
    ids = model.item_ids_.by_name
    return float(model.weights_[ids[first], ids[then]])


def test_a_rule_is_one_by_the_distance_and_by_how_often_its_item_was_met():
    model = Rules(window=2, shrinkage=0).fit(walks("abcd", "ac", "bac"))
    assert rule(model, "a", "c") == pytest.approx((1 / 2 + 1 + 1) / 3)
    assert rule(model, "a", "b") == pytest.approx(1 / 3)
    assert rule(model, "b", "a") == pytest.approx(1 / 2)
    assert rule(model, "a", "d") == 0  # three steps away, and the window is of two
    assert rule(model, "c", "a") == 0
    assert rule(model, "d", "a") == 0


def test_what_was_seen_once_is_believed_less():
    model = Rules(shrinkage=3).fit(walks("ab", "ab", "ab", "cd"))
    assert rule(model, "a", "b") == pytest.approx(3 / (3 + 3))
    assert rule(model, "c", "d") == pytest.approx(1 / (1 + 3))


def test_weights_count_on_both_sides():
    model = Rules(shrinkage=0).fit(Interactions.of("uuu", "abc", [2, 3, 0], [1, 2, 3]))
    assert rule(model, "a", "b") == pytest.approx(2 * 3 / 2)
    assert rule(model, "b", "c") == 0
    assert model.weights_.nnz == 1


def test_events_of_one_moment_follow_each_other():
    ordered = Interactions.of("uuu", "abc", times=[1, 2, 2])
    model = Rules(shrinkage=0).fit(ordered)
    assert rule(model, "b", "c") == rule(model, "c", "b") == 1
    assert rule(model, "b", "a") == rule(model, "c", "a") == 0


def test_without_times_rows_stand_as_they_came():
    model = Rules(shrinkage=0).fit(Interactions.of("uuvv", "abba"))
    assert rule(model, "a", "b") == rule(model, "b", "a") == 1 / 2


def test_an_item_does_not_follow_itself():
    model = Rules(shrinkage=0).fit(walks("aab"))
    assert rule(model, "a", "a") == 0
    assert rule(model, "a", "b") == pytest.approx((1 / 2 + 1) / 2)


def test_the_newest_of_a_history_counts_most():
    model = Rules(tau=2, shrinkage=0).fit(walks("ax", "by"))
    scores = dict(zip(model.item_ids_, model.score(History(tuple("ab"), (3.0, 1.0))), strict=True))
    assert scores["y"] == pytest.approx(1)
    assert scores["x"] == pytest.approx(3 * exp(-1 / 2))
    assert [each.item_id for each in model.recommend(History(tuple("ab")))] == ["y", "x"]


def test_a_reason_is_the_item_after_which_it_was_taken():
    model = Rules(tau=2, shrinkage=0).fit(walks("ax", "bx"))
    reasons = model.explain(History(tuple("ab")), "x")
    assert [reason.because for reason in reasons] == ["b", "a"]
    assert [reason.contribution for reason in reasons] == pytest.approx([1, exp(-1 / 2)])


def test_similar_is_what_is_taken_after():
    model = Rules().fit(walks("abc", "ab"))
    assert [each.item_id for each in model.similar("a")] == ["b", "c"]
    assert model.similar("c") == []


def test_only_the_strongest_are_kept():
    model = Rules(window=3, top_k=2, shrinkage=0).fit(walks("abcd"))
    assert (rule(model, "a", "b"), rule(model, "a", "c"), rule(model, "a", "d")) == (1, 0.5, 0)


@given(st.lists(st.text("abcde", min_size=1, max_size=8), min_size=1, max_size=6), st.integers(1, 4))
def test_weights_are_those_of_a_loop(paths, window):
    expected: dict[tuple[str, str], float] = {}
    for path in paths:
        for place, first in enumerate(path):
            for distance, then in enumerate(path[place + 1 : place + 1 + window], start=1):
                if first != then:
                    expected[first, then] = expected.get((first, then), 0) + 1 / distance
    met = "".join(paths)
    model = Rules(window=window, shrinkage=1).fit(walks(*paths))
    assert model.weights_.nnz == len(expected)
    for (first, then), total in expected.items():
        assert rule(model, first, then) == pytest.approx(total / (met.count(first) + 1))


def test_blocks_do_not_show(monkeypatch):
    rows = walks("abcabcabd", "dcba", "bbbbac")
    whole = Rules().fit(rows).weights_
    monkeypatch.setattr("sishu.estimators.rules.BLOCK_PAIRS", 8)
    assert (Rules().fit(rows).weights_ != whole).nnz == 0


def test_fifty_thousand_events_of_one_user_are_scored_by_the_newest():
    rng = np.random.default_rng(1)
    items = [f"i{item}" for item in rng.integers(0, 300, 50_000)]
    model = Rules().fit(Interactions.of(["u"] * len(items), items, times=np.arange(len(items))))
    assert model.score("u") == pytest.approx(model.score(History(tuple(items[-100:]))), rel=1e-6)
    assert len(model.explain("u", "i7")) <= 51
    assert sum(reason.contribution for reason in model.explain("u", "i7")) == pytest.approx(
        model.score("u")[model.item_ids_.by_name["i7"]], rel=1e-4
    )


def test_a_single_event_leads_nowhere():
    model = Rules().fit(walks("a"))
    assert model.weights_.nnz == 0
    assert model.recommend("u0") == []


@pytest.mark.parametrize(
    ("name", "value"), [("window", 0), ("tau", 0), ("shrinkage", -1), ("top_k", 0), ("memory_limit", 0)]
)
def test_a_parameter_out_of_range_is_named(name, value):
    with pytest.raises(InvalidInput, match=f"{name} is {value}"):
        Rules(**{name: value}).fit(walks("ab"))


def test_memory_is_refused_before_it_is_taken():
    with pytest.raises(OverBudget, match=r"Rules of 2 events would take about 128\.0 MiB, and 1\.0 MiB is allowed"):
        Rules(memory_limit=2**20).fit(walks("ab"))
