"""Who teaches: an ensemble.  Several subjects answer as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from kdaudit.digest import of_data
from kdaudit.errors import InvalidInput, NoSuchSignal
from kdaudit.question import Setting, TeacherRecipe
from kdaudit.samples import Samples
from kdaudit.signal import LABEL, LOGIT, SCORE, Signal, Signals
from kdaudit.subject import Answers, Ask, Identity, Subject


class Ensemble:
    """The weighted mean of several subjects' scores; decisions are its likeliest class.

    Parameters
    ----------
    members : sequence of Subject
        At least two, with the same outputs in the same order.
    weights : sequence of float, optional
        Above 0; None for equal ones.
    name : str
    ask : Ask, optional
        Through which members are asked, such as ``store.ask``; None asks them directly.

    Raises
    ------
    InvalidInput
        If there are fewer than two members, or their outputs, order or scale differ.
    NoSuchSignal
        If a member gives decisions only.
    """

    form = None

    def __init__(
        self,
        members: Sequence[Subject],
        *,
        weights: Sequence[float] | None = None,
        name: str = "ensemble",
        ask: Ask | None = None,
    ) -> None:
        check_alike(members, name)
        given = np.ones(len(members)) if weights is None else np.asarray(weights, dtype=np.float64)
        if given.shape != (len(members),) or not (np.isfinite(given) & (given > 0)).all():
            raise InvalidInput(f"{name} has the weights {list(given)}; {len(members)} numbers above 0 were expected")
        self.members, self.weights, self.ask = tuple(members), given / given.sum(), ask or _directly
        self.outputs, self.scale = members[0].outputs, members[0].scale
        parts = [[member.identity.digest for member in members], self.weights.tolist(), "mean of scores"]
        self.identity = Identity(name, of_data(parts), basis_of(members), by_of(members))

    @property
    def offers(self) -> frozenset[Signal]:
        """Scores, and decisions where scores are probabilities."""
        return frozenset({SCORE} if self.scale == "value" else {SCORE, LABEL})

    def answer(self, samples: Samples, signals: Signals, draw: int = 0) -> Answers:  # noqa: ARG002 - no chance here
        """Answer rows; a row that one member could not answer has failed; see `kdaudit.subject.Subject.answer`."""
        asked = frozenset(signals)
        if missing := asked - self.offers:
            raise NoSuchSignal(f"{self.identity.name} does not offer {', '.join(sorted(map(str, missing)))}")
        score, failed = np.zeros((len(samples), len(self.outputs))), dict[int, str]()
        for member, weight in zip(self.members, self.weights, strict=True):
            given = self.ask(member, samples, (wanted(member),))
            failed |= {row: f"{member.identity.name}: {reason}" for row, reason in given.failed.items()}
            score += weight * given.score
        out = Answers({SCORE: score}, failed)
        values: dict[Signal, Any] = {SCORE: score}
        if LABEL in asked:
            values[LABEL] = out.label
        return Answers({signal: values[signal] for signal in asked}, failed)


def basis_of(members: Sequence[Subject]) -> Literal["content", "declared"]:
    """Return on what the identity of a group rests: on contents, where that of each member does."""
    return "content" if all(member.identity.basis == "content" for member in members) else "declared"


def by_of(members: Sequence[Subject]) -> Literal["content", "id"]:
    """Return whether answers of a group belong to contents or, where one member's do, to ids."""
    return "content" if all(member.identity.by == "content" for member in members) else "id"


def check_alike(members: Sequence[Subject], name: str) -> None:
    """Refuse members that do not answer alike.

    Raises
    ------
    InvalidInput
        On fewer than two, or on other outputs, another order of them or another scale.
    NoSuchSignal
        If a member gives decisions only.
    """
    if len(members) < 2:
        raise InvalidInput(f"{name} has {len(members)} members; at least 2 were expected")
    first = members[0]
    for member in members:
        who = member.identity.name
        if member.outputs != first.outputs:
            order = "in another order" if sorted(member.outputs) == sorted(first.outputs) else "of other classes"
            raise InvalidInput(
                f"{who} answers with outputs {order} ({', '.join(member.outputs)}) than {first.identity.name} "
                f"({', '.join(first.outputs)}); bring them into one order"
            )
        if member.scale != first.scale:
            raise InvalidInput(f"{who} answers with a {member.scale} and {first.identity.name} with a {first.scale}")
        wanted(member)


def wanted(member: Subject) -> Signal:
    """Return the signal that a member is asked for: scores, else logits."""
    for signal in (SCORE, LOGIT):
        if signal in member.offers:
            return signal
    raise NoSuchSignal(f"{member.identity.name} gives decisions only, and a mean is taken of scores")


def _directly(subject: Subject, samples: Samples, signals: Signals) -> Answers:
    return subject.answer(samples, signals)


@dataclass(frozen=True)
class Ensembled:
    """Several teachers that answer as one: the mean of their scores.

    Parameters
    ----------
    members : tuple of TeacherRecipe
        At least two.
    weights : tuple of float
        One a member, above 0; none for equal ones.
    name : str
        For people.

    Raises
    ------
    InvalidInput
        If there are fewer than two members, or the weights are not one a member and above 0.
    """

    members: tuple[TeacherRecipe, ...]
    weights: tuple[float, ...] = ()
    name: str = "ensemble"

    def __post_init__(self) -> None:
        if len(self.members) < 2:
            raise InvalidInput(f"{self.name} has {len(self.members)} members; at least 2 were expected")
        if self.weights and (len(self.weights) != len(self.members) or not min(self.weights) > 0):
            raise InvalidInput(
                f"{self.name} has the weights {list(self.weights)}; {len(self.members)} numbers above 0 were expected"
            )

    def open(self, setting: Setting) -> Ensemble:
        """Open all members and return their ensemble.

        Raises
        ------
        InvalidInput
            As the members do, or if they do not answer alike.
        """
        members = [member.open(setting) for member in self.members]
        return Ensemble(members, weights=self.weights or None, name=self.name)
