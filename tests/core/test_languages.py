"""The pair of languages."""

from __future__ import annotations

import pytest
from django.utils import translation

from sishu.core import languages


@pytest.mark.parametrize(
    ("tag", "code"),
    [("zh", "zh-hans"), ("zh-TW", "zh-hans"), ("ZH-Hans", "zh-hans"), ("en-GB", "en"), ("fr", None), ("", None)],
)
def test_a_language_is_known_by_its_first_part(tag, code):
    assert languages.find(tag) == code


def test_the_other_language_of_the_pair():
    assert [languages.other_than(code) for code in ("zh-hans", "en")] == ["en", "zh-hans"]


def test_names_are_parted_as_the_reader_parts_them():
    names = languages.listed(["A", "B"])
    with translation.override("en"):
        assert str(names) == "A, B"
    with translation.override("zh-hans"):
        assert str(names) == "A、B"
