"""Without any data: rows are made by a generator that looks for where student and teacher differ.

The generator sees the teacher's gradients, so the teacher must lie open.  Where it is closed, `kdaudit.distillation`
can only draw from the whole domain: ``distil(module, teacher, samples=uniform(domain, n, rng))``.  A student made
without data has often learned the task and not the teacher; only its excess over a control tells.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from kdaudit.chance import rng as chance
from kdaudit.chance import seed_of
from kdaudit.distillation.refusals import check_fit, check_outside
from kdaudit.distillation.rowmakers import generator, squash
from kdaudit.errors import InvalidInput
from kdaudit.networks.network import Network
from kdaudit.networks.steps import DECAY, alone
from kdaudit.objective.reference import Reference
from kdaudit.objective.terms import logit_mse, soft_targets

KEPT = 64
"""Batches that are remembered: a student that only ever sees the newest forgets the others (Fang et al. 2021)."""
_Norm = nn.modules.batchnorm._BatchNorm


@dataclass(frozen=True)
class Play:
    """How generator and student play.

    Parameters
    ----------
    steps : int
        Of the student.
    batch : int
        Rows a step; half of them are new, half remembered.
    rate : float
        Learning rate of the student at the start; it falls along half a cosine.
    temperature : float
        Of the soft targets.
    every : int
        Steps of the student for one of the generator.
    adversarial : float
        Weight of the wish that student and teacher differ.
    statistics : float
        Weight of the wish that the rows look to the teacher's batch normalisation like those that it was trained on.
    balance : float
        Weight of the wish that the teacher sees all classes equally often.

    Raises
    ------
    InvalidInput
        If a number of steps, rows or a rate is not above 0, or a weight is negative.
    """

    steps: int = 2000
    batch: int = 256
    rate: float = 3e-3
    temperature: float = 4.0
    every: int = 2
    adversarial: float = 1.0
    statistics: float = 5.0
    balance: float = 1.0

    def __post_init__(self) -> None:
        if min(self.steps, self.every) < 1 or self.batch < 2 or not min(self.rate, self.temperature) > 0:
            raise InvalidInput("steps and every are at least 1, a batch has 2 rows, rate and temperature are above 0")
        if not min(self.adversarial, self.statistics, self.balance) >= 0:
            raise InvalidInput("weights of adversarial, statistics and balance are at least 0")

    @property
    def made(self) -> int:
        """How many rows are made, and shown to the teacher."""
        return self.steps * 2 * (self.batch // 2) + -(-self.steps // self.every) * self.batch


def data_free(
    module: nn.Module, teacher: Network, *, play: Play | None = None, rng: np.random.Generator | None = None
) -> Network:
    """Return a student that learned a teacher without any row of data.

    A generator makes rows of the teacher's domain.  It is rewarded where student and teacher differ, where the rows
    look to the teacher as its training rows did, and where all classes occur; the student learns what the teacher
    says to them.

    Parameters
    ----------
    module : Module
        From (batch, columns of the teacher's encoding) to (batch, outputs); a copy of it learns.
    teacher : Network
        Of a table or of one picture.
    play : Play, optional
    rng : Generator, optional
        None stands for the stream "data free" of seed 0.

    Returns
    -------
    Network
        It sees rows as its teacher does.  Its `notes` tell how many made rows the teacher was asked about.

    Raises
    ------
    InvalidInput
        If the module does not fit, or rows of the domain cannot be made.

    References
    ----------
    Chen et al. 2019 (class balance), Micaelli and Storkey 2019, Fang et al. 2019 (adversarial), Yin et al. 2020
    (statistics of batch normalisation; here as the divergence of normal laws).
    """
    rules = play or Play()
    check_outside(module, teacher)
    check_fit(module, np.zeros((2, teacher.encoding.width), dtype=np.float32), len(teacher.outputs))
    seed = int((rng or chance(0, "data free")).integers(2**62))
    student = copy.deepcopy(module)
    with alone(seed_of(seed, "distillation/generator")):
        game = _Game(student, teacher, rules)
        losses = [game.step(step) for step in range(rules.steps)]
    student.eval()
    network = Network("student", student, teacher.encoding, teacher.outputs, scale=teacher.scale)
    network.notes = {
        "objective": str(game.term.text),
        "steps": rules.steps,
        "made": game.made,
        "fitted": 0,
        "loss": float(np.mean(losses[-max(1, len(losses) // 10) :])),
    }
    return network


class _Game:
    """Student and generator with their optimizers; all chance comes from torch's own state, which is set outside."""

    def __init__(self, student: nn.Module, teacher: Network, play: Play) -> None:
        self.student, self.play, self.scale, self.made = student, play, teacher.scale, 0
        self.teacher, self.outputs = copy.deepcopy(teacher.module).eval(), len(teacher.outputs)
        self.squash = squash(teacher.encoding)
        self.noise = max(8, min(64, teacher.encoding.width))
        self.generator = generator(teacher.encoding, self.noise)
        self.term = logit_mse() if teacher.scale == "value" else soft_targets(play.temperature)
        self.remembered: list[tuple[Tensor, Tensor]] = []
        weights = [p for p in student.parameters() if p.requires_grad]
        self.learning = torch.optim.AdamW(weights, lr=play.rate, weight_decay=DECAY, foreach=True)
        self.searching = torch.optim.Adam(self.generator.parameters(), lr=1e-3)

    def step(self, step: int) -> float:
        if step % self.play.every == 0:
            self._search()
        for group in self.learning.param_groups:
            group["lr"] = self.play.rate * 0.5 * (1 + math.cos(math.pi * step / self.play.steps))
        with torch.no_grad():
            new = self._rows(self.play.batch // 2)
            told = self.teacher(new).reshape(len(new), self.outputs)
        self.made += len(new)
        old, then = self._recall(len(new))
        self.student.train()
        self.learning.zero_grad()
        given = self.student(torch.cat([new, old])).reshape(-1, self.outputs)
        value = self.term(given, self._reference(torch.cat([told, then]))).mean()
        value.backward()  # type: ignore[no-untyped-call]
        self.learning.step()
        if not math.isfinite(value.item()):
            raise InvalidInput(f"the loss is {value.item()} at step {step}; lower the rate of {self.play.rate:g}")
        return value.item()

    def _rows(self, n: int) -> Tensor:
        out: Tensor = self.squash(self.generator(torch.randn(n, self.noise)))
        return out

    def _recall(self, n: int) -> tuple[Tensor, Tensor]:
        """Return remembered rows, as many as asked for, and remember those of a new round."""
        with torch.no_grad():
            rows = self._rows(n)
            self.remembered.append((rows, self.teacher(rows).reshape(n, self.outputs)))
        self.made += n
        if len(self.remembered) > KEPT:
            # one by chance goes, so that early rounds stay for long
            del self.remembered[int(torch.randint(KEPT, (1,)))]
        return self.remembered[int(torch.randint(len(self.remembered), (1,)))]

    def _search(self) -> None:
        self.student.eval()
        self.searching.zero_grad()
        self.made += self.play.batch
        with _statistics(self.teacher) as found:
            rows = self._rows(self.play.batch)
            told = self.teacher(rows).reshape(-1, self.outputs)
        given = self.student(rows).reshape(-1, self.outputs)
        # a logarithm, so that the reward of ever larger differences levels off (Fang et al. 2019)
        value = -self.play.adversarial * torch.log1p((told - given).abs().mean())
        if found:
            value = value + self.play.statistics * torch.stack(found).mean()
        if self.scale == "probability":
            value = value + self.play.balance * unbalance(told)
        value.backward()  # type: ignore[no-untyped-call]
        self.searching.step()

    def _reference(self, logit: Tensor) -> Reference:
        if self.scale == "value":
            return Reference(logit, logit, None, "value")
        score = torch.sigmoid(logit) if self.outputs == 1 else torch.softmax(logit, dim=1)
        return Reference(logit, score)


def unbalance(logit: Tensor) -> Tensor:
    """Return by how many nats the classes of a batch fall short of occurring equally often; 0 where they do."""
    z = torch.cat([torch.zeros_like(logit), logit], dim=1) if logit.shape[1] == 1 else logit
    mean = torch.softmax(z, dim=1).mean(dim=0)
    return math.log(len(mean)) + torch.xlogy(mean, mean).sum()


@contextmanager
def _statistics(module: nn.Module) -> Iterator[list[Tensor]]:
    """Inside this context each batch normalisation leaves its divergence from the rows that it was trained on."""
    found: list[Tensor] = []

    def look(layer: nn.Module, given: tuple[Tensor, ...]) -> None:
        assert isinstance(layer, _Norm)
        if layer.running_mean is None or layer.running_var is None:
            return
        found.append(divergence(given[0], layer.running_mean, layer.running_var + layer.eps))

    hooks = [part.register_forward_pre_hook(look) for part in module.modules() if isinstance(part, _Norm)]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


def divergence(given: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
    """Return the divergence in nats of the batch's normal law from that with `mean` and `variance`, mean over channels.

    Parameters
    ----------
    given : Tensor of shape (batch, channels, ...)
    mean, variance : Tensor of shape (channels,)
    """
    other = [at for at in range(given.ndim) if at != 1]
    ours, spread = given.mean(dim=other), given.var(dim=other, correction=0) + 1e-8
    return 0.5 * (torch.log(variance / spread) + (spread + (ours - mean) ** 2) / variance - 1).mean()
