"""Whether the proxy changes its mind where the teacher does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Cast, Empty
from kdaudit.compare.borders import (
    Slices,
    Ways,
    parted,
    planes_beside,
    slices,
    turns_beside,
    volume_beside,
    ways,
    ways_beside,
)
from kdaudit.compare.draws import Sampler
from kdaudit.compare.fields import Grid, grid_of
from kdaudit.compare.lines import Labels, Lines, distances, partners, spreads
from kdaudit.compare.seats import exchanged
from kdaudit.compare.smooth import open_pair, reach_beside, rows_planes
from kdaudit.compare.voices import Voices
from kdaudit.compare.words import ONE_STRANGER, capital, rival
from kdaudit.errors import InvalidInput
from kdaudit.evidence import Evidence
from kdaudit.finding import Claim
from kdaudit.samples import Samples
from kdaudit.signal import Signal
from kdaudit.statistics.beside import Beside, evidence_rows
from kdaudit.statistics.choice import balanced, queue
from kdaudit.subject import Ask

STREAM = "compare/boundary/rows"
AROUND = 4
"""Rows among which a partner of another class is looked for, for each way."""


@dataclass(frozen=True)
class Boundary:
    """Whether two models change their minds at the same places, beside a stranger's proxy.

    Works for closed teachers: rows between rows, along fields and over planes of two fields are asked like any others.
    Of networks it also takes planes through three rows and distances along the gradient, which ask no teacher rows.

    Parameters
    ----------
    lines : int
        Ways from a row to the nearest row of another class.
    halvings : int
        Of each way: the place is known to half of ``2 ** -halvings``.
    fields : tuple of str
        Fields along which the first turn of a decision is compared.
    rows : int
        Rows moved along each of these fields.
    steps : int
        Values of a number along which it is moved; a category takes all its levels.
    plane : tuple of str
        Two fields whose plane is drawn; empty for none.
    planes : int
        Planes of these fields, each through a place where the teacher's decision turns; of a single one all points are
        counted.
    resolution : int
        Values of a number across a plane.
    volume : int
        Rows drawn over the domain.
    sampler : {"uniform", "marginal"}
        How they are drawn; see `kdaudit.compare.draws.drawn`.
    triples : int
        Of networks: planes through three rows.
    margin : float
        By how much the likeness of the places must exceed the control.
    """

    lines: int = 60
    halvings: int = 6
    fields: tuple[str, ...] = ()
    rows: int = 20
    steps: int = 8
    plane: tuple[str, ...] = ()
    planes: int = 1
    resolution: int = 11
    volume: int = 0
    sampler: Sampler = "uniform"
    triples: int = 50
    margin: float = 0.0

    def __post_init__(self) -> None:
        if self.lines < 2 or not 1 <= self.halvings <= 30 or min(self.rows, self.steps, self.resolution) < 2:
            raise InvalidInput("lines, rows, steps and resolution are at least 2, halvings from 1 to 30")
        if min(self.planes, self.triples + 1) < 1 or self.volume < 0 or self.margin < 0:
            raise InvalidInput("planes is at least 1; triples, volume and margin are at least 0")
        if len(self.plane) not in (0, 2) or len(set(self.plane)) != len(self.plane):
            raise InvalidInput(f"plane names two different fields, or none; it names {len(self.plane)}")

    @property
    def needs(self) -> frozenset[Signal]:
        """Nothing but answers."""
        return frozenset()

    @property
    def part(self) -> Literal["judge", "pool"]:
        """The rows that no maker ever saw."""
        return "judge"

    def made(self, samples: Samples) -> int:
        """Return the most rows that are none of the data's: between rows, along fields, over planes and the domain."""
        points = sum(len(grid_of(samples, field, self.steps)) for field in self.fields)
        area = int(np.prod([len(grid_of(samples, field, self.resolution)) for field in self.plane])) * self.planes
        return (
            min(self.lines, len(samples)) * self.halvings
            + min(self.rows, len(samples)) * points
            + (area if self.plane else 0)
            + self.volume
        )

    def price(self, samples: Samples) -> int:
        """Return the rows among which ways are chosen, and those that are made."""
        return min(AROUND * self.lines, len(samples)) + self.made(samples)

    def examine(self, cast: Cast, samples: Samples, ask: Ask, rng: np.random.Generator) -> Evidence:
        """Answer the question for one proxy; see `kdaudit.question.Question`."""
        voices = Voices(cast, ask)
        trial = _Trial(self, voices, samples, rng)
        items = trial.items()
        return Evidence(
            question="",
            title=f"Does the {cast.proxy_name} change its mind where this teacher does?",
            rows=evidence_rows(items),
            claims=(self._claim(cast, items[0]),),
            context=trial.context(items[0]),
            arrays=trial.arrays(),
            shows="plane",
            proxy_name=cast.proxy_name,
        )

    def _claim(self, cast: Cast, item: Beside) -> Claim:
        beside = rival(item, "its places for other rows")
        more = "" if item.excess is None else f", {item.excess.text(signed=True)} beside {beside}"
        return Claim(
            text=capital(f"the {cast.proxy_name} changes its mind nearer to where this teacher does than {beside}"),
            measure=item.measure.name,
            group=item.group,
            form="above control",
            margin=self.margin,
            about="proxy",
            found=capital(
                f"between rows of two classes the {cast.proxy_name} changes its mind where the teacher does with a "
                f"likeness of {item.value.text()} (1: the same place){more}."
            ),
            minimum=30,
        )


