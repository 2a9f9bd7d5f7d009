"""Words masked in texts and patches greyed in pictures: does what somebody attends to move the teacher?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from kdaudit.abilities import Encoded
from kdaudit.cast import Empty
from kdaudit.compare.greying import greyed
from kdaudit.compare.heeding import Heed, Seats
from kdaudit.compare.lines import MADE, Floats
from kdaudit.compare.seats import strangers_of
from kdaudit.compare.voices import Voices, measure_of
from kdaudit.domain import Text
from kdaudit.explain.omissions import MASK
from kdaudit.measures.alike import ABLATION
from kdaudit.measures.attentions import top_tokens
from kdaudit.pictures import Pictures
from kdaudit.pieces import Pieces
from kdaudit.samples import Samples
from kdaudit.signal import SCORE
from kdaudit.statistics.beside import Beside, Scored, summary, together
from kdaudit.statistics.rates import mean
from kdaudit.subject import Answers, Subject
from kdaudit.tokens import Tokens, spans

Choose = Callable[[int, int, int], NDArray[np.int64]]
"""From a row, its number of tokens and how many to mask, to their positions."""


def maskable(teacher: Subject) -> str:
    """Return why neither words nor patches can be masked for a teacher; empty if they can."""
    if not isinstance(teacher, Encoded) or not isinstance(teacher.encoding, Tokens | Pieces | Pictures):
        return f"{teacher.identity.name} does not read words or patches whose places are known"
    return "" if SCORE in teacher.offers else f"{teacher.identity.name} gives no scores"


def masked(samples: Samples, positions: list[NDArray[np.int64]]) -> Samples:
    """Return texts with the words at some positions masked: words by `kdaudit.tokens.spans`."""
    (item,) = (field for field in samples.domain.fields if isinstance(field, Text))
    texts = []
    for text, at in zip(samples.columns[item.name], positions, strict=True):
        words, masked_text = spans(text), text
        # from the end, so that places in front stay what they are
        for place in sorted(at.tolist(), reverse=True):
            low, high = words[place]
            masked_text = f"{masked_text[:low]}{MASK}{masked_text[high:]}"
        texts.append(masked_text)
    return Samples(samples.domain, {item.name: np.array(texts, dtype=object)}, samples.ids, MADE)


def _hidden(teacher: Subject, samples: Samples, tokens: int, positions: list[NDArray[np.int64]]) -> Samples:
    encoding = teacher.encoding if isinstance(teacher, Encoded) else None
    return (
        greyed(samples, encoding, tokens, positions) if isinstance(encoding, Pictures) else masked(samples, positions)
    )


def masked_falls(
    voices: Voices,
    rows: Samples,
    seats: Seats,
    chosen: NDArray[np.int64],
    *,
    share: float,
    pooled: str,
    rng: np.random.Generator,
) -> tuple[Beside, Beside, str]:
    """Return what masking does to the teacher's score of its own decision, by whose attention, and it in words.

    Parameters
    ----------
    voices : Voices
    rows : Samples
    seats : mapping
    chosen : array
        Positions of rows that are tried.
    share : float
        Of each text's words, or each picture's patches.
    pooled : {"mean", "first"}
    rng : Generator

    Returns
    -------
    own : Beside
        By the teacher's own attention, beside as many words or patches drawn by chance.
    crossed : Beside
        By the proxy's, beside the strangers'.
    words : str
    """
    texts, teacher = rows.take(chosen), voices.cast.teacher
    before = voices.answers(teacher, texts)
    decided = before.label

    def fall(choose: Choose) -> Floats:
        positions = []
        for row in chosen.tolist():
            k = len(next(seat.reading(row, pooled) for seat in seats.values() if isinstance(seat, Heed)))
            positions.append(choose(row, k, max(1, round(share * k))))
        # patches of a picture are as many in each
        after = voices.answers(teacher, _hidden(teacher, texts, k, positions))
        return _own_score(before, decided) - _own_score(after, decided)

    def of(name: str) -> Floats | Empty:
        seat = seats[name]
        return seat if isinstance(seat, Empty) else fall(lambda row, _, n: top_tokens(seat.reading(row, pooled), n))

    chance = fall(lambda _, k, n: rng.permutation(k)[:n])
    by = {name: of(name) for name in seats}
    asked = voices.asked
    own = summary(
        measure_of(ABLATION),
        Scored(by["teacher"], chance, by["twin"], "permuted"),
        group="its own attention",
        asked=asked,
    )
    others = together([by[name] for name in strangers_of(by)])
    kind = "none" if isinstance(others, Empty) else voices.cast.control_kind
    crossed = summary(measure_of(ABLATION), Scored(by["proxy"], others, by["teacher"], kind), group="all", asked=asked)
    whole = mean(chance, span=(-1.0, 1.0))
    done = "Masking the {:.0%} of words"
    if isinstance(teacher, Encoded) and isinstance(teacher.encoding, Pictures):
        done = "Greying the {:.0%} of patches"
    words = (
        f"{done.format(share)} that the teacher itself attends to most lowers its score by "
        f"{own.value.text('points')}, as many drawn by chance by {whole.text('points')}, those that "
        f"{voices.cast.proxy_name} attends to by {crossed.value.text('points')}."
    )
    return own, crossed, words


def _own_score(answers: Answers, decided: NDArray[np.int64]) -> Floats:
    score = answers.score
    if score.shape[1] == 1:
        return np.where(decided == 1, score[:, 0], 1.0 - score[:, 0])
    out: Floats = score[np.arange(len(score)), np.maximum(decided, 0)]
    return out
