"""What a run cost in privacy, where whoever answered is a federation: a budget, like rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kdaudit.abilities import Composed, Stating
from kdaudit.auditing import groups
from kdaudit.auditing.plan import Plan
from kdaudit.store import parts
from kdaudit.store.answers import Store
from kdaudit.store.metered import Ledger
from kdaudit.subject import Subject


def limit(plan: Plan) -> int:
    """Return the most teacher rows that the audit may use: what the budget allows, or the teacher's privacy."""
    allowed = groups.releases(plan.teacher.recipe)
    return plan.limit if allowed is None else min(plan.limit, allowed)


def ledger(plan: Plan) -> Ledger:
    """Return an empty ledger of the teacher's rows up to that limit."""
    most = limit(plan)
    if most == plan.limit:
        return Ledger(most)
    return Ledger(most, f"{plan.teacher.name} loses more privacy than its epsilon allows beyond that; raise its noise")


def lost(answers: Path, store: Store, seats: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what each federation in a seat lost, as plain data; empty where there is none.

    Parameters
    ----------
    answers : Path
        The run's sealed answers: every row in them was released in this run, or before and used again.
    store : Store
        Answers that further runs may have added to: they compose with this run's.
    seats : mapping of str to Subject, several of them, or whoever is no Subject

    Notes
    -----
    Losses compose over all that is released of a federation.  ``in_all`` tells the loss over all runs whose answers
    are kept in the same folder, where these are more rows than this run's.
    """
    out = []
    for seat, subject in _subjects(seats):
        for federation in _federations(subject):
            told = federation.statement(_sealed(answers, subject))
            kept = store.kept(subject)
            if kept > told["releases"]:
                told["in_all"] = {key: federation.statement(kept)[key] for key in ("releases", "epsilon")}
            out.append({"seat": seat, "name": federation.identity.name, **told})
    return out


def _subjects(seats: Mapping[str, Any]) -> Iterator[tuple[str, Subject]]:
    for seat, held in seats.items():
        for subject in held if isinstance(held, tuple) else (held,):
            if isinstance(subject, Subject):
                yield seat, subject


def _federations(subject: Subject) -> Iterator[Stating]:
    """Yield the subjects that know what they cost, the subject itself or those that it is made of."""
    if isinstance(subject, Stating):
        yield subject
    for member in subject.members if isinstance(subject, Composed) else ():
        yield from _federations(member)


def _sealed(answers: Path, subject: Subject) -> int:
    folder = answers / subject.identity.digest[:16]
    found = [parts.decode(path.read_bytes()).keys for path in sorted(folder.glob("*.parquet"))]
    return len(np.unique(np.concatenate(found))) if found else 0
