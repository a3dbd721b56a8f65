"""Interactions and items handed to another process: written once, mapped there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sishu.estimators import archive
from sishu.estimators.interactions import Ids, Interactions
from sishu.estimators.items import Items

ROWS, ITEMS = "interactions.npz", "items.npz"


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
