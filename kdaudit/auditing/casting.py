"""Who takes part: teachers opened, proxies made or fetched, controls beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kdaudit import digest
from kdaudit.abilities import (
    Blindable,
    Contrasting,
    Departing,
    Differing,
    Elsewhere,
    Foretelling,
    FoundRecipe,
    Keeping,
    Noted,
    Sparing,
    Using,
)
from kdaudit.auditing.items import ProxyItem, TeacherItem
from kdaudit.auditing.plan import Plan
from kdaudit.cast import Cast, ControlKind, Empty
from kdaudit.chance import rng
from kdaudit.errors import InvalidInput, NoSuchSignal
from kdaudit.layers import Layers
from kdaudit.question import ProxyRecipe, Setting
from kdaudit.rules import Rules
from kdaudit.samples import Samples, concat
from kdaudit.subject import Ask, Scale, Subject

Parts = Mapping[str, Samples]


NOBODY = "the plan names none; add `teacher.{}`"
LABEL_ONLY = 3
"""Proxies made from recorded outcomes where there is no stranger: they differ by the luck of their making alone."""
UNTAUGHT = "control-outcomes"
"""Name of the one that is made from recorded outcomes beside strangers."""
NO_OUTCOMES = "these rows have no recorded outcomes"
NOT_BESIDE = Empty("")
"""Where outcomes themselves are the control, or the proxy is no student: none stands beside, and none is missed."""


@dataclass(frozen=True)
class Teachers:
    """The teacher and those who stand beside it.

    Parameters
    ----------
    teacher : Subject
    strangers : tuple of Subject
        Independent teachers; only several show how far luck carries one.
    twin : Subject or Empty
    previous : Subject, optional
        The teacher's version before.
    other : Subject, optional
        Whom a proxy's answers are a difference to, if any.
    """

    teacher: Subject
    strangers: tuple[Subject, ...]
    twin: Subject | Empty
    previous: Subject | None = None
    other: Subject | None = None

    @property
    def stranger(self) -> Subject | Empty:
        """The first stranger, or why there is none."""
        return self.strangers[0] if self.strangers else Empty(NOBODY.format("strangers"))


@dataclass(frozen=True)
class Rival:
    """Whom one control is made from.

    Parameters
    ----------
    name : str
        Of the control: ``control``, ``control-2``, ...; its folder and its stream of chance.
    teacher : Subject
    """

    name: str
    teacher: Subject


@dataclass(frozen=True)
class Troupe:
    """A proxy with its controls.

    Parameters
    ----------
    name : str
    proxy : Subject
    controls : tuple of Subject
        Each made by the same recipe from somebody else.
    control_kind : str
    no_control : str
        Why there is none.
    other : Subject, optional
        Of a proxy that answers with a difference to somebody else: that one.
    untaught : Subject or Empty
        Made from recorded outcomes, beside controls from strangers.
    """

    name: str
    proxy: Subject
    controls: tuple[Subject, ...]
    control_kind: ControlKind
    no_control: str = ""
    other: Subject | None = None
    untaught: Subject | Empty = NOT_BESIDE

    @property
    def control(self) -> Subject | Empty:
        """The first control, or why there is none."""
        return self.controls[0] if self.controls else Empty(self.no_control)


def open_teachers(plan: Plan, parts: Parts, *, allow_code: bool) -> Teachers:
    """Open the teacher, and strangers and twin where the plan names them.

    Raises
    ------
    InvalidInput
        As the recipes do, and if two strangers turn out to be one; the sentence names the seat.
    """
    setting = Setting(plan.folder, plan.behaviour, parts, plan.seed, allow_code)
    teacher = _open(plan.teacher, setting, plan)
    strangers = tuple(_open(item, setting, plan) for item in plan.strangers)
    known = {teacher.identity.digest: teacher.identity.name}
    for one in strangers:
        who = known.setdefault(one.identity.digest, one.identity.name)
        if who != one.identity.name or one.identity.digest == teacher.identity.digest:
            raise InvalidInput(
                f"{one.identity.name} is the same model as {who}; a stranger is an independent teacher, trained apart"
            )
    twin = Empty(NOBODY.format("twin")) if plan.twin is None else _open(plan.twin, setting, plan)
    previous = None if plan.previous is None else _open(plan.previous, setting, plan)
    return Teachers(teacher, strangers, twin, previous)


def _open(item: TeacherItem, setting: Setting, plan: Plan) -> Subject:
    subject = item.recipe.open(setting)
    if subject.outputs != plan.behaviour.outputs:
        raise InvalidInput(
            f"{item.name} answers with {', '.join(subject.outputs)}; the behaviour {plan.behaviour.name!r} expects "
            f"{', '.join(plan.behaviour.outputs)}, in that order"
        )
    return subject


def make(plan: Plan, item: ProxyItem, teachers: Teachers, parts: Parts, ask: Ask) -> Subject:
    """Make a proxy from the teacher.

    Parameters
    ----------
    plan : Plan
    item : ProxyItem
    teachers : Teachers
    parts : mapping of str to Samples
        Only ``fit`` and ``select`` are used.
    ask : Ask
        The metered way to the teacher.
    """
    _can_answer(teachers.teacher, item)
    recipe = _placed(plan, item)
    if teachers.other is not None and isinstance(recipe, Departing):
        recipe = recipe.against(teachers.other)
    chance = rng(plan.seed, f"proxies/{item.name}")
    return recipe.make(plan.behaviour, teachers.teacher, _learned(parts), ask, chance)


def rivals(plan: Plan, item: ProxyItem, teachers: Teachers, parts: Parts) -> tuple[tuple[Rival, ...], ControlKind, str]:
    """Return whom a proxy's controls are made from, what kind of control that is, and why there is none.

    One from each stranger; without strangers `LABEL_ONLY` from recorded outcomes, where there are any.
    """
    if teachers.other is not None:
        return (), "none", "a teacher that answers as the other does scores exactly 0"
    if isinstance(item.recipe, Elsewhere):
        return _found(item.recipe.within(Setting(plan.folder, plan.behaviour)), teachers)
    if teachers.strangers:
        named = (Rival(control_name(at), one) for at, one in enumerate(teachers.strangers))
        return tuple(named), "strangers_proxy", ""
    told = outcomes_for(plan, item, parts)
    if isinstance(told, Empty):
        nobody = "there is neither an independent teacher nor recorded outcomes to make a control from"
        return (), "none", nobody if told.reason == NO_OUTCOMES else told.reason
    return tuple(Rival(control_name(at), told) for at in range(LABEL_ONLY)), "label_only", ""


def untaught(plan: Plan, item: ProxyItem, kind: ControlKind, parts: Parts) -> Rival | Empty:
    """Return of whom the student of recorded outcomes learns that stands beside those of strangers, or why none does.

    Students alone get one: of rules, which are read whole, strangers show enough.
    """
    if isinstance(item.recipe, Elsewhere):
        return Empty("it was made elsewhere, and nobody here can make another by its recipe")
    if kind != "strangers_proxy" or not isinstance(item.recipe, Blindable):
        return NOT_BESIDE
    try:
        told = outcomes_for(plan, item, parts)
    except InvalidInput as error:
        # strangers carry the claims: outcomes that are no classes stop nothing
        return Empty(str(error))
    return told if isinstance(told, Empty) else Rival(UNTAUGHT, told)


def outcomes_for(plan: Plan, item: ProxyItem, parts: Parts) -> Subject | Empty:
    """Return recorded outcomes dressed as a teacher that a proxy's recipe can learn from, or why there is none."""
    rows, behaviour = _learned(parts), plan.behaviour
    if any(part.labels is None for part in rows.values()):
        return Empty(NO_OUTCOMES)
    if isinstance(item.recipe, Contrasting) and item.recipe.contrast is not None:
        return Empty("recorded outcomes do not tell what another level would have brought")
    if _blind(item.recipe) is None:
        return Empty("recorded outcomes say nothing about rows that were made")
    if behaviour.scale == "value" and len(behaviour.outputs) > 1:
        return Empty(f"a recorded outcome is one number, and the behaviour has {len(behaviour.outputs)}")
    from kdaudit.teachers.recorded import outcomes

    scale: Scale = "value" if behaviour.scale == "value" else "probability"
    return outcomes(concat(list(rows.values())), behaviour.outputs, scale=scale)


