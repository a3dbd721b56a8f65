"""Interactions and items out of tables: what counts as positive, when it was, and which line is wrong."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sishu.cli.evaluation import cells
from sishu.cli.evaluation.tables import Portion, Table
from sishu.estimators import columns
from sishu.estimators.errors import InvalidInput
from sishu.estimators.interactions import Ids, Interactions
from sishu.estimators.items import Items

ALIASES = {
    columns.USER: ("user", "uid", "reader_id", "visitor_id", "customer_id"),
    columns.ITEM: (
        "item",
        "iid",
        "movie_id",
        "anime_id",
        "anime_ids",
        "book_id",
        "product_id",
        "article_id",
        "work_id",
    ),
    columns.RATING: ("score", "stars", "feedback"),
    columns.WEIGHT: ("count", "plays", "value"),
    columns.DATETIME: ("timestamp", "time", "date", "unix_time", "created_at"),
}
COMPARISON = re.compile(r"(>=|<=|==|!=|>|<|=)\s*(-?\d+(?:\.\d+)?)")
COMPARE: dict[str, Callable[..., NDArray[np.bool_]]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt,
    "=": operator.eq, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
NOT_NEGATIVE = "a finite number that is not negative"


@dataclass
class Codes:
    """Ids as they come, each with the number of its first appearance."""

    seen: dict[str, int] = field(default_factory=dict)
    parts: list[NDArray[np.int64]] = field(default_factory=list)

    def add(self, names: Sequence[str]) -> None:
        seen = self.seen
        self.parts.append(np.fromiter((seen.setdefault(name, len(seen)) for name in names), np.int64, len(names)))


def read_interactions(table: Table, told: Callable[[int], None] = lambda rows: None) -> Interactions:
    """All rows of a file. The weight is the rating, or the weight, or 1 where there is neither.

    `told` hears how many rows are read. Raises InvalidInput that names file, line and column of what is wrong.
    """
    places = table.find(columns.USER, columns.ITEM, optional=(columns.RATING, columns.WEIGHT, columns.DATETIME))
    weight_column = columns.RATING if columns.RATING in places else columns.WEIGHT
    users, items = Codes(), Codes()
    weights: list[NDArray[np.float64]] = []
    times: list[NDArray[np.int64]] = []
    for portion in table.portions(places):
        for column, codes in ((columns.USER, users), (columns.ITEM, items)):
            _refuse_empty(table, portion, column)
            codes.add(portion.columns[column])
        if weight_column in places:
            weights.append(cells.numbers(table, portion, weight_column, NOT_NEGATIVE, lambda found: found >= 0))
        if columns.DATETIME in places:
            times.append(cells.moments(table, portion, columns.DATETIME))
        told(portion.first + len(portion.columns[columns.USER]))
    if not users.seen:
        raise InvalidInput(f"{table.path} has a header and no rows.")
    count = sum(map(len, users.parts))
    return Interactions.of_codes(
        Ids(users.seen), Ids(items.seen), np.concatenate(users.parts), np.concatenate(items.parts),
        np.concatenate(weights) if weights else np.ones(count), np.concatenate(times) if times else None,
    )  # fmt: skip


def read_items(table: Table, fields: Sequence[str] = ()) -> Items:
    """What is known of each item; the fields named, or all there are. Of an item that comes twice the first counts."""
    place = table.find(columns.ITEM)[columns.ITEM]
    header = table.header()
    if unknown := [name for name in fields if name not in header]:
        raise InvalidInput(f"{table.path} has no column {unknown[0]!r}; it has {', '.join(header)}.")
    wanted = [name for number, name in enumerate(header) if number != place and (not fields or name in fields)]
    places = {columns.ITEM: place} | {f"field {name}": header.index(name) for name in wanted}
    ids: dict[str, int] = {}
    texts: dict[str, list[str]] = {name: [] for name in wanted}
    for portion in table.portions(places):
        _refuse_empty(table, portion, columns.ITEM)
        for number, item in enumerate(portion.columns[columns.ITEM]):
            if item not in ids:
                ids[item] = len(ids)
                for name in wanted:
                    texts[name].append(portion.columns[f"field {name}"][number])
    return Items(Ids(ids), texts)


def positives(interactions: Interactions, condition: str) -> Interactions:
    """The rows that say yes, as `>=4` of ratings, with weight 1 and one for each pair; only ids that still occur."""
    found = COMPARISON.fullmatch(condition.strip())
    if not found:
        raise InvalidInput(f"{condition!r} is no condition: write it as '>=4' or '>0'.")
    is_positive = COMPARE[found[1]](interactions.weights, float(found[2]))
    if not is_positive.any():
        low, high = interactions.weights.min(), interactions.weights.max()
        raise InvalidInput(f"No row is {condition}: the values lie between {low:g} and {high:g}.")
    kept = interactions.take(is_positive).latest().compact()
    return kept.with_weights(np.ones(len(kept)))


def _refuse_empty(table: Table, portion: Portion, column: str) -> None:
    values = portion.columns[column]
    if "" in values:
        row = portion.first + values.index("")
        raise InvalidInput(f"{table.where(row)} has an empty {column}. Leave the row out, or give it an id.")


def column_map(said: str, known: Collection[str] = ALIASES) -> Mapping[str, str]:
    """`user_id=reader,item_id=work` as a map. Raises InvalidInput for what is no such pair of one of the `known`."""
    pairs = [part.partition("=") for part in said.split(",") if part.strip()]
    for ours, equals, theirs in pairs:
        if not equals or not theirs.strip() or ours.strip() not in known:
            raise InvalidInput(
                f"{ours}{equals}{theirs} names no column: write {', '.join(known)} as {next(iter(known))}=their_name."
            )
    return {ours.strip(): theirs.strip() for ours, _, theirs in pairs}
