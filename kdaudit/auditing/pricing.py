"""What a plan will ask, told before anything is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kdaudit.abilities import MakingRows, PerProxy, Releasing, Showing
from kdaudit.auditing import benches, beyond, casting, groups, steps
from kdaudit.auditing.forecasts import duration, work_of
from kdaudit.auditing.items import QuestionItem
from kdaudit.auditing.plan import Plan
from kdaudit.auditing.rows import supplied
from kdaudit.cast import Empty
from kdaudit.samples import Samples

MILLISECOND = 1e-3
ALMOST = 2
"""Strangers that show a spread, but hardly how large it is."""


@dataclass(frozen=True)
class Line:
    """Distinct teacher rows, and what for."""

    rows: int
    what: str


@dataclass(frozen=True)
class Estimate:
    """The most that a plan will ask.

    Parameters
    ----------
    lines : tuple of Line
    limit : int
        What the budget allows.
    warnings : tuple of str
    """

    lines: tuple[Line, ...]
    limit: int
    warnings: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """Sum of the lines: an upper bound, since questions share rows."""
        return sum(line.rows for line in self.lines)

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON data."""
        lines = [{"rows": line.rows, "what": line.what} for line in self.lines]
        return {"lines": lines, "total": self.total, "limit": self.limit, "warnings": list(self.warnings)}


def price(plan: Plan, data: Path | None) -> Estimate:
    """Return what a plan will ask; rows are read, no teacher is opened, nothing is written.

    Parameters
    ----------
    plan : Plan
    data : Path, optional
        Folder of public data sets.
    """
    parts = steps.load_parts(plan, data)
    plan = supplied(plan, data)
    learned, asking = casting.whole(plan), [item.name for item in plan.proxies if casting.parts_of(item)]
    rows = sum(len(parts[part]) for part in learned)
    lines = [Line(rows, f"make {_joined(asking)} ({' and '.join(learned)})")] if asking else []
    lines += _further(plan, parts)
    lines += [
        Line(beyond.extra(item, parts), f"make {item.name} (new rows around fit and select)")
        for item in plan.proxies
        if beyond.extra(item, parts)
    ]
    lines += _judge(plan, parts)
    lines += [
        # rows that a question makes on each proxy are paid for each
        Line(
            item.recipe.price(parts["pool"]) * _times(item),
            f"{item.key} ({item.kind}) on the pool",
        )
        for item in plan.questions
        if item.recipe.part == "pool"
    ]
    estimate = Estimate(tuple(lines), plan.limit)
    warnings = []
    if estimate.total > plan.limit:
        warnings.append("the budget may end early; what is asked last then asks fewer rows or stays undecided")
    warnings += _controls(plan, parts)
    if plan.twin is None:
        warnings.append("no twin is named: measures have no ceiling")
    warnings += _beside(plan, estimate)
    warnings += _work(plan, parts)
    if measuring := benches.measuring(plan):
        warnings.append(f"what {_joined(measuring)} measures is this machine's: another one may decide otherwise")
    if groups.runs_code(plan.teacher.recipe):
        warnings.append("the teacher is Python code of the plan; the audit needs --allow-code")
    return Estimate(tuple(lines), plan.limit, tuple(warnings))


def _controls(plan: Plan, parts: Mapping[str, Samples]) -> list[str]:
    """Return what the controls cost in time, and what they cannot show; the teacher is asked nothing for them."""
    count, used = len(plan.strangers), casting.whole(plan)
    told = f"{' and '.join(used)} ({sum(len(parts[name]) for name in used):,} rows)" if used else "some rows"
    if not count:
        return [
            "no stranger is named: where outcomes are recorded, each proxy is made again from them "
            f"{casting.LABEL_ONLY} times as its control, which asks the teacher nothing"
        ]
    made = count * len(plan.proxies)
    out = [
        f"each of {count} strangers answers {told}, and {made:,} controls are made from them: "
        f"that asks the teacher nothing, and takes {count} times as long as making the proxies"
        if count > 1
        else f"one stranger answers {told}, and {made:,} controls are made from it; beside one "
        "stranger no proxy is found to be closer than a stranger's: name at least three"
    ]
    if count == ALMOST:
        out.append("two strangers tell little of how strangers differ, so that intervals are wide; name at least three")
    return out + _untaught(plan, parts)


