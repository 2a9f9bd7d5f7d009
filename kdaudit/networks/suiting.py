"""Which architecture with which arguments reads what an encoder gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from kdaudit.encoders import Encoder
from kdaudit.errors import InvalidInput
from kdaudit.pictures import Pictures
from kdaudit.tokens import Tokens

Family = Literal["mlp", "cnn", "transformer"]


@dataclass(frozen=True)
class Shape:
    """How large a network of a family is.

    Parameters
    ----------
    family : {"mlp", "cnn", "transformer"}
    hidden : sequence of int
        Units of each layer; channels of each block of a cnn; units inside each layer of a transformer.
    width, heads : int
        Of a transformer: length of a token's vector, and heads of attention.
    """

    family: Family = "mlp"
    hidden: Sequence[int] = (32,)
    width: int = 32
    heads: int = 2

    def words(self) -> str:
        """Return the shape in words."""
        sizes = " and ".join(map(str, self.hidden))
        match self.family:
            case "cnn":
                return f"convolutional network of {sizes} channels"
            case "transformer":
                return f"transformer of {len(self.hidden)} layers of width {self.width}"
            case _:
                return f"network of {sizes} hidden units" if self.hidden else "linear network"


def suiting(shape: Shape, encoder: Encoder, outputs: int) -> tuple[str, dict[str, Any]]:
    """Return name and arguments of the architecture (see `kdaudit.networks.architectures.build`).

    Raises
    ------
    InvalidInput
        If such a network cannot read what the encoder gives.
    """
    sizes = {"outputs": outputs, "hidden": list(shape.hidden)}
    more = {"width": shape.width, "heads": shape.heads}
    match shape.family, encoder:
        case "mlp", _ if encoder.continuous:
            return "mlp", {"inputs": encoder.width, **sizes}
        case "cnn", Pictures(shape=picture):
            return "cnn", {"shape": list(picture), **sizes}
        case "cnn", Tokens(vocabulary=vocabulary, length=length):
            return "word_cnn", {"vocabulary": vocabulary, "length": length, "width": shape.width, **sizes}
        case "transformer", Pictures(shape=picture, patch=patch):
            side = next(p for p in range(patch, 0, -1) if picture[1] % p == 0 and picture[2] % p == 0)
            return "patch_transformer", {"shape": list(picture), "patch": side, **sizes, **more}
        case "transformer", Tokens(vocabulary=vocabulary, length=length):
            return "transformer", {"vocabulary": vocabulary, "length": length, **sizes, **more}
        case "mlp", _:
            raise InvalidInput("an mlp takes numbers of words for amounts; take a cnn or a transformer for texts")
        case family, _:
            raise InvalidInput(f"a {family} reads pictures or texts, and these rows are a table; take an mlp")
