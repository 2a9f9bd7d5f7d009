"""What the students that a search found are worth, on rows that chose nothing: the Pareto table as evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kdaudit.behaviour import Behaviour
from kdaudit.distillation.loop import Record
from kdaudit.distillation.search import Searched
from kdaudit.evidence import Evidence, Row
from kdaudit.measure import Measure
from kdaudit.measures.agreement import AGREEMENT
from kdaudit.measures.divergence import KL
from kdaudit.networks.network import Network
from kdaudit.signal import LOGIT, SCORE
from kdaudit.statistics.rates import mean
from kdaudit.subject import Answers

MEASURES = (AGREEMENT, KL)
NO_CONTROL = "there are no recorded outcomes to make a control from"
NO_CEILING = "a student has no twin"


@dataclass(frozen=True)
class Jury:
    """Rows with what the teacher said about them, and how answers are read.

    Parameters
    ----------
    record : Record
    behaviour : Behaviour
    """

    record: Record
    behaviour: Behaviour

    def rows(self, student: Network, control: Network | None) -> tuple[Row, ...]:
        """Return what a student is worth, beside a control of the same policy that learned the outcomes instead."""
        teacher = self.behaviour.read(Answers({SCORE: self.record.reference.score.numpy()}))
        said, other = self._said(student), None if control is None else self._said(control)
        group = f"{student.form.parameters:,} parameters"
        return tuple(_row(measure, group, teacher, (said, other)) for measure in MEASURES)

    def _said(self, network: Network) -> Answers:
        return self.behaviour.read(Answers({LOGIT: network.raw(network.encoding.encode(self.record.samples))}))


def _row(measure: Measure, group: str, teacher: Answers, others: tuple[Answers, Answers | None]) -> Row:
    said, other = others
    own = measure.function(teacher, said)
    theirs = None if other is None else measure.function(teacher, other)
    wide = measure.span[1] - measure.span[0]
    return Row(
        measure.name,
        group,
        "proxy",
        mean(own, span=measure.span),
        measure.unit,
        asked=len(own),
        control=None if theirs is None else mean(theirs, span=measure.span),
        excess=None if theirs is None else mean(own - theirs, span=(-wide, wide)),
        control_kind="none" if theirs is None else "label_only",
        no_control="" if theirs is not None else NO_CONTROL,
        no_ceiling=NO_CEILING,
        title=measure.title,
        high_end=1.0 if measure.unit == "percent" else max(0.1, float(np.nanmax(own))),
    )


def evidence(found: Searched, *, title: str, about: str, measured: Sequence[str] = ()) -> Evidence:
    """Return the Pareto table as evidence: two rows a point, and the plan's text of each.

    Parameters
    ----------
    found : Searched
        With a report of each point.
    title : str
        The question in words.
    about : str
        On which rows the points are reported.
    measured : sequence of str
        Costs that were measured on this machine and not counted.
    """
    rows = tuple(row for point in found.pareto for row in point.reported)
    costs = list(found.pareto[0].costs)
    arrays = {"parameters": np.array([point.costs[costs[0]].value for point in found.pareto])}
    context: dict[str, Any] = {
        "population": about,
        "sentences": sentences(found, measured),
        "points": table(found),
        "costs": costs,
        "left_out": dict(found.left_out),
        "failed": dict(found.failed),
        "tried": len(found.tried),
    }
    return Evidence("", title, rows, (), context, arrays, "policies")


def sentences(found: Searched, measured: Sequence[str]) -> list[str]:
    """Return what the table says in words."""
    n = len(found.pareto)
    out = [
        f"{len(found.tried)} students were tried; {n} {'is' if n == 1 else 'are'} not beaten in distance by one that "
        "costs no more, and the one nearest to the teacher is taken"
    ]
    if measured:
        out.append(
            f"{' and '.join(measured)} {'was' if len(measured) == 1 else 'were'} measured on the machine that made "
            "this run: another machine, or a busy one, may keep other sizes"
        )
    return out


def table(found: Searched) -> list[dict[str, Any]]:
    """Return the Pareto table as plain data: the plan's text of each point, its costs, and what it is worth."""
    return [
        {
            "plan": point.plan,
            "distance": -point.merit,
            "costs": {name: cost.to_data() for name, cost in point.costs.items()},
            "reported": {row.measure: _told(row) for row in point.reported},
        }
        for point in found.pareto
    ]


def _told(row: Row) -> Mapping[str, Any]:
    parts = {"value": row.value, "control": row.control, "excess": row.excess}
    return {name: None if part is None else part.to_data() for name, part in parts.items()}
