"""Interactions and items out of tables: what counts as positive, when it was, and which line is wrong."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

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
# Unix times of more digits are of milliseconds or microseconds: as seconds the first is of the year 5138.
MILLISECONDS, MICROSECONDS = 1e11, 1e14


@dataclass
class _Codes:
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
    users, items = _Codes(), _Codes()
    weights: list[NDArray[np.float64]] = []
    times: list[NDArray[np.int64]] = []
    for portion in table.portions(places):
        for column, codes in ((columns.USER, users), (columns.ITEM, items)):
            _refuse_empty(table, portion, column)
            codes.add(portion.columns[column])
        if weight_column in places:
            weights.append(_weights(table, portion, weight_column))
        if columns.DATETIME in places:
            times.append(_times(table, portion))
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


def _weights(table: Table, portion: Portion, column: str) -> NDArray[np.float64]:
    values = portion.columns[column]
    try:
        numbers = np.array(values, dtype=np.float64)
        wrong = np.flatnonzero(~np.isfinite(numbers) | (numbers < 0))
        if not len(wrong):
            return numbers
        row = int(wrong[0])
    except ValueError:
        row = next(number for number, value in enumerate(values) if not _is_number(value))
    raise InvalidInput(
        f"{table.where(portion.first + row)} has {values[row]!r} as {column}: a finite number that is not negative is wanted."
    )


def _times(table: Table, portion: Portion) -> NDArray[np.int64]:
    values = portion.columns[columns.DATETIME]
    try:
        return _to_seconds(np.array(values, dtype=np.float64))
    except ValueError:
        return np.fromiter(_dates(table, portion, values), np.int64, len(values))


def _to_seconds(numbers: NDArray[np.float64]) -> NDArray[np.int64]:
    if not np.isfinite(numbers).all():
        raise ValueError("not a time")
    largest = np.abs(numbers).max(initial=0)
    unit = 1e6 if largest >= MICROSECONDS else 1e3 if largest >= MILLISECONDS else 1
    return np.floor(numbers / unit).astype(np.int64)


def _dates(table: Table, portion: Portion, values: Sequence[str]) -> Iterator[int]:
    for row, value in enumerate(values):
        try:
            moment = datetime.fromisoformat(value.strip())
        except ValueError as error:
            raise InvalidInput(
                f"{table.where(portion.first + row)} has {value!r} as {columns.DATETIME}: seconds since 1970 or a date as"
                " 2026-11-28 09:30:00 is wanted."
            ) from error
        yield int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _is_number(value: str) -> bool:
    try:
        return bool(np.isfinite(float(value))) and float(value) >= 0
    except ValueError:
        return False


def column_map(said: str) -> Mapping[str, str]:
    """`user_id=reader,item_id=work` as a map. Raises InvalidInput for what is no such pair."""
    pairs = [part.partition("=") for part in said.split(",") if part.strip()]
    for ours, equals, theirs in pairs:
        if not equals or not theirs.strip() or ours.strip() not in ALIASES:
            raise InvalidInput(f"{ours}{equals}{theirs} names no column: write {', '.join(ALIASES)} as user_id=reader.")
    return {ours.strip(): theirs.strip() for ours, _, theirs in pairs}
