"""Full-text search that finds Chinese words, on each of the three databases.

Their own tokenizers see a Chinese sentence as one word, drop words of two letters, or both. So we give them terms of our
own making: each run of Han or kana becomes its characters and pairs of neighbours, in hexadecimal; every other word gets
a prefix that keeps it clear of length limits and stop words. A query becomes pairs (or one character), all of which must
be there. Wagtail calls `SearchBackend`; the studio's own search goes the same way.
"""

from __future__ import annotations

import re
import unicodedata
from importlib import import_module
from typing import Any

from modelsearch.backends import database
from modelsearch.query import MATCH_NONE, And, Boost, Fuzzy, MatchAll, Not, Or, Phrase, PlainText, SearchQuery

MAX_QUERY_TERMS = 24
MAX_QUERY_LENGTH = 200
MAX_WORD_LENGTH = 40

_CJK = "\u3005\u3007\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORDS = re.compile(rf"([{_CJK}]+)|([^\W_{_CJK}]+)")


def index_terms(text: str) -> list[str]:
    """Everything a query may look for in a text."""
    terms: list[str] = []
    for run, word in _words(text):
        terms += (
            [_encode(run[at : at + size]) for size in (1, 2) for at in range(len(run) - size + 1)] if run else [word]
        )
    return terms


def query_terms(text: str) -> list[str]:
    """What a text must contain to answer a query, without repeats; the first 24 decide."""
    terms: list[str] = []
    for run, word in _words(text[:MAX_QUERY_LENGTH]):
        pairs = [_encode(run[at : at + 2]) for at in range(len(run) - 1)]
        terms += (pairs or [_encode(run)]) if run else [word]
    return list(dict.fromkeys(terms))[:MAX_QUERY_TERMS]


def _words(text: str) -> list[tuple[str, str]]:
    """(run of Han or kana, "") or ("", prefixed other word), in order."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return [(run, "zw" + word[:MAX_WORD_LENGTH] if word else "") for run, word in _WORDS.findall(folded)]


def _encode(characters: str) -> str:
    return "z" + "".join(f"{ord(character):04x}" for character in characters)


def convert(query: SearchQuery) -> SearchQuery:
    """The same query over our terms."""
    match query:
        case PlainText():
            terms = query_terms(query.query_string)
            return PlainText(" ".join(terms), operator=query.operator) if terms else MATCH_NONE
        case Phrase() | Fuzzy():
            terms = query_terms(query.query_string)
            return PlainText(" ".join(terms)) if terms else MATCH_NONE
        case And() | Or():
            return type(query)([convert(part) for part in query.subqueries])
        case Not():
            return query if isinstance(query.subquery, MatchAll) else Not(convert(query.subquery))
        case Boost():
            return convert(query.subquery)
    return query


class _Converted:
    """Mixed into a backend's query compilers."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.query = convert(self.query)  # type: ignore[has-type]


def SearchBackend(params: dict[str, Any]) -> Any:  # noqa: N802  the name Wagtail looks for
    """The database's own backend, taught to read our terms."""
    base = database.SearchBackend(params)
    module = import_module(type(base).__module__)
    _teach_indexer(module)
    taught = type(
        "SearchBackend",
        (type(base),),
        {
            name: type(name, (_Converted, getattr(base, name)), {})
            for name in ("query_compiler_class", "autocomplete_query_compiler_class")
        },
    )
    return taught(params)


def _teach_indexer(module: Any) -> None:
    """Rebind `ObjectIndexer`: `add_items` looks it up in its module, and there is no public door. Pinned, and tested."""
    plain = module.ObjectIndexer
    if getattr(plain, "writes_our_terms", False):
        return

    class ObjectIndexer(plain):  # type: ignore[misc,valid-type]
        writes_our_terms = True

        def prepare_value(self, value: Any) -> str:
            if isinstance(value, list | dict):
                return super().prepare_value(value)  # comes back here for each part
            return " ".join(index_terms(str(value)))

    module.ObjectIndexer = ObjectIndexer
