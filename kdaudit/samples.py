"""Rows of a domain, with the ids that are sampled and the keys under which answers are kept."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kdaudit.digest import of_rows
from kdaudit.domain import Category, Domain, Field, Image, Real, Text
from kdaudit.errors import OutOfDomain

Column = NDArray[Any]


@dataclass(frozen=True)
class Origin:
    """Where rows come from: the population that a claim is about.

    Parameters
    ----------
    name : str
        Words for people, such as ``"American Community Survey 2018, income task"``.
    source : str
        Name of the set, file (relative to the plan) or sampler.
    digest : str
        sha256 of the file or of the sampler's recipe.
    part : str
        Which of the disjoint parts these rows are.
    """

    name: str
    source: str = ""
    digest: str = ""
    part: str = ""


@dataclass(frozen=True, eq=False)
class Samples:
    """Rows as columns.

    Parameters
    ----------
    domain : Domain
    columns : mapping of str to array of shape (n,)
        `Real`: float64, NaN where missing.  `Category`: int32 positions among the levels, -1 where missing.
        `Text`: object array of str, None where missing.  `Image`: float32 of shape (n, channels, height, width).
    ids : array of shape (n,)
        Unit of sampling; what recorded answers are kept under.
    origin : Origin
    labels : array of shape (n,), optional
        True outcomes: int64 (positions among classes, or 0 and 1) or float64.
    weights : array of shape (n,), optional
        Sampling weights.

    Raises
    ------
    OutOfDomain
        If a column is missing, has another length, or holds a value that its field does not admit;
        the sentence names row, field and value.
    """

    domain: Domain
    columns: Mapping[str, Column]
    ids: NDArray[Any]
    origin: Origin
    labels: NDArray[Any] | None = None
    weights: NDArray[np.float64] | None = None
    _keys: list[NDArray[np.bytes_]] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        columns: dict[str, Column] = {}
        for item in self.domain.fields:
            if item.name not in self.columns:
                raise OutOfDomain(
                    f"column {item.name!r} is missing; the domain needs {', '.join(self.domain.names)}, "
                    f"and there are {', '.join(map(str, self.columns)) or 'none'}"
                )
            columns[item.name] = _checked(item, self.columns[item.name], self.ids)
        object.__setattr__(self, "columns", columns)
        for name, values in (("labels", self.labels), ("weights", self.weights)):
            if values is not None and len(values) != len(self.ids):
                raise OutOfDomain(f"{name} has {len(values)} values for {len(self.ids)} rows")

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: NDArray[Any] | Sequence[int], *, part: str | None = None) -> Samples:
        """Return the rows at positions `rows` (or where the mask is true), in that order."""
        at = np.asarray(rows)
        at = np.flatnonzero(at) if at.dtype == bool else at.astype(np.int64)
        return _unchecked(
            self.domain,
            {name: column[at] for name, column in self.columns.items()},
            self.ids[at],
            self.origin if part is None else replace(self.origin, part=part),
            None if self.labels is None else self.labels[at],
            None if self.weights is None else self.weights[at],
            [self._keys[0][at]] if self._keys else [],
        )

    def setting(self, name: str, value: str | float) -> Samples:
        """Return the same rows (same ids) with one field set to `value`; a level is given by its name."""
        item = self.domain[name]
        match item:
            case Category():
                code: int | float | str = self.domain.code(name, str(value))
            case Text():
                code = str(value)
            case _:
                code = float(value)
        column = np.full_like(self.columns[name], code)
        columns = {**self.columns, name: _checked(item, column, self.ids)}
        return _unchecked(self.domain, columns, self.ids, self.origin, self.labels, self.weights, [])

    def keys(self) -> NDArray[np.bytes_]:
        """Return the content key of each row: dtype ``S16``, shape (n,).

        Two rows have the same key if and only if every field has the same value: the same level by *name*
        (adding a level leaves keys as they are), the same float64 (-0 is 0, all NaN are one).
        """
        if not self._keys:
            parts = [_bytes_of(item, self.columns[item.name]) for item in self.domain.fields]
            self._keys.append(of_rows(self.domain.layout(), parts))
        return self._keys[0]

    def level(self, name: str) -> NDArray[Any]:
        """Return a category's levels by name, shape (n,), object array; None where missing."""
        levels = np.array([*self.domain.category(name).levels, None], dtype=object)
        out: NDArray[Any] = levels[self.columns[name]]
        return out

    def frame(self) -> pd.DataFrame:
        """Return the rows as people see them: levels by name, indexed by id."""
        data: dict[str, Any] = {}
        for item in self.domain.fields:
            column = self.columns[item.name]
            match item:
                case Category(levels=levels, ordered=ordered):
                    data[item.name] = pd.Categorical.from_codes(column, pd.Index(levels), ordered=ordered)
                case Real():
                    data[item.name] = column
                case _:
                    data[item.name] = list(column)
        return pd.DataFrame(data, index=pd.Index(self.ids, name="id"))


