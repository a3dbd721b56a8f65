"""What JSON can spell and no database keeps."""

from __future__ import annotations

import json

import pytest

from sishu.core.strict_json import UNSTORABLE, refuse_constant


@pytest.mark.parametrize("name", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_are_none_are_refused(name):
    json.loads(f'{{"n": {name}}}')  # Python's reader takes them
    with pytest.raises(ValueError, match=f"^{name} is not JSON.$"):
        json.loads(f'{{"n": {name}}}', parse_constant=refuse_constant)


@pytest.mark.parametrize(
    ("spelled", "is_storable"),
    [
        (r'"a\u0000b"', False),
        (r'"\ud800"', False),
        (r'"\udfff"', False),
        (r'"\ud83c\udf75"', True),
        (r'"\ufffd"', True),
    ],
)
def test_nul_and_halves_of_characters_are_found(spelled, is_storable):
    assert (UNSTORABLE.search(json.loads(spelled)) is None) is is_storable
