"""A tree of the teacher's answers minus somebody else's: where a proxy is wrong, what changed between two versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from kdaudit.behaviour import Behaviour, Minus
from kdaudit.errors import InvalidInput
from kdaudit.samples import Samples
from kdaudit.signal import LABEL, LOGIT, SCORE, Signal, Signals
from kdaudit.subject import Answers, Ask, Subject
from kdaudit.surrogates.surrogate import Surrogate
from kdaudit.surrogates.trees import TreeRecipe, grown

OUTPUTS = {"score": ("difference",), "decision": ("decides otherwise",)}


@dataclass(frozen=True)
class DepartureTree(TreeRecipe):
    """Recipe of a tree that answers with the teacher's answer minus another's.

    A proxy meets the rows that it was made from better than others, so that there its errors look smaller and plainer
    than they are: `queries` asks both about rows that neither has seen.  For further keys see
    `kdaudit.surrogates.trees.TreeRecipe`.

    Parameters
    ----------
    minus : str
        A proxy of the plan that is made before, or one of the seats ``previous`` and ``twin``.
    of : {"score", "decision"}
        "score": the difference of their scores.  "decision": in what share of rows they decide otherwise.
    output : str
        Whose score, where the behaviour has several outputs.
    leaves : int
        Most leaves.
    """

    minus: str
    of: Literal["score", "decision"] = "score"
    output: str = ""
    leaves: int = field(default=8, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.minus:
            raise InvalidInput("minus names nobody; a proxy made before, previous or twin was expected")
        if self.output and self.of == "decision":
            raise InvalidInput("a difference of decisions is about all outputs; leave output away")

    def against(self, other: Subject) -> Against:
        """Return the recipe with whom the difference is to."""
        return Against(self, other)

    def make(
        self,
        behaviour: Behaviour,
        teacher: Subject,
        parts: Mapping[str, Samples],  # noqa: ARG002 - refused whatever there is
        ask: Ask,  # noqa: ARG002
        rng: np.random.Generator,  # noqa: ARG002
    ) -> Surrogate:
        """Refuse: a difference needs two.

        Raises
        ------
        InvalidInput
            Always; `against` gives the recipe the other one.
        """
        raise InvalidInput(
            f"a tree of {teacher.identity.name} minus {self.minus} on {behaviour.name!r} needs that other subject; "
            "make it of `against(other)`"
        )


@dataclass(frozen=True)
class Against:
    """A recipe of differences with the subject that is subtracted."""

    recipe: DepartureTree
    other: Subject

    @property
    def signals(self) -> frozenset[Signal]:
        """As of its recipe."""
        return self.recipe.signals

    def make(
        self, behaviour: Behaviour, teacher: Subject, parts: Mapping[str, Samples], ask: Ask, rng: np.random.Generator
    ) -> Surrogate:
        """Return the tree; see `kdaudit.question.ProxyRecipe`.

        Raises
        ------
        InvalidInput
            If the behaviour has several outputs and the difference is of no one of them, or as `tree` does.
        """
        recipe = self.recipe
        minus = Minus(recipe.minus, self.other.identity.digest, recipe.of, recipe.output)
        _check(minus, behaviour)

        def difference(rows: Samples, signals: Signals) -> Answers:  # noqa: ARG001 - there is one signal only
            said = [ask(subject, rows, (_signal(subject),)) for subject in (teacher, self.other)]
            return minus.read(said[0], said[1], behaviour.outputs)

        # what is to be met is a number, also where it is 1 for "otherwise": its mean is the share of rows
        asked = replace(behaviour, outputs=OUTPUTS[recipe.of], scale="value", domain=behaviour.domain.undirected())
        found = grown(asked, (parts["fit"], parts.get("select")), difference, recipe.search, recipe.care, rng)
        return replace(found, minus=minus)


def _check(minus: Minus, behaviour: Behaviour) -> None:
    outputs = behaviour.outputs
    if minus.output and minus.output not in outputs:
        raise InvalidInput(f"output is {minus.output!r}; one of {', '.join(outputs)} was expected")
    if minus.of == "score" and len(outputs) > 1 and not minus.output:
        raise InvalidInput(
            f"behaviour {behaviour.name!r} has the outputs {', '.join(outputs)}; name one as `output`, or take the "
            "difference `of: decision`"
        )


def _signal(subject: Subject) -> Signal:
    return next((signal for signal in (SCORE, LOGIT) if signal in subject.offers), LABEL)
