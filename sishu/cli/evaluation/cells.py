"""Cells of a table as numbers and as moments; what is neither is named by its file, line and column."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from math import isfinite, nan
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from sishu.cli.evaluation.tables import Portion, Table
from sishu.estimators.errors import InvalidInput
from sishu.estimators.interactions import YEAR_10000

Floats = NDArray[np.float64]
# Unix times of more digits are of milliseconds or microseconds: as seconds the first is of the year 5138.
MILLISECONDS, MICROSECONDS = 1e11, 1e14
MOMENT = "seconds since 1970 or a date as 2026-11-28 09:30:00"


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
    """A column of Unix times and dates as whole seconds since 1970, (rows,).

    Each cell is a number, in the unit that its size tells, or else a date. Raises InvalidInput for the first that is
    neither, or is beyond the year 9999.
    """
    values = portion.columns[column]
    try:
        numbers = np.array(values, dtype=np.float64)
    except ValueError:
        numbers = np.array([_number(value) for value in values])
    found = _to_seconds(numbers)
    for row in np.flatnonzero(np.isnan(numbers)).tolist():
        found[row] = _of_date(values[row])
    if len(wrong := np.flatnonzero(~(np.abs(found) < YEAR_10000))):
        refuse(table, portion, column, int(wrong[0]), MOMENT)
    return np.floor(found).astype(np.int64)


def refuse(table: Table, portion: Portion, column: str, row: int, wanted: str) -> NoReturn:
    """Say what stands in this row of the portion, and what should."""
    value = portion.columns[column][row]
    raise InvalidInput(f"{table.where(portion.first + row)} has {value!r} as {column}: {wanted} is wanted.")


def is_number(value: str) -> bool:
    """Whether a cell reads as a finite number."""
    return isfinite(_number(value))


def _number(value: str) -> float:
    """NaN for what is none."""
    try:
        return float(value)
    except ValueError:
        return nan


def _to_seconds(numbers: Floats) -> Floats:
    """Each in its own unit: a file may be put together from several."""
    size = np.abs(numbers)
    return numbers / np.select([size >= MICROSECONDS, size >= MILLISECONDS], [1e6, 1e3], 1.0)


def _of_date(value: str) -> float:
    """Seconds since 1970; NaN for what is no date. One without a zone is UTC."""
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        return nan
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
