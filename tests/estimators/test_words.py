"""What a word is, in Chinese and elsewhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sishu.estimators.words import STOP_WORDS, label, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" —…！？ ", []),
        ("清华大学", ["清华", "华大", "大学", "清华大学"]),
        ("鑫燚犇老师的课", ["鑫燚", "燚犇", "老师", "课"]),  # no word of a dictionary: by two
        ("機器學習", ["機器", "器學", "學習"]),
        ("画", ["画"]),
        ("我的画", ["画"]),
        ("The Art of Ink", ["art", "ink"]),
        ("Ｐｙｔｈｏｎ入门，C++ 与 C#", ["python", "入门", "c++", "c#"]),
        ("don’t DON'T snake_case", ["don't", "don't", "snake", "case"]),
        ("第3课 2024年", ["第", "3", "课", "2024", "年"]),
        ("Straße ÉCOLE", ["strasse", "école"]),
        ("ひらがな", ["ひら", "らが", "がな"]),
        ("한국어 책", ["한국어", "책"]),
        ("\ud800中国\x00", ["中国"]),
    ],
)  # fmt: skip
def test_the_words_of_a_text(text, expected):
    assert words(text) == expected


@given(st.text())
def test_any_text_has_words_and_none_is_a_stop_word_or_blank(text):
    found = words(text)
    assert all(word and not any(character.isspace() for character in word) for word in found)
    assert not STOP_WORDS & set(found)


def test_a_label_is_one_word_however_it_is_written():
    assert label(" Slice  of Life ") == label("slice of ＬＩＦＥ") == "slice of life"
