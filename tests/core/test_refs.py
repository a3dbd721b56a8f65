"""Soft links between packages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sishu.core.refs import parse_ref, ref


def test_a_link_names_the_thing_and_its_key():
    assert ref("order", 42) == "order:42"
    assert parse_ref("order:42") == ("order", "42")


@given(st.text(min_size=1).filter(lambda noun: ":" not in noun), st.one_of(st.integers(), st.text(min_size=1)))
def test_a_link_reads_back_whatever_the_key_holds(noun, key):
    assert parse_ref(ref(noun, key)) == (noun, str(key))


@pytest.mark.parametrize("link", ["", "order", "order:", ":42", ":"])
def test_what_is_no_link_is_refused(link):
    with pytest.raises(ValueError, match="not a link of the form noun:key"):
        parse_ref(link)
