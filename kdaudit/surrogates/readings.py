"""Fields that rules can test, read off texts and pictures; numbers and categories stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from kdaudit.domain import Category, Domain, Field, Image, Real, Text
from kdaudit.errors import InvalidInput
from kdaudit.samples import Samples
from kdaudit.sampling.columns import absent
from kdaudit.surrogates.concepts import Concept, concept
from kdaudit.surrogates.scenes import LETTERS, Regions, patches, segments
from kdaudit.surrogates.texts import Counts, Floats, Terms, chosen_terms, terms_from


@dataclass(frozen=True)
class Known:
    """Whether a value is there, so that rows without one can have a branch of their own.

    Parameters
    ----------
    field : str
        A number or category that may be missing.
    """

    kind: ClassVar[str] = "known"
    field: str

    @property
    def fields(self) -> tuple[Category, ...]:
        """One category: known or missing."""
        return (Category(f"{self.field}_value", ("known", "missing")),)

    def columns(self, samples: Samples) -> list[NDArray[Any]]:
        """Return 0 where the value is there and 1 where it is missing."""
        return [absent(samples, self.field).astype(np.int32)]

    def words(self) -> str:
        """Return what is read, in words."""
        return f"whether {self.field} is known"


Part = Terms | Counts | Regions | Concept | Known
LONGEST = 4
"""Most words of a phrase."""
KEYS = ("terms", "phrases", "counts", "patches", "segments", "concepts", "missing")


@dataclass(frozen=True)
class Wanted:
    """What to read: the keys of a plan's `read`.

    Parameters
    ----------
    terms : int
        Most terms and phrases of each text; those that tell most of the teacher's answers to ``fit`` are taken.
    phrases : int
        Most words of a phrase, up to 4.
    counts : bool
        Whether lengths and marks of texts are read.
    patches : int
        Patches along each side of a picture.
    segments : int
        Connected parts of a picture that are bright together, at most 26.
    concepts : mapping of str to mapping
        Name -> ids of rows with it (``yes``) and without (``no``).
    missing : bool
        Whether rules may test that a value is missing and nothing else; without it missing values go with some present
        ones, to the side of a test where they fit best.
    """

    terms: int = 0
    phrases: int = 1
    counts: bool = False
    patches: int = 0
    segments: int = 0
    concepts: Mapping[str, Mapping[str, object]] | None = None
    missing: bool = False

    def __post_init__(self) -> None:
        whole = (self.terms, self.phrases, self.patches, self.segments)
        if any(isinstance(x, bool) or not isinstance(x, int) or x < 0 for x in whole):
            raise InvalidInput("read: terms, phrases, patches and segments are whole numbers")
        if not (isinstance(self.counts, bool) and isinstance(self.missing, bool)):
            raise InvalidInput("read: counts and missing are true or false")
        if not 1 <= self.phrases <= LONGEST or self.segments > len(LETTERS):
            raise InvalidInput(
                f"read: phrases have 1 to {LONGEST} words, and there are at most {len(LETTERS)} segments"
            )
        if self.concepts is not None and not all(isinstance(x, Mapping) for x in self.concepts.values()):
            raise InvalidInput("read: each concept has lists of ids under `yes` and `no`")

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Wanted | None:
        """Return what a plan's mapping asks for; None for an empty one.

        Raises
        ------
        InvalidInput
            On an unknown key (the nearest known one is told) or a value of another kind.
        """
        if not data:
            return None
        for key in data:
            if key not in KEYS:
                near = get_close_matches(str(key), KEYS, 1)
                raise InvalidInput(
                    f"read has no key {key!r}; {f'did you mean {near[0]!r}?' if near else ', '.join(KEYS)}"
                )
        return cls(**data)


@dataclass(frozen=True)
class Reading:
    """How rows of one domain become rows of fields that rules can test.

    Parameters
    ----------
    kept : tuple of str
        Numbers and categories that stay as they are.
    parts : tuple of Terms, Counts, Regions or Concept
    """

    kept: tuple[str, ...]
    parts: tuple[Part, ...]

    def domain(self, given: Domain) -> Domain:
        """Return the fields of the rows that are read."""
        fields: list[Field] = [given[name] for name in self.kept]
        for part in self.parts:
            fields += part.fields
        return Domain(tuple(fields))

    def of(self, samples: Samples) -> Samples:
        """Return the rows as rules see them: same ids, labels and weights."""
        columns = {name: samples.columns[name] for name in self.kept}
        for part in self.parts:
            columns |= dict(zip((item.name for item in part.fields), part.columns(samples), strict=True))
        return Samples(
            self.domain(samples.domain), columns, samples.ids, samples.origin, samples.labels, samples.weights
        )

    @property
    def words(self) -> tuple[str, ...]:
        """Return what is read, in words."""
        return tuple(part.words() for part in self.parts)

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON data."""
        parts = [{"kind": part.kind, **_plain(vars(part))} for part in self.parts]
        return {"kept": list(self.kept), "parts": parts}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Reading:
        """Return the reading that `to_data` wrote.

        Raises
        ------
        InvalidInput
            On a part of an unknown kind.
        """
        return cls(tuple(map(str, data["kept"])), tuple(_part(part) for part in data["parts"]))


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _listed(value) for name, value in values.items()}


