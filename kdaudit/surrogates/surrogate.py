"""Rules as a subject: what is evaluated is what the reviewer reads."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.behaviour import Behaviour, Contrast, Minus
from kdaudit.digest import of_data
from kdaudit.domain import Category, Domain
from kdaudit.errors import InvalidInput, KdauditError, NoSuchSignal, OutOfDomain
from kdaudit.rules import Rules
from kdaudit.samples import Samples
from kdaudit.signal import LABEL, SCORE, Signal, Signals
from kdaudit.subject import Answers, Identity, Scale
from kdaudit.surrogates.choice import Making
from kdaudit.surrogates.readings import Reading

FILE = "rules.json"


@dataclass(frozen=True, eq=False)
class Surrogate:
    """A tree or rule list that answers like a teacher.

    Parameters
    ----------
    name : str
        For people.
    rules : Rules
    domain : Domain
        Of the rows that it was made for.
    rule : float
        One output is decided "yes" above this.
    scale : {"probability", "value"}
    contrast : Contrast, optional
        The rules answer with the difference between two posed rows.  Asked about one of the posed rows, the surrogate
        gives the positive part of the difference for the first level and the negative part for all others, so that
        a behaviour reads the difference off it as off any subject.
    making : Making
        How it was made; no part of its identity.
    minus : Minus, optional
        The rules answer with the teacher's answer minus another's.
    reading : Reading, optional
        How the fields that the rules test are read off the rows' texts and pictures.
    """

    name: str
    rules: Rules
    domain: Domain
    rule: float = 0.5
    scale: Scale = "probability"
    contrast: Contrast | None = None
    making: Making = field(default_factory=Making)
    minus: Minus | None = None
    reading: Reading | None = None

    @cached_property
    def identity(self) -> Identity:
        """Digest of all that an answer depends on."""
        return Identity(self.name, of_data({k: v for k, v in self.to_data().items() if k != "name"}))

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs."""
        return self.rules.outputs

    @property
    def offers(self) -> frozenset[Signal]:
        """Scores and labels."""
        return frozenset({SCORE, LABEL})

    @property
    def notes(self) -> dict[str, Any]:
        """How it was made, as plain data for its card."""
        return asdict(self.making) | ({} if self.reading is None else {"read": list(self.reading.words)})

    @property
    def form(self) -> Rules:
        """The rules themselves."""
        return self.rules

    def seen(self, samples: Samples) -> Samples:
        """Return rows as the rules see them."""
        return samples if self.reading is None else self.reading.of(samples)

    def answer(self, samples: Samples, signals: Signals, draw: int = 0) -> Answers:  # noqa: ARG002 - no chance here
        """Answer rows; see `kdaudit.subject.Subject`.

        Raises
        ------
        OutOfDomain
            If the rows have other fields, or levels that the rules never met.
        NoSuchSignal
            If anything but scores and labels is asked for.
        """
        wanted = tuple(signals)
        for signal in wanted:
            if signal not in self.offers:
                raise NoSuchSignal(f"{self.name} is made of rules and offers score and label, not {signal}")
        self._check(samples)
        score = self._posed(samples, self._chances(self.rules.evaluate(self.seen(samples))))
        values: dict[Signal, NDArray[Any]] = {SCORE: score}
        if LABEL in wanted:
            one = score.shape[1] == 1
            values[LABEL] = (score[:, 0] > self.rule).astype(np.int64) if one else score.argmax(axis=1)
        return Answers({signal: values[signal] for signal in wanted})

    def _chances(self, score: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return added votes as chances: what lies below 0 or above 1 is moved there, several classes add up to 1."""
        if self.rules.family != "set" or self.scale == "value":
            return score
        kept = np.clip(score, 0.0, 1.0)
        return kept if kept.shape[1] == 1 else kept / np.maximum(kept.sum(axis=1, keepdims=True), 1e-12)

    def _posed(self, samples: Samples, score: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.contrast is None:
            return score
        code = samples.domain.code(self.contrast.field, self.contrast.level)
        first = samples.columns[self.contrast.field] == code
        # adding zero turns -0 into 0
        return np.maximum(np.where(first[:, None], score, -score), 0.0) + 0.0

    def _check(self, samples: Samples) -> None:
        if samples.domain == self.domain:
            return
        if samples.domain.layout() != self.domain.layout():
            raise OutOfDomain(
                f"{self.name} was asked about rows with fields {', '.join(samples.domain.names)}; "
                f"{', '.join(self.domain.names)} were expected"
            )
        for item in self.domain.fields:
            if isinstance(item, Category):
                _check_levels(item, samples, self.name)

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON data: the rules, and what an answer depends on beside them."""
        contrast = None if self.contrast is None else dict(vars(self.contrast))
        more: dict[str, Any] = {} if self.minus is None else {"minus": dict(vars(self.minus))}
        more |= {} if self.reading is None else {"reading": self.reading.to_data()}
        return {
            **self.rules.to_data(),
            "name": self.name,
            "rule": self.rule,
            "scale": self.scale,
            "contrast": contrast,
            "domain": self.domain.to_data(),
            **more,
        }


def _check_levels(item: Category, samples: Samples, name: str) -> None:
    theirs = samples.domain.category(item.name).levels
    if theirs == item.levels:
        return
    if item.ordered:
        raise OutOfDomain(f"{item.name} has levels {', '.join(theirs)}; {name} knows them as {', '.join(item.levels)}")
    strange = np.array([level not in item.levels for level in theirs] + [False])
    met = strange[samples.columns[item.name]]
    if met.any():
        at = int(np.flatnonzero(met)[0])
        level = theirs[int(samples.columns[item.name][at])]
        raise OutOfDomain(f"{item.name} = {level!r} in row {samples.ids[at]} is a level that {name} never met")


def made_for(
    behaviour: Behaviour, name: str, rules: Rules, making: Making, reading: Reading | None = None
) -> Surrogate:
    """Return the surrogate of a behaviour."""
    scale: Scale = "value" if behaviour.scale == "value" or behaviour.contrast is not None else "probability"
    return Surrogate(name, rules, behaviour.domain, behaviour.rule, scale, behaviour.contrast, making, reading=reading)


def save(surrogate: Surrogate, folder: Path) -> tuple[Path, ...]:
    """Write ``rules.json`` and return the files written: the same bytes for the same surrogate."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / FILE
    text = json.dumps(surrogate.to_data(), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    file.write_text(text + "\n", encoding="utf-8", newline="\n")
    return (file,)


def load(folder: Path) -> Surrogate:
    """Return the surrogate that was saved in `folder`; its identity is the same as before.

    Raises
    ------
    InvalidInput
        If the file is missing or broken; the sentence names it.
    """
    file = folder / FILE
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        contrast = data["contrast"]
        return Surrogate(
            str(data["name"]),
            Rules.from_data(data),
            Domain.from_data(data["domain"]),
            float(data["rule"]),
            "value" if data["scale"] == "value" else "probability",
            None if contrast is None else Contrast(**contrast),
            minus=Minus(**data["minus"]) if data.get("minus") else None,
            reading=Reading.from_data(data["reading"]) if data.get("reading") else None,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, KdauditError) as error:
        raise InvalidInput(f"{file} holds no surrogate: {error!r}; it must be as `save` wrote it") from error
