"""What networks in the loop say to each other, and whether two decide alike."""

from __future__ import annotations

import torch
from torch import Tensor

from kdaudit.objective.reference import Reference
from kdaudit.subject import Scale


def said(others: list[dict[str, Tensor]], outside: Reference, scale: Scale) -> Reference:
    """Return what networks in the loop say, cut off from their gradients: on average where they are several.

    Parameters
    ----------
    others : list of dict of str to Tensor
        What each gave for the batch, by tap; the empty tap stands for its outputs.
    outside : Reference
        Whose outcomes they are.
    scale : {"probability", "value"}
    """
    if len(others) == 1:
        (one,) = others
        return Reference.from_logits(one[""], outside.outcome, scale, one)
    each = [Reference.from_logits(one[""], outside.outcome, scale) for one in others]
    score = torch.stack([one.score for one in each]).mean(dim=0)
    if scale == "value":
        return Reference(score, score, outside.outcome, scale)
    small = torch.finfo(score.dtype).tiny
    log = torch.log(score.clamp_min(small))
    logit = log - torch.log((1 - score).clamp_min(small)) if score.shape[1] == 1 else log
    return Reference(logit, score, outside.outcome, scale)


def agree(given: Tensor, reference: Reference, top: Tensor | None = None) -> Tensor:
    """Return on which rows decisions agree; for one output, on which side of 0 the logit lies.

    Parameters
    ----------
    given : Tensor of shape (n, outputs)
        Logits of the one.
    reference : Reference
        What the other said.
    top : Tensor of shape (n,), optional
        The other's decisions where they are at hand.
    """
    if given.shape[1] == 1:
        return (given[:, 0] > 0) == (reference.logit[:, 0] > 0)
    return given.argmax(dim=1) == (reference.top if top is None else top)
