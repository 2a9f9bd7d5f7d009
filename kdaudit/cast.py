"""Who takes part in a question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kdaudit.samples import Samples
from kdaudit.subject import Subject

ControlKind = Literal["strangers_proxy", "label_only", "permuted", "swapped_teacher", "randomised_teacher", "none"]
CONTROL_WORDS: dict[str, str] = {
    "strangers_proxy": "proxies of the same recipe, one from each independent teacher",
    "label_only": "proxies of the same recipe, fitted to recorded outcomes and no teacher",
    "permuted": "the same measure with the rows of the groups exchanged by chance",
    "swapped_teacher": "the proxy against independent teachers",
    "randomised_teacher": "the teacher with its weights in random order",
    "none": "no control",
}


@dataclass(frozen=True)
class Empty:
    """An empty seat, and why it is empty."""

    reason: str


@dataclass(frozen=True)
class Cast:
    """The seats of a question.

    Parameters
    ----------
    teacher : Subject
        About whom a claim is made.
    proxy : Subject
        Whose evidence is judged.
    stranger : Subject or Empty
        Made by the proxy's recipe, but not from the teacher: what `value` would be by chance.
    twin : Subject or Empty
        The teacher trained or drawn again: what `value` could be at best.
    control_kind : str
        What the stranger is; see `CONTROL_WORDS`.
    covariate : Subject, optional
        Proxy that sharpens the teacher's interval; chosen before anything is asked, and the same for all proxies of a
        question, so that one teacher has one interval.  None: `proxy`.
    proxy_name : str
        The proxy's name in the plan.
    further : tuple of Subject
        More strangers, made as the first: only several show how far luck carries one.
    known : Samples, optional
        Rows of another part that the teacher has answered already, when the proxies were made: they tell how a proxy's
        scores are to be read before further rows are chosen.
    other : Subject, optional
        Of a proxy that answers with the teacher's answer minus somebody else's: that other one.
    untaught : Subject or Empty
        Made by the proxy's recipe from recorded outcomes alone, and seen beside strangers; no claim rests on it, since
        it is one draw, and knows no teacher whose luck could be like this one's.
    """

    teacher: Subject
    proxy: Subject
    stranger: Subject | Empty
    twin: Subject | Empty
    control_kind: ControlKind = "none"
    covariate: Subject | None = None
    proxy_name: str = "proxy"
    further: tuple[Subject, ...] = ()
    known: Samples | None = None
    other: Subject | None = None
    untaught: Subject | Empty = Empty("")

    @property
    def sharpener(self) -> Subject:
        """The subject whose answers sharpen the teacher's interval."""
        return self.proxy if self.covariate is None else self.covariate
