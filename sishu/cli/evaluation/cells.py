"""Cells of a table as numbers and as moments; what is neither is named by its file, line and column."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from sishu.cli.evaluation.tables import Portion, Table
from sishu.estimators.errors import InvalidInput

Floats = NDArray[np.float64]
# Unix times of more digits are of milliseconds or microseconds: as seconds the first is of the year 5138.
MILLISECONDS, MICROSECONDS = 1e11, 1e14


def numbers(
    table: Table,
    portion: Portion,
    column: str,
    wanted: str = "a finite number",
    is_right: Callable[[Floats], NDArray[np.bool_]] = np.isfinite,
) -> Floats:
    """A column, (rows,). Raises InvalidInput for a cell that is no finite number or is not `is_right`."""
    values = portion.columns[column]
    try:
        found = np.array(values, dtype=np.float64)
        wrong = np.flatnonzero(~(np.isfinite(found) & is_right(found)))
        if not len(wrong):
            return found
        row = int(wrong[0])
    except ValueError:
        row = next(number for number, value in enumerate(values) if not is_number(value))
    refuse(table, portion, column, row, wanted)


def moments(table: Table, portion: Portion, column: str) -> NDArray[np.int64]:
    """A column of Unix times or dates as whole seconds since 1970, (rows,)."""
    values = portion.columns[column]
    try:
        return _to_seconds(np.array(values, dtype=np.float64))
    except ValueError:
        return np.fromiter(_dates(table, portion, column), np.int64, len(values))


def refuse(table: Table, portion: Portion, column: str, row: int, wanted: str) -> NoReturn:
    """Say what stands in this row of the portion, and what should."""
    value = portion.columns[column][row]
    raise InvalidInput(f"{table.where(portion.first + row)} has {value!r} as {column}: {wanted} is wanted.")


def is_number(value: str) -> bool:
    """Whether a cell reads as a finite number."""
    try:
        return bool(np.isfinite(float(value)))
    except ValueError:
        return False


def _to_seconds(found: Floats) -> NDArray[np.int64]:
    if not np.isfinite(found).all():
        raise ValueError("not a time")
    largest = np.abs(found).max(initial=0)
    unit = 1e6 if largest >= MICROSECONDS else 1e3 if largest >= MILLISECONDS else 1
    return np.floor(found / unit).astype(np.int64)


def _dates(table: Table, portion: Portion, column: str) -> Iterator[int]:
    values: Sequence[str] = portion.columns[column]
    for row, value in enumerate(values):
        try:
            moment = datetime.fromisoformat(value.strip())
        except ValueError:
            refuse(table, portion, column, row, "seconds since 1970 or a date as 2026-11-28 09:30:00")
        yield int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
