"""Which proxies a question is about: those that are named, else all that answer with what it reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from kdaudit.abilities import Contrasting, Departing, ReadingOf
from kdaudit.auditing.source import Path_, Source, close_to
from kdaudit.question import ProxyRecipe, Question

WORDS = {
    "answers": "with answers, not with a difference",
    "contrast": "with a difference between two levels",
    "minus": "with the teacher's answer minus another's",
}
SEATS = ("previous", "twin")
"""Whom a proxy's answers may be a difference to, beside the proxies made before it."""


def kind_of(recipe: ProxyRecipe) -> str:
    """Return what the proxies of a recipe answer with: a key of `WORDS`."""
    if isinstance(recipe, Contrasting) and recipe.contrast is not None:
        return "contrast"
    return "minus" if isinstance(recipe, Departing) and recipe.minus else "answers"


def chosen(
    named: object, question: Question, proxies: Mapping[str, ProxyRecipe], place: tuple[Source, Path_]
) -> tuple[str, ...]:
    """Return the names of a question's proxies.

    Parameters
    ----------
    named : list of str, str or None
        As in the plan; None for all that fit.
    question : Question
        What it reads, a key of `WORDS`, is told by `kdaudit.abilities.ReadingOf`.
    proxies : mapping of str to ProxyRecipe
    place : (Source, path)
        Where the question stands in the plan.

    Raises
    ------
    InvalidPlan
        If a name is unknown, a proxy does not fit the question, or none does.
    """
    source, path = place
    reads = question.reads if isinstance(question, ReadingOf) else "answers"
    fits = {name: kind_of(recipe) == reads for name, recipe in proxies.items()}
    what = WORDS[reads]
    if named is None:
        out = tuple(name for name, fit in fits.items() if fit)
        if not out:
            raise source.wrong(path, f"none of the proxies answers {what}, and this question reads only such")
        return out
    names = tuple(named) if isinstance(named, list) else (named,)
    for name in names:
        if not isinstance(name, str) or name not in proxies:
            raise source.wrong((*path, "proxies"), f"there is no proxy {name!r}{close_to(str(name), tuple(proxies))}")
        if not fits[name]:
            raise source.wrong((*path, "proxies"), f"this question reads proxies that answer {what}; {name!r} does not")
    return names


def check_other(
    recipe: ProxyRecipe, before: Mapping[str, ProxyRecipe], seats: Collection[str], place: tuple[Source, Path_]
) -> None:
    """Refuse a difference to somebody who is not there.

    Parameters
    ----------
    recipe : ProxyRecipe
    before : mapping of str to ProxyRecipe
        The proxies that are made before it.
    seats : collection of str
        The seats beside the teacher that the plan fills.
    place : (Source, path)
        Where the proxy stands in the plan.

    Raises
    ------
    InvalidPlan
        If its `minus` names neither a proxy that answers as the teacher does and is made before, nor a filled seat.
    """
    if not isinstance(recipe, Departing) or not recipe.minus:
        return
    name, (source, path) = recipe.minus, place
    known = [*(one for one, other in before.items() if kind_of(other) == "answers"), *(s for s in SEATS if s in seats)]
    if name in SEATS and name not in seats:
        raise source.wrong((*path, "minus"), f"the plan names no {name}; add `teacher.{name}`")
    if name not in known:
        raise source.wrong(
            (*path, "minus"), f"{name!r} is neither a proxy named above nor a seat of the plan{close_to(name, known)}"
        )
