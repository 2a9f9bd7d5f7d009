"""What a teacher said and what its layers gave, kept on disk for training: half precision, by row and view.

One flat memory map a name (``<name>.f16``) beside a JSON file; a batch of rows is read by its positions.  Up to `FULL`
outputs are kept whole.  Beyond, the likeliest are kept with the mass of all others, since leaving that out would teach
a student to be surer than its teacher (Anshumann et al. 2025 measure it).  It is a training cache: answers that judge
come from the store, in their own precision.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kdaudit.durable import write_durably
from kdaudit.errors import BrokenRun, InvalidInput
from kdaudit.objective.reference import Reference
from kdaudit.objective.terms import Term, temperature_of
from kdaudit.subject import Scale

FULL = 1000
"""Outputs up to which a row is kept whole."""
TOP = 128
"""Likeliest outputs that are kept of a longer row."""
INDEX = "recording.json"
FORMAT = 1
ROWS = 256
"""Rows that are recorded at once."""
LARGEST = float(np.finfo(np.float16).max)

Views = Callable[[int], Iterator[tuple[slice, Mapping[str, Tensor]]]]
"""From the number of a view to what the teacher gives for its rows, block by block; outputs under the empty name."""


@dataclass(frozen=True)
class Recording:
    """A folder of recorded answers.

    Parameters
    ----------
    folder : Path
    rows, views : int
    shapes : mapping of str to tuple of int
        Of each name, without rows and views.
    outputs : int
    scale : {"probability", "value"}
    teacher : str
        Digest of who was recorded.
    """

    folder: Path
    rows: int
    views: int
    shapes: Mapping[str, tuple[int, ...]]
    outputs: int
    scale: Scale
    teacher: str

    @property
    def whole(self) -> bool:
        """Whether rows of outputs were kept whole."""
        return self.outputs <= FULL or self.scale == "value"

    def take(self, rows: Tensor, view: int | Tensor = 0, outcome: Tensor | None = None) -> Reference:
        """Return what was recorded of some rows, in single precision.

        Parameters
        ----------
        rows : Tensor of shape (m,), int64
            Positions.
        view : int, or Tensor of shape (m,), int64
            Of all rows or of each; taken modulo the number of views, so that steps can go round.
        outcome : Tensor of shape (n,), optional
            True outcomes of all rows.

        Raises
        ------
        InvalidInput
            If rows of outputs were not kept whole: `top` reads them.
        """
        if not self.whole:
            raise InvalidInput(
                f"of {self.outputs} outputs the {TOP} likeliest were recorded; they are matched by the term "
                "kdaudit.distillation.recordings.top_targets"
            )
        kept = self.read(rows, view)
        true = None if outcome is None else outcome[rows]
        return Reference.from_logits(kept.pop(""), true, self.scale, kept)

    def top(self, rows: Tensor, view: int | Tensor = 0, outcome: Tensor | None = None) -> Reference:
        """Return the likeliest classes of some rows, with the mass of all others, for `top_targets`."""
        kept = self.read(rows, view)
        at = kept.pop("top").long()
        # the places stand among the taps, since they are no answers of their own
        true = None if outcome is None else outcome[rows]
        return Reference(kept["kept"], kept["kept"].exp(), true, self.scale, kept | {"top": at})

    def read(self, rows: Tensor, view: int | Tensor = 0) -> dict[str, Tensor]:
        """Return everything that was recorded of some rows, by name."""
        at = (rows * self.views + view % self.views).numpy()
        return {name: torch.from_numpy(self._map(name)[at].astype(np.float32)) for name in self.shapes}

    def _map(self, name: str) -> NDArray[Any]:
        kind = np.int32 if name == "top" else np.float16
        shape = (self.rows * self.views, *self.shapes[name])
        return np.memmap(self.folder / _file(name), dtype=kind, mode="r", shape=shape)


@dataclass(frozen=True, eq=False)
class Kept:
    """Recorded answers, and layers that are read from a recording."""

    reference: Reference
    recording: Recording

    def __call__(self, inputs: Tensor, rows: Tensor) -> Reference:  # noqa: ARG002 - rows as they are
        """Return what was recorded."""
        return replace(self.reference.take(rows), taps=self.recording.read(rows))


def _file(name: str) -> str:
    return f"{''.join(c if c.isalnum() or c in '.-' else '_' for c in name) or 'outputs'}.f16"


def record(
    folder: Path, give: Views, *, rows: int, views: int = 1, teacher: str = "", scale: Scale = "probability"
) -> Recording:
    """Record a teacher.

    Parameters
    ----------
    folder : Path
        Made if it is not there; one that holds the same recording is read and not made again.
    give : callable
        See `Views`; called once a view.
    rows, views : int
    teacher : str
        Digest of who is recorded, and of the views.
    scale : {"probability", "value"}

    Raises
    ------
    InvalidInput
        If there are no rows, two names make one file, or a value is no finite number.
    BrokenRun
        If the folder holds something else.
    """
    if rows < 1 or views < 1:
        raise InvalidInput(f"{rows} rows in {views} views leave nothing to record")
    if (folder / INDEX).is_file():
        return _checked(read(folder), rows, views, teacher)
    folder.mkdir(parents=True, exist_ok=True)
    maps: dict[str, NDArray[Any]] = {}
    outputs = 0
    for view in range(views):
        for block, given in give(view):
            outputs = int(given[""].shape[1]) if "" in given else 0
            for name, value in _kept(given, scale).items():
                at = np.arange(block.start, block.stop) * views + view
                _made(maps, folder, name, value, rows * views)[at] = value
    for values in maps.values():
        values.flush()  # type: ignore[attr-defined]
    shapes = {name: list(values.shape[1:]) for name, values in maps.items()}
    index = {"format": FORMAT, "rows": rows, "views": views, "shapes": shapes, "outputs": outputs}
    text = json.dumps(index | {"scale": scale, "teacher": teacher}, indent=2, sort_keys=True)
    # written last: a recording without an index was not finished
    write_durably(folder / INDEX, text.encode() + b"\n")
    return read(folder)


def read(folder: Path) -> Recording:
    """Return the recording in a folder.

    Raises
    ------
    BrokenRun
        If there is none, or a file has another size than it should.
    """
    try:
        data = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        shapes = {str(name): tuple(shape) for name, shape in data["shapes"].items()}
        keys = (data["rows"], data["views"], shapes, data["outputs"], data["scale"], data["teacher"])
        out = Recording(folder, *keys)
        for name in shapes:
            out._map(name)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BrokenRun(f"{folder} holds no whole recording: {error!r}") from error
    return out


def _checked(found: Recording, rows: int, views: int, teacher: str) -> Recording:
    if (found.rows, found.views, found.teacher) != (rows, views, teacher):
        raise BrokenRun(
            f"{found.folder} holds {found.rows} rows in {found.views} views of another teacher or other rows; "
            "give a folder of its own"
        )
    return found


def _made(maps: dict[str, NDArray[Any]], folder: Path, name: str, value: NDArray[Any], rows: int) -> NDArray[Any]:
    if name not in maps:
        if _file(name) in map(_file, maps):
            raise InvalidInput(f"{name!r} and another name both make the file {_file(name)}")
        maps[name] = np.memmap(folder / _file(name), dtype=value.dtype, mode="w+", shape=(rows, *value.shape[1:]))
    return maps[name]


def _kept(given: Mapping[str, Tensor], scale: Scale) -> dict[str, NDArray[Any]]:
    out: dict[str, NDArray[Any]] = {}
    for name, tensor in given.items():
        if not torch.isfinite(tensor).all():
            raise InvalidInput(f"{name or 'outputs'!r} holds something that is no finite number, and is not recorded")
        if name == "" and tensor.shape[1] > FULL and scale == "probability":
            log, at = torch.log_softmax(tensor.double(), dim=1).sort(dim=1, descending=True)
            rest = torch.logsumexp(log[:, TOP:], dim=1, keepdim=True)
            out["kept"] = torch.cat([log[:, :TOP], rest], dim=1).numpy().astype(np.float16)
            out["top"] = at[:, :TOP].numpy().astype(np.int32)
        else:
            value = tensor - tensor.mean(dim=1, keepdim=True) if name == "" and _free(tensor, scale) else tensor
            out[name] = value.numpy().clip(-LARGEST, LARGEST).astype(np.float16)
    return out


def _free(tensor: Tensor, scale: Scale) -> bool:
    # only differences of logits matter; around 0 half precision has most digits
    return tensor.shape[1] > 1 and scale == "probability"


def top_targets(temperature: float = 1.0) -> Term:
    """Return the divergence over the likeliest classes and all others as one, from recorded logarithms.

    Its reference comes from `Recording.top`.  Only the temperature 1 is possible: the mass of the others at another
    one is not known.

    References
    ----------
    Wu et al. 2022 (TinyViT: sparse stored labels), here with the mass of the others.
    """
    if temperature_of("top_targets", temperature) != 1:
        raise InvalidInput(f"top_targets({temperature:g}): what was left out is known at the temperature 1 only")

    def value(student: Tensor, teacher: Reference) -> Tensor:
        at, log_p = teacher.taps["top"], teacher.logit
        log_q = torch.log_softmax(student, dim=1)
        some = log_q.gather(1, at)
        others = torch.ones_like(log_q, dtype=torch.bool).scatter(1, at, value=False)
        rest = torch.logsumexp(log_q.masked_fill(~others, -torch.inf), dim=1, keepdim=True)
        p = log_p.exp()
        p = p / p.sum(dim=1, keepdim=True)
        return (torch.xlogy(p, p) - p * torch.cat([some, rest], dim=1)).sum(dim=1)

    return Term("top_targets", value, frozenset({"probability"}))
