"""Tables in files: delimited text or Parquet, packed with gzip or not, read in portions by the columns one wants."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any

import duckdb

from sishu.estimators.errors import InvalidInput

PORTION = 100_000  # rows
DELIMITERS = ("\t", "::", ",", ";", "|", " ")  # the first of them that the first line holds
WAY_OUT = "Name the columns with --columns, as user_id=reader,item_id=work, or by number where there is no header."


@dataclass(frozen=True)
class Portion:
    """Some rows, by column; all values are text. `first` is the number of its first row, from 0."""

    first: int
    columns: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Table:
    """A file of rows.

    `columns` says what the file calls a column of ours, or the number it has, from 1, in a file without a header. What
    it leaves out is looked for by its own name and by `aliases`, whatever the case; `way_out` is said where it is not found.
    """

    path: Path
    columns: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    delimiter: str = ""
    encoding: str = "utf-8-sig"
    way_out: str = WAY_OUT

    @property
    def has_header(self) -> bool:
        return not self.columns or not all(name.isdigit() for name in self.columns.values())

    @property
    def is_parquet(self) -> bool:
        return self.path.suffix == ".parquet"

    def header(self) -> list[str]:
        """What the file calls its columns: `item_id:token` is item_id; without a header they are 1, 2, 3 …"""
        with self._readable():
            if self.is_parquet:
                return [name for name, *_ in duckdb.read_parquet(str(self.path)).description]
            with self._open() as file:
                first = next(self._rows(file), None)
        if first is None:
            raise InvalidInput(f"{self.path} is empty.")
        if self.has_header:
            return [name.split(":")[0].strip() for name in first]
        return [str(number + 1) for number in range(len(first))]

    def find(self, *wanted: str, optional: Sequence[str] = ()) -> dict[str, int]:
        """Where each wanted column stands, from 0. Raises InvalidInput that names the missing one and those there are."""
        header = self.header()
        places = {_plain(name): place for place, name in reversed(list(enumerate(header)))}
        found = {}
        for name in (*wanted, *optional):
            said = self.columns.get(name)
            names = [said] if said else [name, *self.aliases.get(name, ())] if self.has_header else []
            place = next((places[_plain(each)] for each in names if _plain(each) in places), None)
            if place is not None:
                found[name] = place
            elif name in wanted or said:
                raise InvalidInput(
                    f"{self.path} has no column {said or name!r}; it has {', '.join(header)}. {self.way_out}"
                )
        return found

    def portions(self, places: Mapping[str, int]) -> Iterator[Portion]:
        """All rows, a portion at a time, of the columns that `find` found. Blank lines are passed over."""
        with self._readable():
            if self.is_parquet:
                yield from self._of_parquet(places)
                return
            width, first = max(places.values()) + 1, 0
            with self._open() as file:
                rows = self._rows(file)
                if self.has_header:
                    next(rows, None)
                while portion := list(islice(rows, PORTION)):
                    for number, row in enumerate(portion):
                        if len(row) < width:
                            raise InvalidInput(
                                f"{self.where(first + number)} has {len(row)} columns, and number {width} is wanted."
                            )
                    yield Portion(first, {name: [row[place] for row in portion] for name, place in places.items()})
                    first += len(portion)

    def where(self, row: int) -> str:
        """File and line of a row, for a person who goes there to mend it."""
        if self.is_parquet:
            return f"{self.path}, row {row + 1}"
        with self._open() as file:
            reader = self._reader(file)
            rows = (values for values in reader if values)
            next(islice(rows, row + self.has_header, None), None)
            return f"{self.path}, line {reader.line_num},"

    def _of_parquet(self, places: Mapping[str, int]) -> Iterator[Portion]:
        names = self.header()
        texts = ", ".join(f'CAST("{_quoted(names[place])}" AS VARCHAR)' for place in places.values())
        found, first = duckdb.read_parquet(str(self.path)).project(texts), 0
        while rows := found.fetchmany(PORTION):
            texts_of = [["" if value is None else value for value in column] for column in zip(*rows, strict=True)]
            yield Portion(first, dict(zip(places, texts_of, strict=True)))
            first += len(rows)

    def _rows(self, file: IO[str]) -> Iterator[list[str]]:
        return (row for row in self._reader(file) if row)

    def _reader(self, file: IO[str]) -> Any:
        delimiter = self.delimiter or self._delimiter_of_first_line()
        if delimiter in ",;":
            return csv.reader(file, delimiter=delimiter)
        lines = (line.replace("::", "\t") for line in file) if delimiter == "::" else file
        # A title may begin with a quotation mark.
        return csv.reader(lines, delimiter="\t" if delimiter == "::" else delimiter, quoting=csv.QUOTE_NONE)

    def _delimiter_of_first_line(self) -> str:
        with self._open() as file:
            line = file.readline()
        return next((delimiter for delimiter in DELIMITERS if delimiter in line), ",")

    def _open(self) -> IO[str]:
        opener = gzip.open if self._is_packed() else open
        return opener(self.path, "rt", encoding=self.encoding, newline="")

    def _is_packed(self) -> bool:
        with self.path.open("rb") as file:
            return file.read(2) == b"\x1f\x8b"

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """What a file can do wrong, said with its name."""
        try:
            yield
        except FileNotFoundError as error:
            raise InvalidInput(f"There is no file {self.path}.") from error
        except (IsADirectoryError, PermissionError) as error:
            raise InvalidInput(f"{self.path} cannot be read: {error.strerror}.") from error
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise InvalidInput(f"{self.path} is cut short or damaged ({error}). Fetch it again.") from error
        except UnicodeDecodeError as error:
            raise InvalidInput(
                f"{self.path}, line {self._line_that_fails()}, is not {error.encoding}. Name what it is with --encoding,"
                " as latin-1 or gb18030."
            ) from error
        except csv.Error as error:
            raise InvalidInput(f"{self.path}: {error}. Is a quotation mark left open?") from error
        except duckdb.Error as error:
            raise InvalidInput(f"{self.path} is no Parquet file that can be read: {error}") from error

    def _line_that_fails(self) -> int:
        opener = gzip.open if self._is_packed() else open
        with opener(self.path, "rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    line.decode(self.encoding)
                except UnicodeDecodeError:
                    return number
        return 0


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace(" ", "").replace("-", "")


def _quoted(name: str) -> str:
    return name.replace('"', '""')
