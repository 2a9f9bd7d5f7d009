"""Attention: of convolutions where their activations are large, of transformers their maps and their relations."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from kdaudit.errors import InvalidInput
from kdaudit.objective.terms import Term

RELATIONS = ("query", "key", "value")
"""Endings of taps whose relations of tokens to each other are matched."""
MAP = "map"
"""Ending of taps that give a transformer's attention maps."""


def attention(at: str = "", teacher: str = "") -> Term:
    """Return how far two layers attend to different places; what is compared follows from the ending of the tap.

    ========================  =========================================================================================
    a layer's activations      where they are large: squares averaged over channels (or the width of tokens), of length
                               1 a row; squared difference, summed over places
    ``:map``                   a transformer's attention maps: divergence from student to teacher in nats, mean over
                               heads and asking tokens
    ``:query :key :value``     relations: softmax over x x' / sqrt(width) of a head's vectors; divergence as of maps
    ========================  =========================================================================================

    Heads of different number are averaged (maps) or joined into one (relations).  Places whose teacher side is 0
    throughout are padding and left out.

    References
    ----------
    Zagoruyko and Komodakis 2017, equation 2; Jiao et al. 2020, equation 7; Wang et al. 2020 and 2021 (relations).
    """
    end = at.partition(":")[2]
    if (teacher or at).partition(":")[2] != end:
        raise InvalidInput(f"attention({at!r}, {teacher!r}) compares two kinds of things; give both the same ending")
    value = _maps if end == MAP else _relations if end in RELATIONS else _places
    return Term("attention", value, student=at, teacher=teacher or at)


def _places(a: Tensor, b: Tensor) -> Tensor:
    if a.ndim == b.ndim == 4 and a.shape[2:] != b.shape[2:]:
        grid = (min(a.shape[2], b.shape[2]), min(a.shape[3], b.shape[3]))
        a, b = (functional.adaptive_avg_pool2d((x**2).mean(dim=1, keepdim=True), grid) for x in (a, b))
        a, b = a.flatten(1), b.flatten(1)
    else:
        a, b = _large(a), _large(b)
    if a.shape != b.shape:
        raise InvalidInput(
            f"attention: the student's layer has {a.shape[1]} places and the teacher's {b.shape[1]}; "
            "give layers over the same places, or use similarity, which needs none"
        )
    return ((functional.normalize(a, dim=1) - functional.normalize(b, dim=1)) ** 2).sum(dim=1)


def _large(x: Tensor) -> Tensor:
    match x.ndim:
        case 4:
            return (x**2).mean(dim=1).flatten(1)
        case 3:
            return (x**2).mean(dim=2)
        case _:
            raise InvalidInput(
                f"attention needs a layer with places, such as (rows, channels, height, width) or (rows, tokens, "
                f"width); this one gave {tuple(x.shape)}"
            )


def _maps(a: Tensor, b: Tensor) -> Tensor:
    if a.shape[2:] != b.shape[2:]:
        raise InvalidInput(
            f"attention: the student's maps are {tuple(a.shape[2:])} and the teacher's {tuple(b.shape[2:])}; "
            "both must read a row in the same tokens"
        )
    if a.shape[1] != b.shape[1]:
        a, b = a.mean(dim=1, keepdim=True), b.mean(dim=1, keepdim=True)
    return _divergence(a, b)


def _divergence(a: Tensor, b: Tensor) -> Tensor:
    """Mean over heads and asking tokens of KL(b || a); rows of b that are 0 throughout are padding."""
    asked = b.sum(dim=-1) > 0.5
    small = torch.finfo(a.dtype).tiny
    apart = (torch.xlogy(b, b) - b * torch.log(a.clamp_min(small))).sum(dim=-1) * asked
    return apart.sum(dim=(1, 2)) / asked.sum(dim=(1, 2)).clamp_min(1)


def _relations(a: Tensor, b: Tensor) -> Tensor:
    if a.shape[2] != b.shape[2]:
        raise InvalidInput(
            f"attention: the student reads {a.shape[2]} tokens and the teacher {b.shape[2]}; "
            "relations compare rows that both read in the same tokens"
        )
    if a.shape[1] != b.shape[1]:
        a, b = (x.transpose(1, 2).flatten(2)[:, None] for x in (a, b))
    there = (b != 0).any(dim=-1).any(dim=1)[:, None]  # (n, 1, tokens)
    between = []
    for x in (a, b):
        scores = x @ x.transpose(2, 3) / math.sqrt(x.shape[-1])
        between.append(scores.masked_fill(~there[:, :, None], torch.finfo(x.dtype).min).softmax(dim=-1))
    return _divergence(between[0], between[1] * there[..., None])
