"""Who a plan seats: the teacher, strangers beside it, its twin, its version before."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from kdaudit.auditing import catalogue, groups, sections
from kdaudit.auditing.items import Rows, TeacherItem
from kdaudit.auditing.schema import build
from kdaudit.auditing.source import Path_, Source
from kdaudit.question import TeacherRecipe

STRANGERS = "strangers"
"""The key that lists or counts strangers, and the part whose rows are shared out among those that are counted."""
MOST = 20
"""Strangers that may be counted."""


@dataclass(frozen=True)
class Seats:
    """Whom a plan names.

    Parameters
    ----------
    teacher : TeacherItem
    strangers : tuple of TeacherItem
        Independent teachers: none, one, or better three and more.
    twin : TeacherItem or None
    rows : Rows
        The plan's rows; with strangers that are counted their part is cut into one for each.
    previous : TeacherItem or None
        The teacher's version before.
    """

    teacher: TeacherItem
    strangers: tuple[TeacherItem, ...]
    twin: TeacherItem | None
    rows: Rows
    previous: TeacherItem | None = None


def seated(data: dict[str, Any], source: Source, rows: Rows) -> Seats:
    """Return whom the section `teacher` names.

    Raises
    ------
    InvalidPlan
        If a recipe does not hold together, or strangers are neither a list of teachers nor a number.
    """
    section = dict(sections.mapping(source, data, ("teacher",)))
    one, several, twin, previous = (section.pop(key, None) for key in ("stranger", STRANGERS, "twin", "previous"))
    plain = dict(section)
    teacher = _teacher(section, source, ("teacher",), "teacher")
    if one is not None and several is not None:
        raise source.wrong(("teacher", STRANGERS), "the plan names `stranger` and `strangers`; keep the list")
    strangers: tuple[TeacherItem, ...] = ()
    match several:
        case None if one is not None:
            strangers = (_seat(data, source, ("teacher", "stranger"), f"{teacher.name}'s stranger"),)
        case None:
            pass
        case list():
            paths: list[Path_] = [("teacher", STRANGERS, at) for at in range(len(several))]
            strangers = tuple(_seat(data, source, p, f"{teacher.name}'s stranger {p[-1] + 1}") for p in paths)  # type: ignore[operator]
        case int() if not isinstance(several, bool) and 1 <= several <= MOST:
            rows = _shared_out(rows, several, source)
            strangers = tuple(_alike(plain, teacher, at, source) for at in range(several))
        case _:
            raise source.wrong(
                ("teacher", STRANGERS),
                f"teacher.strangers is {several!r}; a list of teachers was expected, or how many (1 to {MOST})",
            )
    _apart(teacher, strangers, source, ("teacher", STRANGERS if one is None else "stranger"))
    seat = None if twin is None else _seat(data, source, ("teacher", "twin"), f"{teacher.name}'s twin")
    before = (
        None if previous is None else _seat(data, source, ("teacher", "previous"), f"{teacher.name}, version before")
    )
    return Seats(teacher, strangers, seat, rows, before)


def _shared_out(rows: Rows, count: int, source: Source) -> Rows:
    size = rows.parts.get(STRANGERS, 0) // count
    if size < 1:
        raise source.wrong(
            ("teacher", STRANGERS),
            f"{count} strangers learn from rows of their own, and `samples.parts` has no part {STRANGERS!r} of at "
            f"least {count} rows; add one, as large as the teacher's part times {count}, or list the strangers",
        )
    parts: dict[str, int] = {}
    for name, n in rows.parts.items():
        parts |= {_share(at): size for at in range(count)} if name == STRANGERS else {name: n}
    return replace(rows, parts=parts)


def _share(at: int) -> str:
    return f"{STRANGERS}-{at + 1}"


def _alike(plain: dict[str, Any], teacher: TeacherItem, at: int, source: Source) -> TeacherItem:
    """Return the teacher's recipe with other rows and another seed: nothing is shared but the task."""
    if not {"part", "seed"} <= {f.name for f in fields(teacher.recipe)}:  # type: ignore[arg-type]
        raise source.wrong(
            ("teacher", STRANGERS),
            f"strangers can be counted where the teacher is trained here on a part; this one is {teacher.kind!r}: list "
            "independent teachers instead",
        )
    # seed + 1 is what a twin often takes
    seed = int(getattr(teacher.recipe, "seed")) + 2 + at  # noqa: B009 - a recipe in general has no seed
    item = {**plain, "name": f"stranger {at + 1}", "part": _share(at), "seed": seed}
    return _teacher(item, source, ("teacher",), "")


def _apart(teacher: TeacherItem, strangers: tuple[TeacherItem, ...], source: Source, path: Path_) -> None:
    """Refuse strangers that are one another, or the teacher: they would show no spread."""
    known = [(teacher.kind, _told(teacher))]
    for at, one in enumerate(strangers):
        if (one.kind, _told(one)) in known:
            raise source.wrong(
                path,
                f"stranger {at + 1} is the same as the teacher or as another stranger; each needs rows and a seed of "
                "its own",
            )
        known.append((one.kind, _told(one)))


def _told(item: TeacherItem) -> dict[str, Any]:
    return {key: value for key, value in groups.data_of(item.recipe).items() if key != "name"}


def _seat(data: dict[str, Any], source: Source, path: Path_, name: str) -> TeacherItem:
    return _teacher(dict(sections.mapping(source, data, path)), source, path, name)


def _teacher(item: dict[str, Any], source: Source, path: Path_, name: str) -> TeacherItem:
    name = item.pop("name", name)
    kind, address = sections.kind(item, source, path, catalogue.TEACHERS)
    kind_of_teacher = catalogue.resolve(address)
    if "name" in (f.name for f in fields(kind_of_teacher)):
        item["name"] = name
    inner = groups.take(kind_of_teacher, item, source, path, lambda one, *at: _teacher(one, source, *at).recipe)
    recipe: TeacherRecipe = build(kind_of_teacher, item, source, path, inner)
    return TeacherItem(str(name), kind, recipe)
