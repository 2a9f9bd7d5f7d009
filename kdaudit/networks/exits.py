"""Early exits: heads behind the layers before the last, so that deeper ones can teach shallower ones."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from kdaudit.errors import InvalidInput


def exits_of(widths: Sequence[int], outputs: int, *, wanted: bool) -> nn.ModuleList | tuple[()]:
    """Return a linear head for every layer but the last, whose head is the network's own; none where not `wanted`.

    What they give can be tapped (``exits.0``) and learned, such as by ``own(soft_targets(1, 'exits.*'))``: the last
    layer teaches those before it.

    Raises
    ------
    InvalidInput
        If there is no layer before the last.

    References
    ----------
    Zhang, Song, Gao, Chen, Bao and Ma 2019.
    """
    if wanted and len(widths) < 2:
        raise InvalidInput("early exits stand behind every layer but the last; give the network two layers or more")
    return nn.ModuleList(nn.Linear(width, outputs) for width in widths[:-1]) if wanted else ()
