"""Columns of a file, as they are written there, and the place of a value in it."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from kdaudit.errors import InvalidInput, OutOfDomain, UnsafeFile

HEAD = 4096
"""Bytes by which a format is told."""
SHOWN = 80
"""Characters of a value that a message repeats."""
LONGEST = 1 << 20
"""Bytes that a row of a CSV file may surely have."""


@dataclass(frozen=True)
class Sheet:
    """Some columns of one file.

    Parameters
    ----------
    path : Path
    table : pyarrow.Table
        CSV: all texts, null where missing.
    missing : tuple of str
        Texts that stand for a missing value.
    ignored : tuple of str
        Columns of the file that were not asked for.
    """

    path: Path
    table: pa.Table
    missing: tuple[str, ...]
    ignored: tuple[str, ...]

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def cells(self, column: str) -> pa.ChunkedArray:
        """Return a column: text, numbers or whatever the file holds; null where missing."""
        cells = self.table[column]
        if pa.types.is_dictionary(cells.type):
            cells = pc.cast(cells, cells.type.value_type)
        if pa.types.is_large_string(cells.type) or pa.types.is_string_view(cells.type):
            cells = pc.cast(cells, pa.string())
        if pa.types.is_string(cells.type):
            return pc.if_else(pc.is_in(cells, value_set=pa.array(self.missing, pa.string())), None, cells)
        if pa.types.is_floating(cells.type):
            return pc.if_else(pc.is_nan(cells), None, cells)
        return cells

    def texts(self, column: str) -> pa.ChunkedArray:
        """Return a column as texts; numbers as they are written without needless digits (``1``, not ``1.0``).

        Raises
        ------
        InvalidInput
            If it holds lists, bytes or the like.
        """
        cells = self.cells(column)
        if pa.types.is_nested(cells.type) or pa.types.is_binary(cells.type):
            raise InvalidInput(f"{self.path}: column {column!r} holds {cells.type}; texts or numbers are needed")
        return pc.cast(cells, pa.string())

    def place(self, row: int) -> str:
        """Return where row `row` (from 0) is, in words: a line of a CSV file, a row (from 1) of a Parquet file."""
        if self.path.suffix.lower() != ".csv":
            return f"row {row + 1}"
        return f"line {_line(self.path, row)}"

    def refuse(self, column: str, bad: NDArray[np.bool_], why: str) -> None:
        """Raise with the first place where `bad` is true; do nothing where it is true nowhere.

        Raises
        ------
        OutOfDomain
            With file, line or row, column, value and the number of such rows.
        """
        if not bad.any():
            return
        row = int(np.flatnonzero(bad)[0])
        value = self.table[column][row].as_py()
        count = int(bad.sum())
        raise OutOfDomain(
            f"{self.path}: {self.place(row)}, column {column!r}: {_shown(value)} {why} "
            f"({count} such row{'s' if count > 1 else ''}); mend the file, or change the plan's domain"
        )


def open_sheet(path: Path, columns: Sequence[str], missing: tuple[str, ...] = ("",)) -> Sheet:
    """Read some columns of a file whose format is told by its ending and confirmed by its content.

    Raises
    ------
    InvalidInput
        If the file cannot be read, is of another format, is empty, lacks a column or names one twice.
    UnsafeFile
        If it is a pickle.
    """
    _confirm(path, _head(path))
    parquet = path.suffix.lower() == ".parquet"
    header = _parquet_header(path) if parquet else _csv_header(path)
    wanted = list(dict.fromkeys(columns))
    _check_header(path, header, wanted)
    table = _parquet(path, wanted) if parquet else _csv(path, wanted, header, missing)
    if not table.num_rows:
        raise InvalidInput(f"{path} has a header and no rows")
    return Sheet(path, table, missing, tuple(name for name in header if name not in wanted))


def _head(path: Path) -> bytes:
    # a pipe or a device would be waited for, or read for ever
    if path.exists() and not path.is_file():
        raise InvalidInput(f"{path} is no file; name a table, a .parquet or a .csv file")
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}") from error
    if not head:
        raise InvalidInput(f"{path} is empty")
    return head


def _confirm(path: Path, head: bytes) -> None:
    pickled = head[0] == 0x80 and len(head) > 1 and head[1] <= 5
    if pickled or (head[:2] == b"PK" and b".pkl" in head):
        raise UnsafeFile(f"{path} is a pickle, which could run code when read; save the table as Parquet or CSV")
    match path.suffix.lower():
        case ".parquet":
            if head[:4] != b"PAR1":
                raise InvalidInput(f"{path} is not a Parquet file; mend it, or call it .csv if it is a table of text")
        case ".csv":
            if b"\x00" in head or head[:4] == b"PAR1":
                raise InvalidInput(f"{path} is not a table of text in UTF-8; save it as CSV, or call it .parquet")
        case suffix:
            raise InvalidInput(f"{path}: tables are read from .parquet and .csv files, not from {suffix or 'others'}")


def _check_header(path: Path, header: list[str], wanted: list[str]) -> None:
    for name in header:
        if header.count(name) > 1:
            raise InvalidInput(f"{path} has two columns called {name!r}; names must differ")
    for name in wanted:
        if name not in header:
            near = difflib.get_close_matches(name, header, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise InvalidInput(f"{path} has no column {name!r}; {hint}its columns are {', '.join(header)}")


def _parquet_header(path: Path) -> list[str]:
    try:
        names: list[str] = pq.read_schema(path).names
    except (pa.ArrowException, OSError) as error:
        raise InvalidInput(f"{path} is a broken Parquet file: {_first(error)}") from error
    return names


def _parquet(path: Path, wanted: list[str]) -> pa.Table:
    try:
        return pq.read_table(path, columns=wanted)
    except (pa.ArrowException, OSError) as error:
        raise InvalidInput(f"{path} is a broken Parquet file: {_first(error)}") from error


def _csv_header(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return next((row for row in csv.reader(stream) if row), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(f"{path} is not a table of text in UTF-8: {error}") from error


def _csv(path: Path, wanted: list[str], header: list[str], missing: tuple[str, ...]) -> pa.Table:
    ragged: list[pacsv.InvalidRow] = []

    def note(row: pacsv.InvalidRow) -> str:
        ragged.append(row)
        return "skip"

    try:
        # one thread, so that a row of another width knows its number
        table = pacsv.read_csv(
            path,
            read_options=pacsv.ReadOptions(use_threads=False, block_size=LONGEST),
            parse_options=pacsv.ParseOptions(newlines_in_values=True, invalid_row_handler=note),
            convert_options=pacsv.ConvertOptions(
                column_types={name: pa.string() for name in header},
                include_columns=wanted,
                null_values=list(missing),
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowException as error:
        if "straddl" in str(error):
            raise InvalidInput(
                f"{path} has a row of more than {LONGEST >> 20} MiB; mend the file: is a quote left open, "
                "or a line break lost?"
            ) from error
        raise InvalidInput(f"{path} is not a table of text in UTF-8: {_first(error)}") from error
    if ragged:
        row = ragged[0]
        raise InvalidInput(
            f"{path}: line {_line(path, row.number - 2)} has {row.actual_columns} columns where the header has "
            f"{row.expected_columns}; quote values that hold commas"
        )
    return table


def _line(path: Path, row: int) -> int:
    """Return the line on which row `row` (from 0, header not counted) begins: quoted values may span lines."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        # the longest value that the csv module takes is a setting of the whole process, so count quotes instead
        seen, begins, quotes, blank = -2, 1, 0, True  # the header is row -1
        for number, line in enumerate(stream, start=1):
            quotes, blank = quotes + line.count('"'), blank and not line.strip("\r\n")
            if quotes % 2:
                continue
            seen += not blank
            if seen == row:
                return begins
            begins, blank = number + 1, True
    return begins


def _shown(value: object) -> str:
    text = "the value" if value is None else repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}… ({len(text):,} characters)"


def _first(error: BaseException) -> str:
    return str(error).split("\n")[0].rstrip(".")
