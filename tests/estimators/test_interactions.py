"""Rows are checked once, at the door; after that nobody has to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sishu.estimators.errors import InvalidInput
from sishu.estimators.interactions import History, Ids, Interactions

NAMES = st.text(min_size=1, max_size=6)


def test_any_string_is_an_id_and_is_found_again():
    rows = Interactions.of(["王 小明", "a", "王 小明"], ["第 1 课", "第 1 课", " "])
    assert rows.shape == (2, 2)
    assert (rows.user_ids.names, rows.item_ids.names) == (("王 小明", "a"), ("第 1 课", " "))
    assert rows.user_ids.positions(["a", "nobody"]).tolist() == [1, -1]


def test_ids_of_mixed_types_are_their_text():
    assert Interactions.of([1, "1", 2.5], ["x", "x", "x"]).user_ids.names == ("1", "2.5")


def test_rows_stand_by_user_then_time_and_those_of_one_moment_as_they_came():
    rows = Interactions.of(["b", "a", "b", "a", "b"], ["1", "2", "3", "4", "5"], times=[9, 5, 3, 5, 9])
    assert [rows.history(user).items for user in (0, 1)] == [("3", "1", "5"), ("2", "4")]
    assert rows.history(0).times == (3, 9, 9)


def test_a_pair_that_comes_again_is_added_up_or_the_last_is_kept():
    rows = Interactions.of(["a", "a", "a"], ["x", "y", "x"], [5, 1, 2], [1, 2, 3])
    assert rows.matrix.toarray().tolist() == [[7, 1]]
    assert rows.latest().matrix.toarray().tolist() == [[2, 1]]


@given(st.lists(st.tuples(NAMES, NAMES, st.integers(0, 9), st.integers(0, 99)), min_size=1, max_size=30))
def test_nothing_is_lost_on_the_way_in(rows):
    users, items, weights, times = zip(*rows, strict=True)
    made = Interactions.of(users, items, weights, times)
    back = [
        (name, *row)
        for position, name in enumerate(made.user_ids)
        for row in zip(*(getattr(made.history(position), part) for part in ("items", "weights", "times")), strict=True)
    ]
    assert sorted(back) == sorted(rows)
    assert made.matrix.sum() == sum(weights)
    compact = made.take(made.weights > 4).compact()
    assert len(compact) == sum(weight > 4 for weight in weights)
    assert set(compact.user_ids) == {user for user, _, weight, _ in rows if weight > 4}


@pytest.mark.parametrize("weight", [float("nan"), float("inf"), -1.0, 1e39])
def test_a_weight_that_is_none_is_refused_with_its_row(weight):
    with pytest.raises(InvalidInput, match=r"row 1 \(user 'b', item 'y'\)"):
        Interactions.of(["a", "b"], ["x", "y"], [1, weight])
    with pytest.raises(InvalidInput, match="not negative"):
        History(("x",), (weight,))


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(InvalidInput, match="2 users and 1 items"):
        Interactions.of(["a", "b"], ["x"])
    with pytest.raises(InvalidInput, match="2 users and 3 times"):
        Interactions.of(["a", "b"], ["x", "y"], times=[1, 2, 3])
    with pytest.raises(InvalidInput, match="1 items has 2 weights"):
        History(("x",), (1.0, 2.0))


def test_times_are_seconds_or_dates_and_never_partly_missing():
    dates = np.array(["2026-11-28T00:00:01", "1970-01-01"], "datetime64[ms]")
    assert Interactions.of(["a", "b"], ["x", "x"], times=dates).times.tolist() == [1_795_824_001, 0]
    with pytest.raises(InvalidInput, match="Row 1 has no time"):
        Interactions.of(["a", "b"], ["x", "x"], times=np.array(["2026-11-28", "NaT"], "datetime64[s]"))
    with pytest.raises(InvalidInput, match="time of row 0 is nan"):
        Interactions.of(["a"], ["x"], times=[float("nan")])

    with pytest.raises(InvalidInput, match="time of row 1 is 1e\\+30"):
        Interactions.of(["a", "b"], ["x", "x"], times=[1, 1e30])


def test_what_is_no_number_is_refused():
    with pytest.raises(InvalidInput, match=r"The weights hold what is no number: .*'bad'"):
        Interactions.of(["a", "b"], ["x", "y"], weights=["5", "bad"])
    with pytest.raises(InvalidInput, match=r"The times hold what is no number: .*'yesterday'"):
        Interactions.of(["a"], ["x"], times=["yesterday"])


@pytest.mark.parametrize("missing", [None, float("nan"), np.float32("nan"), ""])
def test_a_row_without_an_id_is_refused(missing):
    with pytest.raises(InvalidInput, match="Row 1 has no user"):
        Interactions.of(["a", missing], ["x", "y"])
    with pytest.raises(InvalidInput, match="Row 0 has no item"):
        Interactions.of(["a", "b"], [missing, "y"])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"users": np.array([0, 2])}, "The user of row 1 is at 2: there are 2, from 0"),
        ({"items": np.array([-1, 0])}, "The item of row 0 is at -1"),
        ({"weights": np.array([1, np.nan])}, "The weight of row 1 .* is nan"),
        ({"weights": np.ones(3)}, "2 users and 3 weights"),
        ({"users": np.array([1, 0])}, "not sorted by user, then time"),
        ({"users": np.array([0, 0]), "times": np.array([9, 5])}, "not sorted by user, then time"),
    ],
)
def test_rows_made_without_of_are_checked_too(wrong, said):
    good = {"users": np.array([0, 1]), "items": np.array([0, 0]), "weights": np.ones(2)}
    ids = Ids(["a", "b"]), Ids(["x"])
    Interactions(*ids, **good)
    with pytest.raises(InvalidInput, match=said):
        Interactions(*ids, **good | wrong)
    if "sorted" not in said:
        with pytest.raises(InvalidInput, match=said):
            Interactions.of_codes(*ids, **good | wrong)


def test_other_weights_are_checked_and_stay_their_owners():
    rows, weights = Interactions.of(["a", "b"], ["x", "y"]), np.array([2.0, 3.0])
    assert rows.with_weights(weights).weights.tolist() == [2, 3]
    weights[0] = 1
    with pytest.raises(InvalidInput, match="The weight of row 0"):
        rows.with_weights(-weights)
    with pytest.raises(InvalidInput, match="2 users and 3 weights"):
        rows.with_weights(np.ones(3))


def test_what_was_checked_cannot_be_changed():
    rows = Interactions.of(["a"], ["x"], times=[1])
    for array in (rows.users, rows.items, rows.weights, rows.times):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_a_catalogue_adds_the_items_nobody_had_and_keeps_the_rows():
    rows = Interactions.of(["a"], ["x"]).with_catalogue(["new", "x", "new"])
    assert rows.item_ids.names == ("x", "new")
    assert rows.matrix.toarray().tolist() == [[1, 0]]


def test_ids_are_equal_by_their_names():
    assert Ids(["a", "b"]) == Ids(["a", "b"]) != Ids(["b", "a"])
    assert "a" in Ids(["a"])
    assert hash(Ids(["a"])) == hash(Ids(["a"]))
