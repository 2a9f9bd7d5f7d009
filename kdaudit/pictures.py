"""Pictures to numbers: what a network sees of a picture."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from kdaudit.domain import Domain, Image
from kdaudit.errors import InvalidInput, OutOfDomain
from kdaudit.samples import Samples
from kdaudit.units import Units

SIDE = 4
"""Patches along the shorter side where nobody says how large they are: 16 units are few enough for exact shares."""
_FIRST = re.compile(r"(\d+),(\d+)")


@dataclass(frozen=True)
class Pictures:
    """Standardised pixels, one column a pixel, in the order channel, row, column.

    One mean and one scale for all pixels, so that neighbours stay comparable and a pixel that never varies costs
    nothing.  A missing picture is grey: 0 everywhere.

    Parameters
    ----------
    domain : Domain
        Of one field, an `Image`.
    mean, scale : float
        Of all pixels of the rows it was fitted on.
    patch : int
        Pixels along each side of a unit; a unit holds all channels, units at the lower and right edge may be smaller.

    Raises
    ------
    InvalidInput
        If the domain is no single picture or a number is not above 0.
    """

    kind: ClassVar[str] = "pictures"
    continuous: ClassVar[bool] = True
    domain: Domain
    mean: float
    scale: float
    patch: int

    def __post_init__(self) -> None:
        if len(self.domain.fields) != 1 or not isinstance(self.domain.fields[0], Image):
            raise InvalidInput(f"fields {', '.join(self.domain.names)}; one picture and nothing else was expected")
        if not self.scale > 0 or self.patch < 1:
            raise InvalidInput(f"pixels have scale {self.scale} and patches of {self.patch}; both must be above 0")

    @classmethod
    def fitted(cls, samples: Samples, *, patch: int = 0) -> Pictures:
        """Return the encoding with mean and standard deviation of all pixels (1 where they are constant).

        Parameters
        ----------
        samples : Samples
        patch : int
            0 stands for patches of which `SIDE` lie along the shorter side.
        """
        found = cls(samples.domain, 0.0, 1.0, patch or 1)
        pixels = samples.columns[found.image.name].astype(np.float64).ravel()
        pixels = pixels[~np.isnan(pixels)]
        mean, scale = (float(pixels.mean()), float(pixels.std())) if len(pixels) else (0.0, 1.0)
        size = patch or max(1, -(-min(found.shape[1:]) // SIDE))
        return cls(samples.domain, mean, scale if scale > 0 else 1.0, size)

    @property
    def image(self) -> Image:
        """The field."""
        field = self.domain.fields[0]
        assert isinstance(field, Image)
        return field

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        return self.image.shape

    @property
    def width(self) -> int:
        """Number of columns: channels times height times width."""
        return int(np.prod(self.shape))

    @property
    def units(self) -> Units:
        """Patches, named by the row and column of their first pixel."""
        channels, height, width = self.shape
        at = np.arange(self.width).reshape(channels, height, width)
        names, columns = [], []
        for row in range(0, height, self.patch):
            for column in range(0, width, self.patch):
                names.append(f"{self.image.name} {row},{column}")
                block = at[:, row : row + self.patch, column : column + self.patch]
                columns.append(tuple(int(i) for i in block.ravel()))
        return Units(tuple(names), tuple(columns))

    def encode(self, samples: Samples) -> NDArray[np.float32]:
        """Return the pictures as numbers, shape (n, width).

        Raises
        ------
        OutOfDomain
            If the samples are of another domain or their pictures have another shape.
        """
        if samples.domain.layout() != self.domain.layout():
            raise OutOfDomain(
                f"rows with fields {', '.join(samples.domain.names)}; {', '.join(self.domain.names)} were expected"
            )
        pixels = samples.columns[self.image.name]
        if pixels.shape[1:] != self.shape:
            raise OutOfDomain(
                f"{self.image.name} has pictures of shape {pixels.shape[1:]}; {self.shape} was expected "
                "(channels, height, width)"
            )
        out: NDArray[np.float32] = pixels.reshape(len(samples), self.width) - np.float32(self.mean)
        out /= np.float32(self.scale)
        out[np.isnan(out)] = 0.0
        return out

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON data."""
        return {
            "kind": self.kind,
            "domain": self.domain.to_data(),
            "mean": self.mean,
            "scale": self.scale,
            "patch": self.patch,
        }

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Pictures:
        """Return the encoding that `to_data` wrote."""
        return cls(Domain.from_data(data["domain"]), data["mean"], data["scale"], data["patch"])


def corners(names: Sequence[str], image: Image) -> tuple[tuple[float, float, float, float], ...]:
    """Return top, left, bottom and right of each unit as shares of height and width; none where they are no patches.

    Parameters
    ----------
    names : sequence of str
        Of units as `Pictures.units` names them, all of one picture.
    image : Image

    Examples
    --------
    >>> corners(("digit 0,0", "digit 0,4"), Image("digit", (1, 4, 8)))
    ((0.0, 0.0, 1.0, 0.5), (0.0, 0.5, 1.0, 1.0))
    """
    found = [_FIRST.fullmatch(name.removeprefix(f"{image.name} ")) for name in names]
    firsts = [(int(one[1]), int(one[2])) for one in found if one]
    if len(firsts) < len(names) or len(set(firsts)) < len(firsts):
        return ()
    ends = []
    for axis, side in enumerate(image.shape[1:]):
        starts = sorted({first[axis] for first in firsts})
        ends.append({start: (start / side, end / side) for start, end in zip(starts, [*starts[1:], side], strict=True)})
    return tuple((ends[0][y][0], ends[1][x][0], ends[0][y][1], ends[1][x][1]) for y, x in firsts)
