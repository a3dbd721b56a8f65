"""The words of a body: for counting, for comparing, for the search index."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sishu.content import markdown

_NOT_LETTERS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of a body below one heading. `heading` is empty for what comes before the first."""

    heading: str
    words: int


def text_of(block: dict[str, Any]) -> str:
    """The plain words of one raw block; none for a block that is no text to read."""
    value = block.get("value")
    match block["type"]:
        case "prose" if isinstance(value, str):
            return markdown.plain_text(value)
        case "code" if isinstance(value, dict):
            return str(value.get("code") or "")
        case "callout" if isinstance(value, dict):
            parts = [str(value.get("title") or ""), markdown.plain_text(str(value.get("text") or ""))]
            return "\n".join(part for part in parts if part)
        case "image" | "embed" if isinstance(value, dict):
            return str(value.get("caption") or "")
        case "file" if isinstance(value, dict):
            return str(value.get("title") or "")
    return ""


def full_text(raw: Iterable[dict[str, Any]]) -> str:
    """All plain words of a body, block after block."""
    return "\n".join(text for block in raw if (text := text_of(block)))


def digest(text: str) -> str:
    """SHA-256 of the letters and digits alone: spaces, punctuation, width and case make no new text. Empty for none."""
    letters = _NOT_LETTERS.sub("", unicodedata.normalize("NFKC", text).casefold())
    return sha256(letters.encode()).hexdigest() if letters else ""


def sections(raw: Iterable[dict[str, Any]]) -> list[Section]:
    """The body's sections in order, each with its number of words. A section without a heading and words is left out."""
    found: list[tuple[str, list[str]]] = [("", [])]
    for block in raw:
        lines = text_of(block).split("\n")
        names = [heading.text for heading in markdown.headings(block["value"])] if block["type"] == "prose" else []
        for line in lines:
            if names and line == names[0]:
                found.append((names.pop(0), []))
            else:
                found[-1][1].append(line)
    counted = [Section(heading, markdown.count_words("\n".join(lines))) for heading, lines in found]
    return [section for section in counted if section.heading or section.words]
