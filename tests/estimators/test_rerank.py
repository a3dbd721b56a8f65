"""Lists in another order, worked out by hand."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from sishu.estimators.base import Scored
from sishu.estimators.errors import InvalidInput
from sishu.estimators.interactions import Ids
from sishu.estimators.items import Items
from sishu.estimators.rerank import Cap, capped, mmr

IDS = Ids("abcd")
# b is nearly a; c is unlike both; of d nothing is known.
VECTORS = sparse.csr_matrix(np.array([[2, 0], [3, 1], [0, 5], [0, 0]], np.float32))
RANKED = [Scored("a", 10), Scored("b", 9), Scored("c", 6), Scored("d", 5)]


def names(listed) -> str:
    return "".join(each.item_id for each in listed)


def test_the_next_is_good_and_unlike_those_chosen():
    # r = 1, .8, .2, 0. After a: b .8b − (1−b) 3/√10, c .2b, d 0.
    assert names(mmr(RANKED, IDS, VECTORS, 4, balance=0.9)) == "abcd"
    turn = (3 / sqrt(10)) / (0.6 + 3 / sqrt(10))
    assert names(mmr(RANKED, IDS, VECTORS, 2, balance=turn + 0.01)) == "ab"
    assert names(mmr(RANKED, IDS, VECTORS, 2, balance=turn - 0.01)) == "ac"
    assert names(mmr(RANKED, IDS, VECTORS, 4, balance=0.5)) == "acdb"


def test_balance_of_one_keeps_the_order_and_scores_stay():
    assert mmr(RANKED, IDS, VECTORS, 3, balance=1) == RANKED[:3]
    assert mmr(RANKED, IDS, VECTORS, 99, balance=0.5)[1] == Scored("c", 6)


def test_equal_scores_and_unknown_items_are_no_trouble():
    level = [Scored("x", 1), Scored("a", 1), Scored("b", 1)]
    assert names(mmr(level, IDS, VECTORS, 3, balance=0.5)) == "xab"
    assert mmr([], IDS, VECTORS) == []
    assert names(mmr([Scored("x", 1)], Ids(()), sparse.csr_matrix((0, 3)))) == "x"


def test_of_one_maker_so_many_stand_in_the_first():
    items = Items(Ids("abcdef"), {"creator": list("XXXYYZ"), "tags": ["画|墨", "画", "墨", "画", "", "画"]})
    listed = [Scored(name, 9 - place) for place, name in enumerate("abcdef")]
    assert names(capped(listed, [Cap.of(items, "creator", 2)], k=4)) == "abdecf"
    assert names(capped(listed, [Cap.of(items, "creator", 2), Cap.of(items, "tags", 1)], k=2)) == "aebcdf"
    assert names(capped(listed, [Cap.of(items, "creator", 3)], k=6)) == "abcdef"


def test_where_too_few_may_stand_the_first_that_gave_way_fill_the_places():
    listed = [Scored(name, 1) for name in "abc"]
    assert names(capped(listed, [Cap({name: ["X"] for name in "abc"}, 1)], k=3)) == "abc"


def test_an_item_without_a_label_is_under_no_cap():
    listed = [Scored(name, 1) for name in "abc"]
    assert names(capped(listed, [Cap({"a": ["X"]}, 1)], k=3)) == "abc"
    assert capped(listed, []) == listed
    assert capped([], [Cap({}, 1)]) == []


@settings(deadline=None)
@given(st.lists(st.sampled_from("XYZ"), max_size=12), st.integers(1, 3), st.integers(1, 6))
def test_nothing_is_lost_and_the_first_are_within_the_cap(makers, at_most, k):
    listed = [Scored(str(place), -place) for place in range(len(makers))]
    labels = {str(place): [maker] for place, maker in enumerate(makers)}
    answer = capped(listed, [Cap(labels, at_most)], k)
    assert sorted(answer, key=lambda each: -each.score) == listed
    could = sum(min(makers.count(maker), at_most) for maker in "XYZ")
    first = [labels[each.item_id][0] for each in answer[: min(k, could)]]
    assert all(first.count(maker) <= at_most for maker in "XYZ")
    rest = answer[min(k, could) :]
    assert rest == sorted(rest, key=lambda each: -each.score)


def test_what_is_out_of_range_is_refused():
    with pytest.raises(InvalidInput, match="balance is 2"):
        mmr(RANKED, IDS, VECTORS, balance=2)
    with pytest.raises(InvalidInput, match="k is 0"):
        mmr(RANKED, IDS, VECTORS, k=0)
    with pytest.raises(InvalidInput, match="at_most is 0"):
        capped(RANKED, [Cap({}, 0)])
    with pytest.raises(InvalidInput, match="no field 'maker'"):
        Cap.of(Items(IDS, {}), "maker", 1)
