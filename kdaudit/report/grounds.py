"""What lies below a comparison of reasons or of attention: nulls, faithfulness, errors of the shares, entropy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kdaudit.evidence import Evidence
from kdaudit.interval import Interval
from kdaudit.report.document import Block, Fold, Paragraph, Table
from kdaudit.report.words import number, whole

FAITHFUL = ("insertion", "deletion", "sufficiency", "comprehensiveness", "excess")
"""Measures of an order of units, on the model that it was found in (Petsiuk et al. 2018; DeYoung et al. 2020)."""
NULLS = {
    "rows": "its reasons for other rows of one decision",
    "stranger": "strangers",
}


def grounds(evidence: Sequence[Evidence]) -> tuple[Fold, ...]:
    """Return what stands below the numbers of a question on reasons or attention; nothing for other questions.

    Parameters
    ----------
    evidence : sequence of Evidence
        Of one question, one a proxy.
    """
    parts: list[Block] = []
    names: list[str] = []
    nulls = tuple(row for one in evidence for row in _nulls(one))
    if nulls:
        head: tuple[str, ...] = ("proxy", "beside", "rank correlation", "there", "more", "p")
        parts.append(Table(head, nulls, frozenset(range(2, len(head)))))
        names.append("nulls with their spread")
    attention = tuple(row for one in evidence for row in _attention(one))
    if attention:
        parts.append(Table(("proxy", "what", "value"), attention, frozenset({2})))
        names.append("nulls and entropy of attention")
    faithful = tuple(dict.fromkeys(row for one in evidence for row in _faithful(one)))
    if faithful:
        parts.append(
            Paragraph(
                "How far the score of the decision moves, each in its own order and on its own model: as units are put "
                "in, as they are taken away, by the first ones alone, without them; and the area between the first two "
                "beyond that of a random order.",
                quiet=True,
            )
        )
        head = ("whose", *(f"{name}, points" if name != "excess" else "beyond chance, points" for name in FAITHFUL))
        parts.append(Table(head, faithful, frozenset(range(1, len(head)))))
        names.append("how faithful reasons are to whom they explain")
    errors = tuple(dict.fromkeys(row for one in evidence for row in _errors(one)))
    if errors:
        head = ("whose", "error of the shares", "gap to their sum")
        parts.append(Table(head, errors, frozenset({1, 2})))
        names.append("errors of the shares")
    return (Fold(f"Behind these numbers: {', '.join(names)}", tuple(parts)),) if parts else ()


def _nulls(one: Evidence) -> Iterator[tuple[str, ...]]:
    for name, found in _mapping(one.context.get("nulls")).items():
        ends = f"{number(found['low'])} to {number(found['high'])}"
        null, more = number(found["null"]), number(found["excess"], signed=True)
        # the spread is that of the null itself, or of what is more than it
        there, beyond = (f"{null} ({ends})", more) if name == "rows" else (null, f"{more} ({ends})")
        yield one.proxy_name, NULLS.get(name, name), number(found["value"]), there, beyond, _chance(found["p"])


def _attention(one: Evidence) -> Iterator[tuple[str, ...]]:
    entropy = _mapping(one.context.get("entropy"))
    if not entropy:
        return
    for name, found in _mapping(one.context.get("null")).items():
        yield one.proxy_name, f"likeness of heads, {name}", whole(Interval.from_data(found))
    for seat, found in _ordered(entropy):
        yield one.proxy_name, f"entropy of {seat}, bits", whole(Interval.from_data(found))


def _faithful(one: Evidence) -> Iterator[tuple[str, ...]]:
    for seat, found in _ordered(_mapping(one.context.get("crossed")).get("own")):
        numbers = (Interval.from_data(found[name]) for name in FAITHFUL)
        yield _whose(one, seat), *(whole(part, "points").replace(" points", "", 1) for part in numbers)


def _errors(one: Evidence) -> Iterator[tuple[str, ...]]:
    for seat, found in _ordered(one.context.get("errors")):
        if found:
            size, gap = found.get("relative_error"), found.get("mean_gap")
            words = "–" if size is None else f"{number(size, 'percent')} of their size"
            yield _whose(one, seat), words, "none is promised" if gap is None else f"{gap:.2g}"


def _ordered(found: Any) -> list[tuple[str, Any]]:  # noqa: ANN401 - plain data
    """Return seats with what they hold, teacher and proxy first: a file's own order says nothing."""
    first = ("teacher", "proxy")
    return sorted(_mapping(found).items(), key=lambda one: (first.index(one[0]) if one[0] in first else 2, one[0]))


def _chance(p: float) -> str:
    # how far below is a matter of tails that nobody knows so well
    return "below 0.001" if p < 0.001 else f"{p:.2g}"


def _whose(one: Evidence, seat: str) -> str:
    return {"teacher": "teacher", "twin": "twin", "proxy": one.proxy_name}.get(seat, f"{seat}'s {one.proxy_name}")


def _mapping(found: Any) -> Mapping[str, Any]:  # noqa: ANN401 - plain data
    return found if isinstance(found, Mapping) else {}
