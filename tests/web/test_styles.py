"""The style sheets dress what the pages show, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from sishu.content.markdown import render
from sishu.web.covers import CLOTHS

HOUSE = Path(__file__).resolve().parents[2] / "sishu"
SHEETS = sorted((HOUSE / "web/assets/css").glob("*.css"))
# Put together from parts where they are written.
COMPOSED = {f"cloth-{cloth}" for cloth in CLOTHS} | {"sum-of-1", "sum-of-2"}


def classes() -> set[str]:
    plain = (re.sub(r"/\*.*?\*/|url\([^)]*\)", "", sheet.read_text(), flags=re.DOTALL) for sheet in SHEETS)
    return {
        name for css in plain for rule in re.findall(r"[^{};]+\{", css) for name in re.findall(r"\.([a-z][\w-]*)", rule)
    }


def words() -> set[str]:
    """Every word of the templates, the Python and the scripts of the house."""
    files = (path for kind in ("*.html", "*.py", "*.js") for path in HOUSE.rglob(kind) if "build" not in path.parts)
    return {word for path in files for word in re.findall(r"[\w-]+", path.read_text(encoding="utf-8"))}


def test_every_class_of_the_style_sheets_is_on_some_page():
    assert classes() - words() == COMPOSED


def test_a_table_is_aligned_as_the_style_sheets_say():
    html = render("| a | b |\n|:-:|--:|\n| 1 | 2 |")
    assert {"align-center", "align-right"} <= set(re.findall(r'class="([\w-]+)"', html)) & classes()
