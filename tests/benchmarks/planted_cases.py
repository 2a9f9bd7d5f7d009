"""Cases of the planted bench: a teacher with a known fault, a proxy distilled from it, and the probe that is to tell.

Each case is audited at several budgets, with the audit's sample drawn anew each time, through the toolkit's own probes
and findings.  What is true is counted over the whole pool, apart from the probes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from planted_faults import Planted, Shift
from planted_worlds import FIT, POOL, SELECT, World

from kdaudit.auditing.conclude import conclude
from kdaudit.cast import Cast, Empty
from kdaudit.chance import rng
from kdaudit.distillation.students import Student
from kdaudit.finding import Finding, Form
from kdaudit.measures.strata import crossed, stratify
from kdaudit.probe.counterfactuals import RATE, SHIFT, Flip
from kdaudit.probe.groups import Parity
from kdaudit.probe.triggers import Trigger
from kdaudit.question import Question
from kdaudit.samples import Samples
from kdaudit.signal import LABEL, LOGIT, SCORE
from kdaudit.subject import Answers, Identity, Subject
from kdaudit.surrogates.trees import Tree

BUDGETS = (100, 300, 1_000, 3_000)
EVERYTHING = 10**9
STEPS = {"table": 600, "picture": 500, "text": 400}
HIDDEN = {"table": (64,), "picture": (8, 16), "text": (32,)}
WIDTH = 16
OBJECTIVE = "logit_mse"
Asked = Callable[[int], Question]
"""From a budget in teacher rows to the probe."""


@dataclass(frozen=True, eq=False)
class Case:
    """A teacher, who taught its proxy, and what is asked.

    Parameters
    ----------
    world : World
    kind : str
        What was planted.
    strength : float
        As requested; what is true is counted.
    shift : Shift
        What was planted in the teacher.
    probe : callable
        Teacher rows -> question.
    taught : Shift, optional
        What was planted in whoever taught the proxy, where that is not the teacher.
    blind : tuple of str
        Fields that the proxy does not read.
    hidden : tuple of int, optional
        Of the proxy.
    made_for : str
        Transfer that the case was made for.
    aim : str
        Part of the names of the groups whose claims speak of the fault; empty for all.
    least : float
        Size of the teacher's value from which a claim speaks of the fault, where a probe looks for its claims itself.
    leaves : int
        Of a tree in the student's place; 0 for the student.
    """

    world: World
    kind: str
    strength: float
    shift: Shift
    probe: Asked
    taught: Shift | None = None
    blind: tuple[str, ...] = ()
    hidden: tuple[int, ...] | None = None
    made_for: str = ""
    aim: str = ""
    least: float = 0.0
    leaves: int = 0

    @property
    def name(self) -> str:
        """Tells it from all other cases."""
        return f"{self.world.name}/{self.kind}/{self.strength:g}"

    @property
    def teacher(self) -> Planted:
        """The teacher."""
        return Planted(self.world, f"{self.kind} {self.strength:g}", self.shift, "teacher")

    def proxy(self, door: Door) -> Subject:
        """Return the proxy, made from the teacher or from whoever taught it."""
        world, told = self.world, self.taught or self.shift
        tutor = Planted(world, f"{self.kind} {self.strength:g}", told, "tutor")
        chance = rng(world.number, f"planted/{self.name}/proxy")
        fit = {FIT: world.parts[FIT]}
        if self.leaves:
            return Tree(leaves=self.leaves).make(world.behaviour, tutor, fit, door.ask, chance)
        recipe = Student(
            hidden=HIDDEN[world.kind] if self.hidden is None else self.hidden,
            objective=OBJECTIVE,
            steps=STEPS[world.kind],
            network=world.network,
            width=WIDTH,
            reads=self._reads,
        )
        return recipe.make(world.behaviour, tutor, fit, door.ask, chance)

    @property
    def _reads(self) -> tuple[str, ...]:
        if self.world.kind != "table":
            return self.world.reads
        return tuple(name for name in self.world.domain.names if name not in self.blind) if self.blind else ()


class Door:
    """The way to all answers; what was asked of many rows is remembered while a case is audited."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, bytes], Answers] = {}

    def ask(self, who, samples: Samples, signals) -> Answers:
        """Answer, from memory where the same rows were asked before."""
        wanted = frozenset(signals)
        if len(samples) < LONG or not wanted <= {SCORE, LABEL, LOGIT}:
            return who.answer(samples, signals)
        key = who.identity.digest, hashlib.blake2b(samples.keys().tobytes()).digest()
        if key not in self._known:
            self._known[key] = who.answer(samples, {SCORE, LABEL} & who.offers | wanted)
        return self._known[key]


