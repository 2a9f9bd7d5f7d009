"""Whether the proxy attends as the teacher does, and how far attention is evidence at all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Cast, Empty
from kdaudit.compare.heeding import (
    Halves,
    Heed,
    Seats,
    attention_beside,
    exchanged_texts,
    heeds,
    unmatched,
)
from kdaudit.compare.inside import Names, inside
from kdaudit.compare.masking import maskable, masked_falls
from kdaudit.compare.voices import Voices
from kdaudit.compare.words import ONE_STRANGER, capital, rival
from kdaudit.domain import Text
from kdaudit.errors import InvalidInput, NoSuchSignal
from kdaudit.evidence import Evidence, Row
from kdaudit.finding import Claim
from kdaudit.layers import Layers
from kdaudit.samples import Samples
from kdaudit.signal import Signal
from kdaudit.statistics.beside import Beside, evidence_rows
from kdaudit.statistics.choice import balanced, queue
from kdaudit.statistics.rates import mean
from kdaudit.subject import Ask

STREAM = "compare/attention/rows"
SHORTEST = 4
"""Tokens that a text must have: among fewer nothing can be ranked."""
ORDERS = 5
"""Whose most attended words are masked: teacher, proxy, stranger, twin, and words by chance."""
STATEMENT = (
    "Attention shows where a network reads: it is evidence on mechanism, not on reasons. Other attention can give the "
    "same answers (Jain and Wallace 2019)."
)
SPECIAL = {
    False: "Special pieces (such as those at both ends of a text) and those of a prompt are left out: what remains is "
    "attention among words.",
    True: "Special pieces (such as those at both ends of a text) and those of a prompt count as one token in front of "
    "the words.",
}
NOT_ALL = "Special pieces were to count as a token; they are left out, since not everybody here reads such."


@dataclass(frozen=True)
class Attention:
    """Whether two networks attend to the same tokens, beside a stranger's proxy.

    Layers and heads may differ in number: heads are matched on one half of the texts and scored on the other.

    Parameters
    ----------
    rows : int
        Texts (or pictures) put through everybody.
    layers, proxy_layers : tuple of str
        Attentions in the module trees of teacher (and twin) and of proxy (and stranger), stars allowed, from the input
        upwards.
    pooled : {"mean", "first"}
        Whether the output is read from all tokens alike or from the first.
    flows : int
        Texts whose flow is worked out besides rollout: a problem of maximum flow a token.
    share : float
        Of the words attended to most, the share that is masked to see what it does to the teacher; 0 for no such test.
    margin : float
        By how much the likeness of heads must exceed the control.
    special : bool
        Of texts: whether special pieces, which often take half of all attention, count as one more token, if everybody
        reads such; else they are left out.  Where they count, no word is masked.
    """

    rows: int = 200
    layers: tuple[str, ...] = ("layers.*.attention",)
    proxy_layers: tuple[str, ...] = ("layers.*.attention",)
    pooled: Literal["mean", "first"] = "mean"
    flows: int = 20
    share: float = 0.2
    margin: float = 0.0
    special: bool = False
    each: ClassVar[bool] = True
    """Every proxy attends to other words: texts are masked for each."""

    def __post_init__(self) -> None:
        if self.rows < 4 or self.flows < 0 or not 0 <= self.share < 1 or self.margin < 0:
            raise InvalidInput("rows is at least 4, flows and margin at least 0, and share below 1")
        if not self.layers or not self.proxy_layers:
            raise InvalidInput(
                "layers and proxy_layers name attentions in the module trees, such as layers.*.attention"
            )

    @property
    def needs(self) -> frozenset[Signal]:
        """Nothing but answers: without attention the question stays undecided."""
        return frozenset()

    @property
    def part(self) -> Literal["judge", "pool"]:
        """The rows that no maker ever saw."""
        return "judge"

    def made(self, samples: Samples) -> int:
        """Return the most texts that are masked."""
        return ORDERS * -(-min(self.rows, len(samples)) // 2) if self.share and not self.special else 0

    def price(self, samples: Samples) -> int:
        """Return the rows put through the teacher, and those that are made."""
        return min(self.rows, len(samples)) + self.made(samples)

    def examine(self, cast: Cast, samples: Samples, ask: Ask, rng: np.random.Generator) -> Evidence:
        """Answer the question for one proxy; see `kdaudit.question.Question`."""
        chosen = balanced(np.zeros(len(samples), dtype=np.int64), self.rows, queue(samples, rng, STREAM))
        rows, voices = samples.take(chosen), Voices(cast, ask)
        if isinstance(cast.teacher.form, Layers):
            # the same rows are answered through the door, so that they are counted as asked
            voices.decide(cast.teacher)(rows)
        # of pictures there are no such pieces
        special = self.special and _reads_text(rows)
        maps = inside(cast, voices.seats, (self.layers, self.proxy_layers), partial(_maps, rows, special=special))
        counted = special and everybody_reads_special(maps)
        maps = without_special(maps) if special and not counted else maps
        seats, read = heeds(_aligned(maps) if _reads_text(rows) else _tiled(maps))
        halves = _halves(read, rng)
        items = attention_beside(cast, seats, halves, pooled=self.pooled, flows=self.flows, asked=voices.asked)
        falls, told = self._ablation(voices, rows, seats, halves, rng)
        told = [STATEMENT, *self._of_special(rows, counted=counted), *told]
        return Evidence(
            question="",
            title=f"Does the {cast.proxy_name} attend as this teacher does?",
            rows=(*evidence_rows(items), *falls),
            claims=(self._claim(cast, items[0]),),
            context={
                "population": samples.origin.name,
                "rows": len(rows),
                "matched_on": len(halves.match),
                "scored_on": len(halves.score),
                "missing": {name: seat.reason for name, seat in seats.items() if isinstance(seat, Empty)},
                "heads": {name: len(s.heads(int(halves.score[0]))) for name, s in _known(seats, halves)},
                "entropy": {
                    name: mean([s.entropy(int(row)) for row in halves.score]).to_data()
                    for name, s in _known(seats, halves)
                },
                "null": _nulls(seats, halves, read, rng),
                "special": "in" if counted else "out",
                "sentences": [*told, *([ONE_STRANGER] if items[0].strangers == 1 else [])],
            },
            shows="strip",
            proxy_name=cast.proxy_name,
        )

    def _of_special(self, rows: Samples, *, counted: bool) -> list[str]:
        """Return whether special pieces count, in words; nothing where no text is read."""
        if not _reads_text(rows):
            return []
        return [NOT_ALL if self.special and not counted else SPECIAL[counted]]

    def _ablation(
        self, voices: Voices, rows: Samples, seats: Seats, halves: Halves, rng: np.random.Generator
    ) -> tuple[list[Row], list[str]]:
        reason = maskable(voices.cast.teacher) if self.share else "it was not asked for"
        reason = reason or ("special pieces count, which cannot be masked" if self.special else "")
        if reason or isinstance(seats["teacher"], Empty) or not len(halves.score):
            return [], [f"What masking the tokens attended to would do to the teacher was not tried: {reason}."]
        own, crossed, words = masked_falls(
            voices, rows, seats, halves.score, share=self.share, pooled=self.pooled, rng=rng
        )
        found = [replace(row, of="teacher") for row in evidence_rows([own])]
        return [*found, *evidence_rows([crossed])], [words]

    def _claim(self, cast: Cast, item: Beside) -> Claim:
        beside = rival(item)
        more = "" if item.excess is None else f", {item.excess.text(signed=True)} beside {beside}"
        return Claim(
            text=capital(f"the heads of {cast.proxy_name} attend more as this teacher's do than those of {beside}"),
            measure=item.measure.name,
            group=item.group,
            form="above control",
            margin=self.margin,
            about="proxy",
            found=capital(
                f"matched heads of {cast.proxy_name} and teacher are alike to {item.value.text()} (1: the same){more}."
            ),
            minimum=30,
        )


def _maps(
    rows: Samples,
    name: str,
    network: Any,  # noqa: ANN401 - a network; naming its class here would load torch
    layers: Names,
    *,
    special: bool,
) -> list[NDArray[np.float64]] | Empty:
    """Return the attention maps of a network."""
    del name
    from kdaudit.explain.layers import attention_maps

    try:
        return attention_maps(network, rows, layers, words=True, special=special)
    except (InvalidInput, NoSuchSignal) as error:
        return Empty(f"{network.identity.name} has no attention to be compared: {error}")


def _reads_text(rows: Samples) -> bool:
    return any(isinstance(item, Text) for item in rows.domain.fields)


def everybody_reads_special(maps: dict[str, Any]) -> bool:
    """Return whether the first token, the special pieces, is there in everybody's maps."""
    known = [layers for layers in maps.values() if not isinstance(layers, Empty)]
    return bool(known) and all(bool(layers[0][:, :, 0].any()) for layers in known)


