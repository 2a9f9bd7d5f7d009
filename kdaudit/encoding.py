"""Fields to numbers: what a network or a linear model sees of a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from kdaudit.domain import Category, Domain, Real
from kdaudit.errors import InvalidInput, OutOfDomain
from kdaudit.samples import Samples
from kdaudit.units import Units


@dataclass(frozen=True)
class Encoding:
    """Standardised numbers and one column a level.

    Reals: (value - mean) / scale, missing as 0, and a column that says "missing" where the field allows it.
    Categories: one column a level (and one for missing where allowed); ordered ones too, since steps between levels
    need not be equal.

    Parameters
    ----------
    domain : Domain
    means, scales : tuple of float
        Of each `Real` field, in their order.
    """

    continuous: ClassVar[bool] = True
    domain: Domain
    means: tuple[float, ...]
    scales: tuple[float, ...]

    @classmethod
    def fitted(cls, samples: Samples) -> Encoding:
        """Return the encoding with means and standard deviations of `samples` (1 where a field is constant)."""
        means, scales = [], []
        for item in samples.domain.fields:
            match item:
                case Real(name=name):
                    values = samples.columns[name]
                    values = values[~np.isnan(values)]
                    mean, scale = (float(values.mean()), float(values.std())) if len(values) else (0.0, 1.0)
                    means.append(mean)
                    scales.append(scale if scale > 0 else 1.0)
                case Category():
                    pass
                case _:
                    raise InvalidInput(
                        f"field {item.name!r} is a {item.kind}; this encoding takes reals and categories"
                    )
        return cls(samples.domain, tuple(means), tuple(scales))

    @property
    def units(self) -> Units:
        """Each field with its columns."""
        names, columns, start = [], [], 0
        for item in self.domain.fields:
            width = _width(item)
            names.append(item.name)
            columns.append(tuple(range(start, start + width)))
            start += width
        return Units(tuple(names), tuple(columns))

    @property
    def width(self) -> int:
        """Number of columns."""
        return sum(_width(item) for item in self.domain.fields)

    def encode(self, samples: Samples) -> NDArray[np.float32]:
        """Return the rows as numbers, shape (n, width).

        Raises
        ------
        OutOfDomain
            If the samples are of another domain, or hold a level or a missing value that has no column here.
        """
        if samples.domain.layout() != self.domain.layout():
            raise OutOfDomain(
                f"rows with fields {', '.join(samples.domain.names)}; {', '.join(self.domain.names)} were expected"
            )
        out = np.zeros((len(samples), self.width), dtype=np.float32)
        reals = iter(zip(self.means, self.scales, strict=True))
        start, rows = 0, np.arange(len(samples))
        for item in self.domain.fields:
            column = samples.columns[item.name]
            match item:
                case Real():
                    mean, scale = next(reals)
                    missing = np.isnan(column)
                    if not item.missing:
                        _refuse_missing(item, missing)
                    out[:, start] = np.where(missing, 0.0, (column - mean) / scale)
                    if item.missing:
                        out[:, start + 1] = missing
                case Category(levels=levels):
                    positions = self._positions(item, samples)
                    if not item.missing:
                        _refuse_missing(item, positions < 0)
                    at = np.where(positions < 0, len(levels), positions)
                    out[rows, start + at] = 1.0
                case _:
                    pass
            start += _width(item)
        return out

    def _positions(self, item: Category, samples: Samples) -> NDArray[np.int64]:
        theirs = samples.domain.category(item.name).levels
        if theirs == item.levels:
            return samples.columns[item.name].astype(np.int64)
        unknown = [level for level in theirs if level not in item.levels]
        table = np.array([item.levels.index(level) if level in item.levels else -2 for level in theirs] + [-1])
        out: NDArray[np.int64] = table[samples.columns[item.name]]
        if (out == -2).any():
            raise OutOfDomain(f"{item.name} has levels that this subject never met: {', '.join(unknown)}")
        return out

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON data."""
        return {"domain": self.domain.to_data(), "means": list(self.means), "scales": list(self.scales)}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Encoding:
        """Return the encoding that `to_data` wrote."""
        return cls(Domain.from_data(data["domain"]), tuple(data["means"]), tuple(data["scales"]))


def _refuse_missing(item: Real | Category, missing: NDArray[np.bool_]) -> None:
    if missing.any():
        raise OutOfDomain(f"{item.name} is missing in {int(missing.sum())} rows; this subject never met a missing one")


def _width(item: object) -> int:
    match item:
        case Real(missing=missing):
            return 2 if missing else 1
        case Category(levels=levels, missing=missing):
            return len(levels) + missing
        case _:
            return 0
