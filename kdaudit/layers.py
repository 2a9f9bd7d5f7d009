"""A network's body as plain data, or what is known of one that is not shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Layers:
    """What a network is made of.

    Parameters
    ----------
    architecture : str
        Name in the table of architectures, such as ``"mlp"``.
    arguments : dict
        Plain JSON arguments with which the architecture is built.
    parameters : int
        Number of weights.
    shapes : dict of str to tuple of int
        Shape of each weight and buffer by its name in the module tree.
    """

    architecture: str
    arguments: dict[str, Any]
    parameters: int
    shapes: dict[str, tuple[int, ...]]

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON data."""
        return {**vars(self), "shapes": {k: list(v) for k, v in self.shapes.items()}}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Layers:
        """Return the layers that `to_data` wrote."""
        return cls(**{**data, "shapes": {k: tuple(v) for k, v in data["shapes"].items()}})


@dataclass(frozen=True)
class Bulk:
    """How large a body is that is run and not shown, such as a model in a file of another engine.

    Parameters
    ----------
    parameters : int
        Number of weights.
    stored_bytes : int
        Of its files.
    multiply_adds : int or None
        Of one row; None where they cannot be counted.
    uncounted : str
        Why not.
    """

    parameters: int
    stored_bytes: int
    multiply_adds: int | None = None
    uncounted: str = ""
