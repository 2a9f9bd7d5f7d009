"""Patches of pictures greyed, to see whether what somebody attends to moves the teacher."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kdaudit.compare.lines import MADE
from kdaudit.errors import InvalidInput
from kdaudit.pictures import Pictures
from kdaudit.samples import Samples


def greyed(samples: Samples, encoding: Pictures, tokens: int, positions: list[NDArray[np.int64]]) -> Samples:
    """Return pictures with some patches at the mean of all pixels, which a network reads as nothing.

    Parameters
    ----------
    samples : Samples
    encoding : Pictures
        Of whoever attends; its mean is the grey.
    tokens : int
        Square patches of a picture, line by line, as `kdaudit.networks.transformers.PatchTransformer` takes them.
    positions : list of array of int
        Of each row, the patches to grey.

    Raises
    ------
    InvalidInput
        If so many square patches do not tile the picture.
    """
    _, height, width = encoding.shape
    side = round((height * width / max(tokens, 1)) ** 0.5)
    if side < 1 or height % side or width % side or height * width != tokens * side**2:
        raise InvalidInput(f"{tokens} square patches do not tile a picture of {height} by {width} pixels")
    across, name = width // side, encoding.image.name
    pixels = np.array(samples.columns[name])
    for picture, at in zip(pixels, positions, strict=True):
        for place in at.tolist():
            row, column = place // across * side, place % across * side
            picture[:, row : row + side, column : column + side] = encoding.mean
    return Samples(samples.domain, {name: pixels}, samples.ids, MADE)