def make_control(plan: Plan, item: ProxyItem, rival: Rival, kind: ControlKind, parts: Parts, ask: Ask) -> Subject:
    """Make one control by the proxy's recipe; `ask` is the way to everybody but the teacher."""
    if isinstance(item.recipe, Elsewhere):
        return rival.teacher
    recipe = _blind(item.recipe) if kind == "label_only" else item.recipe
    # without a recipe for outcomes there are no rivals of outcomes
    assert recipe is not None
    chance = rng(plan.seed, f"proxies/{item.name}/{rival.name}")
    return recipe.make(plan.behaviour, rival.teacher, _learned(parts), ask, chance)


def _blind(recipe: ProxyRecipe) -> ProxyRecipe | None:
    """Return the recipe that makes a control from outcomes, which are no network to look into."""
    return recipe.of_outcomes() if isinstance(recipe, Blindable) else recipe


def _placed(plan: Plan, item: ProxyItem) -> ProxyRecipe:
    """Return the recipe of a model that was made elsewhere in the plan's folder; any other recipe as it is."""
    recipe = item.recipe
    return recipe.within(Setting(plan.folder, plan.behaviour)) if isinstance(recipe, Elsewhere) else recipe


def _found(placed: FoundRecipe, teachers: Teachers) -> tuple[tuple[Rival, ...], ControlKind, str]:
    """Return the controls of a model that was made elsewhere: nobody here can make another by its recipe."""
    own = placed.rivals()
    kind: ControlKind = "strangers_proxy" if own else "swapped_teacher"
    seats = own or teachers.strangers
    if teachers.teacher.identity.digest in {one.identity.digest for one in seats}:
        raise InvalidInput("a stranger is the teacher itself; name models that were made from other teachers")
    if not seats:
        return (), "none", "it was made elsewhere, and the plan names neither its `strangers` nor `teacher.strangers`"
    return tuple(Rival(control_name(at), one) for at, one in enumerate(seats)), kind, ""


