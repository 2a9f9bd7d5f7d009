"""Where a teacher answers otherwise than somebody else: found by a tree of differences, told by rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kdaudit.abilities import Differing
from kdaudit.behaviour import Minus
from kdaudit.cast import Cast
from kdaudit.compare.ruled import Ruled, Wording, no_evidence
from kdaudit.errors import InvalidInput
from kdaudit.evidence import Evidence
from kdaudit.rules import Rules
from kdaudit.samples import Samples
from kdaudit.signal import LABEL, SCORE, Signal
from kdaudit.subject import Ask, Subject

SCORES, DECISIONS = "mean_difference", "rate_of_disagreement"


@dataclass(frozen=True)
class Departures:
    """How far the teacher's answers lie from another's, inside each rule of a tree that was made from the difference.

    The other is an earlier version of the teacher, or a proxy: so the rules say what changed, or where the proxy is
    wrong.  They were made from other rows; on these both answer, so that a difference that a rule shows is the
    teacher's own.  The claims about all rules hold together.

    Parameters
    ----------
    margin : float
        A mean difference (of decisions: a share of rows) up to this is no matter.
    minimum : int
        Fewest rows of a rule that is judged.
    """

    margin: float = 0.05
    minimum: int = 30

    reads = "minus"
    """It is about proxies that answer with the teacher's answer minus another's."""

    def __post_init__(self) -> None:
        if self.margin <= 0 or self.minimum < 2:
            raise InvalidInput("margin must be above 0 and minimum at least 2")

    @property
    def needs(self) -> frozenset[Signal]:
        """Nothing but answers."""
        return frozenset()

    @property
    def part(self) -> Literal["judge", "pool"]:
        """The rows that no maker ever saw."""
        return "judge"

    def price(self, samples: Samples) -> int:
        """Return all rows: every one is answered."""
        return len(samples)

    def examine(self, cast: Cast, samples: Samples, ask: Ask, rng: np.random.Generator) -> Evidence:  # noqa: ARG002
        """Answer the question for one proxy; see `kdaudit.question.Question`.

        A proxy that answers with no such difference gives evidence without rows, and the reason in its context.
        """
        minus = cast.proxy.minus if isinstance(cast.proxy, Differing) else None
        if not isinstance(cast.proxy.form, Rules) or minus is None or cast.other is None:
            title = f"Where does the teacher answer otherwise by the rules of {cast.proxy_name}?"
            return no_evidence(title, f"{cast.proxy_name} is no tree of the teacher minus another", cast.proxy_name)
        title = f"Where does the teacher {'decide' if minus.of == 'decision' else 'score'} otherwise than {minus.name}?"
        difference = _difference(ask, cast.teacher, cast.other, samples, minus)
        values = "value" in {cast.teacher.scale, cast.other.scale}
        wording = _wording(minus, self.margin, values=values)
        told = Ruled(cast.proxy, samples, difference, wording, self.margin, self.minimum)
        more = {
            "minus": dict(vars(minus)),
            "method": f"{wording.whole.lower()}, row by row, its mean in each rule; all rules hold together "
            f"(Bonferroni, each at {told.level:.2%})",
        }
        return told.evidence(title, more, cast.proxy_name)


def _wording(minus: Minus, margin: float, *, values: bool) -> Wording:
    who, of = minus.name, f" of {minus.output}" if minus.output else ""
    if minus.of == "decision":
        return Wording(
            measure=DECISIONS,
            group=f"teacher, {who}",
            whole=f"Share of rows on which teacher and {who} decide otherwise",
            unit="percent",
            span=(0.0, 1.0),
            form="at most",
            no_control=f"a teacher that decides as {who} does scores exactly 0",
            each=1,
            claim=lambda where: (
                f"{where}, the teacher decides otherwise than {who} in at most {margin * 100:.4g} % of rows"
            ),
            found=lambda where: f"{where}, the teacher decides otherwise than {who} in {{value}} of rows.",
        )
    size = f"{margin:.4g}" if values else f"{margin * 100:.4g} points"
    return Wording(
        measure=SCORES,
        group=f"teacher - {who}",
        whole=f"The teacher's score{of} minus that of {who}",
        unit="" if values else "points",
        span=None if values else (-1.0, 1.0),
        form="within",
        no_control=f"a teacher that scores as {who} does scores exactly 0",
        each=1,
        claim=lambda where: f"{where}, the teacher's score{of} lies within {size} of that of {who}",
        found=lambda where: f"{where}, the teacher's score{of} minus that of {who} is {{value}}.",
    )


def _difference(ask: Ask, teacher: Subject, other: Subject, samples: Samples, minus: Minus) -> NDArray[np.float64]:
    asked = [
        ask(subject, samples, frozenset({SCORE if SCORE in subject.offers else LABEL})) for subject in (teacher, other)
    ]
    out: NDArray[np.float64] = minus.read(asked[0], asked[1], teacher.outputs).score[:, 0]
    return out
