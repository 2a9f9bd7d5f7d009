"""One audit from its plan to a sealed run folder, step by step; what is on disk is never done twice."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from kdaudit.abilities import Bounded, Illustrated
from kdaudit.auditing import benches, beyond, casting, groups, losses, rows
from kdaudit.auditing.casting import Rival, Teachers, Troupe
from kdaudit.auditing.conclude import conclude, undecided
from kdaudit.auditing.forecasts import forecast
from kdaudit.auditing.items import ProxyItem, QuestionItem
from kdaudit.auditing.plan import Plan
from kdaudit.auditing.standing import standing
from kdaudit.cast import ControlKind, Empty
from kdaudit.chance import rng
from kdaudit.errors import InvalidInput, NoSuchSignal, OverBudget, TeacherMoved
from kdaudit.evidence import Evidence
from kdaudit.finding import Finding
from kdaudit.question import Question
from kdaudit.run.evidence import stem_of, write_evidence
from kdaudit.run.folder import RunFolder
from kdaudit.run.journal import Journal
from kdaudit.samples import Samples
from kdaudit.signal import LABEL, LOGIT, SCORE, Signal
from kdaudit.store.answers import Store
from kdaudit.store.canary import Canary, watch
from kdaudit.store.metered import Ledger, Metered
from kdaudit.subject import Ask, Subject

CANARIES = 16
"""Rows that watch a teacher whose identity is only declared."""
FEWEST = 30
"""Rows below which a question that the budget cuts short is not asked at all."""
PACKAGES = ("kdaudit", "numpy", "scipy", "pandas", "pyarrow", "scikit-learn", "torch", "safetensors")

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Stage:
    """All that the steps of one audit share."""

    plan: Plan
    folder: RunFolder
    journal: Journal
    store: Store
    ledger: Ledger
    parts: Mapping[str, Samples]
    tell: Tell

    def meter(self, name: str, teacher: Subject, limit: int | None = None) -> Metered:
        """Return a counted way to the teacher, charged to the audit's ledger."""
        return Metered(self.store.ask, teacher, limit=limit, ledger=self.ledger, name=name)

    def posed(self, ask: Ask) -> Ask:
        """Return `ask` with the plan's behaviour posed to it and read off its answers."""
        return self.plan.behaviour.through(ask)


@dataclass(frozen=True)
class Asked:
    """What became of one question: its evidence for each proxy, or why it could not be asked."""

    item: QuestionItem
    evidence: tuple[Evidence, ...]
    findings: tuple[Finding, ...]
    failed: str = ""


def repeat_of(plan: Plan) -> str:
    """Return the command that repeats the audit from the plan inside its run folder."""
    return "kdaudit audit audit.yaml" + (" --allow-code" if groups.runs_code(plan.teacher.recipe) else "")


