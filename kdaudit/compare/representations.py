"""Whether the proxy computes as the teacher does, layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Cast, Empty
from kdaudit.compare.inside import Names, inside
from kdaudit.compare.seats import strangers_of
from kdaudit.compare.voices import Told, Voices, beside_seats, measure_of
from kdaudit.compare.words import ONE_STRANGER, capital, number, rival
from kdaudit.errors import InvalidInput, NoSuchSignal
from kdaudit.evidence import Evidence, Row
from kdaudit.finding import Claim
from kdaudit.layers import Layers
from kdaudit.measures.alike import CKA, NEIGHBOURS, PROCRUSTES, RBF, READOUT, RSA
from kdaudit.measures.borders import Border
from kdaudit.measures.representations import (
    Kernel,
    cka_batches,
    jackknifed,
    linear_kernel,
    mutual_neighbours,
    procrustes,
    rbf_kernel,
    readout,
    rsa,
)
from kdaudit.samples import Samples
from kdaudit.signal import LABEL, Signal
from kdaudit.statistics.beside import Beside, Scored, evidence_rows, summary
from kdaudit.statistics.choice import balanced, queue
from kdaudit.statistics.rates import mean
from kdaudit.statistics.strangers import control_over
from kdaudit.subject import Ask

STREAM = "compare/representation/rows"
FOLDS = 5
Floats = NDArray[np.float64]
Hidden = Mapping[str, Floats]
"""Layer -> array of shape (n, width)."""


@dataclass(frozen=True)
class Representation:
    """Whether two networks compute alike, beside a stranger's proxy.

    Numbers are of the deepest layers named of each; the maps show all of them.  Closed teachers have no layers.

    Parameters
    ----------
    rows : int
        Rows put through both.
    batch : int
        Rows of a batch, the unit of intervals.
    layers, proxy_layers : tuple of str
        Names in the module trees of teacher (and twin) and of proxy (and stranger), stars allowed; empty for the hidden
        layers with weights.
    concepts : tuple of str
        Categories that a linear readout is to name.
    margin : float
        By how much the alignment must exceed the control.
    """

    rows: int = 1000
    batch: int = 50
    layers: tuple[str, ...] = ()
    proxy_layers: tuple[str, ...] = ()
    concepts: tuple[str, ...] = ()
    margin: float = 0.0

    def __post_init__(self) -> None:
        if self.batch < 4 or self.rows < 2 * self.batch or self.margin < 0:
            raise InvalidInput("batch is at least 4, rows at least two batches, and margin at least 0")

    @property
    def needs(self) -> frozenset[Signal]:
        """Nothing but answers: without layers the question stays undecided."""
        return frozenset()

    @property
    def part(self) -> Literal["judge", "pool"]:
        """The rows that no maker ever saw."""
        return "judge"

    def price(self, samples: Samples) -> int:
        """Return the rows put through the teacher."""
        return min(self.rows, len(samples))

    def examine(self, cast: Cast, samples: Samples, ask: Ask, rng: np.random.Generator) -> Evidence:
        """Answer the question for one proxy; see `kdaudit.question.Question`."""
        chosen = balanced(np.zeros(len(samples), dtype=np.int64), self.rows, queue(samples, rng, STREAM))
        rows = samples.take(chosen)
        if isinstance(cast.teacher.form, Layers):
            # the same rows are answered through the door, so that they are counted as asked
            ask(cast.teacher, rows, frozenset({LABEL} & cast.teacher.offers or cast.teacher.offers))
        hidden = inside(cast, Voices(cast, ask).seats, (self.layers, self.proxy_layers), partial(_hidden, rows))
        batches = _batches(len(rows), self.batch, rng)
        trial = _Trial(cast, hidden, batches, len(rows))
        items = trial.items()
        found = tuple(row for field in self.concepts for row in trial.readouts(rows, field, rng))
        arrays, maps = trial.maps()
        return Evidence(
            question="",
            title=f"Does the {cast.proxy_name} compute as this teacher does?",
            rows=(*evidence_rows(items), *found),
            claims=(self._claim(cast, items[0]),),
            context={
                "population": samples.origin.name,
                "rows": len(rows),
                "batches": len(batches),
                "layers": {name: list(seat) for name, seat in hidden.items() if not isinstance(seat, Empty)},
                "missing": {name: seat.reason for name, seat in hidden.items() if isinstance(seat, Empty)},
                "compared": trial.compared,
                "maps": maps,
                "sentences": [ONE_STRANGER] if items[0].strangers == 1 else [],
                "method": "what the deepest layer named of each gives for the same rows; tokens and places averaged",
            },
            arrays=arrays,
            shows="map",
            proxy_name=cast.proxy_name,
        )

    def _claim(self, cast: Cast, item: Beside) -> Claim:
        beside = rival(item, "it does on other rows")
        more = "" if item.excess is None else f", {item.excess.text(signed=True)} beside {beside}"
        return Claim(
            text=capital(f"the {cast.proxy_name} computes more as this teacher does than {beside}"),
            measure=item.measure.name,
            group=item.group,
            form="above control",
            margin=self.margin,
            about="proxy",
            found=capital(
                f"the deepest layers of {cast.proxy_name} and teacher are aligned with {item.value.text()}{more}."
            ),
            minimum=3,
        )


def _hidden(rows: Samples, name: str, network: Any, layers: Names) -> Hidden | Empty:  # noqa: ANN401
    """Return what the layers of a network give; naming its class here would load torch."""
    from kdaudit.explain.layers import representations

    try:
        found = representations(network, rows, layers)
    except InvalidInput as error:
        if name in ("teacher", "proxy"):
            # this question cannot be asked, and the others can
            raise NoSuchSignal(f"{network.identity.name}: {error}") from error
        return Empty(str(error))
    return found or Empty(f"{network.identity.name} has no hidden layer")


def _batches(n: int, size: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    order = rng.permutation(n)
    return [np.sort(order[start : start + size]) for start in range(0, n - size + 1, size)]


class _Trial:
    """Layers of all seats on the same rows, in the same batches."""

    def __init__(
        self, cast: Cast, hidden: Mapping[str, Hidden | Empty], batches: list[NDArray[np.int64]], n: int
    ) -> None:
        self.cast, self.hidden, self.batches, self.n = cast, hidden, batches, n

    @property
    def deepest(self) -> Told:
        """The last layer of each seat."""
        return {name: seat if isinstance(seat, Empty) else seat[list(seat)[-1]] for name, seat in self.hidden.items()}

    @property
    def compared(self) -> dict[str, str]:
        """Which layers the numbers are of."""
        return {name: list(seat)[-1] for name, seat in self.hidden.items() if not isinstance(seat, Empty)}

    def items(self) -> list[Beside]:
        """Return all measures of the deepest layers, the claim's first."""
        few = min(10, self.n - 1)
        return [
            self._beside(CKA, partial(self._aligned, linear_kernel)),
            self._beside(RBF, partial(self._aligned, rbf_kernel)),
            self._beside(PROCRUSTES, partial(self._averaged, procrustes)),
            self._beside(RSA, partial(self._averaged, rsa)),
            self._beside(NEIGHBOURS, lambda a, b: mutual_neighbours(a, b, k=few)),
        ]

    def _aligned(self, kernel: Kernel, a: Floats, b: Floats) -> Floats:
        return jackknifed(cka_batches(a, b, self.batches, kernel=kernel))

    def _averaged(self, measure: Callable[[Floats, Floats], float], a: Floats, b: Floats) -> Floats:
        return np.array([measure(a[rows], b[rows]) for rows in self.batches])

    def _beside(self, border: Border, alike: Callable[[Floats, Floats], Floats]) -> Beside:
        return beside_seats(
            measure_of(border),
            self.cast,
            self.deepest,
            alike,
            exchange=lambda seat: np.roll(seat, 1, axis=0),
            asked=self.n,
        )

    def readouts(self, rows: Samples, field: str, rng: np.random.Generator) -> list[Row]:
        """Return what linear readouts of teacher and proxy know of a category.

        Raises
        ------
        OutOfDomain
            If it is none.
        """
        rows.domain.category(field)
        labels = rows.columns[field].astype(np.int64)
        known = labels >= 0
        labels, fold = labels[known], rng.permutation(np.arange(int(known.sum())) % FOLDS)
        mixed = rng.permutation(labels)
        told = self.deepest

        def score(seat: Floats | Empty, answer: NDArray[np.int64]) -> Floats | Empty:
            return seat if isinstance(seat, Empty) else readout(seat[known], answer, fold)

        out: list[Row] = []
        for name in ("teacher", "proxy"):
            best = score(told["twin"], labels) if name == "teacher" else score(told["teacher"], labels)
            scored = Scored(score(told[name], labels), score(told[name], mixed), best, "permuted")
            item = summary(measure_of(READOUT), scored, group=field, asked=self.n)
            out += [replace(row, of=name) for row in evidence_rows([item])]
        return out

    def maps(self) -> tuple[dict[str, NDArray[Any]], list[dict[str, Any]]]:
        """Return the alignment of every layer of the teacher with every layer of proxy and of strangers."""
        arrays: dict[str, NDArray[Any]] = {}
        words: list[dict[str, Any]] = []
        teacher = self.hidden["teacher"]
        # independent teachers are compared with the proxy, not with the teacher
        swapped = self.cast.control_kind == "swapped_teacher"
        strangers = [] if swapped else [self.hidden[name] for name in strangers_of(self.hidden)]
        for name, seats in (("proxy", [self.hidden["proxy"]]), ("stranger", strangers)):
            others = [seat for seat in seats if not isinstance(seat, Empty)]
            if isinstance(teacher, Empty) or not others:
                continue
            found = layer_by_layer(teacher, others, self.batches)
            arrays |= {f"cka_{name}{end}": found[..., at] for at, end in enumerate(("", "_low", "_high"))}
            who = self.cast.proxy_name if name == "proxy" else whose(len(others))
            words.append(
                {
                    "title": f"Alignment of each layer of the teacher with each of {who}",
                    "array": f"cka_{name}",
                    "rows": list(teacher),
                    "columns": list(others[0]),
                    "words": "debiased linear CKA with its interval over batches of rows"
                    + ("" if len(others) == 1 else " and strangers")
                    + "; read it beside the other map",
                }
            )
        return arrays, words


