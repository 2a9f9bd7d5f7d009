"""Which proxies a question is about: those that are named, else all that answer with what it reads."""

from __future__ import annotations

from collections.abc import Mapping

from kdaudit.auditing.source import Path_, Source, close_to
from kdaudit.question import ProxyRecipe, Question


def chosen(
    named: object, question: Question, proxies: Mapping[str, ProxyRecipe], place: tuple[Source, Path_]
) -> tuple[str, ...]:
    """Return the names of a question's proxies.

    Parameters
    ----------
    named : list of str, str or None
        As in the plan; None for all that fit.
    question : Question
        One with a true `contrasts` reads differences, any other reads answers.
    proxies : mapping of str to ProxyRecipe
        A recipe with a `contrast` makes a proxy that answers with a difference.

    place : (Source, path)
        Where the question stands in the plan.

    Raises
    ------
    InvalidPlan
        If a name is unknown, a proxy does not fit the question, or none does.
    """
    source, path = place
    differs = bool(getattr(question, "contrasts", False))
    fits = {name: (getattr(recipe, "contrast", None) is not None) == differs for name, recipe in proxies.items()}
    what = "with a difference" if differs else "with answers, not with a difference"
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
