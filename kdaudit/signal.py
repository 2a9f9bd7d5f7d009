"""What a subject can be asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kdaudit.errors import InvalidInput

KINDS = ("label", "score", "logit", "tokens", "hidden", "attention", "gradient")


@dataclass(frozen=True, order=True)
class Signal:
    """A kind of answer, with the layer where it is taken.

    Parameters
    ----------
    kind : {"label", "score", "logit", "tokens", "hidden", "attention", "gradient"}
    at : str
        Name of the layer, in the module tree's own names; empty for the outputs.

    Examples
    --------
    >>> str(Signal("hidden", "encoder.3"))
    'hidden@encoder.3'
    """

    kind: str
    at: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InvalidInput(f"signal kind {self.kind!r} is unknown; kinds are {', '.join(KINDS)}")

    def __str__(self) -> str:
        return f"{self.kind}@{self.at}" if self.at else self.kind

    @classmethod
    def parse(cls, text: str) -> Signal:
        """Return the signal written as ``kind`` or ``kind@layer``."""
        kind, _, at = text.partition("@")
        return cls(kind, at)


LABEL, SCORE, LOGIT, GRADIENT = Signal("label"), Signal("score"), Signal("logit"), Signal("gradient")

Signals = Iterable[Signal]
