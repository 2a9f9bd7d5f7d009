"""What a reader can test of a text: which terms and phrases it says and how often, how long it is, its marks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from kdaudit.domain import Real
from kdaudit.samples import Samples

Floats = NDArray[np.float64]
RAREST, COMMONEST = 0.005, 0.9
"""Shares of the texts that a term stands in at least (and in three texts), and at most."""
FEWEST = 3
_WORD = re.compile(r"[^\W_]+(?:['\N{RIGHT SINGLE QUOTATION MARK}][^\W_]+)*")
COUNTS = ("words", "letters", "sentences", "exclamation_marks", "question_marks", "digits", "capitals")


def words_of(text: str | None) -> list[str]:
    """Return the words of a text in small letters; marks inside a word are left out, so that "don't" is "dont"."""
    if text is None:
        return []
    return [re.sub(r"['\N{RIGHT SINGLE QUOTATION MARK}]", "", word).lower() for word in _WORD.findall(text)]


def phrases_of(words: Sequence[str], longest: int) -> Iterable[str]:
    """Yield all runs of 1 to `longest` words, joined by underscores."""
    for size in range(1, longest + 1):
        for start in range(len(words) - size + 1):
            yield "_".join(words[start : start + size])


@dataclass(frozen=True)
class Terms:
    """How often each of some terms and phrases stands in a text.

    Parameters
    ----------
    field : str
        The text.
    terms : tuple of str
        Words in small letters; those of a phrase joined by underscores.
    start : str
        What the names of the fields begin with.
    """

    kind: ClassVar[str] = "terms"
    field: str
    terms: tuple[str, ...]
    start: str = "says"

    @property
    def fields(self) -> tuple[Real, ...]:
        """One whole number a term."""
        return tuple(Real(f"{self.start}_{term}", 0, unit="", integer=True) for term in self.terms)

    def columns(self, samples: Samples) -> list[Floats]:
        """Return how often each term stands in each text; a missing text says nothing."""
        places = {term: at for at, term in enumerate(self.terms)}
        longest = 1 + max((term.count("_") for term in self.terms), default=0)
        out = np.zeros((len(self.terms), len(samples)))
        for row, text in enumerate(samples.columns[self.field]):
            for phrase in phrases_of(words_of(text), longest):
                at = places.get(phrase)
                if at is not None:
                    out[at, row] += 1.0
        return list(out)

    def words(self) -> str:
        """Return what is read, in words."""
        return f"how often each of {len(self.terms)} terms stands in {self.field}"


def chosen_terms(texts: Sequence[str | None], score: Floats, most: int, longest: int) -> tuple[str, ...]:
    """Return the terms and phrases that tell most of a score, the most telling first.

    What a term tells is by how much the squared error of the score falls where texts with and without it get a mean of
    their own.  Of terms that stand in the same texts the shortest is kept.

    Parameters
    ----------
    texts : sequence of str or None
    score : array of shape (n, outputs)
    most : int
        Most terms.
    longest : int
        Most words of a phrase.
    """
    rows: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        for phrase in dict.fromkeys(phrases_of(words_of(text), longest)):
            rows.setdefault(phrase, []).append(row)
    n = len(texts)
    least = max(FEWEST, RAREST * n)
    centred = score - score.mean(axis=0)
    told: list[tuple[float, int, str]] = []
    for term, inside in rows.items():
        k = len(inside)
        if least <= k <= COMMONEST * n and f"says_{term}".isidentifier():
            # the sums inside and outside are each other's opposite
            total = float((centred[inside].sum(axis=0) ** 2).sum())
            told.append((-round(total * (1 / k + 1 / (n - k)), 9), term.count("_"), term))
    out: list[str] = []
    met: set[tuple[int, ...]] = set()
    for _, _, term in sorted(told):
        where = tuple(rows[term])
        if where not in met:
            met.add(where)
            out.append(term)
        if len(out) == most:
            break
    return tuple(out)


@dataclass(frozen=True)
class Counts:
    """Lengths and marks of a text: `COUNTS`, each a whole number.

    Parameters
    ----------
    field : str
        The text.
    start : str
        What the names of the fields begin with.
    """

    kind: ClassVar[str] = "counts"
    field: str
    start: str = ""

    @property
    def fields(self) -> tuple[Real, ...]:
        """One whole number a count."""
        return tuple(Real(f"{self.start}number_of_{name}", 0, integer=True) for name in COUNTS)

    def columns(self, samples: Samples) -> list[Floats]:
        """Return the counts of each text; of a missing one they are 0."""
        return list(np.array([_counted(text or "") for text in samples.columns[self.field]]).reshape(-1, len(COUNTS)).T)

    def words(self) -> str:
        """Return what is read, in words."""
        return f"length and marks of {self.field}"


def _counted(text: str) -> list[float]:
    marks = Counter(text)
    sentences = len(re.findall(r"[^.!?]*[^\s.!?][^.!?]*", text))
    letters, digits, capitals = (sum(map(test, text)) for test in (str.isalpha, str.isdigit, str.isupper))
    return [float(x) for x in (len(words_of(text)), letters, sentences, marks["!"], marks["?"], digits, capitals)]


def terms_from(data: dict[str, Any]) -> Terms:
    """Return the terms that plain data describe."""
    return Terms(str(data["field"]), tuple(map(str, data["terms"])), str(data["start"]))
