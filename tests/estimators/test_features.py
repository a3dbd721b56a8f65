"""A log as numbers: every term has its column, and no row sees its own click."""

from __future__ import annotations

import numpy as np
import pytest

from sishu.estimators.clicks import ClickLog
from sishu.estimators.errors import InvalidInput
from sishu.estimators.features import Features
from sishu.estimators.terms import Term, keys, keys_of_each, matrix

LOG = ClickLog.of(
    [1, 0, 0, 1], {"ad": ["a", "b", "a", "b"], "city": ["x", "x", "y", "x"]}, {"price": [1.0, 2.0, 3.0, 6.0]}
)


@pytest.mark.parametrize("text", ["", "ad:", "rate(", "rate()", "rate(rate(ad))", "f(ad)"])
def test_what_is_no_term_is_refused(text):
    with pytest.raises(InvalidInput, match="is no term"):
        Term.of(text)


def test_the_matrix_of_ads_and_users_has_each_of_the_one_with_each_of_the_other():
    assert matrix(("ad", "kind"), ("city",)) == ("ad", "kind", "city", "ad:city", "kind:city")


def test_keys_are_equal_where_the_names_are_and_nowhere_else():
    other = ClickLog.of(categories={"city": ["x"], "ad": ["b"]})
    pairs = keys(LOG, ("ad", "city"))
    assert pairs[1] == pairs[3] == keys(other, ("ad", "city"))[0]
    every = [*set(pairs.tolist()), *keys(LOG, ("ad",)), *keys(LOG, ("city", "ad")), *keys(LOG, ("ad", "city"), seed=1)]
    assert len(set(every)) == 3 + 2 + 3 + 3


def test_buckets_are_filled_evenly():
    many = ClickLog.of(categories={"ad": range(64_000)})
    counts = np.bincount(keys(many, ("ad",)) >> np.uint64(58), minlength=64)
    assert 800 < counts.min() < counts.max() < 1200  # 1000 each, with a standard deviation of 31


def test_each_term_gives_one_entry_a_row():
    features = Features(("ad", "price", "ad:price", "rate(ad)"), bits=10).fit(LOG)
    made = features.transform(LOG)
    assert made.shape == (4, features.width) == (4, 1 + 2 + 2**10)
    assert np.diff(made.indptr).tolist() == [5] * 4
    standard = (np.array([1, 2, 3, 6]) - 3) / np.std([1, 2, 3, 6])
    assert made[:, 0].toarray().ravel().tolist() == [1] * 4
    assert made[:, 1].toarray().ravel() == pytest.approx(standard)
    assert np.sort(made.toarray()[0])[[0, -1]] == pytest.approx([standard[0], 1])  # the cross has the price's value
    assert made.toarray()[0, 3:].sum() == pytest.approx(1 + standard[0])


def test_a_rate_is_of_the_rows_before_while_learning_and_of_all_afterwards():
    log = ClickLog.of([1, 1, 0, 0], {"ad": ["a", "a", "b", "a"]})
    features = Features(("rate(ad)",), bits=1)
    learning = features.fit_transform(log)[:, 1].toarray().ravel()
    flipped = Features(("rate(ad)",), bits=1)
    flipped.fit(log)
    other = flipped.update(ClickLog.of([1, 1, 0, 1], {"ad": ["a", "a", "b", "a"]}))[:, 1].toarray().ravel()
    assert learning.tolist() == other.tolist()  # whatever the last row's click is
    assert learning[0] == learning[2] == 0  # nothing was known of these
    assert learning[3] > learning[1] > 0
    afterwards = features.transform(log)[:, 1].toarray().ravel()
    assert 0 < afterwards[0] == afterwards[3] < learning[3]
    assert afterwards[2] < 0


def test_learning_in_two_parts_is_learning_at_once():
    whole, parts = Features(("rate(ad)", "ad"), bits=4), Features(("rate(ad)", "ad"), bits=4)
    at_once = whole.fit_transform(LOG)
    parts.fit(LOG)
    pieces = [parts.update(LOG.take(slice(3))), parts.update(LOG.take(slice(3, None)))]
    assert np.vstack([piece.toarray() for piece in pieces]).tolist() == at_once.toarray().tolist()


@pytest.mark.parametrize(
    ("terms", "said"),
    [(("size",), "needs the column 'size'"), (("rate(price)",), "a rate is counted by name"), (("ad:",), "is no term")],
)
def test_a_term_that_the_log_cannot_fill_is_refused(terms, said):
    with pytest.raises(InvalidInput, match=said):
        Features(terms).fit(LOG)


def test_a_number_stays_a_number():
    features = Features(("price",), bits=4).fit(LOG)
    with pytest.raises(InvalidInput, match="give it as numbers again"):
        features.transform(ClickLog.of(categories={"price": ["dear"]}))


def test_a_column_that_says_nothing_divides_by_nothing():
    log = ClickLog.of([1, 0], {"ad": ["a", "a"]}, {"price": [5.0, 5.0]})
    assert np.isfinite(Features(("price", "rate(ad)")).fit_transform(log).data).all()


def test_columns_hashed_at_once_have_the_keys_that_they_have_alone():
    found = keys_of_each(LOG, ["city", "ad"], seed=3)
    assert found.tolist() == [keys(LOG, (name,), seed=3).tolist() for name in ("city", "ad")]