LONG = 3_500
"""Rows from which answers are worth remembering: whole pools, and not what a budget buys."""


class Ignorant:
    """Says the same of every row: sampling with it is plain sampling."""

    outputs, scale, form, offers = ("yes",), "probability", None, frozenset({SCORE, LABEL})
    identity = Identity("says the same of every row", "0" * 64)

    def answer(self, samples, signals, draw=0) -> Answers:
        """Answer one half."""
        n = len(samples)
        return Answers({SCORE: np.full((n, 1), 0.5), LABEL: np.zeros(n, dtype=np.int64)})


@dataclass(frozen=True)
class Outcome:
    """One claim of one audit.

    Parameters
    ----------
    base, kind, strength, made_for
        Of the case.
    budget, draw : int
        Teacher rows that the probe might ask, and which sample of the audit.
    measure, group, form, margin, verdict, transfer
        Of the finding.
    aimed : bool
        Whether the claim speaks of what was planted.
    planted : float
        How large the planted effect is, in margins.
    truth, shown : float
        The teacher's value and the proxy's, counted.
    half : float
        Half-width of the teacher's interval.
    asked : int
    agreement : float
        Share of the pool that teacher and proxy decide alike.
    plainly : str
        Verdict by plain sampling with as many questions; empty where it was not tried.
    """

    base: str
    kind: str
    strength: float
    made_for: str
    budget: int
    draw: int
    measure: str
    group: str
    form: Form
    margin: float
    verdict: str
    transfer: str
    aimed: bool
    planted: float
    truth: float
    shown: float
    half: float
    asked: int
    agreement: float
    plainly: str = ""


def audited(case: Case, budgets: tuple[int, ...], draws: int, plainly: int = 1) -> Iterator[Outcome]:
    """Make the proxy, and audit at each budget with `draws` samples each, and `plainly` of them without the proxy."""
    door, world = Door(), case.world
    teacher, proxy = case.teacher, case.proxy(door)
    pool, nobody = world.parts[POOL], Empty("none was made")
    labels = [door.ask(who, pool, {LABEL}).label for who in (teacher, proxy)]
    agreement = float((labels[0] == labels[1]).mean())
    cast = Cast(teacher, proxy, nobody, nobody, known=world.parts[SELECT], proxy_name="proxy")
    plain = Cast(teacher, Ignorant(), nobody, nobody)
    fixed = counted(case, pool, door, (teacher, proxy))
    for draw in range(draws):
        stream, known = f"planted/{case.name}", {}
        for budget in budgets:
            question = case.probe(budget)
            # where a probe looks for what it claims, all rows must be asked about what it found at this budget
            name, whole = f"{stream}/{budget}" if fixed else stream, in_full(question)
            if not fixed and whole not in known:
                known[whole] = exactly(whole, cast, pool, door, rng(draw, name))
            true = fixed or known[whole]
            found = findings(question, cast, pool, door, rng(draw, name))
            beside = (
                findings(question, plain, pool, door, rng(draw, f"{name}/plain")) if fixed and draw < plainly else ()
            )
            alone = {(f.measure, f.group): str(f.verdict) for f in beside}
            yield from _outcomes(case, (budget, draw, agreement), found, true, alone)


