"""Money is an exact count of minor units: it never mixes currencies, never rounds, and reads back as it was written."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sishu.core.money import DIGITS, MAX_AMOUNT, Money, check_amount, parse_decimal, parse_fixed

CURRENCIES = ["CNY", "USD", "CHF", "JPY", "KWD"]  # two digits with a symbol and without, none, three
currencies = st.sampled_from(CURRENCIES)
# Sums of three stay within the bounds.
amounts = st.integers(-(MAX_AMOUNT // 3), MAX_AMOUNT // 3)


@pytest.mark.parametrize("amount", [True, 9.9, 9.0, "990", Decimal(990), None])
def test_only_whole_numbers_are_amounts(amount):
    with pytest.raises(TypeError, match="int of minor units"):
        Money(amount, "CNY")


@pytest.mark.parametrize(
    ("amount", "least", "fits"),
    [(0, 0, True), (-1, 0, False), (0, 1, False), (1, 1, True), (MAX_AMOUNT, 0, True), (MAX_AMOUNT + 1, 0, False)],
)
def test_amounts_have_bounds(amount, least, fits):
    if fits:
        assert check_amount(amount, least=least) == amount
        return
    with pytest.raises(ValueError, match="is outside"):
        check_amount(amount, least=least)


def test_a_sum_beyond_what_a_column_holds_is_refused():
    with pytest.raises(ValueError, match="is outside"):
        Money(MAX_AMOUNT, "CNY") + Money(1, "CNY")
    with pytest.raises(ValueError, match="is outside"):
        Money(-MAX_AMOUNT, "CNY") - Money(1, "CNY")


@given(amounts, amounts, amounts, currencies)
def test_it_adds_up_as_whole_numbers_do(a, b, c, currency):
    one, two, three = (Money(amount, currency) for amount in (a, b, c))
    nothing = Money(0, currency)
    assert one + two == two + one == Money(a + b, currency)
    assert (one + two) + three == one + (two + three)
    assert one - two == one + -two == -(two - one)
    assert one + nothing == one
    assert one - one == nothing
    assert bool(one) is (a != 0)
    assert (one < two) is (a < b)


@pytest.mark.parametrize("reckon", [Money.__add__, Money.__sub__])
def test_currencies_do_not_mix(reckon):
    with pytest.raises(ValueError, match="Cannot mix CNY and USD"):
        reckon(Money(1, "CNY"), Money(1, "USD"))


@pytest.mark.parametrize(
    ("money", "full", "short"),
    [
        (Money(990, "CNY"), "¥9.90", "¥9.90"),
        (Money(3000, "CNY"), "¥30.00", "¥30"),
        (Money(10, "CNY"), "¥0.10", "¥0.10"),
        (Money(123_456_700, "USD"), "$1,234,567.00", "$1,234,567"),
        (Money(-5, "EUR"), "−€0.05", "−€0.05"),
        (Money(1200, "JPY"), "JP¥1,200", "JP¥1,200"),
        (Money(12_000, "KWD"), "KWD 12.000", "KWD 12"),
        (Money(0, "CHF"), "CHF 0.00", "CHF 0"),
    ],
)
def test_it_is_written_as_its_currency_is(money, full, short):
    assert (str(money), money.short()) == (full, short)


@given(amounts, currencies)
def test_what_is_written_reads_back(amount, currency):
    money = Money(amount, currency)
    for grouped in (False, True):
        assert parse_decimal(money.decimal(grouped=grouped), currency) == abs(amount)
    assert Money(**json.loads(json.dumps(money.as_json()))) == money


@given(amounts, currencies)
def test_the_short_form_says_the_same_as_the_full_one(amount, currency):
    number = "".join(sign for sign in Money(amount, currency).short() if sign.isdigit() or sign == ".")
    assert parse_decimal(number, currency) == abs(amount)


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("9.9", "CNY", 990), (" 9 ", "CNY", 900), ("1,234.50", "USD", 123_450), ("9.900", "CNY", 990), ("9.", "CNY", 900),
        ("12", "JPY", 12), ("12.0", "JPY", 12), ("0.001", "KWD", 1), ("007", "CNY", 700), ("0", "CNY", 0),
    ],
)  # fmt: skip
def test_what_people_type_is_read_exactly(text, currency, amount):
    assert parse_decimal(text, currency) == amount


@pytest.mark.parametrize(
    ("text", "currency", "why"),
    [
        ("", "CNY", "not an amount"), ("nine", "CNY", "not an amount"), ("-1", "CNY", "not an amount"),
        ("+1", "CNY", "not an amount"), ("1e3", "CNY", "not an amount"), (".5", "CNY", "not an amount"),
        ("1.2.3", "CNY", "not an amount"), ("1.-5", "CNY", "not an amount"), ("¥9", "CNY", "not an amount"),
        ("９", "CNY", "not an amount"), ("1.５", "CNY", "not an amount"), ("²", "CNY", "not an amount"),
        ("9.999", "CNY", "more than 2 decimals"), ("9.5", "JPY", "more than 0 decimals"),
        ("1000000000000000.01", "CNY", "is outside"),
    ],
)  # fmt: skip
def test_what_is_not_exact_is_refused_and_never_rounded(text, currency, why):
    with pytest.raises(ValueError, match=why):
        parse_decimal(text, currency)


@given(st.text())
def test_whatever_is_typed_is_an_exact_amount_or_a_value_error(text):
    try:
        amount = parse_fixed(text, 2)
    except ValueError:
        return
    assert Decimal(text.strip().replace(",", "")) * 100 == amount


def test_digits_are_those_of_the_standard():
    assert {code: DIGITS.get(code, 2) for code in CURRENCIES} == {"CNY": 2, "USD": 2, "CHF": 2, "JPY": 0, "KWD": 3}
