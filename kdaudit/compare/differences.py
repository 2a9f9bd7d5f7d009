"""Where a teacher answers one level of a field otherwise than another: found by a tree of differences, told by rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kdaudit.abilities import Differing
from kdaudit.behaviour import Contrast
from kdaudit.cast import Cast
from kdaudit.compare.ruled import Ruled, Wording, no_evidence
from kdaudit.condition import parse
from kdaudit.errors import InvalidInput
from kdaudit.evidence import Evidence
from kdaudit.rules import Rules
from kdaudit.samples import Samples
from kdaudit.signal import LABEL, SCORE, Signal
from kdaudit.subject import Ask, Subject

MEASURE = "mean_difference"
SPAN = (-1.0, 1.0)


@dataclass(frozen=True)
class Differences:
    """How much the teacher's answer changes with the field alone, inside each rule of a tree of differences.

    The rules were made from other rows; on these the teacher itself is asked at both levels, so that a difference that
    a rule shows is the teacher's.  The claims about all rules hold together.

    Parameters
    ----------
    margin : float
        A mean difference up to this is no matter.
    minimum : int
        Fewest rows of a rule that is judged.
    """

    margin: float = 0.05
    minimum: int = 30

    reads = "contrast"
    """It is about proxies that answer with a difference between two levels."""

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
        """Return both sides of every row."""
        return 2 * len(samples)

    def examine(self, cast: Cast, samples: Samples, ask: Ask, rng: np.random.Generator) -> Evidence:  # noqa: ARG002
        """Answer the question for one proxy; see `kdaudit.question.Question`.

        A proxy that answers with no difference gives evidence without rows, and the reason in its context.
        """
        contrast = cast.proxy.contrast if isinstance(cast.proxy, Differing) else None
        if not isinstance(cast.proxy.form, Rules) or contrast is None:
            title = f"Where does the teacher answer otherwise by the rules of {cast.proxy_name}?"
            return no_evidence(title, f"{cast.proxy_name} is no tree of differences", cast.proxy_name)
        name = contrast.field.replace("_", " ")
        title = f"Where does {name} alone, {contrast.level} or {contrast.other}, change the teacher's answer?"
        if cast.teacher.identity.by == "id":
            who = cast.teacher.identity.name
            reason = f"{who} is a record of answers; it cannot answer a row with a field changed"
            return no_evidence(title, reason, cast.proxy_name)
        possible = samples.take(_possible(samples, contrast))
        difference = _difference(ask, cast.teacher, possible, contrast)
        told = Ruled(cast.proxy, possible, difference, _wording(contrast, self.margin), self.margin, self.minimum)
        more = {
            "impossible": len(samples) - len(possible),
            "contrast": dict(vars(contrast)),
            "method": "mean of the teacher's answer at one level minus that at the other, row by row, in each rule; "
            f"all rules hold together (Bonferroni, each at {told.level:.2%})",
        }
        return told.evidence(title, more, cast.proxy_name)


def _wording(contrast: Contrast, margin: float) -> Wording:
    change = f"{contrast.field.replace('_', ' ')} {contrast.level} instead of {contrast.other}"
    return Wording(
        measure=MEASURE,
        group=f"{contrast.field}: {contrast.level} - {contrast.other}",
        whole=f"Over all rows, {contrast.level} minus {contrast.other}",
        unit="points",
        span=SPAN,
        form="within",
        no_control="a teacher that ignores the field scores exactly 0",
        each=2,
        claim=lambda where: f"{where}, {change} moves the teacher's score by at most {margin * 100:.4g} points",
        found=lambda where: f"{where}, {change} moves the teacher's score by {{value}}.",
    )


def _possible(samples: Samples, contrast: Contrast) -> NDArray[np.bool_]:
    out = np.ones(len(samples), dtype=bool)
    for text in samples.domain.constraints:
        for level in (contrast.level, contrast.other):
            out &= parse(text, samples.domain).mask(samples.setting(contrast.field, level))
    return out


def _difference(ask: Ask, subject: Subject, samples: Samples, contrast: Contrast) -> NDArray[np.float64]:
    signal = SCORE if SCORE in subject.offers else LABEL
    sides = []
    for level in (contrast.level, contrast.other):
        answers = ask(subject, samples.setting(contrast.field, level), frozenset({signal}))
        value = answers.score[:, 0] if signal == SCORE else answers.label.astype(np.float64)
        sides.append(np.where(answers.answered, value, np.nan))
    out: NDArray[np.float64] = sides[0] - sides[1]
    return out