def _untaught(plan: Plan, parts: Mapping[str, Samples]) -> list[str]:
    """Return which students are made from recorded outcomes beside strangers, and why others are not."""
    found = {item.name: casting.untaught(plan, item, "strangers_proxy", parts) for item in plan.proxies}
    made = [name for name, one in found.items() if not isinstance(one, Empty)]
    out = [f"{_joined(made)}: made once more from recorded outcomes alone, which asks nobody"] if made else []
    lacking: dict[str, list[str]] = {}
    for name, one in found.items():
        if isinstance(one, Empty) and one.reason:
            lacking.setdefault(one.reason, []).append(name)
    out += [f"{_joined(names)}: none is made from recorded outcomes, since {why}" for why, names in lacking.items()]
    return out


def _times(item: QuestionItem) -> int:
    """Return how many sets of rows a question asks: one for each proxy where it makes them on each."""
    return len(item.proxies) if isinstance(item.recipe, PerProxy) and item.recipe.each else 1


def _judge(plan: Plan, parts: Mapping[str, Samples]) -> list[Line]:
    judge = parts["judge"]
    prices = {item.key: item.recipe.price(judge) for item in plan.questions if item.recipe.part == "judge"}
    prices = {key: rows for key, rows in prices.items() if rows}
    if not prices:
        return []
    # questions on the judge part share its answers; rows that one makes itself, or needs beyond them, are its own
    made = {
        item.key: item.recipe.made(judge) * _times(item)
        for item in plan.questions
        if item.key in prices and isinstance(item.recipe, MakingRows)
    }
    own = {key: made.get(key, max(0, rows - len(judge))) for key, rows in prices.items()}
    shared = max(rows if key in made else rows - own[key] for key, rows in prices.items())
    lines = [Line(min(len(judge), shared), f"judge the proxies ({_joined(list(prices))})")]
    lines += [Line(rows, f"{key} beyond the judge part") for key, rows in own.items() if rows > 0]
    return lines


def _further(plan: Plan, parts: Mapping[str, Samples]) -> list[Line]:
    """Return the rows that proxies make or choose themselves, beyond the parts that are asked whole."""
    out, known = [], np.concatenate([parts["fit"].keys()[:0], *(parts[name].keys() for name in casting.whole(plan))])
    for item in plan.proxies:
        rows = casting.further(plan, item, parts)
        if rows is not None:
            keys = np.unique(rows.keys())
            new = keys[~np.isin(keys, known)]
            given = bool(np.isin(new, parts["fit"].keys()).all())
            out.append(Line(len(new), f"make {item.name} ({'some of fit' if given else 'rows of its own'})"))
            known = np.concatenate([known, new])
    return out


def _beside(plan: Plan, estimate: Estimate) -> list[str]:
    """Return what is paid beside questions: privacy, and rows that are shown in place."""
    out = []
    allowed = groups.releases(plan.teacher.recipe)
    for recipe in groups.all_of(plan.teacher.recipe):
        if isinstance(recipe, Releasing):
            out.append(recipe.told(min(n for n in (estimate.total, plan.limit, allowed) if n is not None)))
    if allowed is not None and allowed < min(estimate.total, plan.limit):
        out.append(f"privacy ends the audit after {allowed:,} rows; raise the noise or epsilon, or ask fewer")
    for item in plan.proxies:
        if isinstance(item.recipe, Showing) and item.recipe.shown:
            rows = f"{item.recipe.shown:,} made rows"
            out.append(f"{item.name} shows the teacher's network {rows} in place, outside the budget")
    return out


def _work(plan: Plan, parts: Mapping[str, Samples]) -> list[str]:
    """Return which questions take long in place, asking nothing; no teacher is opened here to see how long."""
    out = []
    for item in plan.questions:
        each, teacher = work_of(item.recipe, parts[item.recipe.part], 3 + max(1, len(plan.strangers)))
        if each:
            most = duration((each + teacher) * MILLISECOND)
            out.append(
                f"{item.key} evaluates each network in place about {each:,} times for each proxy, and the teacher "
                f"{teacher:,} times more, asking nothing: {most} for the teacher were it a millisecond a time; how "
                "long it takes is told before it begins"
            )
    return out


def _joined(words: list[str]) -> str:
    return ", ".join(words)
