"""Differences of a teacher's answers, gathered by the rules of a proxy that answers with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.abilities import Rereading
from kdaudit.compare.words import capital
from kdaudit.evidence import Evidence, Row
from kdaudit.finding import Claim, Form
from kdaudit.interval import counted, unknown
from kdaudit.rules import Rules
from kdaudit.samples import Samples
from kdaudit.statistics.many import bonferroni
from kdaudit.statistics.rates import Span, mean
from kdaudit.subject import Subject

NO_TWIN = "a rule's own difference has no best value"
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Wording:
    """How differences are told.

    Parameters
    ----------
    measure : str
    group, whole : str
        Of all rows: the group's name, and words for people.
    unit : {"points", "percent", ""}
    span : (float, float), optional
        Smallest and largest difference that a row can have.
    form : {"within", "at most"}
    no_control : str
    each : int
        Teacher rows asked for one difference.
    claim, found : callable
        From where a rule holds, such as "where age at most 40", to the sentence that is claimed, and to that of the
        finding, with ``{value}``.
    """

    measure: str
    group: str
    whole: str
    unit: str
    span: Span | None
    form: Form
    no_control: str
    each: int
    claim: Callable[[str], str]
    found: Callable[[str], str]


def as_read(proxy: Subject, samples: Samples) -> Samples:
    """Return the rows as the rules of a proxy see them: themselves, or fields read off texts and pictures."""
    return proxy.seen(samples) if isinstance(proxy, Rereading) else samples


def no_evidence(title: str, reason: str, proxy_name: str) -> Evidence:
    """Return evidence without rows, and why there are none."""
    return Evidence("", title, (), context={"reason": reason}, shows="rules", proxy_name=proxy_name)


@dataclass(frozen=True, eq=False)
class Ruled:
    """Differences of the teacher's by rule; the claims about all rules hold together.

    Parameters
    ----------
    proxy : Subject
        Its form is `Rules`, one rule for each row.
    samples : Samples
    teacher : array of shape (n,)
        The teacher's differences, NaN where it did not answer.
    wording : Wording
    margin : float
        A mean difference up to this is no matter.
    minimum : int
        Fewest rows of a rule that is judged.
    """

    proxy: Subject
    samples: Samples
    teacher: Floats
    wording: Wording
    margin: float
    minimum: int
    rules: Rules = field(init=False)
    which: NDArray[np.int64] = field(init=False)
    said: Floats = field(init=False)
    level: float = field(init=False)
    seen: Samples = field(init=False)

    def __post_init__(self) -> None:
        rules = self.proxy.form
        assert isinstance(rules, Rules)
        seen = as_read(self.proxy, self.samples)
        found = {
            "rules": rules,
            "seen": seen,
            "which": rules.which(seen).astype(np.int64),
            "said": rules.evaluate(seen)[:, 0],
            "level": bonferroni(0.95, len(rules.rules)),
        }
        for name, value in found.items():
            object.__setattr__(self, name, value)

    def evidence(self, title: str, more: dict[str, Any], proxy_name: str) -> Evidence:
        """Return what was found over all rows, then rule by rule: the teacher's, the proxy's, and how far apart."""
        rows: list[Row] = [self._whole()]
        claims = []
        for place in range(len(self.rules.rules)):
            found = self._rows(place)
            rows += found
            claims.append(self._claim(found[0], place))
        arrays = {"rule": self.which, "difference": self.teacher}
        return Evidence("", title, tuple(rows), tuple(claims), self._context() | more, arrays, "rules", proxy_name)

    def _row(self, group: str, title: str, **more: Any) -> Row:  # noqa: ANN401 - further fields of Row
        w = self.wording
        return Row(
            measure=w.measure,
            group=group,
            unit=w.unit,
            no_control=w.no_control,
            no_ceiling=NO_TWIN,
            title=title,
            low_end=w.span[0] if w.span is not None else 0.0,
            **more,
        )

    def _rows(self, place: int) -> list[Row]:
        inside = self.which == place
        text = self.rules.rules[place].text(self.seen.domain)
        known = inside & np.isfinite(self.teacher)
        n, asked = int(known.sum()), self.wording.each * int(inside.sum())
        none = unknown("no row meets the rule")
        span = self.wording.span
        value = mean(self.teacher[known], level=self.level, span=span) if n else none
        # all rows of the rule are the proxy's own: what it says of them is counted
        own = counted(float(self.said[known].mean()), n) if n else none
        apart = mean(self.teacher[known] - self.said[known], level=self.level, span=_apart(span)) if n else none
        group = f"rule {place + 1}: {text}"
        return [
            self._row(group, capital(text), of="teacher", value=value, asked=asked),
            self._row(group, capital(text), of="proxy", value=own),
            self._row(group, capital(text), of="teacher-proxy", value=apart, asked=asked),
        ]

    def _whole(self) -> Row:
        value = mean(self.teacher, span=self.wording.span)
        asked = self.wording.each * len(self.samples)
        return self._row(self.wording.group, self.wording.whole, of="teacher", value=value, asked=asked)

    def _claim(self, row: Row, place: int) -> Claim:
        rule = self.rules.rules[place]
        where = f"where {rule.text(self.seen.domain)}" if rule.tests else "on all rows"
        return Claim(
            text=capital(self.wording.claim(where)),
            measure=row.measure,
            group=row.group,
            form=self.wording.form,
            margin=self.margin,
            about="teacher",
            found=capital(self.wording.found(where)),
            minimum=self.minimum,
        )

    def _context(self) -> dict[str, Any]:
        known = np.isfinite(self.teacher)
        error = self.teacher[known] - self.said[known]
        around = self.teacher[known] - self.teacher[known].mean() if known.any() else error
        explained = 1 - float((error**2).sum() / (around**2).sum()) if (around**2).sum() > 0 else None
        return {
            "population": self.samples.origin.name,
            "rows": len(self.samples),
            "failed": int((~known).sum()),
            "overall": mean(self.teacher, span=self.wording.span).to_data(),
            "explained": explained,
            "margin": self.margin,
            "unit": self.wording.unit,
            "rules": [
                {"position": place, "text": rule.text(self.seen.domain), "score": list(rule.score), "fitted_n": rule.n}
                for place, rule in enumerate(self.rules.rules)
            ],
        }


def _apart(span: Span | None) -> Span | None:
    """Return how far apart two differences can lie."""
    return None if span is None else (span[0] - span[1], span[1] - span[0])
