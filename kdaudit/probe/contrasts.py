"""What a comparison of groups brings to light: rows, claims, and how they were come by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kdaudit.evidence import Evidence, Row
from kdaudit.finding import Claim
from kdaudit.probe.figures import three_rows
from kdaudit.probe.likeness import group_rows
from kdaudit.probe.sentences import capital
from kdaudit.probe.stops import Rule, stopped
from kdaudit.probe.surveys import Survey
from kdaudit.probe.telling import Telling
from kdaudit.statistics.active import uneven


def evidence_of(
    surveys: Sequence[Survey],
    tellings: Sequence[Telling],
    left_out: Mapping[str, str],
    asking: tuple[Rule, int],
    rng: np.random.Generator,
) -> Evidence:
    """Return the evidence of one question: contrasts first, then the groups.

    Parameters
    ----------
    surveys : sequence of Survey
        One, or one for each contrast where they are asked one after the other; all with one reference.
    tellings : sequence of Telling
        Of each survey.
    left_out : mapping of str to str
        Groups that are listed only, and why.
    asking : (Rule, int)
        When asking stops, and the most rows.
    rng : Generator
    """
    rows: list[Row] = []
    claims: list[Claim] = []
    contrasts: dict[str, Any] = {}
    for survey, telling in zip(surveys, tellings, strict=True):
        more, claimed, bought = tell_contrasts(survey, telling, rng)
        rows, claims, contrasts = rows + more, claims + claimed, contrasts | bought
    first, telling = surveys[0], tellings[0]
    # of the reference those rows are told that are most: each survey of a sequence asks some of it
    most = max(range(len(surveys)), key=lambda at: int(surveys[at].inside(first.reference).sum()))
    alone = [(most, first.reference), *((at, x) for at, one in enumerate(surveys) for x in one.others)]
    for at, level in alone:
        rows += three_rows(surveys[at].group(level), tellings[at].group(level), surveys[at].cast)
    for at, level in alone:
        rows += group_rows(surveys[at], tellings[at], level)
    others = tuple(level for one in surveys for level in one.others)
    return Evidence(
        question="",
        title=telling.title(first.reference, others, first.strata.field),
        rows=tuple(rows),
        claims=tuple(claims),
        context=_context(surveys, contrasts, left_out, asking),
        shows="transfer",
        proxy_name=first.cast.proxy_name,
    )


def _context(
    surveys: Sequence[Survey], contrasts: dict[str, Any], left_out: Mapping[str, str], asking: tuple[Rule, int]
) -> dict[str, Any]:
    first, (rule, most) = surveys[0], asking
    others = tuple(level for one in surveys for level in one.others)
    levels, tested = (first.reference, *others), {level for one in surveys for level in one.tested}
    asked = {x: max(int(one.inside(x).sum()) for one in surveys) for x in levels}
    return {
        "population": first.samples.origin.name,
        "pool": len(first.samples),
        "rows": {first.strata.group(level): first.strata.count(level) for level in levels},
        "asked": {first.strata.group(level): n for level, n in asked.items()},
        "failed": sum(int(np.isnan(one.y).sum()) for one in surveys),
        "margin": rule.margin,
        "reference": first.reference,
        "method": method_of(first) + (IN_SEQUENCE if len(surveys) > 1 else ""),
        "contrasts": contrasts,
        "sentences": [
            *_not_compared(first, others, left_out),
            *_most_selected(first),
            *_stopped(surveys, rule, most),
        ],
        "left_out": [first.strata.group(level) for level in others if level not in tested],
    }


def _stopped(surveys: Sequence[Survey], rule: Rule, most: int) -> list[str]:
    if len(surveys) == 1:
        return stopped(surveys, rule.stop, most)
    out, left = [], most
    for one in surveys:
        out += stopped([one], rule.stop, left, capital(one.strata.words(one.others[0])))
        left -= len(one.design.chosen)
    return out


IN_SEQUENCE = (
    "; contrasts one after the other, by how far groups lie apart in the proxy, each at the full level while all "
    "before it are decided (fixed sequence)"
)


def tell_contrasts(
    survey: Survey, telling: Telling, rng: np.random.Generator
) -> tuple[list[Row], list[Claim], dict[str, Any]]:
    """Return rows and claims of all contrasts, and what the proxy's help was worth."""
    rows: list[Row] = []
    claims: list[Claim] = []
    contrasts: dict[str, Any] = {}
    # apart, so that the teacher's rows are the same for every proxy, whether or not that has a stranger
    for_teacher, for_proxy = rng.spawn(2)
    for other in survey.others:
        figures, bought = survey.contrast(other, (for_teacher, for_proxy))
        contrasts[survey.strata.contrast(other, survey.reference)] = bought
        rows += three_rows(figures, telling.contrast(other, survey.reference, figures), survey.cast)
        claims.append(telling.claim(other, survey.reference, figures.teacher))
    return rows, claims, contrasts


def method_of(survey: Survey) -> str:
    """Return how rows were chosen and what sharpened the intervals."""
    count = len(survey.tested)
    # intervals that Holm's procedure narrows decide together, and no longer hold all at once
    how = "are decided" if survey.levels else "hold"
    together = f"; {count} contrasts {how} together ({_shared(survey)})" if count > 1 else ""
    read = "covariate: the proxy's score read as a chance"
    if survey.bets:
        return f"rows drawn with replacement, one of each group at a time; betting, which holds at any time, {read}"
    if any(uneven(survey.design.asked[survey.inside(x)]) for x in (survey.reference, *survey.tested)):
        chosen = "rows chosen evenly over groups, inside them where the proxy may err"
        return f"{chosen}; weighted regression, {read}{together}"
    return f"rows chosen evenly over groups; PPI++, {read}{together}"


def _shared(survey: Survey) -> str:
    """Return how contrasts are kept from being decided wrongly by their number."""
    if not survey.levels:
        return f"Bonferroni, each at {survey.level:.2%}"
    told = ", ".join(f"{level:.2%}" for level in sorted(set(survey.levels.values()), reverse=True))
    return f"Holm, at {told}"


def _not_compared(survey: Survey, others: tuple[str, ...], left_out: Mapping[str, str]) -> list[str]:
    strata, named = survey.strata, (survey.reference, *others, *left_out)
    counts = {level: strata.count(level) for level in strata.levels if level not in named and strata.count(level)}
    out = [f"Listed, not compared: {strata.words(level)} ({why})." for level, why in left_out.items()]
    if counts:
        groups = ", ".join(f"{strata.words(level)} ({n:,} rows)" for level, n in counts.items())
        out.append(f"Not compared, since the plan names other groups: {groups}.")
    return out


def _most_selected(survey: Survey) -> list[str]:
    if not survey.most or not survey.tested:
        return []
    who = survey.strata.words(survey.reference)
    return [f"By the rows asked, {who} are selected most; the ratios' intervals hold too if it is another group."]
