"""Exact division of money."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sishu.commerce import splits
from sishu.commerce.splits import allocate, of_authors, of_line, of_sale
from sishu.ledger import chart

amounts = st.integers(0, 10**15)


@given(amounts, st.lists(st.integers(0, 10_000), min_size=1, max_size=12).filter(any))
def test_parts_sum_to_the_amount_and_stay_within_one_unit(amount, weights):
    parts = allocate(amount, weights)
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * sum(weights) - amount * weight) < sum(weights)
        assert weight or part == 0


def test_ties_go_to_the_earlier_position():
    assert allocate(100, [1, 1, 1]) == [34, 33, 33]
    assert allocate(5, [1, 1]) == [3, 2]


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [5, -1]])
def test_nothing_that_weighs_anything_is_refused(weights):
    with pytest.raises(ValueError, match="Cannot split"):
        allocate(100, weights)


def test_authors_get_what_the_platform_leaves_in_proportion():
    assert of_authors({7: 7000, 8: 3000}, 1000) == {7: 6300, 8: 2700}
    assert of_authors({7: 0, 8: 0, 9: 0}, 1000) == {7: 3000, 8: 3000, 9: 3000}
    assert of_authors({7: 1, 8: 0}, 1000) == {7: 9000}
    assert of_authors({7: 1}, 10_000) == {}
    assert of_authors({}, 1000) == {}


@given(amounts, st.lists(st.tuples(st.integers(1, 99), st.integers(1, 1000)), max_size=9, unique_by=lambda s: s[0]))
def test_the_platform_keeps_what_nobody_holds(amount, split):
    parts = of_line(amount, split)
    assert parts[0][0] is None
    assert sum(part for _, part in parts) == amount
    assert [payee for payee, _ in parts[1:]] == [payee for payee, _ in split]


def test_more_than_the_whole_is_refused():
    with pytest.raises(ValueError, match="more than the whole"):
        of_line(100, [(1, 6000), (2, 4001)])


@given(
    st.lists(
        st.tuples(
            st.integers(1, 10**9),
            st.lists(st.tuples(st.integers(1, 9), st.integers(1, 1000)), max_size=5, unique_by=lambda s: s[0]),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_a_sale_passes_clearing_and_leaves_nothing_there(lines):
    moves = of_sale("sandbox", sum(amount for amount, _ in lines), lines)
    assert moves[0].debit == chart.provider("sandbox")
    into = sum(m.amount for m in moves if m.credit == chart.CLEARING)
    out = sum(m.amount for m in moves if m.debit == chart.CLEARING)
    assert into == out == sum(amount for amount, _ in lines)
    assert all(m.amount > 0 for m in moves)


def test_money_that_buys_nothing_stands_under_its_payment():
    (move,) = splits.of_unapplied("sandbox", "pay0001", 5)
    assert (move.debit, move.credit, move.amount) == ("asset:psp:sandbox", "liability:unapplied:pay0001", 5)
