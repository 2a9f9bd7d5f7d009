"""What the teacher does where each rule of a proxy holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Cast
from kdaudit.compare.classes import class_rows, explained
from kdaudit.compare.ruled import as_read
from kdaudit.evidence import Evidence, Row
from kdaudit.interval import Interval
from kdaudit.rules import Rules
from kdaudit.samples import Samples
from kdaudit.signal import LABEL, SCORE, Signal
from kdaudit.statistics.gaps import shifted
from kdaudit.statistics.rates import mean
from kdaudit.subject import Answers, Ask, Subject

NO_TWIN = "a rule's own rate has no best value"


@dataclass(frozen=True)
class Rulebook:
    """How often the teacher says yes inside each rule, beside how often it says so over all rows.

    Parameters
    ----------
    output : str
        Of several outputs, the one that counts as yes; empty: the proxy's own answer in each rule.
    """

    output: str = ""

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

        A proxy of another form gives evidence without rows, and the reason in its context.
        """
        title = f"What does the teacher do where each rule of {cast.proxy_name} holds?"
        rules = cast.proxy.form
        if not isinstance(rules, Rules):
            reason = f"{cast.proxy_name} is no tree and no list of rules"
            return Evidence("", title, (), context={"reason": reason}, shows="rules", proxy_name=cast.proxy_name)
        answers = {subject: _ask(ask, subject, samples) for subject in (cast.teacher, cast.proxy)}
        seen = as_read(cast.proxy, samples)
        book = _Book(rules, (samples, seen), answers[cast.teacher], answers[cast.proxy], cast.teacher, self.output)
        which, held = rules.which(seen), rules.held(seen)
        rows: list[Row] = []
        entries = []
        for place in range(len(rules.rules)):
            found, entry = book.rule(place, held[:, place])
            rows += found
            entries.append(entry)
        if cast.teacher.scale == "probability":
            rows += class_rows(answers[cast.teacher], answers[cast.proxy], cast.teacher.outputs)
        told = explained(answers[cast.teacher], answers[cast.proxy])
        rows += [] if told is None else [told]
        context = {
            "family": rules.family,
            "population": samples.origin.name,
            "rows": len(samples),
            "failed": len(answers[cast.teacher].failed),
            "overall": book.overall.to_data(),
            "rules": entries,
            "method": "rate of the teacher's yes among the rows of each rule, share of them on which proxy and teacher "
            "decide alike (precision), share of all rows that the rule holds for (coverage), Wilson intervals; "
            "the control is its rate over all rows, which rows exchanged between rules by chance would show",
        }
        arrays = {"rule": which.astype(np.int64)}
        return Evidence("", title, tuple(rows), (), context, arrays, "rules", cast.proxy_name)


class _Book:
    """Rates of the teacher inside the rules."""

    def __init__(
        self,
        rules: Rules,
        samples: tuple[Samples, Samples],
        teacher: Answers,
        proxy: Answers,
        subject: Subject,
        output: str,
    ) -> None:
        self._rules, self._subject, self._output = rules, subject, output
        # as they are asked, and as the rules see them
        self._samples, seen = samples
        self._domain = seen.domain
        self._teacher, self._proxy = teacher, proxy
        self._one = len(subject.outputs) == 1
        self._same = np.where(
            teacher.answered & proxy.answered, (teacher.label == proxy.label).astype(np.float64), np.nan
        )
        self.overall = mean(self._said(1 if self._one else self._place(0)))

    def _place(self, position: int) -> int:
        """Return the class that counts as yes: the one named, or the rule's likeliest."""
        if self._output in self._subject.outputs:
            return self._subject.outputs.index(self._output)
        return int(np.argmax(self._rules.rules[position].score))

    def _said(self, label: int) -> NDArray[np.float64]:
        out: NDArray[np.float64] = np.where(
            self._teacher.answered, (self._teacher.label == label).astype(np.float64), np.nan
        )
        return out

    def rule(self, position: int, inside: NDArray[np.bool_]) -> tuple[list[Row], dict[str, Any]]:
        """Return a rule's rows, and what the report prints beside it."""
        rule, domain = self._rules.rules[position], self._domain
        text = rule.text(domain)
        said = self._said(1 if self._one else self._place(position))
        value: Interval = mean(said[inside])
        control = self.overall if self._one else mean(said)
        agreement: Interval = mean(self._same[inside])
        coverage: Interval = mean(inside.astype(np.float64))
        group = f"rule {position + 1}: {text}"
        row = Row(
            measure="rate_of_yes",
            group=group,
            of="teacher",
            value=value,
            unit="percent",
            asked=len(np.unique(self._samples.keys()[inside])),
            control=control if control.known else None,
            excess=shifted(value, control.value) if value.known and control.known else None,
            control_kind="permuted" if control.known else "none",
            no_control="" if control.known else control.method,
            no_ceiling=NO_TWIN,
            title=text,
        )
        decided = self._proxy.label[inside]
        entry = {
            "position": position,
            "text": text,
            "tests": [test.text(domain) for test in rule.tests],
            "score": list(rule.score),
            "decision": int(np.bincount(decided[decided >= 0]).argmax()) if (decided >= 0).any() else None,
            "fitted_n": rule.n,
            "n": int(inside.sum()),
            "teacher": value.to_data(),
            "agreement": agreement.to_data(),
            "coverage": coverage.to_data(),
        }
        return [row, self._precision(group, agreement, row.asked), _coverage(group, coverage)], entry

    def _precision(self, group: str, value: Interval, asked: int) -> Row:
        control: Interval = mean(self._same)
        return Row(
            measure="precision",
            group=group,
            of="teacher-proxy",
            value=value,
            unit="percent",
            asked=asked,
            control=control if control.known else None,
            excess=shifted(value, control.value) if value.known and control.known else None,
            control_kind="permuted" if control.known else "none",
            no_control="" if control.known else control.method,
            no_ceiling=NO_TWIN,
            title="Share of the rule's rows on which proxy and teacher decide alike",
        )


def _coverage(group: str, value: Interval) -> Row:
    return Row(
        measure="coverage",
        group=group,
        of="proxy",
        value=value,
        unit="percent",
        no_control="how many rows a rule holds for has no rival",
        no_ceiling=NO_TWIN,
        title="Share of all rows that the rule holds for",
    )


def _ask(ask: Ask, subject: Subject, samples: Samples) -> Answers:
    return ask(subject, samples, frozenset({SCORE} if SCORE in subject.offers else {LABEL}))
