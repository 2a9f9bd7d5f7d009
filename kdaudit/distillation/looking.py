"""Looking into a teacher: what its layers give for rows, without changing it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kdaudit.digest import of_arrays
from kdaudit.errors import BrokenRun, InvalidInput, NoSuchSignal
from kdaudit.networks.network import Network
from kdaudit.networks.taps import Taps
from kdaudit.objective.reference import Reference
from kdaudit.subject import Scale, Subject

ROWS = 256
"""Rows that go through a teacher at once."""


def opened(teacher: Subject, why: str) -> Network:
    """Return a teacher that can be looked into.

    Parameters
    ----------
    teacher : Subject
    why : str
        What looks into it, for the sentence.

    Raises
    ------
    NoSuchSignal
        If it gives answers only.
    InvalidInput
        If some part of it is in training mode: its answers would depend on the batch.
    """
    if not isinstance(teacher, Network):
        raise NoSuchSignal(
            f"{why} looks into the teacher, and {teacher.identity.name} gives answers only; "
            "match outputs, such as soft_targets(2), or take a teacher whose layers are at hand"
        )
    in_evaluation(teacher.module, teacher.identity.name)
    return teacher


def in_evaluation(module: nn.Module, name: str) -> None:
    """Refuse a module that is in training mode, wholly or in part."""
    if wrong := [inner or "the whole module" for inner, part in module.named_modules() if part.training]:
        raise InvalidInput(
            f"the teacher {name} is in training mode ({', '.join(wrong[:3])}), so that its answers depend on the "
            "batch; call .eval() on it"
        )


def state_of(module: nn.Module) -> str:
    """Return a digest of weights and buffers."""
    tensors = {**dict(module.named_buffers()), **module.state_dict()}
    return of_arrays({name: np.asarray(tensor.detach().cpu()) for name, tensor in tensors.items()})


def unchanged(module: nn.Module, before: str, name: str) -> None:
    """Refuse to go on if a teacher's weights or buffers are not those of `before`.

    Raises
    ------
    BrokenRun
        If something moved: a student of it would have learned from two teachers.
    """
    if state_of(module) != before:
        raise BrokenRun(f"the weights or buffers of the teacher {name} changed while it taught; it must stay as it is")


def look(
    module: nn.Module, inputs: NDArray[np.generic] | Tensor, taps: Iterable[str], classes: Tensor | None
) -> dict[str, Tensor]:
    """Return what a module's taps give for encoded rows, in single precision.

    Parameters
    ----------
    module : Module
        In evaluation mode.
    inputs : array or Tensor of shape (n, ...)
    taps : iterable of str
    classes : Tensor of shape (n,), int64, optional
        Whose gradients are taken; None stands for the likeliest class.

    Returns
    -------
    dict of str to Tensor of shape (n, ...)
    """
    parts: dict[str, list[Tensor]] = {}
    for _, given in blocks(module, inputs, taps, classes):
        for name, value in given.items():
            parts.setdefault(name, []).append(value)
    return {name: torch.cat(values) for name, values in parts.items()}


def blocks(
    module: nn.Module, inputs: NDArray[np.generic] | Tensor, taps: Iterable[str], classes: Tensor | None
) -> Iterator[tuple[slice, dict[str, Tensor]]]:
    """Yield what `look` returns, a block of rows at a time."""
    rows = torch.as_tensor(inputs)
    # no_grad and not inference mode: what is looked at here is kept for the way back of a loss
    with Taps(module, taps) as looking:
        for start in range(0, len(rows), ROWS):
            block = slice(start, min(len(rows), start + ROWS))
            with torch.no_grad():
                given = looking(rows[block], None if classes is None else classes[block])
            yield block, {name: given[name].detach().float() for name in looking.names}


class Shown:
    """A teacher in the loop: it sees the very rows that its students see, changed or made up as they are.

    Parameters
    ----------
    module : Module
        In evaluation mode; it stays as it is.
    taps : iterable of str
    outcome : Tensor of shape (n,), optional
        True outcomes of the rows.
    scale : {"probability", "value"}

    Raises
    ------
    InvalidInput
        If the module is in training mode.
    """

    def __init__(
        self,
        module: nn.Module,
        taps: Iterable[str] = (),
        *,
        outcome: Tensor | None = None,
        scale: Scale = "probability",
    ) -> None:
        in_evaluation(module, type(module).__name__)
        self.taps, self.outcome, self.scale = Taps(module, taps), outcome, scale
        self.place = next((weights.device for weights in module.parameters()), torch.device("cpu"))

    def __call__(self, inputs: Tensor, rows: Tensor) -> Reference:
        """Return what the teacher says about `inputs`."""
        with torch.no_grad():
            given = self.taps(inputs.detach().to(self.place))
        outcome = None if self.outcome is None else self.outcome[rows]
        return Reference.from_logits(given.pop(""), outcome, self.scale, given)
