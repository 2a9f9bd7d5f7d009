"""Trains one student, alone or as one of several processes, and writes its weights: run by `test_processes`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from kdaudit.chance import rng
from kdaudit.distillation.loop import Extras, distil
from kdaudit.distillation.processes import Accelerated
from kdaudit.distillation.training import Schedule
from kdaudit.domain import Domain, Real
from kdaudit.encoding import Encoding
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network
from kdaudit.samples import Origin, Samples
from kdaudit.store.answers import Store

CLASSES = ("a", "b", "c")


def main(folder: Path, steps: int, seed: int, *, together: bool) -> None:
    """Write ``weights-RANK.safetensors`` below `folder`."""
    names = [f"x{i}" for i in range(6)]
    columns = {name: np.random.default_rng(i).normal(size=400) for i, name in enumerate(names)}
    rows = Samples(Domain(tuple(Real(name) for name in names)), columns, np.arange(400), Origin("drawn"))
    encoding = Encoding.fitted(rows)
    teacher = Network("teacher", build("mlp", {"inputs": 6, "outputs": 3, "hidden": [12, 9]}, 0), encoding, CLASSES)
    processes = Accelerated(cpu=True) if together else None
    rank = processes.rank if processes else 0

    def jitter(inputs: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        return inputs + 0.1 * torch.randn(inputs.shape, generator=generator)

    student = distil(
        build("mlp", {"inputs": 6, "outputs": 3, "hidden": [5, 4]}, seed + (rank if seed < 0 else 0)),
        teacher,
        objective="soft_targets(2) + 0.5 * hint('layers.0')",
        samples=rows,
        store=Store(folder / "answers"),
        rng=rng(0, "student"),
        schedule=Schedule(steps, 64, 1e-2, clip=1.0),
        extras=Extras(view=jitter, processes=processes, checkpoint=folder / "training"),
    )
    save_file(student.module.state_dict(), folder / f"weights-{rank}.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), together=sys.argv[4] == "together")
