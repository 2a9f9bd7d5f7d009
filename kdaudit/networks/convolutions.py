"""Compact convolutional networks: over the pixels of a picture, and over the words of a text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from kdaudit.errors import InvalidInput
from kdaudit.networks.exits import exits_of
from kdaudit.networks.limits import check_sizes


class Cnn(nn.Module):
    """Blocks of convolutions, halved in size between blocks; the mean over the picture goes to a linear head.

    Parameters
    ----------
    shape : sequence of int
        Channels, height and width of a picture.
    outputs : int
        Number of logits.
    hidden : sequence of int
        Channels of each block.
    depth : int
        Convolutions of 3 x 3 pixels in a block, each followed by batch normalisation and ReLU.
    separable : bool
        Whether a convolution is one of each channel apart followed by one of 1 x 1 pixels: about eight times fewer
        weights for the same channels (Howard et al. 2017, section 3.1).  The first of all is never split.
    exits : bool
        Whether each block but the last has a head of its own, ``exits.0`` and so on.

    Raises
    ------
    InvalidInput
        If a size is not possible, or the picture is too small to be halved so often.
    """

    def __init__(
        self,
        shape: Sequence[int],
        outputs: int,
        hidden: Sequence[int] = (8, 16),
        depth: int = 1,
        *,
        separable: bool = False,
        exits: bool = False,
    ) -> None:
        super().__init__()
        check_sizes("a cnn", [*shape, outputs, depth, *hidden], depth * len(hidden) + 1)
        if len(shape) != 3 or not hidden or min(shape[1:]) < 2 ** (len(hidden) - 1):
            raise InvalidInput(
                f"a cnn of {len(hidden)} blocks cannot read pictures of shape {tuple(shape)}; channels, height and "
                f"width were expected, and each block but the last halves the sides"
            )
        self.shape, self.outputs, self.hidden = tuple(shape), outputs, tuple(hidden)
        self.depth, self.separable = depth, separable
        blocks: list[nn.Module] = []
        given = shape[0]
        for channels in hidden:
            layers: list[nn.Module] = []
            for _ in range(depth):
                layers += [*self._convolution(given, channels, first=not blocks and not layers), nn.ReLU()]
                given = channels
            blocks.append(nn.Sequential(*layers))
        self.blocks = nn.ModuleList(blocks)
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Linear(given, outputs)
        self.exits = exits_of(self.hidden, outputs, wanted=exits)

    def _convolution(self, given: int, channels: int, *, first: bool) -> list[nn.Module]:
        norm = nn.BatchNorm2d(channels)
        if first or not self.separable:
            return [nn.Conv2d(given, channels, 3, padding=1, bias=False), norm]
        apart = nn.Conv2d(given, given, 3, padding=1, groups=given, bias=False)
        return [apart, nn.Conv2d(given, channels, 1, bias=False), norm]

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return logits of shape (n, outputs) for encoded pictures of shape (n, channels * height * width)."""
        values = inputs.reshape(len(inputs), *self.shape)
        for i, block in enumerate(self.blocks):
            values = block(self.pool(values) if i else values)
            if i < len(self.exits):
                self.exits[i](values.mean(dim=(2, 3)))
        out: torch.Tensor = self.head(values.mean(dim=(2, 3)))
        return out


class WordConvolution(nn.Conv1d):
    """A convolution over neighbouring words: from (n, length, width) to (n, length, channels)."""

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return a vector for each word."""
        return super().forward(tokens.transpose(1, 2)).transpose(1, 2)


class WordCnn(nn.Module):
    """Convolutions over neighbouring words; the largest value of each channel over the text goes to a linear head.

    Parameters
    ----------
    vocabulary : int
        Numbers that may occur; 0 is padding (see `kdaudit.tokens.Tokens`).
    length : int
        Words of a text.
    outputs : int
        Number of logits.
    width : int
        Of a word's vector.
    hidden : sequence of int
        Channels of each convolution over three words, with ReLU after it.
    exits : bool
        Whether each convolution but the last has a head of its own, ``exits.0`` and so on.

    Raises
    ------
    InvalidInput
        If a size is not possible.

    References
    ----------
    Kim 2014.
    """

    def __init__(
        self,
        vocabulary: int,
        length: int,
        outputs: int,
        width: int = 32,
        hidden: Sequence[int] = (64,),
        *,
        exits: bool = False,
    ) -> None:
        super().__init__()
        check_sizes("a word cnn", [vocabulary, length, outputs, width, *hidden], len(hidden) + 2)
        if not hidden:
            raise InvalidInput("a word cnn needs at least one convolution; give hidden a number of channels")
        self.vocabulary, self.length, self.outputs, self.width = vocabulary, length, outputs, width
        self.hidden = tuple(hidden)
        self.embedding = nn.Embedding(vocabulary, width)
        self.layers = nn.ModuleList(WordConvolution(a, b, 3, padding=1) for a, b in pairwise([width, *hidden]))
        self.head = nn.Linear(hidden[-1], outputs)
        self.exits = exits_of(self.hidden, outputs, wanted=exits)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return logits of shape (n, outputs) for numbers of words, shape (n, length)."""
        there = self.present(inputs)[..., None].to(self.head.weight.dtype)
        values = self.embedding(inputs.long()) * there
        for i, layer in enumerate(self.layers):
            values = torch.relu(layer(values)) * there
            if i < len(self.exits):
                self.exits[i](values.amax(dim=1))
        out: torch.Tensor = self.head(values.amax(dim=1))
        return out

    def present(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return where words stand and no padding, shape (n, length), bool."""
        return inputs.long() != 0
