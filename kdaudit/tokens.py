"""Texts to numbers: words by their place in a vocabulary."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from kdaudit.domain import Domain, Text
from kdaudit.errors import InvalidInput, OutOfDomain
from kdaudit.samples import Samples
from kdaudit.units import Units

PADDING, UNKNOWN, FIRST = 0, 1, 2
"""Numbers of what is no word, of a word outside the vocabulary, and of the first word of the vocabulary."""
MOST_WORDS = 1 << 20
"""Words of the largest vocabulary."""
_WORD = re.compile(r"[^\W_]+|[^\w\s]|_")


@dataclass(frozen=True)
class Tokens:
    """Numbers of a text's words, filled up with padding to one length, so that no text depends on its company.

    A word is a run of letters and digits, in small letters, or one other sign.  Numbers are float32, which holds each
    whole number of a vocabulary exactly, so that texts go the way of all encoded rows; a network turns them into
    vectors by looking them up.  They cannot be averaged or moved a little: `continuous` is false.

    Parameters
    ----------
    domain : Domain
        Of one field, a `Text`.
    words : tuple of str
        The vocabulary, the most frequent word first.
    length : int
        Words that are read of a text; the rest is cut off.

    Raises
    ------
    InvalidInput
        If the domain is no single text, a word stands twice, or the length is below 1.
    """

    kind: ClassVar[str] = "tokens"
    continuous: ClassVar[bool] = False
    domain: Domain
    words: tuple[str, ...]
    length: int
    _places: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.domain.fields) != 1 or not isinstance(self.domain.fields[0], Text):
            raise InvalidInput(f"fields {', '.join(self.domain.names)}; one text and nothing else was expected")
        if self.length < 1:
            raise InvalidInput(f"texts are read up to {self.length} words; at least 1 was expected")
        places = {word: place for place, word in enumerate(self.words, FIRST)}
        if len(places) < len(self.words) or len(places) > MOST_WORDS:
            raise InvalidInput(
                f"a vocabulary of {len(self.words)} words, some of them twice, or more than {MOST_WORDS}"
            )
        object.__setattr__(self, "_places", places)

    @classmethod
    def fitted(cls, samples: Samples, *, words: int = 8000, least: int = 2, length: int = 0) -> Tokens:
        """Return the tokens of the most frequent words of `samples`.

        Parameters
        ----------
        samples : Samples
        words : int
            Most words.
        least : int
            Times that a word must occur, so that what stands for unknown words is met while fitting.
        length : int
            Words read of a text; 0 stands for the length within which 99 of 100 texts end.
        """
        texts = [split(text) for text in samples.columns[cls(samples.domain, (), 1).text.name]]
        counts = Counter(word for text in texts for word in text)
        # words of one count in alphabetical order: the same whatever the order of the rows
        ranked = sorted((word for word, count in counts.items() if count >= least), key=lambda w: (-counts[w], w))
        longest = int(np.quantile([len(text) for text in texts], 0.99, method="higher")) if texts else 1
        return cls(samples.domain, tuple(ranked[:words]), length or max(1, longest))

    @property
    def text(self) -> Text:
        """The field."""
        item = self.domain.fields[0]
        assert isinstance(item, Text)
        return item

    @property
    def vocabulary(self) -> int:
        """Numbers that may occur: words, padding and the unknown word."""
        return len(self.words) + FIRST

    @property
    def width(self) -> int:
        """Number of columns: words that are read."""
        return self.length

    @property
    def units(self) -> Units:
        """One place a unit; which word stands there differs from text to text (see `split`)."""
        return Units(tuple(f"word {i + 1}" for i in range(self.length)), tuple((i,) for i in range(self.length)))

    def encode(self, samples: Samples) -> NDArray[np.float32]:
        """Return the texts as numbers of words, shape (n, length); a missing text is padding throughout.

        Raises
        ------
        OutOfDomain
            If the samples are of another domain.
        """
        if samples.domain.layout() != self.domain.layout():
            raise OutOfDomain(
                f"rows with fields {', '.join(samples.domain.names)}; {', '.join(self.domain.names)} were expected"
            )
        out = np.zeros((len(samples), self.length), dtype=np.float32)
        for row, text in enumerate(samples.columns[self.text.name]):
            places = [self._places.get(word, UNKNOWN) for word in split(text)[: self.length]]
            out[row, : len(places)] = places
        return out

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON data."""
        return {"kind": self.kind, "domain": self.domain.to_data(), "words": list(self.words), "length": self.length}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Tokens:
        """Return the tokens that `to_data` wrote."""
        return cls(Domain.from_data(data["domain"]), tuple(data["words"]), data["length"])


def spans(text: str | None) -> list[tuple[int, int]]:
    """Return where each word of `split` stands in a text: first character, and the one behind the last.

    Examples
    --------
    >>> spans("Not good!")
    [(0, 3), (4, 8), (8, 9)]
    """
    if text is None:
        return []
    low = text.lower()
    # of a letter whose small form is two characters, places are found in the text as it stands
    return [match.span() for match in _WORD.finditer(low if len(low) == len(text) else text)]


def split(text: str | None) -> list[str]:
    """Return the words of a text, in small letters; none where it is missing.

    Examples
    --------
    >>> split("Not good, it's bad.")
    ['not', 'good', ',', 'it', "'", 's', 'bad', '.']
    """
    return [] if text is None else _WORD.findall(text.lower())
