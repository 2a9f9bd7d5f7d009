"""Where a teacher answers one level of a field otherwise than another: found by a tree of differences, told by rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from kdaudit.behaviour import Contrast
from kdaudit.cast import Cast
from kdaudit.compare.words import capital
from kdaudit.condition import parse
from kdaudit.errors import InvalidInput
from kdaudit.evidence import Evidence, Row
from kdaudit.finding import Claim
from kdaudit.interval import unknown
from kdaudit.rules import Rules
from kdaudit.samples import Samples
from kdaudit.signal import LABEL, SCORE, Signal
from kdaudit.statistics.many import bonferroni
from kdaudit.statistics.rates import mean
from kdaudit.subject import Ask, Subject

MEASURE = "mean_difference"
NO_TWIN = "a rule's own difference has no best value"
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

    contrasts = True
    """It is about proxies that answer with a difference."""

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
        rules, contrast = cast.proxy.form, getattr(cast.proxy, "contrast", None)
        title = f"Where does the teacher answer otherwise by the rules of {cast.proxy_name}?"
        reason = ""
        if not isinstance(rules, Rules) or not isinstance(contrast, Contrast):
            reason = f"{cast.proxy_name} is no tree of differences"
        elif cast.teacher.identity.by == "id":
            reason = f"{cast.teacher.identity.name} is a record of answers; it cannot answer a row with a field changed"
        if reason or not isinstance(rules, Rules) or not isinstance(contrast, Contrast):
            return Evidence("", title, (), context={"reason": reason}, shows="rules", proxy_name=cast.proxy_name)
        name = contrast.field.replace("_", " ")
        title = f"Where does {name} alone, {contrast.level} or {contrast.other}, change the teacher's answer?"
        possible = samples.take(_possible(samples, contrast))
        told = _Told(self, cast, rules, contrast, possible, _difference(ask, cast.teacher, possible, contrast))
        rows = [told.row(place) for place in range(len(rules.rules))]
        claims = [told.claim(row) for row in rows]
        arrays = {"rule": told.which.astype(np.int64), "difference": told.teacher}
        return Evidence(
            "", title, (told.whole(), *rows), tuple(claims), told.context(samples), arrays, "rules", cast.proxy_name
        )


class _Told:
    """The teacher's differences by rule."""

    def __init__(
        self,
        recipe: Differences,
        cast: Cast,
        rules: Rules,
        contrast: Contrast,
        samples: Samples,
        teacher: NDArray[np.float64],
    ) -> None:
        self.recipe, self.rules, self.contrast, self.samples, self.teacher = recipe, rules, contrast, samples, teacher
        self.which = rules.which(samples)
        self.proxy = rules.evaluate(samples)[:, 0]
        self.level = bonferroni(0.95, len(rules.rules))
        self.overall = mean(teacher, span=SPAN)
        self._name = cast.proxy_name

    def row(self, place: int) -> Row:
        """Return the difference inside one rule; the control is that over all rows."""
        inside = self.which == place
        text = self.rules.rules[place].text(self.samples.domain)
        some = bool(np.isfinite(self.teacher[inside]).any())
        value = mean(self.teacher[inside], level=self.level, span=SPAN) if some else unknown("no row meets the rule")
        return Row(
            measure=MEASURE,
            group=f"rule {place + 1}: {text}",
            of="teacher",
            value=value,
            unit="points",
            asked=2 * int(inside.sum()),
            no_control="a teacher that ignores the field scores exactly 0",
            no_ceiling=NO_TWIN,
            title=capital(text),
            low_end=-1.0,
        )

    def whole(self) -> Row:
        """Return the difference over all rows."""
        return Row(
            measure=MEASURE,
            group=f"{self.contrast.field}: {self.contrast.level} - {self.contrast.other}",
            of="teacher",
            value=self.overall,
            unit="points",
            asked=2 * len(self.samples),
            no_control="a teacher that ignores the field scores exactly 0",
            no_ceiling=NO_TWIN,
            title=f"Over all rows, {self.contrast.level} minus {self.contrast.other}",
            low_end=-1.0,
        )

    def claim(self, row: Row) -> Claim:
        """Return the claim that a rule's difference is no matter."""
        where = row.group.partition(": ")[2]
        field = self.contrast.field.replace("_", " ")
        change = f"{field} {self.contrast.level} instead of {self.contrast.other}"
        return Claim(
            text=f"Where {where}, {change} moves the teacher's score by at most {self.recipe.margin * 100:.4g} points",
            measure=MEASURE,
            group=row.group,
            form="within",
            margin=self.recipe.margin,
            about="teacher",
            found=f"Where {where}, {change} moves the teacher's score by {{value}}.",
            minimum=self.recipe.minimum,
        )

    def context(self, samples: Samples) -> dict[str, Any]:
        """Return what the report prints beside the rows."""
        known = np.isfinite(self.teacher)
        error = self.teacher[known] - self.proxy[known]
        around = self.teacher[known] - self.teacher[known].mean() if known.any() else error
        explained = 1 - float((error**2).sum() / (around**2).sum()) if (around**2).sum() > 0 else None
        return {
            "population": samples.origin.name,
            "rows": len(self.samples),
            "impossible": len(samples) - len(self.samples),
            "failed": int((~known).sum()),
            "contrast": dict(vars(self.contrast)),
            "overall": self.overall.to_data(),
            "explained": explained,
            "margin": self.recipe.margin,
            "rules": [
                {"position": place, "text": rule.text(samples.domain), "score": list(rule.score), "fitted_n": rule.n}
                for place, rule in enumerate(self.rules.rules)
            ],
            "method": "mean of the teacher's answer at one level minus that at the other, row by row, in each rule; "
            f"all rules hold together (Bonferroni, each at {self.level:.2%})",
        }


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
