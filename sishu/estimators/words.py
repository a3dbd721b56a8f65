"""The words of a text in Chinese, in languages with spaces, or in both.

Chinese is cut as for a search, so that 清华大学 is also 清华 and 大学. Characters that make no word known to the
dictionary, as in names and in traditional script, are taken two by two. Everything else goes by letters and digits, in
lower case; `c++` and `c#` are words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import groupby

import rjieba

# Han, kana and the mark that repeats a character: they are written without spaces.
_UNSPACED = "\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_RUNS = re.compile(rf"([{_UNSPACED}]+)|([^\W_{_UNSPACED}]+(?:['’][^\W_{_UNSPACED}]+)*(?:\+\+|#)?)")

_ENGLISH = (
    "a about an and are as at be but by can do for from had has have he her his how i in into is it its my no not of on"
    " or our she so than that the their them then there these they this to us was we were what when which who why will"
    " with you your"
)
_CHINESE = (
    "的 了 和 是 在 我 有 就 不 也 很 到 说 要 去 你 会 着 这 那 与 及 或 等 为 对 从 将 被 把 让 吗 呢 吧 啊 之 其 而 以 于 都 他 她 它 们"
    " 我们 你们 他们 自己 没有 一个 这个 那个 如何 怎么 什么 以及 因为 所以 但是 可以"
)
STOP_WORDS = frozenset(f"{_ENGLISH} {_CHINESE}".split())  # words of any text, that say nothing of this one


def words(text: str) -> list[str]:
    """The words of `text` in their order, those that come again as well, stop words left out."""
    found: list[str] = []
    for unspaced, spaced in _RUNS.findall(_even(text)):
        found += _cut(unspaced) if unspaced else [spaced.replace("’", "'")]
    return [word for word in found if word not in STOP_WORDS]


def label(text: str) -> str:
    """A label as one word, however it is spaced and written."""
    return " ".join(_even(text).split())


def _even(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _cut(run: str) -> Iterator[str]:
    pieces = rjieba.cut_for_search(run, False)  # no guesses at new words: they would be cut here so and there so
    for is_unknown, some in groupby(pieces, key=lambda piece: len(piece) == 1 and piece not in STOP_WORDS):
        if not is_unknown:
            yield from some
            continue
        characters = "".join(some)
        yield from (characters[begin : begin + 2] for begin in range(max(1, len(characters) - 1)))