def without_special(maps: dict[str, Any]) -> dict[str, Any]:
    """Return the maps without their first token."""
    return {
        name: layers if isinstance(layers, Empty) else [layer[:, :, 1:, 1:] for layer in layers]
        for name, layers in maps.items()
    }


def _aligned(maps: dict[str, Any]) -> dict[str, Any]:
    """Return the maps cut to the places that all seats have; words stand at the same places for all of ours."""
    known = [layers for layers in maps.values() if not isinstance(layers, Empty)]
    if not known:
        return maps
    short = min(layers[0].shape[-1] for layers in known)
    return {
        name: layers if isinstance(layers, Empty) else [layer[:, :, :short, :short] for layer in layers]
        for name, layers in maps.items()
    }


def _tiled(maps: dict[str, Any]) -> dict[str, Any]:
    """Return the maps of pictures without those of other patches than the teacher's: these lie at other places."""
    teacher = maps["teacher"]
    if isinstance(teacher, Empty):
        return maps
    tiles = teacher[0].shape[-1]
    return {
        name: layers
        if isinstance(layers, Empty) or layers[0].shape[-1] == tiles
        else Empty(f"it attends among {layers[0].shape[-1]} patches, the teacher among {tiles}; give both the same")
        for name, layers in maps.items()
    }


def _halves(read: NDArray[np.int64], rng: np.random.Generator) -> Halves:
    usable = rng.permutation(np.flatnonzero(read >= SHORTEST))
    cut = len(usable) // 2
    return Halves(np.sort(usable[:cut]), np.sort(usable[cut:]))


def _known(seats: Seats, halves: Halves) -> list[tuple[str, Heed]]:
    return [(name, seat) for name, seat in seats.items() if isinstance(seat, Heed) and len(halves.score)]


def _nulls(seats: Seats, halves: Halves, read: NDArray[np.int64], rng: np.random.Generator) -> dict[str, Any]:
    """Return what teacher and proxy score with heads paired by chance, and with the wrong texts of equal length."""
    teacher, proxy = seats["teacher"], seats["proxy"]
    if isinstance(teacher, Empty) or isinstance(proxy, Empty) or not len(halves.match):
        return {}
    return {
        "heads paired by chance": mean(unmatched(teacher, proxy, halves, rng)).to_data(),
        "texts exchanged": mean(exchanged_texts(teacher, proxy, halves, read)).to_data(),
    }
