"""Whether the proxy decides and scores as the teacher does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Cast, Empty
from kdaudit.compare.slices import Slice, halves, worst_slice
from kdaudit.compare.words import ONE_STRANGER, capital, rival
from kdaudit.errors import InvalidInput
from kdaudit.evidence import Evidence, Row
from kdaudit.finding import Claim
from kdaudit.interval import unknown
from kdaudit.measures.agreement import AGREEMENT, BESIDE_OUTCOMES
from kdaudit.measures.named import measure as named
from kdaudit.measures.strata import grouped
from kdaudit.samples import Samples
from kdaudit.signal import LABEL, SCORE, Signal
from kdaudit.statistics.beside import Beside, Heard, Scored, evidence_rows, hear, scored, summary
from kdaudit.statistics.rates import effective
from kdaudit.subject import Ask

Mask = NDArray[np.bool_]
CONTRADICTED = "where the teacher contradicts recorded outcomes"
LEVEL = 0.95


@dataclass(frozen=True)
class Fidelity:
    """How near the proxy is to the teacher, beside how near strangers' proxies are, in all rows and where it is worst.

    Where the plan names sampling weights, rows count by them: the mean is Hajek's, its variance that of a ratio.

    Parameters
    ----------
    measures : tuple of str
        See `kdaudit.measures.named`.
    by : tuple of str
        Fields whose levels (or quarters of a number) get an agreement each.
    margin : float
        By how much agreement must exceed the control.
    least : float, optional
        Agreement that is asked for.
    minimum : int
        Rows below which a group has no value.
    worst_slice : bool
        Whether the slice of one or two fields with the lowest agreement is searched for.
    """

    measures: tuple[str, ...] = ("agreement", "kl", "brier")
    by: tuple[str, ...] = ()
    margin: float = 0.0
    least: float | None = None
    minimum: int = 50
    worst_slice: bool = True

    def __post_init__(self) -> None:
        for name in self.measures:
            named(name)
        if self.margin < 0 or self.minimum < 2 or not (self.least is None or 0 < self.least <= 1):
            raise InvalidInput("margin must be at least 0, minimum at least 2, and least a share above 0")

    @property
    def needs(self) -> frozenset[Signal]:
        """Nothing but answers: a measure of scores stays unknown beside a subject that gives labels."""
        return frozenset()

    @property
    def part(self) -> Literal["judge", "pool"]:
        """The rows that no maker ever saw."""
        return "judge"

    def price(self, samples: Samples) -> int:
        """Return all rows: every one is answered."""
        return len(samples)

    def examine(self, cast: Cast, samples: Samples, ask: Ask, rng: np.random.Generator) -> Evidence:
        """Answer the question for one proxy; see `kdaudit.question.Question`."""
        heard = hear(cast, samples, ask, rng=rng)
        agreement = scored(AGREEMENT, heard)
        weights = weights_of(samples)
        whole = summary(AGREEMENT, agreement, asked=heard.asked, weights=weights)
        items = [whole] + [
            summary(named(name), scored(named(name), heard), asked=heard.asked, weights=weights)
            for name in self.measures
            if name != AGREEMENT.name
        ]
        items += _beside_outcomes(cast, samples, ask, heard)
        items += self._groups(samples, heard, agreement)
        worst = self._worst(samples, agreement)
        if worst is not None:
            items.append(self._on(f"worst slice: {worst.text}", worst.rows & ~halves(samples), samples, agreement))
        return Evidence(
            question="",
            title=f"Does the {cast.proxy_name} answer as this teacher does?",
            rows=tuple(_drawn(row) for row in evidence_rows(items)),
            claims=tuple(self._claims(cast, whole)),
            context=self._context(cast, samples, heard, worst, alone=whole.strangers == 1),
            shows="strip",
            proxy_name=cast.proxy_name,
        )

    def _groups(self, samples: Samples, heard: Heard, values: Scored) -> Iterator[Beside]:
        for field in self.by:
            strata = grouped(samples, field)
            if strata is None:
                raise InvalidInput(f"{field} has no groups; `by` names categories and numbers that vary")
            for place, level in enumerate(strata.levels):
                yield self._on(strata.group(level), strata.place == place, samples, values)
        if samples.labels is not None and np.issubdtype(samples.labels.dtype, np.integer):
            contradicted = heard.teacher.answered & (heard.teacher.label != samples.labels)
            yield self._on(CONTRADICTED, contradicted, samples, values)

    def _on(self, group: str, rows: Mask, samples: Samples, values: Scored) -> Beside:
        n = int(rows.sum())
        asked, weights = len(np.unique(samples.keys()[rows])), weights_of(samples)
        item = summary(AGREEMENT, values, group=group, rows=rows, asked=asked, weights=weights)
        if n >= self.minimum:
            return item
        few = f"{n} rows; at least {self.minimum} are needed"
        return replace(
            item, value=unknown(few, n), control=None, excess=None, ceiling=None, no_control=few, no_ceiling=few
        )

    def _worst(self, samples: Samples, values: Scored) -> Slice | None:
        if not self.worst_slice or isinstance(values.value, Empty):
            return None
        return worst_slice(samples, values.value, search=halves(samples), minimum=self.minimum)

    def _claims(self, cast: Cast, whole: Beside) -> Iterator[Claim]:
        beside = rival(whole)
        value = whole.value.text("percent")
        more = "" if whole.excess is None else f", {whole.excess.text('points', signed=True)} beside {beside}"
        found = capital(f"the {cast.proxy_name} decides as the teacher does in {value} of rows{more}.")
        beyond = f" by more than {100 * self.margin:g} points" if self.margin else ""
        yield Claim(
            text=capital(f"the {cast.proxy_name} decides as this teacher does more often than {beside}{beyond}"),
            measure=AGREEMENT.name,
            group="all",
            form="above control",
            margin=self.margin,
            about="proxy",
            found=found,
            minimum=self.minimum,
        )
        if self.least is not None:
            yield Claim(
                text=capital(
                    f"the {cast.proxy_name} decides as the teacher does in at least {100 * self.least:g} % of rows"
                ),
                measure=AGREEMENT.name,
                group="all",
                form="at least",
                margin=self.least,
                about="proxy",
                found=found,
                minimum=self.minimum,
            )

    def _context(
        self, cast: Cast, samples: Samples, heard: Heard, worst: Slice | None, *, alone: bool
    ) -> dict[str, Any]:
        context: dict[str, Any] = {
            "population": samples.origin.name,
            "rows": len(samples),
            "failed": len(heard.teacher.failed),
            "proxy_failed": len(heard.proxy.failed),
            "method": "all seats answer the same rows; value minus control is paired row by row",
            "definitions": {name: f"{named(name).definition} ({named(name).source})" for name in self.measures},
        }
        sentences = [*([ONE_STRANGER] if alone else ()), *_weighing(samples), *_untaught(cast)]
        if sentences:
            context["sentences"] = sentences
        if worst is not None:
            context["worst_slice"] = {
                "group": worst.text,
                "tried": worst.tried,
                "found": worst.found,
                "found_n": worst.found_n,
            }
            context["sentences"] = [
                *context.get("sentences", ()),
                f"Worst slice: {worst.text}, the worst of {worst.tried:,} slices on one half of the rows (agreement "
                f"{100 * worst.found:.1f} % of {worst.found_n} there, too low by choice), reported on the other half",
            ]
        return context


def _beside_outcomes(cast: Cast, samples: Samples, ask: Ask, heard: Heard) -> Iterator[Beside]:
    """Yield agreement beside that of the proxy of recorded outcomes, where one stands beside strangers."""
    one = cast.untaught
    if isinstance(one, Empty):
        return
    theirs = ask(one, samples, frozenset({SCORE} if SCORE in one.offers else {LABEL}))
    other = replace(heard, stranger=theirs, further=(), control_kind="label_only")
    values = scored(BESIDE_OUTCOMES, other)
    yield summary(BESIDE_OUTCOMES, values, asked=heard.asked, weights=weights_of(samples))


def _untaught(cast: Cast) -> Iterator[str]:
    if isinstance(cast.untaught, Empty) and cast.untaught.reason:
        yield f"No proxy of recorded outcomes stands beside the {cast.proxy_name}: {cast.untaught.reason}"


def weights_of(samples: Samples) -> NDArray[np.float64] | None:
    """Return what each row counts, where the plan names sampling weights and they differ; None where all count alike.

    Raises
    ------
    InvalidInput
        If a weight is no number from 0, or none is above it.
    """
    given = samples.weights
    if given is None or not len(given):
        return None
    if not np.isfinite(given).all() or (given < 0).any() or not given.any():
        raise InvalidInput("sampling weights are finite, at least 0, and some above 0; these are not")
    return None if np.ptp(given) == 0 else np.asarray(given, dtype=np.float64)


def _weighing(samples: Samples) -> Iterator[str]:
    weights = weights_of(samples)
    if weights is not None:
        yield (
            f"Rows count by their sampling weights: values are of the population that {len(samples):,} rows stand for, "
            f"and as sure as of about {effective(weights):,.0f} rows that all count alike"
        )


def _drawn(row: Row) -> Row:
    # a divergence of .1 nats on a scale up to 16 could not be seen
    if row.measure in (AGREEMENT.name, BESIDE_OUTCOMES.name):
        return row
    shown = [part.high for part in (row.value, row.control, row.ceiling) if part is not None and part.known]
    return replace(row, high_end=max(shown)) if shown and max(shown) > row.low_end else row
