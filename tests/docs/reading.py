"""The documentation as tests read it: its files, and the tables and examples in them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"


def section(page: str, heading: str) -> str:
    """What stands below one heading of a reference page, up to the next heading of the same rank. KeyError for none."""
    text = (REFERENCE / page).read_text(encoding="utf-8")
    rank = len(heading) - len(heading.lstrip("#"))
    found = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^#{{1,{rank}}} |\Z)", text, re.DOTALL | re.MULTILINE)
    if found is None:
        raise KeyError(f"{page} has no heading {heading!r}.")
    return found[1]


def rows(page: str, heading: str = "") -> list[list[str]]:
    """The rows of all tables of a reference page, or below one heading, without their heads, cell by cell."""
    text = section(page, heading) if heading else (REFERENCE / page).read_text(encoding="utf-8")
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")
    ]
    rules = [number for number, row in enumerate(cells) if set("".join(row)) <= set("-: ")]
    heads = {number - 1 for number in rules}
    return [row for number, row in enumerate(cells) if number not in heads and number not in rules]


def words(cell: str) -> list[str]:
    """What stands in backticks in a cell."""
    return re.findall(r"`([^`]+)`", cell)


def examples(page: str, language: str) -> list[tuple[str, str]]:
    """(what stands behind the language, text) of the fenced blocks of that language at the left edge of a page."""
    text = (REFERENCE / page).read_text(encoding="utf-8")
    fence = rf"^(`{{3,}}){re.escape(language)}\b([^\n`]*)\n(.*?)\n\1$"
    return [(about.strip(), body) for _marks, about, body in re.findall(fence, text, re.DOTALL | re.MULTILINE)]