def control_name(at: int) -> str:
    """Return the name of a control: ``control``, ``control-2``, ``control-3``, ..."""
    return "control" if at == 0 else f"control-{at + 1}"


def _learned(parts: Parts) -> dict[str, Samples]:
    return {name: parts[name] for name in ("fit", "select")}


def whole(plan: Plan) -> tuple[str, ...]:
    """Return the parts that the teacher answers whole, for one proxy at least."""
    used = {part for item in plan.proxies for part in parts_of(item)}
    return tuple(part for part in ("fit", "select") if part in used)


def parts_of(item: ProxyItem) -> tuple[str, ...]:
    """Return the parts that the teacher answers whole for a proxy; one may ask it about some of their rows only."""
    return item.recipe.uses if isinstance(item.recipe, Using) else ("fit", "select")


def further(plan: Plan, item: ProxyItem, parts: Parts) -> Samples | None:
    """Return the rows that a proxy makes or chooses and asks about, where its recipe tells them beforehand."""
    if not isinstance(item.recipe, Foretelling):
        return None
    return item.recipe.further(plan.behaviour, parts, rng(plan.seed, f"proxies/{item.name}"))


def _can_answer(teacher: Subject, item: ProxyItem) -> None:
    missing = item.recipe.signals - teacher.offers
    if missing:
        raise NoSuchSignal(
            f"proxy {item.name!r} is made from {', '.join(map(str, sorted(missing)))}, "
            f"and {teacher.identity.name} offers {', '.join(map(str, sorted(teacher.offers)))}"
        )


