"""One training in several processes, each on a GPU or core of its own, on one machine or several.

Hugging Face Accelerate starts the processes and carries what they tell each other; each takes its share of every batch,
and all take the same step::

    # accelerate launch --num_processes 4 learn.py        (or torchrun)
    extras = Extras(processes=Accelerated())
    student = kd.distil(module, teacher, samples=samples, store=store, extras=extras)

All processes see the same batches as one process would, so that the student is the same but for rounding, with three
exceptions: terms about pairs of rows (`Term.pairs`) and batch normalisation see the rows of one process only, and
dropout falls in the same places in every share.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from kdaudit.errors import InvalidInput


class Processes(Protocol):
    """Those who train together."""

    @property
    def rank(self) -> int:
        """Which one this is, from 0; the first one writes files."""
        ...

    @property
    def count(self) -> int:
        """How many there are."""
        ...

    @property
    def device(self) -> torch.device:
        """Where this one computes."""
        ...

    def mean(self, tensors: Sequence[Tensor]) -> None:
        """Put into each tensor its mean over all processes."""
        ...

    def first(self) -> AbstractContextManager[None]:
        """Inside this context the first process works before the others, which find what it left."""
        ...


class Alone:
    """One process.

    Parameters
    ----------
    device : str

    Raises
    ------
    InvalidInput
        If there is no such device.
    """

    rank, count = 0, 1

    def __init__(self, device: str = "cpu") -> None:
        try:
            self.device = torch.empty(0, device=device).device
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            raise InvalidInput(f"device {device!r} cannot be used here: {str(error).splitlines()[0]}") from error

    def mean(self, tensors: Sequence[Tensor]) -> None:
        """Leave the tensors as they are."""

    def first(self) -> AbstractContextManager[None]:
        """Wait for nobody."""
        return nullcontext()


class Accelerated:
    """The processes that Hugging Face Accelerate, or torchrun, started.

    Parameters
    ----------
    cpu : bool
        Whether to compute on cores even where there are GPUs.

    Raises
    ------
    InvalidInput
        If accelerate is not installed.
    """

    def __init__(self, *, cpu: bool = False) -> None:
        try:
            from accelerate import Accelerator
        except ImportError as error:
            raise InvalidInput(
                "training in several processes needs accelerate: pip install 'kdaudit[distributed]'"
            ) from error
        self._engine: Any = Accelerator(cpu=cpu)
        self.rank: int = self._engine.process_index
        self.count: int = self._engine.num_processes
        self.device: torch.device = self._engine.device

    def mean(self, tensors: Sequence[Tensor]) -> None:
        """Put into each tensor its mean over all processes, in one message."""
        flat = torch.cat([tensor.detach().reshape(-1).to(self.device, torch.float32) for tensor in tensors])
        whole = self._engine.reduce(flat, reduction="mean")
        parts = whole.split([tensor.numel() for tensor in tensors])
        with torch.no_grad():
            for tensor, part in zip(tensors, parts, strict=True):
                tensor.copy_(part.reshape(tensor.shape))

    def first(self) -> AbstractContextManager[None]:
        """Let the first process work before the others."""
        out: AbstractContextManager[None] = self._engine.main_process_first()
        return out


def averaged(numbers: Sequence[float], together: Processes) -> tuple[float, ...]:
    """Return the means of numbers over all processes."""
    if together.count == 1:
        return tuple(numbers)
    out = torch.tensor(numbers, dtype=torch.float32, device=together.device)
    together.mean([out])
    return tuple(out.tolist())


def level(modules: Sequence[nn.Module], together: Processes) -> None:
    """Put into all processes the means of buffers, such as those of batch normalisation, which each made for itself."""
    if together.count > 1 and (found := [b for m in modules for b in m.buffers() if b.is_floating_point()]):
        together.mean(found)


def check_alike(modules: Sequence[nn.Module], together: Processes) -> None:
    """Refuse students that are not the same in all processes.

    Raises
    ------
    InvalidInput
        In every process, where one began with other weights.
    """
    if together.count == 1:
        return
    sums = [float(p.detach().double().sum()) for m in modules for p in m.parameters()]
    means = averaged(sums, together)
    apart = [float(abs(a - b) > 1e-4 * (1 + abs(b))) for a, b in zip(sums, means, strict=True)]
    if max(averaged([max(apart, default=0.0)], together)) > 0:
        raise InvalidInput(
            "the processes begin with students of other weights; build the student from one seed in each"
        )
