"""Does the toolkit find what was planted, and nothing else?

Faults of stated strength are wrapped round base models trained from seeds; a proxy is distilled from each, and the
toolkit's own probes and findings tell the fault at several budgets, each audit with a sample of its own.  Shares are
clustered by base model.  What is true is counted over the whole pool.
"""

import time
from collections import defaultdict
from collections.abc import Iterator
from functools import partial

import numpy as np
from planted_cases import BUDGETS, Outcome, audited, real, shown
from planted_kinds import cases
from planted_scores import (
    GOOD,
    LARGE,
    SMALL,
    clear,
    decided,
    found,
    limit_of,
    of,
    promised,
    right_transfer,
    right_verdict,
    units,
)
from planted_worlds import MAKERS
from rich.console import Console
from rich.table import Table

from kdaudit.chance import rng
from kdaudit.interval import Interval

MODELS = {"table": 40, "picture": 10, "text": 10}
"""As many as may be trained: where none differs from another, an interval is as narrow as their number allows."""
DRAWS, MORE_DRAWS, PLAINLY = 2, 5, 1
DEPENDENCE = (
    "direct", "proxy field", "one intersection", "reversed in a region", "low base rate", "a group's patch",
    "a group's names",
)  # fmt: skip
"""Kinds in which decisions hang on the group and the student can learn how."""
LIMITS = DEPENDENCE[:5]
BANDS = ((1.33, 2.4), (2.4, 4.0), (4.0, 99.0))
MAIN, MOST = 1_000, BUDGETS[-1]


def run(report, full: bool) -> None:
    start = time.process_time()
    outcomes: list[Outcome] = []
    count = 0
    for base, many, found_ in collected(MODELS, MORE_DRAWS if full else DRAWS):
        outcomes += found_
        count += many
        print(f"{base}: {count} cases, {time.process_time() - start:.0f} s of CPU so far", flush=True)
    scored(report, outcomes)
    report.figure("CPU seconds", time.process_time() - start, target="" if full else "<= 2100")


def collected(models: dict[str, int], draws: int) -> Iterator[tuple[str, int, list[Outcome]]]:
    """Train base models, plant, distil and audit; yield the name of each, how many cases it had, and what came out.

    Kinds take turns, so that what is known after half of the time is about all of them.
    """
    order = sorted((number / many, kind, number) for kind, many in models.items() for number in range(many))
    for _, kind, number in order:
        world = MAKERS[kind](number)
        each = [list(audited(case, BUDGETS, draws, PLAINLY)) for case in cases(world)]
        yield world.name, len(each), [one for outcomes in each for one in outcomes]


def scored(report, outcomes: list[Outcome]) -> None:
    """Say all figures."""
    made = {(one.base, one.kind, one.strength) for one in outcomes}
    report.figure("base models", len({one.base for one in outcomes}), target="<= 60")
    report.figure("cases", len(made), target=">= 300")
    report.figure("audits", len(units(outcomes)))
    report.figure("claims", len(outcomes))
    agreement = {(one.base, one.kind, one.strength): one.agreement for one in outcomes if not one.made_for}
    report.figure("median agreement of proxies", float(np.median(list(agreement.values()))), n=len(agreement))
    for part in (recall, alarms, named, verdicts, by_kind, limits):
        part(report, outcomes)


def told(report, measure: str, found_: Interval, target: str = "") -> None:
    """Say a share with its interval, where there is one."""
    if found_.n and np.isfinite(found_.value):
        report.figure(measure, found_.value, low=found_.low, high=found_.high, n=found_.n, target=target)


def large(outcomes: list[Outcome], budget: int) -> list[list[Outcome]]:
    """Return the audits of large dependences by good proxies."""
    return [
        audit
        for audit in units(one for one in outcomes if one.budget == budget)
        if audit[0].kind in DEPENDENCE and audit[0].planted >= LARGE and audit[0].agreement >= GOOD
    ]


def recall(report, outcomes: list[Outcome]) -> None:
    """Faults of at least 2.4 margins that are found, beside plain sampling and the proxy alone."""
    for budget in BUDGETS:
        rows = large(outcomes, budget)
        target = ">= 0.95" if budget == MAIN else ""
        told(report, f"recall at 2.4 margins and more, {budget} questions", found(rows), target)
        beside = [audit for audit in rows if any(one.plainly for one in audit)]
        told(report, f"recall by plain sampling, {budget} questions", found(beside, plainly=True))
    alone = [one for audit in large(outcomes, MAIN) for one in audit if one.aimed and real(one) >= LARGE]
    told(report, "recall of the proxy alone", of(alone, lambda one: shown(one) > 1))


