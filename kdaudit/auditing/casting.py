"""Who takes part: teachers opened, proxies made or fetched, controls beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kdaudit import digest
from kdaudit.auditing.plan import Plan, ProxyItem, TeacherItem
from kdaudit.cast import Cast, ControlKind, Empty
from kdaudit.chance import rng
from kdaudit.errors import InvalidInput, NoSuchSignal
from kdaudit.layers import Layers
from kdaudit.question import Setting
from kdaudit.rules import Rules
from kdaudit.samples import Samples, concat
from kdaudit.subject import Ask, Subject

Parts = Mapping[str, Samples]


@dataclass(frozen=True)
class Teachers:
    """The teacher and those who stand beside it; `other` is whom a proxy's answers are a difference to, if any."""

    teacher: Subject
    stranger: Subject | Empty
    twin: Subject | Empty
    other: Subject | None = None


@dataclass(frozen=True)
class Troupe:
    """A proxy with its control.

    Parameters
    ----------
    name : str
    proxy : Subject
    control : Subject or Empty
        Made by the same recipe from somebody else.
    control_kind : str
    other : Subject, optional
        Of a proxy that answers with a difference to somebody else: that one.
    """

    name: str
    proxy: Subject
    control: Subject | Empty
    control_kind: ControlKind
    other: Subject | None = None


def open_teachers(plan: Plan, parts: Parts, *, allow_code: bool) -> Teachers:
    """Open the teacher, and stranger and twin where the plan names them.

    Raises
    ------
    InvalidInput
        As the recipes do; the sentence names the seat.
    """
    setting = Setting(plan.folder, plan.behaviour, parts, plan.seed, allow_code)
    nobody = "the plan names none; add `teacher.{}`"
    return Teachers(
        _open(plan.teacher, setting, plan),
        Empty(nobody.format("stranger")) if plan.stranger is None else _open(plan.stranger, setting, plan),
        Empty(nobody.format("twin")) if plan.twin is None else _open(plan.twin, setting, plan),
    )


def _open(item: TeacherItem, setting: Setting, plan: Plan) -> Subject:
    subject = item.recipe.open(setting)
    if subject.outputs != plan.behaviour.outputs:
        raise InvalidInput(
            f"{item.name} answers with {', '.join(subject.outputs)}; the behaviour {plan.behaviour.name!r} expects "
            f"{', '.join(plan.behaviour.outputs)}, in that order"
        )
    return subject


def make(plan: Plan, item: ProxyItem, teachers: Teachers, parts: Parts, asks: tuple[Ask, Ask]) -> Troupe:
    """Make a proxy from the teacher, and its control from the stranger or from recorded outcomes.

    Parameters
    ----------
    plan : Plan
    item : ProxyItem
    teachers : Teachers
    parts : mapping of str to Samples
        Only ``fit`` and ``select`` are used.
    asks : (Ask, Ask)
        The metered way to the teacher, and the way to everybody else.
    """
    rows = {name: parts[name] for name in ("fit", "select")}
    _can_answer(teachers.teacher, item)
    if teachers.other is not None:
        made = item.recipe.beside(teachers.other).make(  # type: ignore[attr-defined]
            plan.behaviour, teachers.teacher, rows, asks[0], rng(plan.seed, f"proxies/{item.name}")
        )
        return Troupe(item.name, made, Empty("a teacher that answers as the other does scores exactly 0"), "none")
    proxy = item.recipe.make(plan.behaviour, teachers.teacher, rows, asks[0], rng(plan.seed, f"proxies/{item.name}"))
    other, kind = _other(teachers, rows, plan)
    if kind == "label_only" and getattr(item.recipe, "contrast", None) is not None:
        other, kind = Empty("recorded outcomes do not tell what another level would have brought"), "none"
    if isinstance(other, Empty):
        return Troupe(item.name, proxy, other, kind)
    # outcomes are no network: a recipe that looks into its teacher has a form that does not
    blind = getattr(item.recipe, "of_outcomes", None) if kind == "label_only" else None
    recipe = item.recipe if blind is None else blind()
    control = recipe.make(plan.behaviour, other, rows, asks[1], rng(plan.seed, f"proxies/{item.name}/control"))
    return Troupe(item.name, proxy, control, kind)


