"""How several contrasts of one question are kept from being decided wrongly by their number.

``holm`` and ``bonferroni`` ask about all contrasts at once, and share the level between them; Holm gives what decided
contrasts no longer need to the others.  ``fixed-sequence`` asks about one after the other, those first of which the
proxy shows most, each at the full level, and stops at the first that stays undecided: the budget is spent per finding.

A contrast near its margin is seldom decided at all, and as often rightly as wrongly, so that the sequence mostly ends
there; one far from it is hardly ever decided wrongly.  So the chance that any of a sequence is decided wrongly hardly
exceeds that of a single one (for independent normal estimates of 95 % it is at most .025 / .975; simulated, with a
reference in common, in `tests/probe/test_families.py`).  The order rests on the proxy alone, never on answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kdaudit.probe.stops import Rule
from kdaudit.probe.surveys import Survey


def ranked(survey: Survey) -> list[str]:
    """Return the groups compared, those first that lie farthest from the reference in the proxy."""
    neutral = 1.0 if survey.ratio else 0.0
    shown = {other: survey.shown(other) for other in survey.others}
    apart = {x: abs(one.value - neutral) if one.known else -1.0 for x, one in shown.items()}
    return sorted(survey.others, key=lambda x: -apart[x])


def in_sequence(
    names: Sequence[str], questions: int, asked: Callable[[str, int, str], Survey], rule: Rule
) -> list[Survey]:
    """Return the surveys of contrasts that are asked one after the other, for as long as all are decided.

    Parameters
    ----------
    names : sequence of str
        Groups, in the order in which they are asked.
    questions : int
        Most rows of all together; rows that surveys share are counted each time.
    asked : callable
        ``asked(name, questions, why)`` -> the survey of one contrast, of at most so many rows; unasked where `why` is
        not empty.
    rule : Rule
    """
    out: list[Survey] = []
    left, why = questions, ""
    for name in names:
        one = asked(name, max(left, 1), why)
        out.append(one)
        left -= len(one.design.chosen)
        if why:
            continue
        if one.tested and not one.decided(rule.form, rule.margin):
            why = f"not asked: {one.strata.group(name)} comes before it and is undecided"
        elif left < 2 * one.minimum:
            why = f"not asked: the {questions:,} questions were spent on groups before it"
    return out
