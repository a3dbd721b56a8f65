"""Ids as clients write them."""

from __future__ import annotations

import pytest

from sishu.core.ids import MAX_ID, parse_id


@pytest.mark.parametrize(("written", "number"), [("7", 7), (7, 7), ("0", 0), ("007", 7), (MAX_ID, MAX_ID)])
def test_a_whole_number_is_read(written: object, number: int):
    assert parse_id(written) == number


@pytest.mark.parametrize("written", [MAX_ID + 1, "9" * 5000, "-1", "1.0", 1.5, "", " 7", "７", True, None, [1], {}])
def test_what_no_column_counts_to_is_refused(written: object):
    with pytest.raises(ValueError, match=r"whole number|beyond"):
        parse_id(written)