def _listed(value: Any) -> Any:  # noqa: ANN401 - plain data
    return [_listed(x) for x in value] if isinstance(value, tuple) else value


def _part(data: Mapping[str, Any]) -> Part:
    match data.get("kind"):
        case "terms":
            return terms_from(dict(data))
        case "counts":
            return Counts(str(data["field"]), str(data["start"]))
        case "regions":
            places = tuple(tuple(map(int, row)) for row in data["places"])
            names = tuple(map(str, data["names"]))
            return Regions(str(data["field"]), names, places, int(data["channels"]), str(data["start"]))
        case "concept":
            terms, weights = tuple(map(str, data["terms"])), tuple(map(float, data["weights"]))
            start, right = float(data["start"]), float(data["right"])
            return Concept(str(data["name"]), str(data["field"]), terms, int(data["side"]), weights, start, right)
        case "known":
            return Known(str(data["field"]))
        case kind:
            raise InvalidInput(
                f"a reading has a part of kind {kind!r}; terms, counts, regions, concept or known was expected"
            )


def unread(wanted: Wanted | None, domain: Domain) -> str:
    """Return what is read of no field that a rule cannot test, and what could be; empty where all can be tested."""
    shown = [item for item in domain.fields if isinstance(item, Text | Image)]
    got = wanted or Wanted()
    read = {"text": got.terms or got.counts or got.concepts, "image": got.patches or got.segments or got.concepts}
    if lacking := [item for item in shown if not read[item.kind]]:
        first = "read: {patches: 4}" if isinstance(lacking[0], Image) else "read: {terms: 200}"
        names = ", ".join(item.name for item in lacking)
        return f"rules test numbers and levels; say what they read of {names}, such as {first}"
    return ""


def reading(wanted: Wanted, samples: Samples, score: Floats) -> Reading:
    """Return how to read rows such as these.

    Parameters
    ----------
    wanted : Wanted
    samples : Samples
        Rows to make a proxy from.
    score : array of shape (n, outputs)
        What the teacher said of them: terms are chosen by it.

    Raises
    ------
    InvalidInput
        If nothing is wanted of what the domain holds, or a concept's examples are not among the rows.
    """
    shown = [item for item in samples.domain.fields if isinstance(item, Text | Image)]
    kept = tuple(item.name for item in samples.domain.fields if isinstance(item, Real | Category))
    parts: list[Part] = []
    for item in shown:
        several = len([other for other in shown if type(other) is type(item)]) > 1
        parts += _read(wanted, item, samples, score, f"{item.name}_" if several else "")
    for name, examples in (wanted.concepts or {}).items():
        parts.append(concept(name, samples, examples))
    if wanted.missing:
        parts += [Known(name) for name in kept if samples.domain[name].missing]
    unread = [item.name for item in shown if item.name not in {part.field for part in parts}]
    if unread or not parts:
        raise InvalidInput(
            f"nothing is read of {', '.join(unread) or 'these rows, which hold no text and no picture'}; "
            "of a text terms, counts or concepts can be read, of a picture patches, segments or concepts"
        )
    return Reading(kept, tuple(parts))


def _read(wanted: Wanted, item: Text | Image, samples: Samples, score: Floats, start: str) -> list[Part]:
    out: list[Part] = []
    if isinstance(item, Text):
        if wanted.terms:
            terms = chosen_terms(samples.columns[item.name].tolist(), score, wanted.terms, wanted.phrases)
            out.append(Terms(item.name, terms, f"{start}says"))
        if wanted.counts:
            out.append(Counts(item.name, start))
        return out
    if wanted.patches:
        out.append(patches(item, wanted.patches, start))
    if wanted.segments:
        out.append(segments(item, samples.columns[item.name].astype(np.float32), wanted.segments, start))
    return out
