"""A network's body as plain data."""

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
