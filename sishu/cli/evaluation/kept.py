"""Interactions, items and click logs handed to another process: written once, mapped there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sishu.estimators import archive
from sishu.estimators.clicks import Category, ClickLog
from sishu.estimators.interactions import Ids, Interactions
from sishu.estimators.items import Items

ROWS, ITEMS = "interactions.npz", "items.npz"
COLUMNS = ("clicked", "positions", "propensities", "times", "weights")  # of a log, each of which may not be there


def write(folder: Path, rows: Interactions, items: Items | None) -> None:
    state = {name: getattr(rows, name) for name in ("user_ids", "item_ids", "users", "items", "weights", "times")}
    archive.write(folder / ROWS, "Interactions", {}, state)
    if items is not None:
        texts = {f"field {number}": Ids(texts) for number, texts in enumerate(items.fields.values())}
        archive.write(folder / ITEMS, "Items", {}, {"ids": items.ids, "names": list(items.fields), **texts})


def read(folder: Path) -> tuple[Interactions, Items | None]:
    state: dict[str, Any] = archive.read(folder / ROWS, "Interactions")[1]
    rows = Interactions(**state)
    if not (folder / ITEMS).exists():
        return rows, None
    _, state = archive.read(folder / ITEMS, "Items")
    fields = {name: state[f"field {number}"].names for number, name in enumerate(state["names"])}
    return rows, Items(state["ids"], fields)


def write_log(path: Path, log: ClickLog) -> None:
    # Columns are numbered: an archive parts the names of its arrays at a dot.
    state: dict[str, Any] = {"count": log.count, "names": list(log.categories), "numbers": list(log.numbers)}
    state |= {name: getattr(log, name) for name in COLUMNS}
    for number, column in enumerate(log.categories.values()):
        state |= {f"names {number}": column.names, f"codes {number}": column.codes, f"hashes {number}": column.hashes}
    state |= {f"numbers {number}": column for number, column in enumerate(log.numbers.values())}
    archive.write(path, "ClickLog", {}, state)


def read_log(path: Path) -> ClickLog:
    _, state = archive.read(path, "ClickLog")
    categories = {
        name: Category(*(state[f"{part} {number}"] for part in ("names", "codes", "hashes")))
        for number, name in enumerate(state["names"])
    }
    numbers = {name: state[f"numbers {number}"] for number, name in enumerate(state["numbers"])}
    return ClickLog(state["count"], categories=categories, numbers=numbers, **{name: state[name] for name in COLUMNS})
