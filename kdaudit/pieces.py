"""Texts to numbers, by the tokeniser of a pretrained model: pieces of words, which know where they stand in a text."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from kdaudit.domain import Domain, Text
from kdaudit.errors import InvalidInput, OutOfDomain
from kdaudit.samples import Samples
from kdaudit.units import Units

REACHES = (*range(4, 17), *(size << doubled for doubled in range(1, 14) for size in range(9, 17)))
"""Lengths to which texts are filled up where a model reads any length: short ones not at all, longer ones by an eighth
at most; as only so many lengths occur, few batches are filled up with rows of nothing."""
TOGETHER = 512
"""Pieces that go through such a model at once, padding included: enough for a product to be quick, and few enough that
filling up the last batch of a length costs little."""

Spans = list[tuple[int, int]]
"""Where pieces or words stand in a text: first character, and the one behind the last."""


@dataclass(frozen=True)
class Pieces:
    """Numbers of a text's pieces, filled up with padding to one length, so that no text depends on its company.

    Parameters
    ----------
    domain : Domain
        Of one field, a `Text`.
    tokeniser : str
        A tokeniser as JSON text, in the format of the library ``tokenizers``; it holds the vocabulary and runs no code.
    length : int
        Pieces that are read of a text, special ones included; the rest is cut off.
    padding : int
        Number of what is no piece.
    vocabulary : int
        Numbers that may occur.
    prompt : str
        What is read, with ``{text}`` for the row's text.

    Raises
    ------
    InvalidInput
        If the domain is no single text, the tokeniser cannot be read, or the extra is not installed.
    """

    kind: ClassVar[str] = "pieces"
    continuous: ClassVar[bool] = False
    domain: Domain
    tokeniser: str = field(repr=False)
    length: int
    padding: int
    vocabulary: int
    prompt: str = "{text}"
    _made: Any = field(init=False, repr=False, compare=False)
    _around: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.domain.fields) != 1 or not isinstance(self.domain.fields[0], Text):
            raise InvalidInput(f"fields {', '.join(self.domain.names)}; one text and nothing else was expected")
        if self.prompt.count("{text}") != 1:
            raise InvalidInput(f"the prompt {self.prompt!r} must hold {{text}} once")
        if self.length < 3 or not 0 <= self.padding < self.vocabulary:
            raise InvalidInput(
                f"texts are read up to {self.length} pieces with padding {self.padding} of {self.vocabulary} numbers; "
                "at least 3 pieces, and a padding among the numbers, were expected"
            )
        object.__setattr__(self, "_made", self._tokeniser())
        # pieces that the prompt takes beside the text
        around = 0 if self.prompt == "{text}" else len(self._made.encode(self.prompt.replace("{text}", "")).ids) + 1
        if around >= self.length:
            raise InvalidInput(f"the prompt takes {around} pieces of {self.length}, which leaves none for a text")
        object.__setattr__(self, "_around", around)

    def _tokeniser(self) -> Any:  # noqa: ANN401 - of an optional library
        try:
            from tokenizers import Tokenizer
        except ImportError as error:
            raise InvalidInput("texts in pieces need the extra: pip install 'kdaudit[hf]'") from error
        try:
            made = Tokenizer.from_str(self.tokeniser)
        # the library raises plain exceptions
        except Exception as error:
            raise InvalidInput(f"the tokeniser cannot be read: {error}") from error
        made.no_padding()
        made.enable_truncation(self.length)
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Pieces:
        # frozen, and its tokeniser is never changed
        return self

    @property
    def name(self) -> str:
        """Name of the field."""
        return self.domain.names[0]

    @property
    def width(self) -> int:
        """Number of columns: pieces that are read."""
        return self.length

    @property
    def units(self) -> Units:
        """One place a unit; which piece stands there differs from text to text."""
        return Units(tuple(f"piece {i + 1}" for i in range(self.length)), tuple((i,) for i in range(self.length)))

    def encode(self, samples: Samples) -> NDArray[np.float32]:
        """Return the texts as numbers of pieces, shape (n, length); a missing text is an empty one.

        Raises
        ------
        OutOfDomain
            If the samples are of another domain.
        """
        if samples.domain.layout() != self.domain.layout():
            raise OutOfDomain(
                f"rows with fields {', '.join(samples.domain.names)}; {', '.join(self.domain.names)} were expected"
            )
        out = np.full((len(samples), self.length), self.padding, dtype=np.float32)
        for row, text in enumerate(samples.columns[self.name]):
            numbers = self._read(text).ids
            out[row, : len(numbers)] = numbers
        return out

    def reach(self, encoded: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return how many columns of each row must be read: one of `REACHES`, or all; behind it is nothing but padding.

        It hangs on the row alone, so that a row is computed in the same shape whatever its company.
        """
        last = self.length - np.argmax(encoded[:, ::-1] != self.padding, axis=1)
        last[(encoded == self.padding).all(axis=1)] = 0
        sizes = np.array([*(size for size in REACHES if size < self.length), self.length])
        out: NDArray[np.int64] = sizes[np.searchsorted(sizes, last)]
        return out

    def blank(self, samples: Samples) -> NDArray[np.float32]:
        """Return the texts with padding in the place of every piece of theirs; special ones stay, shape (n, length)."""
        out = self.encode(samples)
        for row, text in enumerate(samples.columns[self.name]):
            for place, span in enumerate(self.spans(text)):
                if span != (0, 0):
                    out[row, place] = self.padding
        return out

    def _read(self, text: str | None) -> Any:  # noqa: ANN401 - of an optional library
        before, _, behind = self.prompt.partition("{text}")
        room = self.length - self._around
        given = text or ""
        if self._around:
            # the text is cut, never the question behind it
            inside = self._made.encode(given, add_special_tokens=False).offsets
            given = given if len(inside) <= room else given[: inside[room - 1][1]]
        return self._made.encode(before + given + behind)

    def spans(self, text: str | None) -> Spans:
        """Return where each piece stands in the text, spaces trimmed; (0, 0) for pieces special or of the prompt."""
        found, start, given = self._read(text), len(self.prompt.partition("{text}")[0]), text or ""
        out = []
        for mark, (low, high) in zip(found.special_tokens_mask, found.offsets, strict=True):
            low, high = max(low - start, 0), min(high - start, len(given))
            out.append((0, 0) if mark or high <= low else trimmed(given, (low, high)))
        return out

    def numbers(self, completion: str) -> tuple[int, ...]:
        """Return the numbers of a completion's pieces.

        Raises
        ------
        InvalidInput
            If it has none, or a piece that the tokeniser does not know.
        """
        found = self._made.encode(completion, add_special_tokens=False)
        unknown = getattr(self._made.model, "unk_token", None)
        strange = [token for token in found.tokens if unknown is not None and token == unknown]
        if not found.ids or strange:
            told = ", ".join(found.tokens) or "none"
            raise InvalidInput(f"the completion {completion!r} is no piece that the tokeniser knows ({told})")
        return tuple(int(number) for number in found.ids)

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON data."""
        return {
            "kind": self.kind,
            "domain": self.domain.to_data(),
            "tokeniser": self.tokeniser,
            "length": self.length,
            "padding": self.padding,
            "vocabulary": self.vocabulary,
            "prompt": self.prompt,
        }

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Pieces:
        """Return the pieces that `to_data` wrote."""
        sizes = (data["length"], data["padding"], data["vocabulary"])
        return cls(Domain.from_data(data["domain"]), data["tokeniser"], *sizes, data["prompt"])


def plain_tokeniser(text: str) -> str:
    """Return a tokeniser's JSON in one spelling, without the padding and cutting that it was last used with."""
    return json.dumps({**json.loads(text), "padding": None, "truncation": None}, sort_keys=True, separators=(",", ":"))


def trimmed(text: str, span: tuple[int, int]) -> tuple[int, int]:
    """Return a span without the spaces at its ends: byte-level tokenisers count the space in front as the piece's."""
    low, high = span
    while low < high and text[low].isspace():
        low += 1
    while high > low and text[high - 1].isspace():
        high -= 1
    return low, high
