"""Click logs out of tables: read in portions, joined, and parted into what is learnt from and what is asked about."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sishu.cli.evaluation import cells
from sishu.cli.evaluation.data import Codes
from sishu.cli.evaluation.tables import Portion, Table
from sishu.estimators import clicks
from sishu.estimators.clicks import Category, ClickLog
from sishu.estimators.errors import InvalidInput
from sishu.estimators.interactions import Ids

Floats = NDArray[np.float64]
LATER = 0.3  # the share of each log that is asked about
LEAST = 2  # rows of either outcome: of fewer AUC has no interval


@dataclass(frozen=True)
class Part:
    """Some rows of a log, as `ClickLog` has them."""

    clicked: Floats
    names: Mapping[str, Sequence[str]]
    numbers: Mapping[str, Floats] = field(default_factory=dict)
    positions: Floats | None = None
    propensities: Floats | None = None
    times: NDArray[np.int64] | None = None


class Format(ABC):
    """One way to write a click log down. One object reads one file.

    `places`: the columns to read, by what the file calls them. `remark`: what a person should know once it is read.
    """

    remark: str = ""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.places: Mapping[str, int] = {}

    @abstractmethod
    def part(self, portion: Portion) -> Part:
        """What these rows say. Raises InvalidInput that names file, line and column of what is wrong."""

    def clicked(self, portion: Portion, column: str) -> Floats:
        return cells.numbers(self.table, portion, column, "0 or 1", lambda found: (found == 0) | (found == 1))

    def positions(self, portion: Portion, column: str) -> Floats:
        return cells.numbers(
            self.table, portion, column, "a whole number from 0", lambda found: (found >= 0) & (found % 1 == 0)
        )

    def propensities(self, portion: Portion, column: str) -> Floats:
        wanted = "a chance above 0 and at most 1"
        return cells.numbers(self.table, portion, column, wanted, lambda found: (found > 0) & (found <= 1))

    def with_gaps(self, portion: Portion, column: str) -> tuple[Floats, NDArray[np.bool_]]:
        """Numbers of which some cells are empty: 0 there; and which are not empty."""
        values = portion.columns[column]
        filled = Portion(portion.first, {column: ["0" if value == "" else value for value in values]})
        found = cells.numbers(self.table, filled, column, "a finite number, or nothing,")
        return found, np.array([value != "" for value in values])


def read(form: Format, told: Callable[[int], None] = lambda rows: None) -> ClickLog:
    """All rows of a file, in its order. `told` hears how many are read."""
    names: dict[str, Codes] = defaultdict(Codes)
    columns: dict[str, list[NDArray[Any]]] = defaultdict(list)
    for portion in form.table.portions(form.places):
        part = form.part(portion)
        for name, values in part.names.items():
            names[name].add(values)
        for name, numbers in {"/click": part.clicked, **part.numbers}.items():
            columns[name].append(numbers)
        for name in ("positions", "propensities", "times"):
            if (values_of := getattr(part, name)) is not None:
                columns[f"/{name}"].append(values_of)
        told(portion.first + len(next(iter(portion.columns.values()))))
    if not columns:
        raise InvalidInput(f"{form.table.path} has a header and no rows.")
    whole = {name: np.concatenate(parts) for name, parts in columns.items()}
    return ClickLog.of(
        whole.pop("/click"),
        {name: Category.of_codes(Ids(codes.seen), np.concatenate(codes.parts)) for name, codes in names.items()},
        positions=whole.pop("/positions", None), propensities=whole.pop("/propensities", None),
        times=whole.pop("/times", None), numbers=whole,
    )  # fmt: skip


def parted(logs: Sequence[ClickLog]) -> tuple[ClickLog, ClickLog]:
    """The first 70 % of each log by time, or as it stands where it has no times, together; and what comes after.

    Raises InvalidInput where either part is all of one outcome, or all but one: nothing can be told apart by it.
    """
    whole = _varied(clicks.join([log.ordered() for log in logs]))
    if whole.clicked is not None and not 0 < whole.clicked.sum() < whole.count:
        every = "not one is" if not whole.clicked.any() else "every one is"
        raise InvalidInput(
            f"Of {whole.count:,} rows {every} clicked: there is nothing to tell apart. Is it the right column?"
        )
    if not whole.categories and not whole.numbers and whole.positions is None:
        raise InvalidInput("Every column holds the same in all rows: there is nothing to learn clicks from.")
    age = np.concatenate([np.arange(log.count) / log.count for log in logs])
    is_later = np.concatenate([np.arange(log.count) >= round(log.count * (1 - LATER)) for log in logs])
    # Without times, rows of several logs stand beside each other by how far on each is in its own.
    order = np.argsort(age, kind="stable") if whole.times is None else np.argsort(whole.times, kind="stable")
    earlier, later = (whole.take(order[is_later[order] == side]) for side in (False, True))
    for part, said in ((earlier, f"first {1 - LATER:.0%}"), (later, f"last {LATER:.0%}")):
        count = int(part.outcomes.sum()) if part.count else 0
        if not LEAST <= count <= part.count - LEAST:
            raise InvalidInput(
                f"Of the {said} of the rows {count:,} of {part.count:,} are clicked: a comparison needs two that are"
                " and two that are not in either part. Give a longer log."
            )
    return earlier, later


def _varied(log: ClickLog) -> ClickLog:
    """Without columns in which every row has the same name: they say nothing of any."""
    names = {name: column for name, column in log.categories.items() if len(column.names) > 1}
    return replace(log, categories=names)
