"""Where a student of texts starts: from chance, or from its teacher's word vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from kdaudit.distillation.looking import opened
from kdaudit.distillation.loop import encoder_of
from kdaudit.encoders import Encoder, Reading
from kdaudit.errors import InvalidInput
from kdaudit.samples import Samples
from kdaudit.subject import Subject
from kdaudit.tokens import Tokens

Start = Literal["chance", "teacher"]
WHY = "a student that starts from its teacher's word vectors"
MOST = 8_000
"""Words that a student of texts knows where a plan names no fewer."""


@dataclass(frozen=True)
class Beginning:
    """What a student reads and where it begins, as a plan says it.

    Parameters
    ----------
    reads : tuple of str
        Fields that it reads; none stands for all.
    words : int
        Most words that a student of texts knows, the most frequent first.
    start : {"chance", "teacher"}
        Where its word vectors start.

    Raises
    ------
    InvalidInput
        If it knows no word.
    """

    reads: Sequence[str] = ()
    words: int = MOST
    start: Start = "chance"

    def __post_init__(self) -> None:
        if self.words < 1:
            raise InvalidInput(f"a vocabulary of {self.words} words; a student of texts knows at least 1")

    def encoder(self, objective: str, teacher: Subject, samples: Samples) -> Encoder:
        """Return how it sees rows; see `kdaudit.distillation.loop.encoder_of` and `vocabulary`."""
        return vocabulary(encoder_of(objective, teacher, samples, self.reads), teacher, self.words, self.start)

    def set(self, teacher: Subject, module: nn.Module) -> dict[str, str]:
        """Set a new module's word vectors, and return what its notes tell of that."""
        return {"starts_from": start_from(teacher, module)} if self.start == "teacher" else {}


def vocabulary(encoder: Encoder, teacher: Subject, words: int, start: Start) -> Encoder:
    """Return how a student reads texts: the first of the words known, those of the teacher where it starts from them.

    Other rows are encoded as they were.

    Parameters
    ----------
    encoder : Encoder
        As fitted to the rows.
    teacher : Subject
    words : int
        Most words that the student knows; each is a vector of weights.
    start : {"chance", "teacher"}

    Raises
    ------
    NoSuchSignal
        If the student starts from a teacher that gives answers only.
    InvalidInput
        If the teacher reads no texts.
    """
    if start == "teacher":
        encoder = opened(teacher, WHY).encoding
        if not isinstance(_inner(encoder), Tokens):
            raise InvalidInput(
                f"{WHY} needs a teacher of texts; {teacher.identity.name} reads none, so start at chance"
            )
    inner = _inner(encoder)
    if not isinstance(inner, Tokens):
        return encoder
    known = Tokens(inner.domain, inner.words[:words], inner.length)
    return Reading(encoder.domain, known) if isinstance(encoder, Reading) else known


def _inner(encoder: Encoder) -> Encoder:
    return encoder.inner if isinstance(encoder, Reading) else encoder


def start_from(teacher: Subject, module: nn.Module) -> str:
    """Set a module's word vectors to those of its teacher, in place, and return what was done in words.

    Where the module's vectors are shorter, the teacher's are laid on their widest directions (principal components of
    the words that both know); its vocabulary is the first words of the teacher's, as `vocabulary` gives it.

    Parameters
    ----------
    teacher : Subject
        A network that lies open.
    module : Module
        With a layer ``embedding``, of no more words than the teacher's and no wider.

    Raises
    ------
    InvalidInput
        If either has no word vectors, or the module's are longer or more.

    References
    ----------
    Jolliffe 2002, chapter 2 (principal components); that students gain from their teacher's weights: Sanh, Debut,
    Chaumond and Wolf 2019, section 3.
    """
    theirs, ours = (getattr(one, "embedding", None) for one in (opened(teacher, WHY).module, module))
    if not (isinstance(theirs, nn.Embedding) and isinstance(ours, nn.Embedding)):
        raise InvalidInput(f"{WHY} needs a layer 'embedding' in both; start at chance")
    if ours.embedding_dim > theirs.embedding_dim or ours.num_embeddings > theirs.num_embeddings:
        raise InvalidInput(
            f"{ours.num_embeddings} word vectors of length {ours.embedding_dim} cannot start from the teacher's "
            f"{theirs.num_embeddings} of length {theirs.embedding_dim}; take no more, and no longer ones"
        )
    with torch.no_grad():
        vectors = theirs.weight[: ours.num_embeddings].cpu()
        _, _, axes = torch.linalg.svd(vectors - vectors.mean(dim=0), full_matrices=False)
        ours.weight.copy_(vectors @ axes[: ours.embedding_dim].T)
    return (
        f"the teacher's vectors of {ours.num_embeddings:,} words, on the {ours.embedding_dim} widest of their "
        f"{theirs.embedding_dim} directions"
    )
