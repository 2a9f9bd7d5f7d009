"""The training loop: students, an objective, and whoever teaches; it goes on bit for bit where it was stopped."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kdaudit.chance import seed_of
from kdaudit.digest import of_data
from kdaudit.distillation import checkpoints
from kdaudit.distillation.colleagues import agree, said
from kdaudit.distillation.processes import Alone, Processes, averaged, check_alike, level
from kdaudit.distillation.schedule import CHECKS, settle
from kdaudit.distillation.schedule import Schedule as Schedule
from kdaudit.errors import InvalidInput
from kdaudit.live import say
from kdaudit.networks.steps import DECAY, alone
from kdaudit.networks.taps import Taps
from kdaudit.objective.binding import Bound, References
from kdaudit.objective.reference import Reference
from kdaudit.objective.sum import Objective
from kdaudit.subject import Scale

View = Callable[[Tensor, torch.Generator], Tensor]
"""From encoded rows to other rows of the same shape; student and teacher both see what comes out.  The generator is one
of the CPU, wherever the rows are."""
Progress = Callable[[int, float, float], None]
"""Told the step, the loss and the share of the batch on which the first student decides like its teacher."""
EVERY = 100
"""Steps between two checkpoints."""
SAID = 50
"""How often a training says how far it is, where somebody listens (see `kdaudit.live`)."""


class Teaching(Protocol):
    """Whoever stands outside the loop and says what is right for a batch."""

    def __call__(self, inputs: Tensor, rows: Tensor) -> Reference:
        """Return what is said about the rows at positions `rows`, which the students see as `inputs`."""
        ...


@dataclass(frozen=True, eq=False)
class Told:
    """Recorded answers."""

    reference: Reference

    def __call__(self, inputs: Tensor, rows: Tensor) -> Reference:  # noqa: ARG002 - recorded for the rows as they are
        """Return the recorded answers."""
        return self.reference.take(rows)


@dataclass(eq=False)
class Lesson:
    """What is learned by whom.

    Parameters
    ----------
    students : sequence of Module
        Trained in place; more than one learn from each other as well.
    goal : Objective
        Without wildcards.
    inputs : Tensor of shape (n, ...)
        Encoded rows.
    teaching : Teaching
    scale : {"probability", "value"}
    view : View, optional
        How rows are changed at each step.
    watch : (Tensor, Reference), optional
        Rows set apart and the teacher's answers, for stopping early.
    chances : Tensor of shape (n,), float64, optional
        Running sums of what rows are drawn in proportion to while students settle; None draws all alike throughout.
    """

    students: Sequence[nn.Module]
    goal: Objective
    inputs: Tensor
    teaching: Teaching
    scale: Scale = "probability"
    view: View | None = None
    watch: tuple[Tensor, Reference] | None = None
    chances: Tensor | None = None


class Training:
    """A lesson under way.

    Parameters
    ----------
    lesson : Lesson
    schedule : Schedule
    seed : int
    processes : Processes, optional
        Those who train together, and where; None stands for one process on the CPU.  On a CUDA device networks run in
        bfloat16 where it can, terms in single precision.

    Raises
    ------
    InvalidInput
        If there are no rows, or fewer than processes.
    """

    def __init__(self, lesson: Lesson, schedule: Schedule, seed: int, processes: Processes | None = None) -> None:
        if len(lesson.inputs) == 0 or not lesson.students:
            raise InvalidInput(f"training needs rows and a student; got {len(lesson.inputs)} rows")
        self.lesson, self.schedule, self.seed, self.together = lesson, schedule, seed, processes or Alone()
        self.device = self.together.device
        self.inputs = lesson.inputs.to(self.device)
        self.batch = min(schedule.batch, len(self.inputs)) // self.together.count * self.together.count
        if not self.batch:
            raise InvalidInput(
                f"{self.together.count} processes share each batch of {min(schedule.batch, len(self.inputs))} rows; "
                "give every one of them at least one"
            )
        self.generator = torch.Generator().manual_seed(seed_of(seed, "networks/steps/batches"))
        self.views = torch.Generator().manual_seed(seed_of(seed, "distillation/training/views"))
        self.first = torch.Generator().manual_seed(seed_of(seed, "distillation/training/projections"))
        self.order = torch.empty(0, dtype=torch.int64)
        self.done, self.stopped = 0, False
        self.curve = torch.full((schedule.steps,), math.nan, dtype=torch.float64)
        self.best, self.waited = -1.0, 0
        self.bound: list[Bound] = []
        self.optimizer: torch.optim.Optimizer | None = None
        self.taps: list[Taps] = []

    def run(self, folder: Path | None = None, progress: Progress | None = None) -> NDArray[np.float64]:
        """Take all steps that are left, and return the loss of each.

        Parameters
        ----------
        folder : Path, optional
            Where checkpoints are kept; a training that was stopped goes on from the last one.
        progress : Progress, optional

        Raises
        ------
        InvalidInput
            If the loss is no finite number any more; the sentence names the term.
        """
        names = self.lesson.goal.taps | self.lesson.goal.taught_by("own") | self.lesson.goal.taught_by("peers")
        with alone(seed_of(self.seed, "networks/steps/noise")), self._noise():
            if folder is not None and (kept := checkpoints.read(folder, self.what())) is not None:
                self._restore(*kept)
            try:
                for student in self.lesson.students:
                    student.to(self.device).train()
                    self.taps.append(Taps(student, sorted(names)))
                check_alike(self.lesson.students, self.together)
                while self.done < self.schedule.steps and not self.stopped:
                    self._tell(self._step(), progress)
                    if folder is not None and (self.done % EVERY == 0 or self.done == self.schedule.steps):
                        self._keep(folder)
                level(self.lesson.students, self.together)
            finally:
                for taps in self.taps:
                    taps.close()
                self.taps = []
                for student in self.lesson.students:
                    student.to("cpu").eval()
        return self.curve[: self.done].numpy()

    def _tell(self, agreed: float, progress: Progress | None) -> None:
        if self.together.rank:
            return
        if progress is not None:
            progress(self.done, float(self.curve[self.done - 1]), agreed)
        if self.done % max(1, self.schedule.steps // SAID) == 0:
            told = f"step {self.done:,} of {self.schedule.steps:,}, decides as its teacher on {agreed:.0%} of a batch"
            say(lambda: told)

    def _keep(self, folder: Path) -> None:
        level(self.lesson.students, self.together)
        with self.together.first():
            if self.together.rank == 0:
                checkpoints.write(folder, *self._state())

    def _step(self) -> float:
        if self._settling:
            settle(self.lesson.students)
        inputs, chosen = self._rows()
        outside = self.lesson.teaching(inputs, chosen).to(self.device)
        top = outside.top if outside.logit.shape[1] > 1 else None
        with self._precision():
            given = [taps(inputs, top) for taps in self.taps]
        given = [{tap: tensor.float() for tap, tensor in one.items()} for one in given]
        references = [self._references(i, given, outside) for i in range(len(given))]
        if not self.bound:
            pairs = zip(given, references, strict=True)
            self._begin([Bound(self.lesson.goal, one, theirs, self.first) for one, theirs in pairs])
            for bound in self.bound:
                bound.units = averaged(bound.units, self.together)
        total, means = self._sum(given, references)
        with torch.no_grad():
            figures = torch.stack([total.detach(), agree(given[0][""], outside, top).float().mean()])
        self.together.mean([figures])
        loss, agreed = (float(figure) for figure in figures.tolist())
        self._check(loss, means)
        self.curve[self.done] = loss
        self._descend(total)
        if self.schedule.patience and self.lesson.watch is not None:
            self._look()
        return agreed

    def _sum(self, given: list[dict[str, Tensor]], references: list[References]) -> tuple[Tensor, list[list[Tensor]]]:
        progress = self.done / self.schedule.steps
        trios = zip(self.bound, given, references, strict=True)
        (total, means), *others = (bound(one, theirs, progress) for bound, one, theirs in trios)
        return sum((value for value, _ in others), start=total), [means, *(each for _, each in others)]

    def _check(self, loss: float, means: list[list[Tensor]]) -> None:
        if math.isfinite(loss):
            return
        terms = [term.text for _, term in self.lesson.goal.parts]
        wrong = [text for one in means for text, m in zip(terms, one, strict=True) if not torch.isfinite(m)]
        raise InvalidInput(
            f"the loss is {loss} at step {self.done} of {self.schedule.steps}, by the term {(wrong or ['sum'])[0]}; "
            f"lower the rate of {self.schedule.rate:g}, or clip gradients"
        )

    def _descend(self, total: Tensor) -> None:
        optimizer = self.optimizer
        assert optimizer is not None
        share = self.done / self.schedule.steps
        optimizer.param_groups[0]["lr"] = self.schedule.rate * 0.5 * (1 + math.cos(math.pi * share))
        optimizer.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        weights = optimizer.param_groups[0]["params"]
        if self.together.count > 1:
            self.together.mean([p.grad if p.grad is not None else torch.zeros_like(p) for p in weights])
        if self.schedule.clip:
            nn.utils.clip_grad_norm_(weights, self.schedule.clip)
        optimizer.step()
        self.done += 1

    def _references(self, i: int, given: list[dict[str, Tensor]], outside: Reference) -> References:
        out: dict[Any, Reference] = {"teacher": outside}
        if "own" in self.lesson.goal.by:
            out["own"] = said(given[i : i + 1], outside, self.lesson.scale)
        if "peers" in self.lesson.goal.by and len(given) > 1:
            out["peers"] = said(given[:i] + given[i + 1 :], outside, self.lesson.scale)
        return out

    def _begin(self, bound: list[Bound]) -> None:
        # after binding, so that projections are among what learns
        self.bound = bound
        weights = [p for student in self.lesson.students for p in student.parameters() if p.requires_grad]
        weights += [p for one in bound for p in one.parameters()]
        self.optimizer = torch.optim.AdamW(weights, lr=self.schedule.rate, weight_decay=DECAY, fused=True)

    def _rows(self) -> tuple[Tensor, Tensor]:
        """Return this process's share of the next batch, as it is seen, and the positions of its rows."""
        chosen = self._next()
        inputs = self.inputs[chosen if self.device.type == "cpu" else chosen.to(self.device)]
        if self.lesson.view is not None:
            inputs = self.lesson.view(inputs, self.views)
        if self.together.count == 1:
            return inputs, chosen
        # rows are viewed before they are shared, so that chance falls as it would in one process
        mine = slice(self.together.rank, None, self.together.count)
        return inputs[mine], chosen[mine]

    @property
    def _settling(self) -> bool:
        return self.done >= (1 - self.schedule.settled) * self.schedule.steps

    def _next(self) -> Tensor:
        if self.lesson.chances is not None and self._settling:
            reach = self.lesson.chances
            draws = torch.rand(self.batch, dtype=reach.dtype, generator=self.generator) * reach[-1]
            return torch.searchsorted(reach, draws, right=True).clamp(max=len(reach) - 1)
        if len(self.order) < self.batch:
            self.order = torch.cat([self.order, torch.randperm(len(self.inputs), generator=self.generator)])
        chosen, self.order = self.order[: self.batch], self.order[self.batch :]
        return chosen

    def _look(self) -> None:
        if self.done % max(1, self.schedule.steps // CHECKS):
            return
        rows, reference = self.lesson.watch or (self.inputs, Reference(self.inputs, self.inputs))
        student = self.lesson.students[0]
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            student.eval()
            given = student(rows.to(self.device)).cpu()
            student.train()
        agreed = float(agree(given.reshape(len(rows), -1), reference).double().mean())
        self.waited = 0 if agreed > self.best else self.waited + 1
        self.best, self.stopped = max(self.best, agreed), self.waited >= self.schedule.patience

    def _precision(self) -> AbstractContextManager[Any]:
        if self.device.type != "cuda" or not torch.cuda.is_bf16_supported(including_emulation=False):
            return nullcontext()
        return torch.autocast("cuda", dtype=torch.bfloat16)

    @contextmanager
    def _noise(self) -> Iterator[None]:
        """Dropout on another device draws from a state of its own, which is put back; it is not kept on disk."""
        if self.device.type == "cpu":
            yield
            return
        chance = torch.get_device_module(self.device)
        # an Apple GPU is the only one of its machine and is not named
        which = () if self.device.type == "mps" else (self.device,)
        kept = chance.get_rng_state(*which)
        try:
            chance.manual_seed(seed_of(self.seed, "networks/steps/noise") % 2**63)
            yield
        finally:
            chance.set_rng_state(kept, *which)

    def what(self) -> dict[str, Any]:
        """Return what this training is, as plain data: another one is not gone on with."""
        shapes = [[name, list(p.shape)] for s in self.lesson.students for name, p in s.named_parameters()]
        rows = self.lesson.inputs
        return {
            "objective": str(self.lesson.goal),
            "steps": self.schedule.steps,
            "schedule": self.schedule.numbers,
            "seed": self.seed,
            "students": of_data(shapes),
            "rows": [len(rows), float(rows.double().sum())],
            "processes": self.together.count,
        }

    def _state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        assert self.optimizer is not None
        tensors = {
            "curve": self.curve,
            "order": self.order,
            "random/batches": self.generator.get_state(),
            "random/views": self.views.get_state(),
            "random/noise": torch.default_generator.get_state(),
        }
        for i, student in enumerate(self.lesson.students):
            tensors |= {f"student/{i}/{name}": value for name, value in student.state_dict().items()}
        for i, bound in enumerate(self.bound):
            tensors |= {f"projection/{i}/{name}": value for name, value in bound.projections.items()}
        for i, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{i}/{name}": value for name, value in state.items()}
        data = {
            "step": self.done,
            "training": self.what(),
            "units": [list(bound.units) for bound in self.bound],
            "best": self.best,
            "waited": self.waited,
            "stopped": self.stopped,
        }
        # tensors that share memory are kept once each
        return {name: value.clone() for name, value in tensors.items()}, data

    def _restore(self, tensors: dict[str, Tensor], data: dict[str, Any]) -> None:
        self.done, self.best, self.waited, self.stopped = (data[k] for k in ("step", "best", "waited", "stopped"))
        self.curve, self.order = tensors["curve"], tensors["order"]
        self.generator.set_state(tensors["random/batches"])
        self.views.set_state(tensors["random/views"])
        torch.default_generator.set_state(tensors["random/noise"])
        for i, student in enumerate(self.lesson.students):
            student.to(self.device).load_state_dict(_below(tensors, f"student/{i}/"))
        bound = []
        for i, units in enumerate(data["units"]):
            kept = {name: value.to(self.device) for name, value in _below(tensors, f"projection/{i}/").items()}
            bound.append(Bound.restored(self.lesson.goal, kept, tuple(units)))
        self._begin(bound)
        assert self.optimizer is not None
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in _below(tensors, "optimizer/").items():
            place, _, key = name.partition("/")
            state.setdefault(int(place), {})[key] = value
        self.optimizer.load_state_dict({"state": state, "param_groups": self.optimizer.state_dict()["param_groups"]})


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
