"""What a reader can test of a picture: how bright its parts are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from kdaudit.domain import Image, Real
from kdaudit.samples import Samples

Floats = NDArray[np.float64]
MOST = 2_000
"""Pictures that segments are found on."""
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
COLOURS = ("red", "green", "blue")


@dataclass(frozen=True)
class Regions:
    """The mean brightness of each region of a picture, a colour at a time where there are three channels.

    Parameters
    ----------
    field : str
        The picture.
    names : tuple of str
        Of the regions, such as ``row_1_column_2`` or ``segment_A``.
    places : tuple of tuple of int
        Region of each pixel, row by row.
    channels : int
    start : str
        What the names of the fields begin with.
    """

    kind: ClassVar[str] = "regions"
    field: str
    names: tuple[str, ...]
    places: tuple[tuple[int, ...], ...]
    channels: int
    start: str = ""

    @property
    def fields(self) -> tuple[Real, ...]:
        """One number from 0 to 1 a region and channel."""
        return tuple(Real(f"{self.start}{what}_of_{name}", 0, 1) for what in self._channels for name in self.names)

    @property
    def _channels(self) -> tuple[str, ...]:
        if self.channels == 1:
            return ("brightness",)
        return COLOURS if self.channels == 3 else tuple(f"channel_{at + 1}" for at in range(self.channels))

    def columns(self, samples: Samples) -> list[Floats]:
        """Return the mean of each region of each picture, channel by channel; 0 of a missing one."""
        pictures = np.nan_to_num(samples.columns[self.field].astype(np.float64), nan=0.0)
        flat = pictures.reshape(len(pictures), self.channels, np.array(self.places).size)
        where = np.array(self.places).ravel()
        out = []
        for channel in range(self.channels):
            for region in range(len(self.names)):
                # pixels are added one after another: the same bytes however many pictures there are
                inside = np.flatnonzero(where == region)
                total = np.zeros(len(pictures))
                for pixel in inside:
                    total += flat[:, channel, pixel]
                out.append(np.clip(total / len(inside), 0.0, 1.0))
        return out

    def words(self) -> str:
        """Return what is read, in words; of segments, where each lies."""
        if not self.names[0].startswith("segment"):
            return f"mean brightness of {len(self.names)} patches of {self.field}"
        lines = ["".join(LETTERS[at] for at in row) for row in self.places]
        return f"mean brightness of {len(self.names)} segments of {self.field}, row by row: {' '.join(lines)}"


def patches(item: Image, side: int, start: str = "") -> Regions:
    """Return the patches of a picture, `side` along each of its sides (or one a pixel where it has fewer)."""
    channels, height, width = item.shape
    rows, columns = min(side, height), min(side, width)
    names = tuple(f"row_{r + 1}_column_{c + 1}" for r in range(rows) for c in range(columns))
    down, across = (np.arange(height) * rows) // height, (np.arange(width) * columns) // width
    places = tuple(tuple(int(r * columns + c) for c in across) for r in down)
    return Regions(item.name, names, places, channels, start)


def segments(item: Image, pictures: NDArray[np.float32], n: int, start: str = "") -> Regions:
    """Return n connected parts of a picture whose pixels are bright together (Ward, 1963, neighbours alone joined).

    Parameters
    ----------
    item : Image
    pictures : array of shape (m, channels, height, width)
        The first 2,000 are looked at.
    n : int
    start : str
    """
    from sklearn.cluster import FeatureAgglomeration
    from sklearn.feature_extraction.image import grid_to_graph

    channels, height, width = item.shape
    grey = pictures[:MOST].astype(np.float64).mean(axis=1).reshape(-1, height * width)
    joined = FeatureAgglomeration(n_clusters=min(n, height * width), connectivity=grid_to_graph(height, width))
    labels = joined.fit(np.round(grey, 6)).labels_
    # named from the upper left, so that names do not hang on how they were found
    order = {label: place for place, label in enumerate(dict.fromkeys(labels.tolist()))}
    places = np.array([order[label] for label in labels.tolist()]).reshape(height, width)
    names = tuple(f"segment_{LETTERS[at]}" for at in range(len(order)))
    return Regions(item.name, names, tuple(tuple(map(int, row)) for row in places), channels, start)
