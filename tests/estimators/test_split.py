"""What may be learnt from, what is asked: never both."""

from __future__ import annotations

import numpy as np
import pytest

from sishu.estimators import split
from sishu.estimators.errors import InvalidInput
from sishu.estimators.interactions import Interactions
from sishu.estimators.ranking import test_users as users_of
from tests.estimators.worlds import circles, ratings


def pairs(rows):
    return sorted(zip(rows.users.tolist(), rows.items.tolist(), rows.weights.tolist(), strict=True))


@pytest.mark.parametrize(
    "part",
    [split.holdout, split.leave_last, split.cold_items, lambda rows: next(iter(split.folds(rows)))],
    ids=["holdout", "leave_last", "cold_items", "folds"],
)
def test_every_row_is_on_one_side_and_ids_stay(part):
    rows = ratings()
    parted = part(rows)
    assert sorted(pairs(parted.train) + pairs(parted.test)) == pairs(rows)
    assert parted.train.item_ids is parted.test.item_ids is rows.item_ids
    assert pairs(part(rows).test) == pairs(parted.test)  # the same every time


def test_a_share_of_each_user_is_held_out_and_small_users_stay_whole():
    rows = Interactions.of(["a"] * 10 + ["b"] * 5 + ["c"] * 4, [f"i{n}" for n in range(19)])
    parted = split.holdout(rows)
    assert np.bincount(parted.test.users, minlength=3).tolist() == [2, 1, 0]
    assert np.bincount(parted.train.users, minlength=3).tolist() == [8, 4, 4]
    assert pairs(split.holdout(rows, seed=43).test) != pairs(parted.test)


def test_an_item_that_somebody_had_often_is_on_one_side_with_all_its_rows():
    rows = Interactions.of(["a"] * 18, [f"i{n}" for n in range(6)] * 3, times=range(18))
    parted = split.holdout(rows)
    assert (len(parted.train), len(parted.test)) == (15, 3)
    assert not {*parted.train.items.tolist()} & {*parted.test.items.tolist()}
    with pytest.raises(InvalidInput, match="nothing is left to ask about"):
        split.leave_last(rows)  # the last is of an item that a had before


def test_what_weighs_nothing_is_not_wanted():
    rows = Interactions.of(["a"] * 10 + ["b"] * 10, [f"i{n}" for n in range(10)] * 2, [0.0] * 10 + [1.0] * 10)
    parted = split.holdout(rows)
    assert np.diff(parted.relevant.indptr).tolist() == [0, 2]
    assert users_of(parted).tolist() == [1]


def test_held_out_rows_are_drawn_without_favour():
    rows = Interactions.of(["a"] * 10, [f"i{n}" for n in range(10)])
    drawn = np.concatenate([split.holdout(rows, seed=seed).test.items for seed in range(500)])
    assert np.abs(np.bincount(drawn, minlength=10) - 100).max() < 45  # 4.9 standard deviations of 500 draws of 1 in 5


def test_the_last_by_the_clock_is_left_out():
    rows = Interactions.of(["a", "b", "a", "a", "b"], ["x", "y", "z", "w", "v"], times=[3, 9, 1, 2, 8])
    parted = split.leave_last(rows)
    assert [rows.item_ids[item] for item in parted.test.items] == ["x"]  # b has only two
    assert [rows.item_ids[item] for item in split.leave_last(rows, at_least=2).test.items] == ["x", "y"]


def test_by_time_the_future_is_asked_about_and_what_train_holds_is_not():
    rows = Interactions.of(["a"] * 6 + ["b"] * 4, list("uvwxyu") + list("uvwx"), times=range(10))
    parted = split.by_time(rows, 0.5)
    assert parted.train.times.max() < parted.test.times.min() == 6  # the row at 5 is a's second of u
    assert pairs(parted.test) == [(1, 0, 1.0), (1, 1, 1.0), (1, 2, 1.0), (1, 3, 1.0)]


def test_cold_items_have_no_row_in_train_and_only_they_are_ranked():
    rows = circles()
    parted = split.cold_items(rows)
    assert len(parted.candidates) == 8
    assert sorted(parted.candidates) != parted.candidates.tolist()  # not by who was met first, and so is popular
    assert not np.isin(parted.train.items, parted.candidates).any()
    assert np.isin(parted.test.items, parted.candidates).all()


def test_each_row_is_in_one_fold():
    rows = ratings()
    asked = [row for fold in split.folds(rows, 5) for row in pairs(fold.test)]
    assert sorted(asked) == pairs(rows)


def test_what_cannot_be_parted_is_refused():
    one = Interactions.of(["a"], ["x"], times=[1])
    for part in (split.holdout, split.leave_last):
        with pytest.raises(InvalidInput, match="No user has enough rows"):
            part(one)
    with pytest.raises(InvalidInput, match="of one moment"):
        split.by_time(Interactions.of(["a", "b"], ["x", "y"], times=[1, 1]))
    with pytest.raises(InvalidInput, match="1 rows cannot be parted into 5 folds"):
        next(split.folds(one))
    with pytest.raises(InvalidInput, match="have no times"):
        split.leave_last(Interactions.of(["a"], ["x"]))
    with pytest.raises(InvalidInput, match="between 0 and 1"):
        split.holdout(one, share=1.5)
