"""A log of clicks is checked when it is made, and parted by time alone."""

from __future__ import annotations

import numpy as np
import pytest

from sishu.estimators.clicks import Category, ClickLog, hash_of, join
from sishu.estimators.errors import InvalidInput

GOOD = {"clicked": [1, 0], "categories": {"ad": ["甲", "b"]}, "numbers": {"price": [1.5, 2]}, "times": [9, 5]}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"clicked": [1, 2]}, "clicked of row 1 is 2.0: clicks are 0 or 1"),
        ({"clicked": [1, np.nan]}, "clicked of row 1 is nan"),
        ({"clicked": ["yes", 0]}, "clicked holds what is no number"),
        ({"clicked": [1]}, "Columns are of one length"),
        ({"clicked": [[1, 0]]}, "has the shape"),
        ({"numbers": {"price": [1, np.inf]}}, "price of row 1 is inf"),
        ({"positions": [0.5, 1]}, "positions of row 0"),
        ({"propensities": [0.0, 1]}, "a propensity is above 0 and at most 1"),
        ({"propensities": [1.01, 1]}, "propensities of row 0 is 1.01"),
        ({"times": [1, np.nan]}, "The time of row 1"),
        ({"times": ["q", 1]}, "The times hold what is no number"),
        ({"categories": {"a:b": ["x", "y"]}}, "a name is not empty and holds none of"),
        ({"numbers": {"ad": [1, 2]}}, "given as names and as numbers"),
    ],
)
def test_what_is_wrong_is_refused_by_row_and_column(wrong, said):
    ClickLog.of(**GOOD)
    with pytest.raises(InvalidInput, match=said):
        ClickLog.of(**GOOD | wrong)


def test_rows_are_taken_with_all_their_columns():
    log = ClickLog.of(**GOOD, positions=[1, 2], propensities=[0.5, 0.25]).with_weights(np.array([1.0, 0.3]))
    later = log.take(np.array([1]))
    assert (later.count, later.clicked.tolist(), later.numbers["price"].tolist()) == (1, [0], [2])
    assert [later.category("ad").names[code] for code in later.category("ad").codes] == ["b"]
    assert (later.positions[0], later.propensities[0], later.times[0], later.weights[0]) == (2, 0.25, 5, 0.3)
    assert log.take(slice(1)).count == 1
    assert not log.clicked.flags.writeable


def test_later_rows_are_those_with_later_times():
    log = ClickLog.of([0, 1, 0, 1], numbers={"n": [3, 0, 2, 1]}, times=[30, 0, 20, 10])
    earlier, later = log.parted(0.25)
    assert (earlier.numbers["n"].tolist(), later.numbers["n"].tolist()) == ([0, 1, 2], [3])
    shares = [(a.numbers["n"].tolist(), b.numbers["n"].tolist()) for a, b in log.forward((0.5, 0.75))]
    assert shares == [([0, 1], [2]), ([0, 1, 2], [3])]
    assert [(len(a), len(b)) for a, b in log.take(slice(1)).forward((0.5, 0.75))] == [(1, 1)]


def test_rows_of_one_moment_stay_as_they_came():
    log = ClickLog.of(numbers={"n": [0, 1, 2]}, times=[5, 5, 5])
    assert log.ordered().numbers["n"].tolist() == [0, 1, 2]


def test_a_log_without_outcomes_or_rows_teaches_nothing():
    with pytest.raises(InvalidInput, match="does not say what was clicked"):
        ClickLog.of(categories={"ad": ["a"]}).outcomes  # noqa: B018
    with pytest.raises(InvalidInput, match="no row"):
        ClickLog.of([]).outcomes  # noqa: B018
    assert ClickLog.of([1, 1]).rate() == pytest.approx(2.5 / 3)


def test_logs_are_joined_by_name_and_not_by_code():
    first = ClickLog.of([1, 0], {"ad": ["a", "b"], "only here": ["x", "y"]}, times=[1, 2])
    second = ClickLog.of([0, 1], {"ad": ["b", "c"]}, times=[3, 4], positions=[1, 1])
    both = join([first, second])
    ads = both.category("ad")
    assert [ads.names[code] for code in ads.codes] == ["a", "b", "b", "c"]
    assert ads.hashes.tolist() == [hash_of(name) for name in ads.names]
    assert list(both.categories) == ["ad"]
    assert both.positions is None
    assert both.times.tolist() == [1, 2, 3, 4]


def test_a_name_has_one_hash_everywhere():
    assert hash_of("广告 1") == Category.of(["广告 1"]).hashes[0]
    assert hash_of("ad") == 11_298_271_982_064_993_254  # what is saved today is read next year


def test_the_place_may_be_a_name_like_any_other():
    log = ClickLog.of([1, 0, 0], {"ad": ["a", "b", "c"]}, positions=[2, 1, 2]).with_positions_named()
    column = log.categories["position"]
    assert (log.positions, column.names.many(column.codes)) == (None, ["2", "1", "2"])
    bare = log.with_positions_named()
    assert list(bare.categories) == ["ad", "position"]