def whose(strangers: int) -> str:
    """Return whose layers the map beside the proxy's shows."""
    return "the stranger's proxy" if strangers == 1 else f"{number(strangers)} strangers' proxies, on average"


def layer_by_layer(teacher: Hidden, others: Sequence[Hidden], batches: Sequence[NDArray[np.int64]]) -> Floats:
    """Return the alignment of each layer of the teacher with each layer of one proxy, or of several on average.

    Parameters
    ----------
    teacher : mapping
    others : sequence of mapping
        Of one proxy, or of several of one architecture, whose layers correspond.
    batches : sequence of array
        The units of the jackknife.

    Returns
    -------
    array of shape (layers, layers, 3)
        Value and both ends of its interval; NaN where a layer is still.
    """
    columns = range(min(len(other) for other in others))
    return np.array(
        [[_aligned_cell(x, [list(other.values())[j] for other in others], batches) for j in columns]
         for x in teacher.values()]
    )  # fmt: skip


def _aligned_cell(x: Floats, others: list[Floats], batches: Sequence[NDArray[np.int64]]) -> tuple[float, float, float]:
    units = np.stack([jackknifed(cka_batches(x, y, batches)) for y in others])
    found = mean(units[0], span=(-1.0, 1.0)) if len(others) == 1 else control_over(units, span=(-1.0, 1.0))
    return found.value, found.low, found.high