def concat(parts: Sequence[Samples]) -> Samples:
    """Return the rows of all parts, one after another; labels and weights only where all parts have them.

    Raises
    ------
    OutOfDomain
        If the parts' fields differ.
    """
    first = parts[0]
    if any(p.domain.fields != first.domain.fields for p in parts):
        raise OutOfDomain("rows of different domains cannot stand in one; their levels would be mistaken")

    def join(values: list[NDArray[Any] | None]) -> NDArray[Any] | None:
        present = [v for v in values if v is not None]
        return np.concatenate(present) if len(present) == len(values) else None

    return _unchecked(
        first.domain,
        {name: np.concatenate([p.columns[name] for p in parts]) for name in first.domain.names},
        np.concatenate([p.ids for p in parts]),
        first.origin,
        join([p.labels for p in parts]),
        join([p.weights for p in parts]),
        [np.concatenate([p.keys() for p in parts])],
    )


def _unchecked(
    domain: Domain,
    columns: dict[str, Column],
    ids: NDArray[Any],
    origin: Origin,
    labels: NDArray[Any] | None,
    weights: NDArray[Any] | None,
    keys: list[NDArray[np.bytes_]],
) -> Samples:
    # rows that were checked once are not checked again each time some of them are taken
    out = object.__new__(Samples)
    values = (domain, columns, ids, origin, labels, weights, keys)
    for name, value in zip(Samples.__dataclass_fields__, values, strict=True):
        object.__setattr__(out, name, value)
    return out


def _checked(item: Field, column: Column, ids: NDArray[Any]) -> Column:
    if len(column) != len(ids):
        raise OutOfDomain(f"column {item.name!r} has {len(column)} values for {len(ids)} rows")
    match item:
        case Real(low=low, high=high):
            values = _numbers(item, column, "numbers", "fiub")
            values = values.astype(np.float64, copy=False)
            bad = np.isinf(values)
            bad |= values < (-np.inf if low is None else low)
            bad |= values > (np.inf if high is None else high)
            if item.integer:
                bad |= np.isfinite(values) & (values != np.round(values))
            missing = np.isnan(values)
            expected = f"{'a whole number' if item.integer else 'a number'} from {_end(low)} to {_end(high)}"
        case Category(levels=levels):
            values = _numbers(item, column, "positions of levels, whole numbers", "iu")
            bad = (values < -1) | (values >= len(levels))
            # the range is looked at first: a cast would wrap numbers beyond it
            values = values if bad.any() else values.astype(np.int32, copy=False)
            missing = values == -1
            expected = f"a position among its {len(levels)} levels"
        case Image():
            return _pictures(item, column, ids)
        case Text(longest=longest):
            values = np.asarray(column, dtype=object)
            missing = np.array([v is None for v in values], dtype=bool)
            fits = [v is None or (isinstance(v, str) and len(v) <= longest) for v in values]
            bad = ~np.array(fits, dtype=bool)
            expected = f"a text of at most {longest} characters"
    if not item.missing:
        bad |= missing
        expected += ", not missing"
    if bad.any():
        at = int(np.flatnonzero(bad)[0])
        raise OutOfDomain(
            f"{item.name} = {values[at]} in row {ids[at]} is not {expected}; {int(bad.sum())} such rows. "
            "Mend the data, or widen the field in the plan's domain"
        )
    return values


def _numbers(item: Field, column: Column, expected: str, kinds: str) -> NDArray[Any]:
    values = np.asarray(column)
    if values.ndim != 1 or (len(values) and values.dtype.kind not in kinds):
        raise OutOfDomain(
            f"column {item.name!r} holds {values.dtype} of shape {values.shape}; {expected} of shape (n,) were expected"
        )
    return values


def _pictures(item: Image, column: Column, ids: NDArray[Any]) -> NDArray[np.float32]:
    values = np.asarray(column)
    if values.shape[1:] != item.shape or values.dtype.kind not in "fiub":
        raise OutOfDomain(
            f"column {item.name!r} holds {values.dtype} of shape {values.shape}; "
            f"numbers of shape (n, {', '.join(map(str, item.shape))}) were expected"
        )
    # adding 0 makes -0 a 0, so that equal pictures have equal keys
    values = values.astype(np.float32, copy=False) + np.float32(0)
    # the width is told, since no row tells it where there is none
    flat = values.reshape(len(values), math.prod(item.shape))
    bad = ~((flat >= 0) & (flat <= 1)).all(axis=1)
    if item.missing:
        bad &= ~np.isnan(flat).all(axis=1)
    if bad.any():
        at = int(np.flatnonzero(bad)[0])
        raise OutOfDomain(
            f"{item.name} in row {ids[at]} has pixels outside 0 to 1; {int(bad.sum())} such rows. "
            "Divide by the largest value that a pixel may have"
        )
    return values


def _end(value: float | None) -> str:
    return "any" if value is None else f"{value:g}"


def _bytes_of(item: Field, column: Column) -> NDArray[Any]:
    match item:
        case Real():
            values = column + 0.0  # -0.0 + 0.0 is 0.0
            values[np.isnan(values)] = np.nan
            out: NDArray[Any] = values
        case Category(levels=levels):
            table = np.array([_eight(level) for level in levels] + [b"\x00" * 8], dtype="V8")
            out = table[column]
        case Image():
            out = _hashed(np.ascontiguousarray(picture).tobytes() for picture in column)
        case Text():
            # a mark in front: a missing text is no empty one
            out = _hashed(b"" if text is None else b"=" + text.encode("utf-8", "surrogatepass") for text in column)
    return out


def _hashed(values: Iterable[bytes]) -> NDArray[Any]:
    return np.array([hashlib.blake2b(value, digest_size=16).digest() for value in values], dtype="V16")


def _eight(level: str) -> bytes:
    return hashlib.blake2b(level.encode(), digest_size=8).digest()
