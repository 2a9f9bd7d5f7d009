"""Points between rows in one common space, and what networks of different encodings decide there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kdaudit.domain import Real
from kdaudit.encoding import Encoding
from kdaudit.engine import slices
from kdaudit.errors import InvalidInput
from kdaudit.explain.reaches import Gradients
from kdaudit.networks.gradients import input_gradients
from kdaudit.networks.network import Network
from kdaudit.pictures import Pictures

Points = NDArray[np.float32]
MARGIN = 0.1
"""By how much of its width a plane reaches beyond its three rows."""
LARGEST_CHUNK = 65_536
"""Points that are laid out at once."""


def plane_points(triple: NDArray[np.float64], resolution: int) -> NDArray[np.float64]:
    """Return an even grid on the plane through three points, shape (resolution ** 2, d).

    The axes are the way from the first to the second point and what the way to the third has beyond it; the grid covers
    the box around the three with a margin of `MARGIN` (Somepalli et al. 2022).

    Parameters
    ----------
    triple : array of shape (3, d)
    resolution : int

    Raises
    ------
    InvalidInput
        If the three lie on one line.
    """
    origin, second, third = triple
    across = second - origin
    length = float(np.sqrt(across @ across))
    u = across / length if length > 0 else across
    up = (third - origin) - ((third - origin) @ u) * u
    height = float(np.sqrt(up @ up))
    if length <= 1e-9 or height <= 1e-9 * length:
        raise InvalidInput("the three rows lie on one line; a plane needs three rows that do not")
    w = up / height
    shadow = float((third - origin) @ u)
    low, high = min(0.0, shadow), max(length, shadow)
    a = np.linspace(low - MARGIN * (high - low), high + MARGIN * (high - low), resolution)
    b = np.linspace(-MARGIN * height, (1 + MARGIN) * height, resolution)
    out: NDArray[np.float64] = (origin + a[:, None, None] * u + b[None, :, None] * w).reshape(-1, len(origin))
    return out


def translation(source: object, target: object) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return factor and shift of each column from one encoding of a domain to another: ``x * factor + shift``.

    Raises
    ------
    InvalidInput
        If the two do not encode the same fields in as many columns of numbers and levels, or of pixels.
    """
    if isinstance(source, Pictures) and isinstance(target, Pictures):
        return _of_pixels(source, target)
    if not isinstance(source, Encoding) or not isinstance(target, Encoding):
        raise InvalidInput("points between rows need encodings of numbers and levels, or of pictures, on both sides")
    if source.domain.layout() != target.domain.layout() or source.width != target.width:
        raise InvalidInput("encodings of different fields or levels have no point in common")
    factor, shift = np.ones(source.width), np.zeros(source.width)
    numbers = [i for i, item in enumerate(source.domain.fields) if isinstance(item, Real)]
    for place, ours, ours_scale, theirs, theirs_scale in zip(
        numbers, source.means, source.scales, target.means, target.scales, strict=True
    ):
        column = source.units.columns[place][0]
        factor[column], shift[column] = ours_scale / theirs_scale, (ours - theirs) / theirs_scale
    return factor, shift


def _of_pixels(source: Pictures, target: Pictures) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if source.domain.layout() != target.domain.layout() or source.shape != target.shape:
        raise InvalidInput("encodings of different pictures have no point in common")
    factor = np.full(source.width, source.scale / target.scale)
    return factor, np.full(source.width, (source.mean - target.mean) / target.scale)


def gradients_in(space: Encoding | Pictures, network: Network) -> Gradients:
    """Return a network's logits and gradients as functions of points encoded by `space`.

    Numbers that are missing lie at the mean of each network's own encoding.
    """
    factor, shift = translation(space, network.encoding)

    def gradients(points: Points, output: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        values, slopes = input_gradients(network, _moved(points, factor, shift, space), output)
        return values, slopes * factor

    return gradients


def decisions_in(space: Encoding | Pictures, network: Network, points: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return a network's decisions at points encoded by `space`, shape (m,); a yes-or-no score is cut at one half."""
    factor, shift = translation(space, network.encoding)
    out = np.empty(len(points), dtype=np.int64)
    for rows in slices(len(points), LARGEST_CHUNK):
        raw = network.raw(_moved(points[rows], factor, shift, space))
        out[rows] = (raw[:, 0] > 0).astype(np.int64) if raw.shape[1] == 1 else raw.argmax(axis=1)
    return out


def _moved(
    points: NDArray[np.floating], factor: NDArray[np.float64], shift: NDArray[np.float64], space: Encoding | Pictures
) -> Points:
    out = points.astype(np.float64) * factor + shift
    if isinstance(space, Pictures):
        return out.astype(np.float32)
    for item, columns in zip(space.domain.fields, space.units.columns, strict=True):
        if isinstance(item, Real) and len(columns) == 2:
            out[points[:, columns[1]] > 0.5, columns[0]] = 0.0
    return out.astype(np.float32)