def _outcomes(
    case: Case, audit: tuple[int, int, float], found: tuple[Finding, ...], true: Truths, plainly: dict[Place, str]
) -> Iterator[Outcome]:
    aimed = {
        (f.measure, f.group): case.aim in f.group and abs(true[f.measure, f.group][0]) >= case.least
        for f in found
        if (f.measure, f.group) in true
    }
    sizes = [size(f.form, true[f.measure, f.group][0], f.margin) for f in found if aimed.get((f.measure, f.group))]
    planted = max(sizes, default=case.strength / found[0].margin if found else 0.0) if case.strength else 0.0
    budget, draw, agreement = audit
    for f in found:
        place = f.measure, f.group
        truth, shown_ = true.get(place, (np.nan, np.nan))
        yield Outcome(
            base=case.world.name,
            kind=case.kind,
            strength=case.strength,
            made_for=case.made_for,
            budget=budget,
            draw=draw,
            measure=f.measure,
            group=f.group,
            form=f.form,
            margin=f.margin,
            verdict=str(f.verdict),
            transfer=str(f.transfer),
            aimed=aimed.get(place, False),
            planted=planted,
            truth=truth,
            shown=shown_,
            half=f.teacher.half,
            asked=f.asked,
            agreement=agreement,
            plainly=plainly.get(place, ""),
        )


def findings(question: Question, cast: Cast, pool: Samples, door: Door, chance) -> tuple[Finding, ...]:
    """Return what the toolkit finds."""
    evidence = question.examine(cast, pool, door.ask, chance)
    return conclude(evidence, stem="planted", repeat="")


Place = tuple[str, str]
"""Measure and group of a claim."""
Truths = dict[Place, tuple[float, float]]
"""Values of teacher and proxy."""


def counted(case: Case, pool: Samples, door: Door, who: tuple[Subject, Subject]) -> Truths:
    """Return the values of teacher and proxy for each claim, by hand; empty for probes that look for their claims."""
    question = case.probe(BUDGETS[-1])
    match question:
        case Parity():
            each = [_groups(question, pool, door.ask(one, pool, {LABEL}).label) for one in who]
        case Flip():
            sides = [pool.setting("group", level) for level in (question.level, question.other)]
            each = []
            for one in who:
                up, down = (door.ask(one, side, {LABEL}).label for side in sides)
                name = f"group: {question.level} - {question.other}"
                each.append({(SHIFT, name): (up - down).mean(), (RATE, name): (up != down).mean()})
        case _:
            return {}
    return {place: (float(each[0][place]), float(each[1][place])) for place in each[0]}


def _groups(question: Parity, pool: Samples, decided) -> dict[tuple[str, str], float]:
    several = not isinstance(question.field, str)
    strata = crossed(pool, question.field) if several else stratify(pool, question.field)
    rates = {level: decided[strata.place == at].mean() for at, level in enumerate(strata.levels)}
    base = rates[question.reference]
    ratio = question.measure == "impact_ratio"
    measure = question.measure if ratio else f"{question.measure}_difference"
    return {
        (measure, f"{strata.field}: {level} - {question.reference}"): _beside(value, base) if ratio else value - base
        for level, value in rates.items()
    }


def _beside(value: float, base: float) -> float:
    return value / base if base else float("nan")


def in_full(question: Question) -> Question:
    """Return the question with all rows asked, and as many of them used for looking as before."""
    if isinstance(question, Trigger):
        # half a row more, so that rounding takes none away
        looking = int(question.scan * question.questions) + 0.5
        return replace(question, questions=EVERYTHING, scan=looking / EVERYTHING if question.scan else 0.0)
    return replace(question, questions=EVERYTHING)


def exactly(question: Question, cast: Cast, pool: Samples, door: Door, chance) -> Truths:
    """Return the values of teacher and proxy for each claim by asking about every row there is."""
    evidence = question.examine(cast, pool, door.ask, chance)
    out = {}
    for claim in evidence.claims:
        rows = [evidence.row(claim.measure, claim.group, of).value for of in ("teacher", "proxy")]
        out[claim.measure, claim.group] = tuple(row.value for row in rows)
    return out


# ------------------------------------------------------------------ how large an effect is
def size(form: Form, value: float, margin: float) -> float:
    """Return how large an effect is in margins: above 1 a claim fails."""
    if form == "at least":
        return (1 - value) / (1 - margin)
    return abs(value) / margin


def shown(outcome: Outcome) -> float:
    """Return the proxy's effect in margins."""
    return size(outcome.form, outcome.shown, outcome.margin)


def real(outcome: Outcome) -> float:
    """Return the teacher's effect in margins."""
    return size(outcome.form, outcome.truth, outcome.margin)
