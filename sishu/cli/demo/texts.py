"""Reading the demo's files."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
LANGUAGES = {"zh": "zh-hans", "en": "en"}


@dataclass(frozen=True, slots=True)
class Text:
    """One work in one language. `amount` in minor units, None where it is not sold singly."""

    slug: str
    language: str
    title: str
    summary: str
    body: str
    author: str
    coauthors: dict[str, int]
    category: str
    tags: tuple[str, ...]
    amount: int | None
    published_at: datetime


def site() -> dict[str, Any]:
    """What the school is called, who teaches, how its shelves are ordered."""
    return tomllib.loads((FOLDER / "site.toml").read_text(encoding="utf-8"))


def works() -> dict[str, list[Text]]:
    """The works by slug, oldest first; each with its languages, the house's own first."""
    found: dict[str, list[Text]] = {}
    for file in sorted((FOLDER / "works").glob("*.md"), key=lambda f: f.name.endswith(".en.md")):
        text = _text(file)
        found.setdefault(text.slug, []).append(text)
    return dict(sorted(found.items(), key=lambda item: item[1][0].published_at))


def _text(file: Path) -> Text:
    slug, language, _suffix = file.name.rsplit(".", 2)
    _before, head, body = file.read_text(encoding="utf-8").split("+++\n", 2)
    front = tomllib.loads(head)
    return Text(
        slug=slug,
        language=LANGUAGES[language],
        title=front["title"],
        summary=front["summary"],
        body=body.strip(),
        author=front["author"],
        coauthors={name: front.get("coauthor_bps", {}).get(name, 0) for name in front.get("coauthors", [])},
        category=front["category"],
        tags=tuple(front["tags"]),
        amount=front.get("amount"),
        published_at=front["published"],
    )