def alarms(report, outcomes: list[Outcome]) -> None:
    """Claims that fail though the effect is half a margin at most."""
    clean = [one for one in outcomes if np.isfinite(one.truth) and real(one) <= SMALL]
    for budget in BUDGETS:
        rows = [one for one in clean if one.budget == budget]
        told(report, f"false alarms, {budget} questions", of(rows, lambda one: one.verdict == "FAILS"), "<= 0.05")
    beside = [one for one in clean if one.plainly and one.budget == MAIN]
    told(report, f"false alarms of plain sampling, {MAIN} questions", of(beside, lambda o: o.plainly == "FAILS"))
    told(
        report,
        "false alarms of the proxy alone",
        of([one for one in clean if one.budget == MAIN], lambda one: shown(one) > 1),
    )


def named(report, outcomes: list[Outcome]) -> None:
    """Cases made so that the proxy hides, or invents, a fault, and named so."""
    for what, value in (("MASKED", real), ("INVENTED", shown)):
        made = [one for one in outcomes if one.made_for == what and one.aimed and value(one) >= LARGE]
        # a case counts as made where the other side is as it was meant
        made = [one for one in made if (shown(one) if what == "MASKED" else real(one)) <= SMALL]
        for budget in BUDGETS:
            rows = [one for one in made if one.budget == budget]
            target = ">= 0.9" if budget >= MAIN else ""
            told(report, f"{what} named, {budget} questions", of(rows, partial(_became, what)), target)


def _became(what: str, one: Outcome) -> bool:
    return one.transfer == what


def verdicts(report, outcomes: list[Outcome]) -> None:
    """Verdicts and transfers that are right among those decided, and how many are decided."""
    for near, rows in (
        ("", [o for o in outcomes if clear(o)]),
        (" near the margin", [o for o in outcomes if near_(o)]),
    ):
        for budget in BUDGETS:
            some = [one for one in rows if one.budget == budget]
            ruled = [one for one in some if decided(one)]
            where = f"{near}, {budget} questions"
            least = ">= 0.9" if budget == MOST and not near else ""
            told(report, f"decided{where}", of(some, decided), least)
            right = ">= 0.95" if not near else ""
            told(report, f"verdict right among decided{where}", of(ruled, right_verdict), right)
            told(report, f"transfer right among decided{where}", of(ruled, right_transfer), right)
    unsaid = [one for one in outcomes if clear(one) and real(one) > 1 and one.budget == MAIN]
    told(report, "faults that the proxy alone hides", of(unsaid, lambda one: shown(one) <= 1))


def near_(one: Outcome) -> bool:
    """Return whether the truth is known and near the margin."""
    return bool(np.isfinite(one.truth)) and not clear(one)


def by_kind(report, outcomes: list[Outcome]) -> None:
    """Print found and decided by kind and size of the fault, and say what was found of each kind."""
    table = Table(title="share of audits that find what was planted, by size in margins")
    for name in ("kind", "size", "audits", *(f"{n} questions" for n in BUDGETS)):
        table.add_column(name, justify="left" if name == "kind" else "right")
    groups: dict[tuple[str, int], list[list[Outcome]]] = defaultdict(list)
    for audit in units(outcomes):
        band = next((i for i, (low, high) in enumerate(BANDS) if low <= audit[0].planted < high), None)
        if band is not None:
            groups[audit[0].kind, band].append(audit)
    for (kind, band), audits in sorted(groups.items()):
        each = [[audit for audit in audits if audit[0].budget == n] for n in BUDGETS]
        low, high = BANDS[band]
        said = f"{low:g} to {high:g}" if high < BANDS[-1][1] else f"from {low:g}"
        table.add_row(kind, said, str(len(each[0])), *(f"{found(rows).value:.2f}" for rows in each))
    Console(width=120).print(table)
    for kind in sorted({kind for kind, _ in groups}):
        at = [audit for (name, band), rows in groups.items() if name == kind and band for audit in rows]
        told(report, f"found, {kind}, 2.4 margins and more, {MAIN} questions", found(_only(at, MAIN)))


def _only(audits: list[list[Outcome]], budget: int) -> list[list[Outcome]]:
    return [audit for audit in audits if audit[0].budget == budget]


def limits(report, outcomes: list[Outcome]) -> None:
    """Sizes, in margins, that are found with 80 % power: with the proxy, by plain sampling, by the proxy alone."""
    for kind in LIMITS:
        for budget in BUDGETS:
            audits = units(one for one in outcomes if one.kind == kind and one.budget == budget)
            plain = [audit for audit in audits if any(one.plainly for one in audit)]
            chance = rng(budget, f"planted/limits/{kind}")
            where = f"size found with 80 % power, {kind}, {budget} questions"
            told(report, where, limit_of(audits, chance, lambda one: one.verdict == "FAILS"))
            told(report, f"{where}, plain sampling", limit_of(plain, chance, lambda one: one.plainly == "FAILS"))
            if np.isfinite(theory := promised(audits)):
                report.figure(f"{where}, by theory", theory, n=len(audits))
        chance = rng(0, f"planted/limits/{kind}")
        alone = limit_of(_only(units(o for o in outcomes if o.kind == kind), MAIN), chance, lambda one: shown(one) > 1)
        told(report, f"size found with 80 % power, {kind}, the proxy alone", alone)
