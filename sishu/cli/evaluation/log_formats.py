"""How the public click logs are written down, and any table beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import floor, log
from pathlib import Path

import numpy as np

from sishu.cli.evaluation import cells
from sishu.cli.evaluation.logs import Floats, Format, Part
from sishu.cli.evaluation.tables import Portion, Table
from sishu.estimators import columns
from sishu.estimators.clicks import RESERVED
from sishu.estimators.errors import InvalidInput
from sishu.estimators.items import Items

ALIASES = {
    columns.CLICK: ("clicked", "is_click", "label"),
    columns.ITEM: ("item", "ad_id", "ad", "creative_id"),
    columns.POSITION: ("place", "slot", "rank"),
    columns.PROPENSITY: ("propensity_score", "pscore", "probability"),
    columns.DATETIME: ("timestamp", "time", "date", "unix_time", "created_at"),
}
WAY_OUT = "Name the columns with --columns, as click=clicked,datetime=when, or take another --format."
AFFINITY = "user-item_affinity_"
CRITEO_NUMBERS = tuple(f"I{number}" for number in range(1, 14))
CRITEO_NAMES = tuple(f"C{number}" for number in range(1, 27))
AVAZU_HOUR = re.compile(r"\d{8}")


class OpenBandit(Format):
    """The Open Bandit Dataset (Saito et al. 2021): what a fashion shop recommended, with propensities.

    An item is numbered within its campaign, which the file tells only by how many items it has. Of the reader's
    affinities only that to the item shown is kept. `items`: the item context, which adds its features.
    """

    def __init__(self, table: Table, items: Items | None = None) -> None:
        super().__init__(table)
        header = table.header()
        features = [name for name in header if name.startswith("user_feature_")]
        self.affinities = [name for name in header if name.startswith(AFFINITY)]
        self.features, self.context = features, _Context(items) if items else None
        wanted = ("timestamp", "item_id", "position", "click", "propensity_score", *features, *self.affinities)
        self.places = table.find(*wanted)

    def part(self, portion: Portion) -> Part:
        cell = portion.columns
        shown = cells.numbers(
            self.table, portion, "item_id", self._wanted(), lambda found: (found >= 0) & (found % 1 == 0)
        ).astype(np.int64)
        names: dict[str, Sequence[str]] = {name: cell[name] for name in self.features}
        numbers: dict[str, Floats] = {}
        campaign = f" of {len(self.affinities)}" if self.affinities else ""
        names[columns.ITEM] = [f"{number}{campaign}" for number in shown.tolist()]
        if self.affinities:
            numbers["affinity"] = self._affinity(portion, shown)
        if self.context:
            names |= self.context.names(cell["item_id"])
            numbers |= self.context.numbers(cell["item_id"])
        return Part(
            self.clicked(portion, "click"), names, numbers, self.positions(portion, "position"),
            self.propensities(portion, "propensity_score"), cells.moments(self.table, portion, "timestamp"),
        )  # fmt: skip

    def _wanted(self) -> str:
        return f"a whole number from 0 to {len(self.affinities) - 1}" if self.affinities else "a whole number from 0"

    def _affinity(self, portion: Portion, shown: np.ndarray) -> Floats:
        column_of = {name: number for number, name in enumerate(self.affinities)}
        place = np.array([column_of.get(f"{AFFINITY}{number}", -1) for number in shown.tolist()])
        if (place < 0).any():
            cells.refuse(self.table, portion, "item_id", int(np.flatnonzero(place < 0)[0]), self._wanted())
        every = np.stack([cells.numbers(self.table, portion, name) for name in self.affinities])
        return every[place, np.arange(len(place))]


class Criteo(Format):
    """Criteo's display advertising logs: a label, 13 counts, 26 hashed names, by tabs, without a header.

    A count is taken twice: as its logarithm, and as a name of its size, ⌊ln² x⌋ (Juan et al. 2014, the winning entry
    of the challenge on these data), so that what is missing has a name too. There is no time: rows are in order.
    """

    def __init__(self, table: Table) -> None:
        super().__init__(table)
        names = ("label", *CRITEO_NUMBERS, *CRITEO_NAMES)
        if not table.is_parquet:
            header = table.header()
            if len(header) != len(names):
                raise InvalidInput(
                    f"{table.path}, line 1, has {len(header)} columns parted by tabs, and a log of Criteo has {len(names)}:"
                    " a label, 13 numbers, 26 names. Is it another --format?"
                )
        self.places = table.find(*names)

    def part(self, portion: Portion) -> Part:
        names: dict[str, Sequence[str]] = {name: portion.columns[name] for name in CRITEO_NAMES}
        numbers: dict[str, Floats] = {}
        for name in CRITEO_NUMBERS:
            counts, is_known = self.with_gaps(portion, name)
            numbers[f"log {name}"] = np.log1p(np.maximum(counts, 0))
            names[name] = [_size(count) if known else "" for count, known in zip(counts, is_known, strict=True)]
        return Part(self.clicked(portion, "label"), names, numbers)


class Avazu(Format):
    """Avazu's log of mobile advertising: names, and the hour as YYMMDDHH.

    A copy that goes round has every row six times: what repeats a row before it, its id included, is left out.
    """

    def __init__(self, table: Table) -> None:
        super().__init__(table)
        table.find("id", columns.CLICK, "hour")
        self.places = {name.lower(): place for place, name in enumerate(table.header()) if name}
        self.seen: set[int] = set()  # hashes: the rows themselves would take gigabytes
        self.read = 0

    @property
    def remark(self) -> str:  # type: ignore[override]
        left_out = self.read - len(self.seen)
        if not left_out:
            return ""
        return (
            f"{self.table.path}: {left_out:,} of {self.read:,} rows repeat a row before them, id and all, and are left out:"
            f" {len(self.seen):,} stay."
        )

    def part(self, portion: Portion) -> Part:
        clicked, times = self.clicked(portion, columns.CLICK), self._times(portion)
        kept = []
        for number, row in enumerate(zip(*portion.columns.values(), strict=True)):
            if (key := hash(row)) not in self.seen:
                self.seen.add(key)
                kept.append(number)
        self.read += len(clicked)
        names = {
            name: [values[number] for number in kept]
            for name, values in portion.columns.items()
            if name not in ("id", columns.CLICK, "hour")
        }
        names["hour"] = [portion.columns["hour"][number][6:] for number in kept]
        return Part(clicked[kept], names, times=times[kept])

    def _times(self, portion: Portion) -> np.ndarray:
        moments: dict[str, int] = {}
        for row, value in enumerate(portion.columns["hour"]):
            if value not in moments:
                try:
                    moment = datetime.strptime(value, "%y%m%d%H").replace(tzinfo=UTC)
                except ValueError:
                    moment = None
                if not moment or not AVAZU_HOUR.fullmatch(value):
                    cells.refuse(self.table, portion, "hour", row, "an hour as YYMMDDHH")
                moments[value] = int(moment.timestamp())
        return np.array([moments[value] for value in portion.columns["hour"]])


class AnyTable(Format):
    """Any table with a header: every column that has no part of its own is what was known.

    `numbers`: which columns are numbers; None for those that in the first portion hold numbers alone and a fraction
    among them, since whole numbers are as a rule ids. All others are names. Where numbers are missing, whether one is
    there is a name.
    """

    def __init__(self, table: Table, numbers: Sequence[str] | None = None) -> None:
        super().__init__(table)
        header = [_safe(name) for name in table.header()]
        if twice := [name for name in header if name and header.count(name) > 1]:
            raise InvalidInput(f"{table.path} has two columns {twice[0]!r}: give each a name of its own.")
        found = table.find(
            columns.CLICK, optional=(columns.ITEM, columns.POSITION, columns.PROPENSITY, columns.DATETIME)
        )
        self.parts = {ours: header[place] for ours, place in found.items()}
        taken = {name for ours, name in self.parts.items() if ours != columns.ITEM}
        self.places = {name: place for place, name in enumerate(header) if name}  # an index of rows has no name
        self.free = [name for name in self.places if name not in taken]
        if not self.free:
            raise InvalidInput(f"{table.path} has no column beside {', '.join(taken)}: nothing is known of any row.")
        if unknown := [name for name in numbers or () if _safe(name) not in self.free]:
            raise InvalidInput(f"{table.path} has no column {unknown[0]!r} for numbers; it has {', '.join(self.free)}.")
        self.numbers = None if numbers is None else [_safe(name) for name in numbers]

    @property
    def remark(self) -> str:  # type: ignore[override]
        return f"{self.table.path}: numbers: {', '.join(self.numbers or ()) or 'none'}; names: all others."

    def part(self, portion: Portion) -> Part:
        if self.numbers is None:
            self.numbers = [name for name in self.free if _holds_fractions(portion.columns[name])]
        names: dict[str, Sequence[str]] = {}
        numbers: dict[str, Floats] = {}
        for name in self.free:
            if name not in self.numbers:
                called = columns.ITEM if name == self.parts.get(columns.ITEM) else name
                names[called] = portion.columns[name]
                continue
            numbers[name], is_known = self.with_gaps(portion, name)
            names[f"{name} known"] = np.where(is_known, "yes", "no").tolist()
        place, chance, moment = (
            self.parts.get(ours) for ours in (columns.POSITION, columns.PROPENSITY, columns.DATETIME)
        )
        return Part(
            self.clicked(portion, self.parts[columns.CLICK]), names, numbers,
            self.positions(portion, place) if place else None,
            self.propensities(portion, chance) if chance else None,
            cells.moments(self.table, portion, moment) if moment else None,
        )  # fmt: skip


class _Context:
    """What is known of each item: features that are numbers, 0 where one is missing, and names."""

    def __init__(self, items: Items) -> None:
        fields = {name: list(values) for name, values in items.fields.items() if name}
        self.row = {item: number for number, item in enumerate(items.ids)}
        self.of_numbers = {
            name: np.array([float(value or 0) for value in values])
            for name, values in fields.items()
            if _holds_fractions(values)
        }
        self.of_names = {name: values for name, values in fields.items() if name not in self.of_numbers}

    def names(self, shown: Sequence[str]) -> Mapping[str, Sequence[str]]:
        rows = [self.row.get(item) for item in shown]
        return {name: ["" if row is None else values[row] for row in rows] for name, values in self.of_names.items()}

    def numbers(self, shown: Sequence[str]) -> Mapping[str, Floats]:
        rows = [self.row.get(item) for item in shown]
        return {
            name: np.array([0.0 if row is None else values[row] for row in rows])
            for name, values in self.of_numbers.items()
        }


def _size(count: float) -> str:
    return str(floor(log(count) ** 2)) if count > 2 else f"={count:g}"


def _holds_fractions(values: Sequence[str]) -> bool:
    there = [value for value in values if value]
    return any("." in value for value in there) and all(map(cells.is_number, there))


def _safe(name: str) -> str:
    """A name of a column that a term may hold."""
    return "".join("_" if sign in RESERVED else sign for sign in name)


@dataclass(frozen=True)
class Asked:
    """What the command line says of the files besides their format."""

    items: Items | None = None
    numbers: Sequence[str] | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    encoding: str = "utf-8-sig"


def opened(path: Path, form: str, asked: Asked) -> Format:
    """The file in its format. Raises InvalidInput where its columns are not those of the format."""
    if form == "criteo":
        by_place = {name: str(number) for number, name in enumerate(("label", *CRITEO_NUMBERS, *CRITEO_NAMES), 1)}
        is_parquet = path.suffix == ".parquet"  # whose columns have names
        return Criteo(Table(path, {} if is_parquet else by_place, {}, "\t", asked.encoding, WAY_OUT))
    if form == "csv":
        return AnyTable(Table(path, asked.columns, ALIASES, "", asked.encoding, WAY_OUT), asked.numbers)
    table = Table(path, {}, {}, "", asked.encoding, WAY_OUT)
    return OpenBandit(table, asked.items) if form == "obd" else Avazu(table)


FORMATS = ("obd", "criteo", "avazu", "csv")