def further(plan: Plan, item: ProxyItem, parts: Parts) -> Samples | None:
    """Return the rows that a proxy makes itself and learns from, where its recipe tells them beforehand."""
    told = getattr(item.recipe, "further", None)
    if told is None:
        return None
    rows: Samples | None = told(plan.behaviour, parts, rng(plan.seed, f"proxies/{item.name}"))
    return rows


def _can_answer(teacher: Subject, item: ProxyItem) -> None:
    missing = item.recipe.signals - teacher.offers
    if missing:
        raise NoSuchSignal(
            f"proxy {item.name!r} is made from {', '.join(map(str, sorted(missing)))}, "
            f"and {teacher.identity.name} offers {', '.join(map(str, sorted(teacher.offers)))}"
        )


def _other(teachers: Teachers, rows: Parts, plan: Plan) -> tuple[Subject | Empty, ControlKind]:
    """Return whom the control is made from: an independent teacher, else recorded outcomes."""
    if not isinstance(teachers.stranger, Empty):
        return teachers.stranger, "strangers_proxy"
    if all(part.labels is not None for part in rows.values()):
        from kdaudit.teachers.recorded import outcomes

        return outcomes(concat(list(rows.values())), plan.behaviour.outputs), "label_only"
    return Empty("there is neither an independent teacher nor recorded outcomes to make a control from"), "none"


def cast_of(troupe: Troupe, teachers: Teachers, covariate: Subject, known: Samples | None = None) -> Cast:
    """Return the cast for a question about one proxy; `covariate` sharpens the teacher's interval.

    `known` are rows that the teacher answered when the proxies were made, and that none was fitted to.
    """
    return Cast(
        teacher=teachers.teacher,
        proxy=troupe.proxy,
        stranger=troupe.control,
        twin=teachers.twin,
        control_kind=troupe.control_kind,
        covariate=covariate,
        proxy_name=troupe.name,
        known=known,
        other=troupe.other,
    )


def save(subject: Subject, folder: Path) -> list[Path]:
    """Write a proxy's body as safetensors + JSON or as plain JSON rules; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    match subject.form:
        case Rules():
            from kdaudit.surrogates.surrogate import save as write
        case Layers():
            from kdaudit.networks.files import save as write  # type: ignore[assignment]
        case None:
            raise InvalidInput(f"{subject.identity.name} has no body that could be kept")
    write(subject, folder)  # type: ignore[arg-type]
    return sorted(path for path in folder.iterdir() if path.is_file())


def load(folder: Path) -> Subject:
    """Return the proxy that `save` wrote."""
    if (folder / "rules.json").is_file():
        from kdaudit.surrogates.surrogate import load as read
    else:
        from kdaudit.networks.files import load as read  # type: ignore[assignment]
    return read(folder)


def card(plan: Plan, item: ProxyItem, troupe: Troupe, parts: Parts) -> dict[str, Any]:
    """Return what a reader should know of a proxy, as plain data."""
    form = troupe.proxy.form
    match form:
        case Rules(family=family, rules=rules):
            words = f"tree of {len(rules)} leaves" if family == "tree" else f"{family} of {len(rules)} rules"
            size = {"leaves" if family == "tree" else "rules": len(rules), "terms": form.terms}
            contrast = getattr(troupe.proxy, "contrast", None)
            words += "" if contrast is None else f" on the score at {contrast.level} minus that at {contrast.other}"
            minus = getattr(troupe.proxy, "minus", None)
            words += "" if minus is None else f" on {minus.words}"
        case Layers(parameters=parameters):
            words, size = f"network of {parameters:,} weights", {"parameters": parameters}
        case None:
            words, size = item.kind, {}
    return {
        "name": item.name,
        "kind": item.kind,
        "words": words,
        "recipe": digest.recipe_data(item.recipe),
        "identity": troupe.proxy.identity.digest,
        "seed": plan.seed,
        "cost": {name: len(parts[name]) for name in ("fit", "select")},
        "size": size,
        "control": {"kind": troupe.control_kind, "reason": getattr(troupe.control, "reason", "")},
        "shown_in_whole": isinstance(form, Rules),
        "notes": dict(getattr(troupe.proxy, "notes", {})),
    }
