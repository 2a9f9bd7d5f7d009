"""What students are shown of a teacher: recorded answers and layers, of rows as they are or of views of them.

A view is a row that was changed.  Either both sides see another one at each step (see
`kdaudit.distillation.looking.Shown`), or a few of each row are made and recorded once, so that the teacher need not run
while students learn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from kdaudit.chance import seed_of
from kdaudit.digest import of_arrays, of_data
from kdaudit.distillation.looking import ROWS
from kdaudit.distillation.recordings import FULL, TOP, Recording, record, top_targets
from kdaudit.distillation.training import Teaching, Told, View
from kdaudit.errors import InvalidInput
from kdaudit.networks.network import Network
from kdaudit.networks.taps import Taps
from kdaudit.objective.reference import Reference
from kdaudit.objective.sum import Objective


@dataclass(frozen=True, eq=False)
class Recalled:
    """A recording as a teacher: the v-th view of row i stands at position ``i * views + v``.

    Parameters
    ----------
    recording : Recording
    outcome : Tensor of shape (rows,), optional
        True outcomes.
    """

    recording: Recording
    outcome: Tensor | None = None

    def __call__(self, inputs: Tensor, rows: Tensor) -> Reference:  # noqa: ARG002 - recorded as they were made
        """Return what was recorded."""
        views = self.recording.views
        take = self.recording.take if self.recording.whole else self.recording.top
        return take(rows // views, rows % views, self.outcome)


def viewed(rows: Tensor, view: View, count: int, seed: int) -> Tensor:
    """Return `count` views of each row, shape (n * count, ...): those of one row stand together.

    Parameters
    ----------
    rows : Tensor of shape (n, ...)
        Encoded.
    view : View
    count : int
    seed : int

    Raises
    ------
    InvalidInput
        If there is no view.
    """
    if count < 1:
        raise InvalidInput(f"{count} views of each row leave nothing to show; 0 in `Extras` changes rows at each step")
    draws = torch.Generator().manual_seed(seed_of(seed, "distillation/showing/views"))
    return torch.stack([view(rows, draws) for _ in range(count)], dim=1).flatten(0, 1)


def of_views(teacher: Network, goal: Objective, shown: Tensor, like: Reference, folder: Path | None) -> Teaching:
    """Return a teacher's answers and layers for views of rows, recorded once.

    Parameters
    ----------
    teacher : Network
        In evaluation mode.
    goal : Objective
    shown : Tensor of shape (n * views, ...)
        As `viewed` returns them.
    like : Reference
        Of the n rows as they are: outcomes and scale.
    folder : Path, optional
        In half precision (see `kdaudit.distillation.recordings`); None keeps them in memory, in single precision.
    """
    n, taps = len(like), goal.taught_by("teacher")
    views = len(shown) // n
    if folder is not None:
        who = of_data([teacher.identity.digest, sorted(taps), of_arrays({"rows": shown.numpy()})])
        give = _by_view(teacher, taps, shown, views)
        kept = record(folder, give, rows=n, views=views, teacher=who, scale=like.scale)
        return Recalled(kept, like.outcome)
    parts: dict[str, list[Tensor]] = {}
    for _, given in _given(teacher, taps, shown):
        for name, value in given.items():
            parts.setdefault(name, []).append(value)
    whole = {name: torch.cat(values) for name, values in parts.items()}
    outcome = None if like.outcome is None else like.outcome.repeat_interleave(views)
    reference = Reference.from_logits(whole.pop(""), outcome, like.scale, whole)
    return Told(reference if like.scale == "value" else reference.prepared(goal.temperatures))


def _by_view(
    teacher: Network, taps: frozenset[str], shown: Tensor, views: int
) -> Callable[[int], Iterator[tuple[slice, Mapping[str, Tensor]]]]:
    return lambda view: _given(teacher, taps, shown[view::views])


def _given(teacher: Network, taps: frozenset[str], rows: Tensor) -> Iterator[tuple[slice, dict[str, Tensor]]]:
    with Taps(teacher.module, sorted(taps)) as looking:
        for start in range(0, len(rows), ROWS):
            block = slice(start, min(len(rows), start + ROWS))
            with torch.no_grad():
                given = looking(rows[block])
            yield block, {name: value.detach().float() for name, value in given.items()}


def is_long(reference: Reference, folder: Path | None) -> bool:
    """Return whether of these answers only the likeliest are recorded."""
    return folder is not None and reference.scale == "probability" and reference.logit.shape[1] > FULL


def topped(goal: Objective) -> Objective:
    """Return the objective over recorded answers of which the likeliest were kept.

    Raises
    ------
    InvalidInput
        If a term needs all of them.
    """
    parts = []
    for weight, term in goal.parts:
        if term.by != "teacher" or term.teacher is not None or term.name in ("labels", "balance"):
            parts.append((weight, term))
        elif term.name == "soft_targets" and term.numbers == (1.0,):
            parts.append((weight, replace(top_targets(), student=term.student)))
        else:
            raise InvalidInput(
                f"{term.text} needs all outputs, and of more than {FULL} the {TOP} likeliest are recorded with the "
                "mass of all others; match them by soft_targets(1), or leave the recording out"
            )
    return Objective(tuple(parts))


def longest(teacher: str, reference: Reference, folder: Path) -> Recalled:
    """Return answers in many classes, of which the likeliest are recorded with the mass of all others.

    Parameters
    ----------
    teacher : str
        Digest of who answered.
    reference : Reference
        Of all rows.
    folder : Path
    """

    def give(_: int) -> Iterator[tuple[slice, Mapping[str, Tensor]]]:
        for start in range(0, len(reference), ROWS):
            block = slice(start, min(len(reference), start + ROWS))
            yield block, {"": reference.logit[block]}

    who = of_data([teacher, of_arrays({"answers": reference.logit.numpy()})])
    return Recalled(record(folder, give, rows=len(reference), teacher=who), reference.outcome)
