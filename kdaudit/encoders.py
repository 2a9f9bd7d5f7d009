"""Rows to numbers, whatever the fields are: a table of the ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from kdaudit.domain import Domain, Image, Text
from kdaudit.encoding import Encoding
from kdaudit.errors import InvalidInput
from kdaudit.pictures import Pictures
from kdaudit.pieces import Pieces
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


@dataclass(frozen=True)
class Reading:
    """An encoder of some fields of a row; the others are not seen.

    So a teacher of pictures and a student of texts answer the same rows, each by the fields that it reads.

    Parameters
    ----------
    domain : Domain
        All fields of a row.
    inner : Encoding, Pictures, Tokens or Pieces
        Of the fields that are read.

    Raises
    ------
    OutOfDomain
        If a row has no such field.
    """

    kind: ClassVar[str] = "reading"
    domain: Domain
    inner: Encoding | Pictures | Tokens | Pieces

    def __post_init__(self) -> None:
        _part(self.domain, self.inner.domain.names)

    @property
    def continuous(self) -> bool:
        """Whether columns may be moved a little or averaged."""
        return self.inner.continuous

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.inner.width

    @property
    def units(self) -> Units:
        """Parts of what is read."""
        return self.inner.units

    def encode(self, samples: Samples) -> NDArray[np.float32]:
        """Return the fields that are read as numbers, shape (n, width)."""
        return self.inner.encode(chosen(samples, self.inner.domain.names))

    def reach(self, encoded: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return how many columns of each row must be read."""
        if isinstance(self.inner, Pieces):
            return self.inner.reach(encoded)
        return np.full(len(encoded), self.width, dtype=np.int64)

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON data."""
        return {"kind": self.kind, "domain": self.domain.to_data(), "inner": self.inner.to_data()}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Reading:
        """Return the encoder that `to_data` wrote."""
        inner = read_encoder(data["inner"])
        if not isinstance(inner, Encoding | Pictures | Tokens | Pieces):
            raise InvalidInput("an encoder of some fields holds another such one; a table, picture or text is expected")
        return cls(Domain.from_data(data["domain"]), inner)


def chosen(samples: Samples, fields: Sequence[str]) -> Samples:
    """Return the same rows (same ids) with some of their fields.

    Raises
    ------
    OutOfDomain
        If there is no such field.
    """
    domain = _part(samples.domain, fields)
    columns = {name: samples.columns[name] for name in domain.names}
    return Samples(domain, columns, samples.ids, samples.origin, samples.labels, samples.weights)


def read_of(encoder: Encoder) -> tuple[str, ...]:
    """Return the fields that an encoder reads."""
    return (encoder.inner if isinstance(encoder, Reading) else encoder).domain.names


def _part(domain: Domain, fields: Sequence[str]) -> Domain:
    return Domain(tuple(domain[name] for name in fields))


ENCODERS: dict[str, type[Encoding] | type[Pictures] | type[Tokens] | type[Pieces] | type[Reading]] = {
    "table": Encoding,
    "pictures": Pictures,
    "tokens": Tokens,
    "pieces": Pieces,
    "reading": Reading,
}
"""Kind in a file -> encoder."""


def fitted(samples: Samples, reads: Sequence[str] = ()) -> Encoder:
    """Return the encoder that suits the fields, fitted on `samples`: a table, one picture or one text.

    Parameters
    ----------
    samples : Samples
    reads : sequence of str
        Fields that are read; none stands for all.

    Raises
    ------
    InvalidInput
        If pictures or texts stand beside other fields.
    OutOfDomain
        If there is no such field.
    """
    if reads and tuple(reads) != samples.domain.names:
        return Reading(samples.domain, _fitted(chosen(samples, reads)))
    return _fitted(samples)


def _fitted(samples: Samples) -> Encoding | Pictures | Tokens:
    match samples.domain.fields:
        case (Image(),):
            return Pictures.fitted(samples)
        case (Text(),):
            return Tokens.fitted(samples)
        case fields if any(isinstance(item, Image | Text) for item in fields):
            raise InvalidInput(
                f"pictures and texts are read alone, and here are {', '.join(samples.domain.names)}; "
                "say with `reads` which field is read"
            )
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
