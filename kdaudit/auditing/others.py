"""To whom a proxy's answers are a difference: a seat beside the teacher, or a proxy made before."""

from __future__ import annotations

from collections.abc import Mapping

from kdaudit.abilities import Departing
from kdaudit.auditing.casting import Teachers, Troupe
from kdaudit.auditing.items import ProxyItem
from kdaudit.cast import Empty
from kdaudit.subject import Subject


def other_of(item: ProxyItem, teachers: Teachers, made: Mapping[str, Troupe]) -> Subject | None:
    """Return the subject that a proxy's recipe subtracts; None for a proxy that answers as the teacher does."""
    if not isinstance(item.recipe, Departing) or not item.recipe.minus:
        return None
    name = item.recipe.minus
    if name in made:
        return made[name].proxy
    seat: Subject | Empty | None = {"previous": teachers.previous, "twin": teachers.twin}[name]
    # a plan that names an empty seat was refused when it was read
    assert seat is not None and not isinstance(seat, Empty)
    return seat
