"""Shallow transformers: over the words of a text, or over the patches of a picture."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from kdaudit.errors import InvalidInput
from kdaudit.networks.exits import exits_of
from kdaudit.networks.limits import check_sizes


class Attention(nn.Module):
    """Attention of several heads (Vaswani et al. 2017, section 3.2).

    Parameters
    ----------
    width : int
        Of a token's vector, a multiple of `heads`.
    heads : int
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.output = nn.Linear(width, width)

    def forward(self, tokens: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """Return what each token takes from those that are present.

        Parameters
        ----------
        tokens : Tensor of shape (n, length, width)
        present : Tensor of shape (n, length), bool
        """
        n, length, width = tokens.shape
        query, key, value = (
            part(tokens).reshape(n, length, self.heads, width // self.heads).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        # very low and not infinite: a row of padding alone still has an answer
        hidden = torch.zeros_like(present, dtype=tokens.dtype).masked_fill(~present, -1e9)[:, None, None]
        # products and softmax, not a fused kernel: those can be kept steady, and differentiated twice
        with sdpa_kernel(SDPBackend.MATH):
            taken = functional.scaled_dot_product_attention(query, key, value, attn_mask=hidden)
        out: torch.Tensor = self.output(taken.transpose(1, 2).reshape(n, length, width))
        return out


class Layer(nn.Module):
    """Attention, then two linear layers for each token; norms stand in front (Xiong et al. 2020).

    Parameters
    ----------
    width, heads : int
    hidden : int
        Units between the two linear layers.
    dropout : float
    """

    def __init__(self, width: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.before, self.attention, self.after = nn.LayerNorm(width), Attention(width, heads), nn.LayerNorm(width)
        self.wide, self.narrow, self.dropout = nn.Linear(width, hidden), nn.Linear(hidden, width), nn.Dropout(dropout)

    def forward(self, tokens: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """Return tokens of shape (n, length, width)."""
        tokens = tokens + self.dropout(self.attention(self.before(tokens), present))
        out: torch.Tensor = tokens + self.dropout(self.narrow(functional.gelu(self.wide(self.after(tokens)))))
        return out


class Transformer(nn.Module):
    """A transformer over the words of a text; the mean of their vectors goes to a linear head.

    Every text has the same length, filled up with padding that no word looks at, so that an answer depends on no
    other text.

    Parameters
    ----------
    vocabulary : int
        Numbers that may occur; 0 is padding (see `kdaudit.tokens.Tokens`).
    length : int
        Words of a text.
    outputs : int
        Number of logits.
    width : int
        Of a word's vector, a multiple of `heads`.
    hidden : sequence of int
        Units between the two linear layers of each layer; empty for a bag of words.
    heads : int
    dropout : float
        Share of values set to 0 while training.
    exits : bool
        Whether each layer but the last has a head of its own, ``exits.0`` and so on.

    Raises
    ------
    InvalidInput
        If a size is not possible.
    """

    def __init__(  # noqa: PLR0913 - the sizes that a file describes
        self,
        vocabulary: int,
        length: int,
        outputs: int,
        width: int = 64,
        hidden: Sequence[int] = (128, 128),
        heads: int = 2,
        dropout: float = 0.0,
        *,
        exits: bool = False,
    ) -> None:
        super().__init__()
        _check("a transformer", [vocabulary, length, outputs, width, heads, *hidden], hidden, width, heads)
        self.vocabulary, self.length, self.outputs, self.width = vocabulary, length, outputs, width
        self.hidden, self.heads, self.dropout = tuple(hidden), heads, dropout
        self.embedding = nn.Embedding(vocabulary, width)
        self.places = nn.Embedding(length, width)
        self.layers = nn.ModuleList(Layer(width, heads, units, dropout) for units in hidden)
        self.norm, self.drop, self.head = nn.LayerNorm(width), nn.Dropout(dropout), nn.Linear(width, outputs)
        self.exits = exits_of([width] * len(hidden), outputs, wanted=exits)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return logits of shape (n, outputs) for numbers of words, shape (n, length)."""
        return self.of_vectors(self.embedding(inputs.long()), self.present(inputs))

    def present(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return where words stand and no padding, shape (n, length), bool."""
        return inputs.long() != 0

    def of_vectors(self, vectors: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """Return logits for vectors of words, which unlike their numbers may be moved a little.

        Parameters
        ----------
        vectors : Tensor of shape (n, length, width)
        present : Tensor of shape (n, length), bool
            False where padding stands.
        """
        tokens = self.drop(vectors + self.places.weight)
        there = present.to(tokens.dtype)[:, :, None]
        for i, layer in enumerate(self.layers):
            tokens = layer(tokens, present)
            if i < len(self.exits):
                self.exits[i](_mean(tokens, there))
        out: torch.Tensor = self.head(self.drop(_mean(self.norm(tokens), there)))
        return out


class PatchTransformer(nn.Module):
    """A transformer over the patches of a picture (Dosovitskiy et al. 2021); their mean goes to a linear head.

    Parameters
    ----------
    shape : sequence of int
        Channels, height and width of a picture.
    outputs : int
    patch : int
        Side of a patch in pixels; height and width are multiples of it.
    width, hidden, heads, dropout, exits
        As for `Transformer`.

    Raises
    ------
    InvalidInput
        If a size is not possible.
    """

    def __init__(  # noqa: PLR0913 - the sizes that a file describes
        self,
        shape: Sequence[int],
        outputs: int,
        patch: int,
        width: int = 32,
        hidden: Sequence[int] = (64, 64),
        heads: int = 2,
        dropout: float = 0.0,
        *,
        exits: bool = False,
    ) -> None:
        super().__init__()
        _check("a patch transformer", [*shape, outputs, patch, width, heads, *hidden], hidden, width, heads)
        if len(shape) != 3 or shape[1] % patch or shape[2] % patch:
            raise InvalidInput(f"pictures of shape {tuple(shape)} are no whole number of patches of {patch} pixels")
        self.shape, self.outputs, self.patch, self.width = tuple(shape), outputs, patch, width
        self.hidden, self.heads, self.dropout = tuple(hidden), heads, dropout
        self.embedding = nn.Linear(shape[0] * patch**2, width)
        self.places = nn.Embedding(shape[1] * shape[2] // patch**2, width)
        self.layers = nn.ModuleList(Layer(width, heads, units, dropout) for units in hidden)
        self.norm, self.drop, self.head = nn.LayerNorm(width), nn.Dropout(dropout), nn.Linear(width, outputs)
        self.exits = exits_of([width] * len(hidden), outputs, wanted=exits)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return logits of shape (n, outputs) for encoded pictures of shape (n, channels * height * width)."""
        (channels, height, width), side = self.shape, self.patch
        grid = inputs.reshape(-1, channels, height // side, side, width // side, side).permute(0, 2, 4, 1, 3, 5)
        patches = grid.reshape(len(inputs), -1, channels * side * side)
        tokens = self.drop(self.embedding(patches) + self.places.weight)
        present = torch.ones(tokens.shape[:2], dtype=torch.bool, device=tokens.device)
        for i, layer in enumerate(self.layers):
            tokens = layer(tokens, present)
            if i < len(self.exits):
                self.exits[i](tokens.mean(dim=1))
        out: torch.Tensor = self.head(self.drop(self.norm(tokens).mean(dim=1)))
        return out


def _mean(tokens: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
    return (tokens * there).sum(dim=1) / there.sum(dim=1).clamp(min=1)


def _check(kind: str, sizes: Sequence[object], hidden: Sequence[int], width: int, heads: int) -> None:
    check_sizes(kind, sizes, len(hidden) + 2)
    if width % heads:
        raise InvalidInput(f"{kind} of width {width} cannot have {heads} heads; the width is a multiple of the heads")