def environment() -> dict[str, Any]:
    """Return the versions that an answer could depend on; an allow-list, nothing of the machine's names."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.system(),
        "byteorder": sys.byteorder,
        "packages": versions,
    }


def watch_teachers(stage: Stage, teachers: Teachers, *, resume: bool) -> Canary | None:
    """Ask the canary rows of a teacher whose identity is only declared; None where its content is known."""
    if teachers.teacher.identity.basis == "content":
        return None
    fit = stage.parts["fit"]
    rows_ = fit.take(np.argsort(fit.keys(), kind="stable")[:CANARIES])
    canary = watch(stage.store, teachers.teacher, rows_, resume=resume)
    epoch = f"epoch {canary.epoch}"
    if resume and stage.journal.finished("epoch") is not None and stage.journal.finished(epoch) is None:
        raise TeacherMoved(
            f"{teachers.teacher.identity.name} was found to have moved since this run began, by another audit; "
            "start a new run"
        )
    for step in ("epoch", epoch):
        stage.journal.finish(step)
    stage.tell(f"canary rows: {'moved, a new epoch begins' if canary.moved else 'as before'}")
    return canary


def make_proxy(stage: Stage, item: ProxyItem, teachers: Teachers) -> Troupe:
    """Make a proxy and its controls, or fetch those that a run that was cut off has made."""
    folder = stage.folder.path / "proxies" / item.name
    meter = stage.meter(f"proxies/{item.name}", teachers.teacher)
    for part in casting.parts_of(item):
        # asked (or fetched) here in any case: the count is the same whether the proxy is made or fetched
        stage.posed(meter)(teachers.teacher, stage.parts[part], item.recipe.signals or _fullest(teachers.teacher))
    made = casting.further(stage.plan, item, stage.parts)
    if made is not None:
        stage.posed(meter)(teachers.teacher, made, item.recipe.signals or _fullest(teachers.teacher))
    rivals, kind, reason = casting.rivals(stage.plan, item, teachers, stage.parts)
    untaught = casting.untaught(stage.plan, item, kind, stage.parts)
    if stage.journal.finished(f"proxies/{item.name}") is None:
        stage.tell(f"proxy {item.name}: distilling")
        control = {"kind": kind, "reason": reason, "count": len(rivals), **_told(untaught)}
        _distil(stage, item, teachers, meter, control)
    else:
        stage.tell(f"proxy {item.name}: made before")
        asked = beyond.noted(folder)
        if asked is not None:
            stage.ledger.enter(asked)
    if kind == "swapped_teacher":
        # a model that was made elsewhere is held to the independent teachers themselves
        controls = tuple(one.teacher for one in rivals)
        return Troupe(item.name, casting.load(folder), controls, kind, reason, untaught=_fetched(folder, untaught))
    for rival in rivals:
        _control(stage, item, rival, kind)
    if not isinstance(untaught, Empty):
        _control(stage, item, untaught, "label_only")
    # read back even when just made, so that an undisturbed run and a resumed one go on with the same thing
    controls = tuple(casting.load(folder / rival.name) for rival in rivals)
    return Troupe(item.name, casting.load(folder), controls, kind, reason, untaught=_fetched(folder, untaught))


def _told(untaught: Rival | Empty) -> dict[str, Any]:
    """Return what a card says of the proxy of recorded outcomes beside strangers; nothing where none is missed."""
    if isinstance(untaught, Empty):
        return {"outcomes": {"made": False, "reason": untaught.reason}} if untaught.reason else {}
    return {"outcomes": {"made": True, "reason": ""}}


def _fetched(folder: Path, untaught: Rival | Empty) -> Subject | Empty:
    return untaught if isinstance(untaught, Empty) else casting.load(folder / untaught.name)


def _distil(stage: Stage, item: ProxyItem, teachers: Teachers, meter: Metered, control: Mapping[str, Any]) -> None:
    folder, given = stage.folder.path / "proxies" / item.name, meter.rows
    placed = replace(item, recipe=benches.at(item, folder))
    proxy = casting.make(stage.plan, placed, teachers, stage.parts, stage.posed(meter))
    beyond.note(folder, given, meter.rows)
    files = casting.save(proxy, folder)
    for shown in proxy.shown if isinstance(proxy, Illustrated) else ():
        # what its making brought to light, such as a curve of sizes; no claim, since these rows chose it
        names = write_evidence(stage.folder, replace(shown, question=f"proxies/{item.name}", proxy_name=item.name))
        files += [stage.folder.path / name for name in names]
    card = casting.card(stage.plan, item, proxy, control, stage.parts)
    stage.folder.write_json(f"proxies/{item.name}/card.json", card)
    # what a maker asked beyond its rows belongs to the run's answers, and a resumed run does not ask for it again
    stage.store.seal(stage.folder.path / "answers")
    benches.clear(folder)
    stage.journal.finish(f"proxies/{item.name}", [*files, folder / "card.json"])


def _control(stage: Stage, item: ProxyItem, rival: Rival, kind: ControlKind) -> None:
    step = f"proxies/{item.name}/{rival.name}"
    if stage.journal.finished(step) is not None:
        return
    folder = stage.folder.path / step
    stage.tell(f"proxy {item.name}: {rival.name} from {rival.teacher.identity.name}")
    placed = replace(item, recipe=benches.at(item, folder))
    made = casting.make_control(stage.plan, placed, rival, kind, stage.parts, stage.posed(stage.store.ask))
    files = casting.save(made, folder)
    stage.store.seal(stage.folder.path / "answers")
    benches.clear(folder)
    stage.journal.finish(step, files)


def _fullest(subject: Subject) -> frozenset[Signal]:
    return frozenset({SCORE if {SCORE, LOGIT} & subject.offers else LABEL})


def ask_question(stage: Stage, item: QuestionItem, teachers: Teachers, troupes: Mapping[str, Troupe]) -> Asked:
    """Examine one question for each of its proxies, within what the budget has left."""
    try:
        missing = item.recipe.needs - teachers.teacher.offers
        if missing:
            offered = ", ".join(map(str, sorted(missing)))
            raise NoSuchSignal(f"{teachers.teacher.identity.name} does not offer {offered}")
        evidence = _within_budget(stage, item, teachers, troupes)
    except (OverBudget, NoSuchSignal) as error:
        stage.tell(f"{item.key}: could not be asked, {error}")
        return _unasked(stage.plan, item, error)
    findings: list[Finding] = []
    for one in evidence:
        write_evidence(stage.folder, one)
        findings += conclude(one, stem=stem_of(one), repeat=repeat_of(stage.plan))
    return Asked(item, evidence, tuple(findings))


def _within_budget(
    stage: Stage, item: QuestionItem, teachers: Teachers, troupes: Mapping[str, Troupe]
) -> tuple[Evidence, ...]:
    """Examine with as many rows as the recipe wants, or with as many as the budget has left."""
    recipe = item.recipe
    while True:
        try:
            return tuple(_examine(stage, item, recipe, teachers, troupes))
        except OverBudget as error:
            # how many rows are asked then depends on the budget alone, never on an answer
            wanted = recipe.questions if isinstance(recipe, Bounded) else 0
            fewer = min(int(wanted * error.left / error.needed), wanted - 1) if error.needed else 0
            if fewer < FEWEST:
                raise
            stage.tell(f"{item.key}: asks {fewer:,} instead of {wanted:,} rows, since the budget ends there")
            recipe = replace(recipe, questions=fewer)  # type: ignore[type-var]


def _examine(
    stage: Stage, item: QuestionItem, recipe: Question, teachers: Teachers, troupes: Mapping[str, Troupe]
) -> Iterator[Evidence]:
    samples = stage.parts[recipe.part]
    lead = troupes[item.proxies[0]].proxy
    known = stage.parts["select"] if "select" in casting.whole(stage.plan) else None
    for name in item.proxies:
        meter = stage.meter(item.key, teachers.teacher)
        cast = casting.cast_of(troupes[name], teachers, lead, known)
        stage.tell(", ".join(filter(None, (f"{item.key}: {name}", forecast(recipe, cast, samples)))))
        # one stream for all questions on a part: they choose overlapping rows, and so pay for them once
        chance = rng(stage.plan.seed, f"questions/{recipe.part}")
        found = recipe.examine(cast, samples, stage.posed(meter), chance)
        yield replace(found, question=item.key, proxy_name=name)


def _unasked(plan: Plan, item: QuestionItem, error: OverBudget | NoSuchSignal) -> Asked:
    needed = error.needed if isinstance(error, OverBudget) else None
    title = f"The question {item.key} ({item.kind})"
    findings = tuple(
        undecided(item.key, title, str(error), needed=needed, repeat=repeat_of(plan), proxy_name=name)
        for name in item.proxies
    )
    return Asked(item, (), findings, str(error))


def account_of(
    stage: Stage, teachers: Teachers, asked: tuple[Asked, ...], canary: Canary | None, spent: Mapping[str, int]
) -> dict[str, Any]:
    """Return who took part and what was spent, as plain data without time, path or host."""
    plan = stage.plan
    origin = stage.parts["judge"].origin
    epoch = {"moved": False, "sentence": "The teacher's weights are known: its answers cannot move unseen."}
    if canary is not None:
        epoch = {"moved": canary.moved, "sentence": canary.sentence}
    return {
        "title": plan.title,
        "teacher": {**_seat(teachers.teacher), "behaviour": plan.behaviour.name},
        "strangers": [_seat(one) for one in teachers.strangers] or [_seat(teachers.stranger)],
        "twin": _seat(teachers.twin),
        **({} if teachers.previous is None else {"previous": _seat(teachers.previous)}),
        "origin": {"name": origin.name, "source": origin.source, "digest": origin.digest},
        "scope": plan.behaviour.scope,
        "parts": {name: len(part) for name, part in stage.parts.items()},
        "budget": {"limit": losses.limit(plan), "used": stage.ledger.used, **spent},
        "privacy": losses.lost(stage.folder.path / "answers", stage.store, vars(teachers)),
        "epoch": epoch,
        "proxies": [item.name for item in plan.proxies],
        "standing": standing({p.name: p.recipe for p in plan.proxies}, (e for one in asked for e in one.evidence)),
        "not_tested": list(plan.not_tested),
        "notes": _notes(asked),
        "failed_questions": [{"question": one.item.key, "reason": one.failed} for one in asked if one.failed],
    }


def _seat(subject: Subject | Empty) -> dict[str, Any]:
    if isinstance(subject, Empty):
        return {"reason": subject.reason}
    who = subject.identity
    return {"name": who.name, "digest": who.digest, "basis": who.basis, "outputs": list(subject.outputs)}


def _notes(asked: tuple[Asked, ...]) -> list[str]:
    notes: list[str] = []
    for one in asked:
        for evidence in one.evidence:
            notes += [str(note) for note in evidence.context.get("notes", ()) if str(note) not in notes]
    return notes


def load_parts(plan: Plan, data: Path | None) -> dict[str, Samples]:
    """Return the plan's disjoint parts.

    Raises
    ------
    InvalidInput
        As reading and splitting do.
    """
    samples = rows.load(plan, data)
    if len(samples) == 0:
        raise InvalidInput(f"no row lies inside the scope {plan.behaviour.scope!r}; widen it")
    return rows.split(plan, samples)
