"""How likely a language model finds completions of several pieces, one piece after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

Logits = Callable[[torch.Tensor], torch.Tensor]
"""From numbers of pieces (n, length) to logits (n, length, vocabulary)."""


def likelihoods(
    logits: Logits, numbers: torch.Tensor, completions: Sequence[Sequence[int]], *, padding: int, mask: int
) -> torch.Tensor:
    """Return the log-probability of each completion, shape (n, completions).

    The probability of several pieces is the product of each one's after those before it.  A causal model tells all of
    them in one pass.  A masked model is given as many masks as there are pieces, and what is known of them from left to
    right (Salazar et al. 2020 score whole sentences so; here only the pieces asked for are filled in).

    Parameters
    ----------
    logits : callable
    numbers : tensor of int64, shape (n, length)
    completions : sequence of sequence of int
        Pieces, at least one each.
    padding, mask : int
        Number of what is no piece, and of the mask; the mask is -1 for a causal model.
    """
    told = []
    for pieces in completions:
        if mask < 0:
            told.append(_behind(logits, numbers, pieces, padding))
        else:
            told.append(_between(logits, numbers, pieces, mask))
    return torch.stack(told, dim=1)


def _behind(logits: Logits, numbers: torch.Tensor, pieces: Sequence[int], padding: int) -> torch.Tensor:
    rows, places = torch.arange(len(numbers)), torch.arange(numbers.shape[1])
    last = ((numbers != padding).int() * places).argmax(dim=1)
    # room for the pieces: the last one is only guessed, never read
    wide = torch.cat([numbers, numbers.new_full((len(numbers), len(pieces) - 1), padding)], dim=1)
    for place, piece in enumerate(pieces[:-1], 1):
        wide[rows, last + place] = piece
    found = logits(wide)
    parts = [found[rows, last + place].log_softmax(dim=1)[:, piece] for place, piece in enumerate(pieces)]
    return torch.stack(parts).sum(dim=0)


def _between(logits: Logits, numbers: torch.Tensor, pieces: Sequence[int], mask: int) -> torch.Tensor:
    rows, more = torch.arange(len(numbers)), len(pieces) - 1
    at = (numbers == mask).int().argmax(dim=1)
    places = torch.arange(numbers.shape[1] + more)[None]
    # what stands behind the mask moves to the right
    source = torch.where(places <= at[:, None], places, torch.maximum(places - more, at[:, None]))
    wide = numbers.gather(1, source)
    total = torch.zeros(len(numbers))
    for place, piece in enumerate(pieces):
        total = total + logits(wide)[rows, at + place].log_softmax(dim=1)[:, piece]
        wide = wide.clone()
        wide[rows, at + place] = piece
    return total
