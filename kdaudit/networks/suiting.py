"""Which architecture with which arguments reads what an encoder gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from kdaudit.domain import Domain
from kdaudit.encoders import Encoder, Reading
from kdaudit.errors import InvalidInput
from kdaudit.pictures import Pictures
from kdaudit.subject import Scale
from kdaudit.tokens import Tokens

Family = Literal["mlp", "cnn", "transformer", "soft_tree"]


@dataclass(frozen=True)
class Shape:
    """How large a network of a family is.

    Parameters
    ----------
    family : {"mlp", "cnn", "transformer", "soft_tree"}
    hidden : sequence of int
        Units of each layer; channels of each block of a cnn; units inside each layer of a transformer.
    width, heads : int
        Of a transformer: length of a token's vector, and heads of attention.
    depth : int
        Of a soft tree: questions between root and leaf; it has no `hidden`.
    exits : bool
        Whether layers before the last have heads of their own (see `kdaudit.networks.exits`).
    """

    family: Family = "mlp"
    hidden: Sequence[int] = (32,)
    width: int = 32
    heads: int = 2
    depth: int = 4
    exits: bool = False

    def words(self) -> str:
        """Return the shape in words."""
        sizes = " and ".join(map(str, self.hidden))
        match self.family:
            case "cnn":
                return f"convolutional network of {sizes} channels"
            case "transformer":
                return f"transformer of {len(self.hidden)} layers of width {self.width}"
            case "soft_tree":
                return f"soft tree of {2**self.depth} leaves"
            case _:
                return f"network of {sizes} hidden units" if self.hidden else "linear network"


def suiting(shape: Shape, encoder: Encoder, outputs: int, scale: Scale = "probability") -> tuple[str, dict[str, Any]]:
    """Return name and arguments of the architecture (see `kdaudit.networks.architectures.build`).

    Parameters
    ----------
    shape : Shape
    encoder : Encoder
    outputs : int
    scale : {"probability", "value"}
        Whether the network gives logits or numbers.

    Raises
    ------
    InvalidInput
        If such a network cannot read what the encoder gives.
    """
    encoder = encoder.inner if isinstance(encoder, Reading) else encoder
    sizes = {"outputs": outputs, "hidden": list(shape.hidden)} | ({"exits": True} if shape.exits else {})
    more = {"width": shape.width, "heads": shape.heads}
    match shape.family, encoder:
        case "mlp" | "soft_tree" as family, _ if not encoder.continuous:
            told = family.replace("_", " ")
            raise InvalidInput(f"a {told} takes numbers of words for amounts; take a cnn or a transformer for texts")
        case "mlp", _:
            return "mlp", {"inputs": encoder.width, **sizes}
        case "soft_tree", _:
            return "soft_tree", _tree(shape, encoder.width, outputs, scale)
        case "cnn", Pictures(shape=picture):
            return "cnn", {"shape": list(picture), **sizes}
        case "cnn", Tokens(vocabulary=vocabulary, length=length):
            return "word_cnn", {"vocabulary": vocabulary, "length": length, "width": shape.width, **sizes}
        case "transformer", Pictures(shape=picture, patch=patch):
            side = next(p for p in range(patch, 0, -1) if picture[1] % p == 0 and picture[2] % p == 0)
            return "patch_transformer", {"shape": list(picture), "patch": side, **sizes, **more}
        case "transformer", Tokens(vocabulary=vocabulary, length=length):
            return "transformer", {"vocabulary": vocabulary, "length": length, **sizes, **more}
        case family, _:
            raise InvalidInput(f"a {family} reads pictures or texts, and these rows are a table; take an mlp")


def unsuited(family: Family, domain: Domain, reads: Sequence[str] = ()) -> str:
    """Return why a family of networks cannot read rows of a domain, or some fields of them; empty where it can."""
    kinds = {domain[name].kind for name in reads or domain.names}
    if family in ("mlp", "soft_tree") and "text" in kinds:
        return f"a {family.replace('_', ' ')} takes numbers of words for amounts; take a cnn or a transformer for texts"
    if family in ("cnn", "transformer") and not kinds & {"text", "image"}:
        return f"a {family} reads pictures or texts, and these rows are a table; take an mlp"
    return ""


def _tree(shape: Shape, inputs: int, outputs: int, scale: Scale) -> dict[str, Any]:
    if shape.exits:
        raise InvalidInput("a soft tree has no layers, and so no early exits; take another network")
    return {"inputs": inputs, "outputs": outputs, "depth": shape.depth, "numbers": scale == "value"}
