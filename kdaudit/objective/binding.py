"""An objective bound to two networks: projections that learn, and terms on one scale."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from kdaudit.errors import InvalidInput
from kdaudit.objective.features import aligned, width_of
from kdaudit.objective.reference import Reference
from kdaudit.objective.sum import Objective
from kdaudit.objective.terms import By, Term
from kdaudit.objective.weights import at

Said = Mapping[str, Tensor]
"""What a student gave for a batch: tap -> tensor of n rows; the empty tap stands for its outputs."""
References = Mapping[By, Reference]


class Bound(nn.Module):
    """A sum of terms with what it learns and what its first batch measured.

    Projections are parameters of it, made when the two widths are known: an optimizer that is built afterwards cannot
    miss them.  A sum of several terms is on one scale: each is divided by its value on the first batch, so that
    a weight of 1 means "as important as the others"; a single term stays as it is.  Learners that say nothing yet
    differ by nearly nothing, so the outputs of own and peers are put on the scale of their difference from the
    teacher's.

    Parameters
    ----------
    goal : Objective
        Without wildcards.
    said : mapping of str to Tensor
        What the student gives for the first batch.
    references : mapping of {"teacher", "own", "peers"} to Reference
        What it is compared with there.
    generator : torch.Generator
        Draws the first weights of the projections.

    Raises
    ------
    InvalidInput
        If a term's value on the first batch is no finite number, or there is nobody whom it could be compared with.
    """

    def __init__(self, goal: Objective, said: Said, references: References, generator: torch.Generator) -> None:
        super().__init__()
        self.goal = goal
        self.projections = nn.ParameterDict()
        self.units: tuple[float, ...] = (1.0,) * len(goal.parts)
        for place, (_, term) in enumerate(goal.parts):
            if term.by not in references:
                raise InvalidInput(f"{term.text} compares the student with {_NOBODY[term.by]}")
            self._project(place, term, *term.of(said, references[term.by]), generator)
        if len(goal.parts) > 1:
            with torch.no_grad():
                first = [float(value.mean()) for value in self._first(said, references)]
            for (_, term), value in zip(goal.parts, first, strict=True):
                if not math.isfinite(value):
                    raise InvalidInput(f"{term.text} is {value} on the first batch; the layers give no finite numbers")
            self.units = tuple(value if value > SMALLEST else 1.0 for value in first)

    @classmethod
    def restored(cls, goal: Objective, projections: Mapping[str, Tensor], units: tuple[float, ...]) -> Bound:
        """Return what was bound before, from its projections and units."""
        out = cls.__new__(cls)
        nn.Module.__init__(out)
        out.goal, out.units = goal, units
        out.projections = nn.ParameterDict({place: nn.Parameter(value) for place, value in projections.items()})
        return out

    def _project(self, place: int, term: Term, a: Tensor, b: Reference | Tensor, generator: torch.Generator) -> None:
        if not term.projects or isinstance(b, Reference):
            return
        a, b = aligned(a, b)
        ins, outs = width_of(a), width_of(b)
        if ins != outs:
            weights = torch.empty(outs, ins).uniform_(-(ins**-0.5), ins**-0.5, generator=generator)
            self.projections[str(place)] = nn.Parameter(weights.to(a.device))

    def _first(self, said: Said, references: References) -> Iterator[Tensor]:
        for term, a, b in self._compared(said, references):
            yield term(a, references.get("teacher", b) if term.teacher is None else b)

    def values(self, said: Said, references: References) -> list[Tensor]:
        """Return each term's values, unweighted and not yet on one scale, each of shape (n,)."""
        return [term(a, b) for term, a, b in self._compared(said, references)]

    def _compared(self, said: Said, references: References) -> Iterator[tuple[Term, Tensor, Reference | Tensor]]:
        for place, (_, term) in enumerate(self.goal.parts):
            a, b = term.of(said, references[term.by])
            if str(place) in self.projections and isinstance(b, Tensor):
                a, b = aligned(a, b)
                weights = self.projections[str(place)]
                a = nn.functional.conv2d(a, weights[:, :, None, None]) if a.ndim == 4 else a @ weights.T
            yield term, a, b

    def forward(self, said: Said, references: References, progress: float = 0.0) -> tuple[Tensor, list[Tensor]]:
        """Return the weighted sum of the terms' means, and these means one by one."""
        compared = self._compared(said, references)
        means = [term(a, b).mean() if term.mean is None else term.mean(a, b) for term, a, b in compared]
        weights = [at(weight, progress) / unit for (weight, _), unit in zip(self.goal.parts, self.units, strict=True)]
        first, *others = (weight * mean for weight, mean in zip(weights, means, strict=True))
        return sum(others, start=first), means

    def account(self) -> list[dict[str, object]]:
        """Return each term with its unit and whether it learned a projection, as plain data."""
        return [
            {"term": term.text, "weight": str(weight), "unit": unit, "projected": str(place) in self.projections}
            for place, ((weight, term), unit) in enumerate(zip(self.goal.parts, self.units, strict=True))
        ]


SMALLEST = 1e-12
"""A first value up to this is no unit: the student already does what the term asks for."""
_NOBODY: dict[By, str] = {
    "teacher": "a teacher, and there is none here",
    "own": "itself, which this way of learning does not offer",
    "peers": "its peers, and it learns alone; several learn at once by kdaudit.distillation.peers.mutual",
}
