"""Tables on disk as samples: Parquet and CSV, against a domain; nothing is inferred.

What a column means stands in the domain and in `Roles`; a value that they do not admit is an error with its place.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kdaudit.data.sheets import Sheet, open_sheet
from kdaudit.digest import of_file
from kdaudit.domain import Category, Domain, Field, Real, Text
from kdaudit.errors import InvalidInput
from kdaudit.samples import Origin, Samples

NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"


@dataclass(frozen=True)
class Roles:
    """What the columns of a table are.

    Parameters
    ----------
    label : str
        Column of the true outcome; empty for none.
    classes : tuple of str
        Values of the label in the file, in the order of the classes (``("0", "1")``); empty if it is a number.
    id : str
        Column of the rows' ids, whole numbers or texts, each once (a CSV file holds texts).
        Empty: rows are numbered from 0 in the order of the file.
    weight : str
        Column of sampling weights; empty for none.
    columns : mapping of str to str
        Field -> column, where their names differ.
    levels : mapping of str to mapping of str to str
        Field -> value in the file -> level, where they differ; several values may be one level.
    missing : tuple of str
        Texts that stand for a missing value.
    """

    label: str = ""
    classes: tuple[str, ...] = ()
    id: str = ""
    weight: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    levels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    missing: tuple[str, ...] = ("",)

    def check(self, domain: Domain) -> None:
        """Refuse fields and levels that the domain lacks.

        Raises
        ------
        OutOfDomain
            With the name that is unknown.
        """
        for name in (*self.columns, *self.levels):
            _ = domain[name]
        for name, values in self.levels.items():
            for level in values.values():
                domain.code(name, level)


@dataclass(frozen=True)
class Reading:
    """Rows of a table, and the columns that nobody asked for."""

    samples: Samples
    ignored: tuple[str, ...]


def read(path: Path, domain: Domain, roles: Roles | None = None, *, name: str = "") -> Reading:
    """Read a table.

    Parameters
    ----------
    path : Path
        A ``.parquet`` file, or a ``.csv`` file with commas, a header and UTF-8.
    domain : Domain
    roles : Roles, optional
        By default: no label, rows numbered from 0, columns called as their fields.
    name : str
        What the rows are, for people; by default the file's name.

    Returns
    -------
    Reading

    Raises
    ------
    InvalidInput
        If the file is not what its ending says, is empty, lacks a column or names one twice, or an id occurs twice.
    UnsafeFile
        If the file is a pickle, whatever its ending.
    OutOfDomain
        If a value is not admitted; the sentence names file, line (Parquet: row, counted from 1) and column.
    """
    roles = roles or Roles()
    roles.check(domain)
    places = {item.name: roles.columns.get(item.name, item.name) for item in domain.fields}
    extra = [column for column in (roles.label, roles.id, roles.weight) if column]
    sheet = open_sheet(path, [*places.values(), *extra], roles.missing)
    columns = {item.name: _field(sheet, places[item.name], item, roles.levels.get(item.name)) for item in domain.fields}
    samples = Samples(
        domain,
        columns,
        _ids(sheet, roles.id) if roles.id else np.arange(len(sheet), dtype=np.int64),
        Origin(name or path.name, path.name, of_file(path)),
        _labels(sheet, roles) if roles.label else None,
        _number(sheet, roles.weight, Real("weight", low=0)) if roles.weight else None,
    )
    return Reading(samples, sheet.ignored)


def _field(sheet: Sheet, column: str, item: Field, values: Mapping[str, str] | None) -> NDArray[Any]:
    match item:
        case Real():
            return _number(sheet, column, item)
        case Category(levels=levels):
            values = values or {level: level for level in levels}
            codes = np.array([levels.index(level) for level in values.values()] + [-1], dtype=np.int32)
            return codes[_positions(sheet, column, tuple(values), missing=item.missing)]
        case Text():
            return _text(sheet, column, item)
        case _:
            raise InvalidInput(f"field {item.name!r} is of kind {item.kind}, which a table cannot hold")


def _number(sheet: Sheet, column: str, item: Real) -> NDArray[np.float64]:
    cells = sheet.cells(column)
    if pa.types.is_string(cells.type):
        sheet.refuse(column, _mask(pc.invert(pc.match_substring_regex(cells, NUMBER))), "is text; a number is needed")
    elif not (pa.types.is_integer(cells.type) or pa.types.is_floating(cells.type)):
        raise InvalidInput(f"{sheet.path}: column {column!r} holds {cells.type}; numbers are needed")
    values: NDArray[np.float64] = pc.cast(cells, pa.float64(), safe=False).to_numpy().astype(np.float64)
    missing = np.isnan(values)
    if not item.missing:
        sheet.refuse(column, missing, "is missing, and the field allows no missing value")
    low, high = (-np.inf if item.low is None else item.low), (np.inf if item.high is None else item.high)
    outside = (values < low) | (values > high) | np.isinf(values)
    sheet.refuse(column, outside, f"is not in the range from {low:g} to {high:g}")
    if item.integer:
        sheet.refuse(column, ~missing & (values != np.round(values)), "is not a whole number")
    return values


def _positions(sheet: Sheet, column: str, values: tuple[str, ...], *, missing: bool) -> NDArray[np.int32]:
    cells = sheet.texts(column)
    found = pc.index_in(cells, value_set=pa.array(values, pa.string()))
    if not missing:
        sheet.refuse(column, _mask(pc.is_null(cells)), "is missing, and the field allows no missing value")
    unknown = _mask(pc.and_(pc.is_valid(cells), pc.is_null(found)))
    if unknown.any():
        value = cells[int(np.flatnonzero(unknown)[0])].as_py()
        near = difflib.get_close_matches(value, values, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        sheet.refuse(column, unknown, f"is no known level; {hint}levels are {', '.join(map(repr, values))}")
    out: NDArray[np.int32] = pc.fill_null(found, -1).to_numpy().astype(np.int32)
    return out


def _text(sheet: Sheet, column: str, item: Text) -> NDArray[Any]:
    cells = sheet.texts(column)
    if not item.missing:
        sheet.refuse(column, _mask(pc.is_null(cells)), "is missing, and the field allows no missing value")
    too_long = _mask(pc.greater(pc.utf8_length(cells), item.longest))
    sheet.refuse(column, too_long, f"is longer than {item.longest} characters")
    return np.array([*cells.to_pylist(), None], dtype=object)[:-1]


def _labels(sheet: Sheet, roles: Roles) -> NDArray[Any]:
    if not roles.classes:
        return _number(sheet, roles.label, Real("label"))
    return _positions(sheet, roles.label, roles.classes, missing=False).astype(np.int64)


def _ids(sheet: Sheet, column: str) -> NDArray[Any]:
    cells = sheet.cells(column)
    sheet.refuse(column, _mask(pc.is_null(cells)), "is missing; each row needs an id")
    if not (pa.types.is_integer(cells.type) or pa.types.is_string(cells.type)):
        raise InvalidInput(f"{sheet.path}: column {column!r} holds {cells.type}; ids are whole numbers or texts")
    ids = np.asarray(cells.to_pylist(), dtype=str) if pa.types.is_string(cells.type) else cells.to_numpy()
    _, first, group = np.unique(ids, return_index=True, return_inverse=True)
    again = np.arange(len(ids)) != first[group]
    if again.any():
        at = int(np.flatnonzero(again)[0])
        sheet.refuse(column, again, f"is an id that {sheet.place(int(first[group[at]]))} has too; each id occurs once")
    return ids if ids.dtype.kind == "U" else ids.astype(np.int64)


def _mask(values: pa.ChunkedArray) -> NDArray[np.bool_]:
    out: NDArray[np.bool_] = pc.fill_null(values, fill_value=False).to_numpy().astype(bool)
    return out
