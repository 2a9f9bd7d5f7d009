"""From a teacher's answers to a surrogate: which rows it is made from, which chosen on, and what the reader is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from kdaudit.behaviour import Behaviour
from kdaudit.errors import InvalidInput
from kdaudit.rules import Rules
from kdaudit.samples import Samples
from kdaudit.surrogates.choice import Candidate, Making, Near, choose
from kdaudit.surrogates.enquiry import Enquiry
from kdaudit.surrogates.monotone import unkept
from kdaudit.surrogates.readings import Wanted, reading
from kdaudit.surrogates.surrogate import Surrogate, made_for
from kdaudit.surrogates.targets import Targets, TeacherAsk, ask_for_targets

FEW = 20
"""With fewer rows none are kept back: the choice is made on the rows that were grown on, and the card says so."""


def check(noun: str, least: str, size: int, slack: float) -> None:
    """Refuse sizes and slacks that no choice could be made with.

    Raises
    ------
    InvalidInput
    """
    if size < 1 or not 0 <= slack < np.inf:
        raise InvalidInput(
            f"a {noun} has at least {least}, and slack is a number of standard errors from 0; "
            f"{size} and {slack:g} were asked for"
        )


def check_enquiry(queries: int) -> None:
    """Refuse a number of questions that cannot be asked.

    Raises
    ------
    InvalidInput
    """
    if queries < 0:
        raise InvalidInput(f"queries is a number of new rows for each row given, 0 or more; {queries} was asked for")


def read(rows: tuple[Targets, Targets], wanted: Mapping[str, Any]) -> tuple[Targets, Targets]:
    """Return the rows to grow on and to choose on with fields read off texts and pictures, as a plan's `read` says."""
    parsed = Wanted.parse(wanted)
    if parsed is None:
        return rows
    fit, select = rows
    how = reading(parsed, fit.samples, fit.score)
    grown = fit.read(how)
    return grown, grown if select is fit else select.read(how)


def parted(
    behaviour: Behaviour, samples: Samples, select: Samples | None, ask: TeacherAsk, rng: np.random.Generator
) -> tuple[Targets, Targets]:
    """Return what the teacher said about the rows to grow on and about the rows to choose on."""
    fit = ask_for_targets(behaviour, samples, ask)
    if select is not None and len(behaviour.within(select)):
        return fit, ask_for_targets(behaviour, select, ask)
    if len(fit) < FEW:
        return fit, fit
    # copies of a row go together: what is grown on must not be met again where it is chosen
    _, first, copies = np.unique(fit.asked.keys(), return_index=True, return_inverse=True)
    order = np.argsort(np.argsort(first))[copies]
    kept_back = np.isin(order, rng.permutation(len(first))[: len(first) // 4])
    if kept_back.all() or not kept_back.any():
        return fit, fit
    # rows that failed are counted once, with those that it is made from
    return fit.take(np.flatnonzero(~kept_back)), replace(fit.take(np.flatnonzero(kept_back)), failed=0)


def made(
    behaviour: Behaviour,
    name: str,
    candidates: Sequence[Candidate],
    rows: tuple[Targets, Targets],
    slack: float,
    enquiry: Enquiry | None = None,
    cut: str = "",
) -> Surrogate:
    """Return the chosen candidate as a subject that knows how it was made.

    `rows` are as `parted` gave them; `cut` says why there are no more candidates, if a limit ended them.
    """
    enquiry = enquiry or Enquiry()
    fit, select = rows
    near = None if enquiry.near is None or not len(enquiry.near) else Near(enquiry.near.targets, enquiry.near.parents)
    chosen, rules, curve = choose(candidates, select, slack, near, enquiry.answers(fit, select))
    failed = fit.failed + (0 if select is fit else select.failed)
    same = "chosen on the rows that it was made from, since there are too few to keep some back"
    making = Making(
        way=chosen.way + ("" if chosen.again is None else ", then made again from all rows"),
        curve=curve,
        fitted=len(fit),
        chosen_on=len(select),
        failed=failed,
        why=_why(rules, fit),
        note="; ".join(note for note in (same if select is fit else "", enquiry.note, cut, unkept(behaviour)) if note),
        beyond=enquiry.rows,
        sampler=enquiry.sampler if enquiry.pools else "",
        trials=dict(enquiry.trials),
        partial=bool(enquiry.note or cut),
    )
    return made_for(behaviour, name, rules, making, fit.reading)


def _why(rules: Rules, fit: Targets) -> str:
    """Explain a body of rules that decides one thing only."""
    if fit.numeric:
        if len(rules.rules) > 1:
            return ""
        spread = float(np.ptp(fit.score))
        return (
            f"one rule only: the teacher's answers to {len(fit)} rows spread over {spread:.3g}, and no test parts them"
        )
    answers = rules.evaluate(fit.samples) if rules.family == "set" else np.array([r.score for r in rules.rules])
    decisions = set(fit.decided(answers).tolist())
    if len(decisions) > 1:
        return ""
    only = decisions.pop()
    share = float((fit.label == only).mean())
    names = rules.outputs if len(rules.outputs) > 1 else (f"not {rules.outputs[0]}", rules.outputs[0])
    return (
        f"every rule decides {names[only]}: so does the teacher in {share:.1%} of {len(fit)} rows, and no test within "
        "the size allowed parts the others from them better than chance"
    )
