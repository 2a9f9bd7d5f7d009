"""Rows to numbers, whatever the fields are: a table of the ways."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from kdaudit.domain import Domain, Image, Text
from kdaudit.encoding import Encoding
from kdaudit.errors import InvalidInput
from kdaudit.pictures import Pictures
from kdaudit.samples import Samples
from kdaudit.tokens import Tokens
from kdaudit.units import Units


class Encoder(Protocol):
    """What a network sees of a row: a fixed number of float32 columns."""

    @property
    def domain(self) -> Domain:
        """Fields that are read."""
        ...

    @property
    def continuous(self) -> bool:
        """Whether columns may be moved a little or averaged; numbers of words may not, so they have no gradient."""
        ...

    @property
    def width(self) -> int:
        """Number of columns."""
        ...

    @property
    def units(self) -> Units:
        """Parts of a row with their columns."""
        ...

    def encode(self, samples: Samples) -> NDArray[np.float32]:
        """Return rows as numbers, shape (n, width)."""
        ...

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON data, from which `read_encoder` makes the same again."""
        ...


ENCODERS: dict[str, type[Encoding] | type[Pictures] | type[Tokens]] = {
    "table": Encoding,
    "pictures": Pictures,
    "tokens": Tokens,
}
"""Kind in a file -> encoder."""


def fitted(samples: Samples) -> Encoder:
    """Return the encoder that suits the fields, fitted on `samples`: a table, one picture or one text.

    Raises
    ------
    InvalidInput
        If pictures or texts stand beside other fields.
    """
    match samples.domain.fields:
        case (Image(),):
            return Pictures.fitted(samples)
        case (Text(),):
            return Tokens.fitted(samples)
        case _:
            return Encoding.fitted(samples)


def read_encoder(data: dict[str, Any]) -> Encoder:
    """Return the encoder that `to_data` wrote.

    Raises
    ------
    InvalidInput
        On an unknown kind.
    """
    kind = data.get("kind", "table")
    if kind not in ENCODERS:
        raise InvalidInput(f"encoding {kind!r} is unknown; kdaudit reads {', '.join(ENCODERS)}")
    return ENCODERS[kind].from_data(data)
