"""Networks that make encoded rows of a domain out of noise, differentiably."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from kdaudit.domain import Category, Domain, Real
from kdaudit.encoders import Encoder
from kdaudit.encoding import Encoding
from kdaudit.errors import InvalidInput
from kdaudit.pictures import Pictures

Squash = Callable[[Tensor], Tensor]
"""From free numbers of shape (batch, width) to encoded rows of the domain, differentiably."""
FAR = 3.0
"""Standard deviations to either side that a number without a range may take."""
SMALLEST = 4
"""A picture grows from a quarter of its sides."""


def generator(encoding: Encoder, noise: int) -> nn.Module:
    """Return a network from (batch, noise) to free numbers of shape (batch, width), fit for `squash`.

    For a picture it grows from a quarter of its sides by convolutions, so that neighbouring pixels hang together
    (Radford et al. 2016); for a table it is fully connected.
    """
    if isinstance(encoding, Pictures):
        return _Growing(noise, encoding.shape)
    sizes = [noise, 128, 256]
    layers: list[nn.Module] = []
    for a, b in pairwise(sizes):
        layers += [nn.Linear(a, b), nn.BatchNorm1d(b), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], encoding.width))


class _Growing(nn.Module):
    """A picture that doubles its sides twice and is cut to size."""

    def __init__(self, noise: int, shape: Sequence[int]) -> None:
        super().__init__()
        channels, self.height, self.width = shape
        sides = -(-self.height // SMALLEST), -(-self.width // SMALLEST)
        first, *later = CHANNELS
        area = first * sides[0] * sides[1]
        self.begin = nn.Sequential(
            nn.Linear(noise, area), nn.BatchNorm1d(area), nn.ReLU(), nn.Unflatten(1, (first, *sides))
        )
        layers: list[nn.Module] = []
        for a, b in pairwise((first, *later)):
            layers += [nn.Upsample(scale_factor=2), nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU()]
        self.grow = nn.Sequential(*layers, nn.Conv2d(later[-1], channels, 3, padding=1))

    def forward(self, noise: Tensor) -> Tensor:
        """Return pictures as rows."""
        whole: Tensor = self.grow(self.begin(noise))
        return whole[:, :, : self.height, : self.width].flatten(1)


CHANNELS = (48, 24, 12)
"""Channels of a picture in the making, from its smallest to its full size."""


def squash(encoding: Encoder) -> Squash:
    """Return what turns free numbers into encoded rows of a domain: numbers within their range, one level of each.

    Raises
    ------
    InvalidInput
        If the encoding is none of a table or of one picture.
    """
    match encoding:
        case Pictures(mean=mean, scale=scale):
            return lambda raw: (torch.sigmoid(raw) - mean) / scale
        case Encoding(domain=domain):
            parts = list(_parts(domain, encoding))
            return lambda raw: torch.cat([part(raw) for part in parts], dim=1)
        case _:
            raise InvalidInput("rows can be made for tables and for pictures; words have no gradient")


def _parts(domain: Domain, encoding: Encoding) -> Iterator[Squash]:
    reals = iter(zip(encoding.means, encoding.scales, strict=True))
    for item, columns in zip(domain.fields, encoding.units.columns, strict=True):
        first, last = columns[0], columns[-1] + 1
        match item:
            case Real(low=low, high=high):
                mean, scale = next(reals)
                ends = (-FAR if low is None else (low - mean) / scale, FAR if high is None else (high - mean) / scale)
                yield _number(first, last - first, ends)
            case Category():
                yield _level(first, last)
            case _:
                raise InvalidInput(f"{item.name} is a {item.kind}; rows of these cannot be made")


def _number(at: int, width: int, ends: tuple[float, float]) -> Squash:
    low, high = ends

    def made(raw: Tensor) -> Tensor:
        value = low + (high - low) * torch.sigmoid(raw[:, at : at + 1])
        # the second column says "missing", and made numbers are there
        return value if width == 1 else torch.cat([value, torch.zeros_like(value)], dim=1)

    return made


def _level(first: int, last: int) -> Squash:
    def made(raw: Tensor) -> Tensor:
        share = torch.softmax(raw[:, first:last], dim=1)
        one = torch.nn.functional.one_hot(share.argmax(dim=1), last - first).to(share.dtype)
        # forwards one level, backwards as if all had their share (Bengio et al. 2013)
        return one + share - share.detach()

    return made