def cast_of(troupe: Troupe, teachers: Teachers, covariate: Subject, known: Samples | None = None) -> Cast:
    """Return the cast for a question about one proxy; `covariate` sharpens the teacher's interval.

    `known` are rows that the teacher answered when the proxies were made, and that none was fitted to.
    """
    return Cast(
        teacher=teachers.teacher,
        proxy=troupe.proxy,
        stranger=troupe.control,
        further=troupe.controls[1:],
        twin=teachers.twin,
        control_kind=troupe.control_kind,
        covariate=covariate,
        proxy_name=troupe.name,
        known=known,
        other=troupe.other,
        untaught=troupe.untaught,
    )


def save(subject: Subject, folder: Path) -> list[Path]:
    """Write a proxy's body as safetensors + JSON or as plain JSON rules; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    match subject.form:
        case Rules():
            from kdaudit.surrogates.surrogate import save as write
        case Layers():
            from kdaudit.networks.files import save as write  # type: ignore[assignment]
        case None if isinstance(subject, Keeping):
            subject.keep(folder)
            return sorted(path for path in folder.iterdir() if path.is_file())
        case None:
            raise InvalidInput(f"{subject.identity.name} has no body that could be kept")
    write(subject, folder)  # type: ignore[arg-type]
    return sorted(path for path in folder.iterdir() if path.is_file())


def load(folder: Path) -> Subject:
    """Return the proxy that `save` wrote."""
    if (folder / "rules.json").is_file():
        from kdaudit.surrogates.surrogate import load as read
    elif (folder / "found.json").is_file():
        from kdaudit.teachers.existing import fetched as read  # type: ignore[assignment]
    else:
        from kdaudit.networks.files import load as read  # type: ignore[assignment]
    return read(folder)


def card(plan: Plan, item: ProxyItem, proxy: Subject, control: Mapping[str, Any], parts: Parts) -> dict[str, Any]:
    """Return what a reader should know of a proxy, as plain data; `control` says what its controls are."""
    form = proxy.form
    match form:
        case Rules(family=family, rules=rules):
            nouns = ("leaf", "leaves") if family == "tree" else ("rule", "rules")
            words = f"{family} of {len(rules)} {nouns[len(rules) != 1]}"
            size = {"leaves" if family == "tree" else "rules": len(rules), "terms": form.terms}
            if isinstance(proxy, Differing):
                at, minus = proxy.contrast, proxy.minus
                words += "" if at is None else f" on the score at {at.level} minus that at {at.other}"
                words += "" if minus is None else f" on {minus.words}"
        case Layers(parameters=parameters):
            words, size = f"network of {parameters:,} weights{_links(proxy)}", {"parameters": parameters}
        case None:
            words, size = item.kind, {}
    return {
        "name": item.name,
        "kind": item.kind,
        "words": words,
        "recipe": digest.recipe_data(item.recipe),
        "identity": proxy.identity.digest,
        "seed": plan.seed,
        "cost": _cost(item, parts),
        "size": size,
        "control": dict(control),
        "shown_in_whole": isinstance(form, Rules),
        "notes": dict(proxy.notes) if isinstance(proxy, Noted) else {},
    }


def _cost(item: ProxyItem, parts: Parts) -> dict[str, int]:
    asked = item.recipe.asked if isinstance(item.recipe, Sparing) else 0
    some = {"fit": min(asked, len(parts["fit"]))} if asked else {}
    return some | {name: len(parts[name]) for name in parts_of(item)}


def _links(proxy: Subject) -> str:
    """Return who answered how many rows, where the teacher is not the only one."""
    answered: Mapping[str, int] = proxy.notes.get("answered", {}) if isinstance(proxy, Noted) else {}
    if len(answered) < 2:
        return ""
    return "; " + ", ".join(f"{name} answered {rows:,}" for name, rows in answered.items()) + " rows"
