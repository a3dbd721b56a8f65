"""Tables for spreadsheet programs: in a spelling they read, with nothing in them that they would run."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.http import StreamingHttpResponse

from sishu.core.money import Money

# Without it Excel takes UTF-8 for the machine's old encoding.
BYTE_ORDER_MARK = "\ufeff"
# Text that begins with one of these is a formula to some program; the wide ones to programs in Chinese and Japanese.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def cell(value: Any) -> Any:
    """`value` as a cell: money as a number in major units, and no text that a program would take for a formula."""
    if isinstance(value, Money):
        return Decimal(f"{'-' if value.amount < 0 else ''}{value.decimal()}")
    if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA_STARTS):
        return f"'{value}"
    return value


def csv_response(filename: str, heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """A CSV file to download. No cache keeps it: it is somebody's own."""
    writer = csv.writer(_Line())

    def lines() -> Iterator[str]:
        yield BYTE_ORDER_MARK
        for row in (heading, *rows):
            yield writer.writerow([cell(value) for value in row])

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    response["Cache-Control"] = "private, no-store"
    return response


class _Line:
    """A file that hands back what is written to it, so that a row can be sent at once."""

    def write(self, text: str) -> str:
        return text
