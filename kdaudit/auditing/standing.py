"""What a proxy that was made without data is evidence for: a sentence each, once its fidelity is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kdaudit.abilities import Dataless
from kdaudit.evidence import Evidence, Row
from kdaudit.interval import Interval
from kdaudit.question import ProxyRecipe

FIDELITY = "agreement"
"""The measure whose excess over the control decides."""


def standing(recipes: Mapping[str, ProxyRecipe], evidence: Iterable[Evidence]) -> dict[str, str]:
    """Return by name what to make of each proxy that no part of the data was used for; the others are left out.

    A student without data often learns the task and not its teacher: it agrees with any good model of it.  Only an
    agreement beyond that of its control, made in the same way from another teacher, is knowledge of this one.
    """
    found = list(evidence)
    dataless = [name for name, recipe in recipes.items() if isinstance(recipe, Dataless) and recipe.dataless]
    return {name: _sentence(name, found) for name in dataless}


def _sentence(name: str, evidence: list[Evidence]) -> str:
    rows = [row for one in evidence if one.proxy_name == name for row in one.rows]
    row = next((r for r in rows if (r.measure, r.group, r.of) == (FIDELITY, "all", "proxy")), None)
    who = f"{name} was made without data"
    if row is None:
        return f"Not auditable: {who}, and nothing asked how much closer it is than its control; compare its fidelity."
    if row.excess is None or not row.excess.known:
        return f"Not auditable: {who}, and it has no excess over a control ({_why(row)})."
    found = f"it decides as this teacher in {row.value.value * 100:.1f} % of rows, {_points(row.excess)} points"
    if row.excess.low > 0:
        return f"Evidence about this teacher, as far as it agrees: {who}; {found} beyond its control."
    return (
        f"Not auditable: {who}; {found} beside its control, which these rows cannot tell from having learned the task "
        "and not the teacher. What it shows is evidence about no teacher in particular."
    )


def _why(row: Row) -> str:
    if row.excess is not None and row.excess.method:
        return row.excess.method
    return row.no_control or "it could not be told"


def _points(excess: Interval) -> str:
    return f"{excess.value * 100:+.1f} ({excess.low * 100:.1f} to {excess.high * 100:.1f})".replace("-", "−")