class _Trial:
    """What is asked, drawn in one order, the same for every proxy of the question."""

    def __init__(self, recipe: Boundary, voices: Voices, samples: Samples, rng: np.random.Generator) -> None:
        self.recipe, self.voices, self.samples, self.rng = recipe, voices, samples, rng
        order = queue(samples, rng, STREAM)
        asked = balanced(np.zeros(len(samples), dtype=np.int64), AROUND * recipe.lines, order)
        self.rows = samples.take(asked)
        self.labels: Labels = voices.decide(voices.cast.teacher)(self.rows)
        self.lines, self.starts = self._lines(order[asked])
        self.ways: Ways = ways(voices, self.lines, recipe.halvings)
        self.slices: Slices | None = None
        self.extra: dict[str, Any] = {}

    def _lines(self, order: NDArray[np.uint64]) -> tuple[Lines, Labels]:
        chosen = balanced(self.labels, self.recipe.lines, order)
        ends = partners(self.rows, self.labels, chosen) if len(chosen) else chosen
        chosen, ends = chosen[ends >= 0], ends[ends >= 0]
        return Lines.drawn(self.rows.take(chosen), self.rows.take(ends), self.rng), self.labels[chosen]

    @property
    def nearest(self) -> NDArray[np.int64]:
        """Ways by how soon the teacher's decision turns on them; those on which it does not are left out."""
        told = self.ways.told["teacher"]
        if isinstance(told, Empty):
            return np.arange(len(self.lines))
        places = told[:, 0]
        return np.argsort(places, kind="stable")[: int(np.isfinite(places).sum())]

    def _middle(self, near: NDArray[np.int64], grids: tuple[Grid, ...]) -> NDArray[np.int64]:
        """Return the ways whose place lies nearest to the middle of the grids first: the boundary crosses the plane."""
        told = self.ways.told["teacher"]
        share = np.zeros(len(near)) if isinstance(told, Empty) else told[near, 0]
        rows = self.lines.take(near).at(share)
        off = np.zeros(len(near))
        for grid in grids:
            step = (grid.values[-1] - grid.values[0]) or 1.0
            values = rows.columns[grid.field].astype(np.float64)
            off += np.abs(np.nan_to_num(values, nan=grid.values[0]) - np.median(grid.values)) / step
        return near[np.argsort(off, kind="stable")]

    def items(self) -> list[Beside]:
        """Return all measures, the claim's first."""
        r = self.recipe
        out = ways_beside(self.voices, self.ways, exchanged(self.starts, self.rng))
        near = self.nearest
        if r.fields and len(near):
            grids = tuple(grid_of(self.samples, field, r.steps) for field in r.fields)
            out += turns_beside(self.voices, self.lines.first.take(near[: r.rows]), grids, self.rng)
        if r.plane and len(near):
            out += self._planes(near)
        if r.volume:
            out.append(self._volume())
        if r.triples and open_pair(self.voices) and len(self.rows) > 2:
            out += rows_planes(self.voices, self.rows, r.triples, self.rng)
            out.append(reach_beside(self.voices, self.rows, self.labels, self.rng))
        return out

    def _planes(self, near: NDArray[np.int64]) -> list[Beside]:
        grids = tuple(grid_of(self.samples, field, self.recipe.resolution) for field in self.recipe.plane)
        chosen = self._middle(near, grids)[: self.recipe.planes]
        told = self.ways.told["teacher"]
        share = np.zeros(len(chosen)) if isinstance(told, Empty) else told[chosen, 0]
        self.slices = slices(self.voices, self.lines.take(chosen).at(share), (grids[0], grids[1]))
        return planes_beside(self.voices, self.slices.told, " by ".join(self.recipe.plane))

    def _volume(self) -> Beside:
        r = self.recipe
        found, rows, told = volume_beside(self.voices, self.samples, r.volume, r.sampler, self.rng)
        self.extra["volume"] = {"rows": r.volume, "sampler": r.sampler, **nearest_parted(rows, told, self.samples)}
        return found

    def _near(self) -> list[str]:
        """Return how near to the data the two part among the rows drawn over the domain; they have no rate."""
        far = self.extra.get("volume", {}).get("nearest_disagreement")
        if far is None:
            return []
        return [
            f"Of the rows drawn over the domain on which {self.voices.cast.proxy_name} and teacher part, the nearest "
            f"to a row of the data differs from it by {far:.3f} a field, on average (numbers in ranges of their middle "
            "90 %, levels 0 or 1)."
        ]

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return the first plane: its values and everybody's decisions over them."""
        if self.slices is None:
            return {}
        across, up = self.slices.grids
        out: dict[str, NDArray[Any]] = {"across": across.values, "up": up.values}
        for name, told in self.slices.told.items():
            if not isinstance(told, Empty):
                out[name] = told[0].reshape(len(across), len(up)).astype(np.int64)
        return out

    def context(self, first: Beside) -> dict[str, Any]:
        """Return what a reader needs to know of how it was come by."""
        r = self.recipe
        known = {name: seat.reason for name, seat in self.ways.told.items() if isinstance(seat, Empty)}
        out: dict[str, Any] = {
            "population": self.samples.origin.name,
            "rows": len(self.rows),
            "ways": len(self.lines),
            "halvings": r.halvings,
            "asked": self.voices.asked,
            "missing": known,
            "method": "the place where a decision turns on the way from a row to the nearest row of another class, by "
            "halving; numbers and pictures go evenly, texts word by word from the front, each level turns at a place "
            "drawn once for everybody",
            "gradients": "taken" if r.triples and open_pair(self.voices) else "not taken: one of the two is closed",
            "sentences": [*([ONE_STRANGER] if first.strangers == 1 else []), *self._near()],
            **self.extra,
        }
        if self.slices is not None:
            across, up = self.slices.grids
            out["plane"] = {
                "across": _axis(across),
                "up": _axis(up),
                "anchor": _described(self.slices.anchors, (across.field, up.field)),
                "outputs": list(self.voices.cast.teacher.outputs),
            }
        return out


def _axis(grid: Grid) -> dict[str, Any]:
    return {"field": grid.field, "labels": list(grid.labels), "ordered": grid.ordered}


def _described(anchors: Samples, without: tuple[str, ...]) -> str:
    """Return what all other fields are kept at, in words."""
    row = anchors.take([0]).frame().iloc[0]
    words = []
    for name in anchors.domain.names:
        if name not in without:
            value = row[name]
            text = f"{value:.4g}" if isinstance(value, float) else str(value)
            words.append(f"{name.replace('_', ' ')} {text}")
    return ", ".join(words)


def nearest_parted(rows: Samples, told: Mapping[str, Any], samples: Samples) -> dict[str, Any]:
    """Return how near to any row of the data a drawn row lies on which proxy and teacher part; no rate."""
    teacher, proxy = told["teacher"], told["proxy"]
    if isinstance(teacher, Empty) or isinstance(proxy, Empty):
        return {}
    at = np.flatnonzero(parted(teacher, proxy) == 1.0)
    if not len(at):
        return {"parted": 0}
    gap = distances(rows.take(at), samples, spreads(samples)).min(axis=1)
    return {"parted": len(at), "nearest_disagreement": float(gap.min())}
