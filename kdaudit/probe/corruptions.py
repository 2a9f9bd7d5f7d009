"""Which decisions turn when rows come corrupted, or a field is missing?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kdaudit.cast import Cast
from kdaudit.errors import InvalidInput
from kdaudit.evidence import Evidence, Row
from kdaudit.finding import Claim
from kdaudit.interval import Interval
from kdaudit.probe.figures import Control, Heading, three_rows
from kdaudit.probe.pools import OfPool
from kdaudit.probe.sentences import amount, capital
from kdaudit.probe.turns import Change, Turns, first_rows
from kdaudit.samples import Samples
from kdaudit.sampling.corruptions import FITS, Kind, corrupted, fitting
from kdaudit.statistics.choice import queue
from kdaudit.statistics.many import bonferroni
from kdaudit.subject import Ask

STREAM = "probe/corruptions/rows"
MEASURE = "corruption_turn_rate"
UNTOUCHED = Control(reason="a model that a corruption does not touch scores exactly 0")


@dataclass(frozen=True)
class Corrupted(OfPool):
    """Whether decisions hold when rows come corrupted: one claim a corruption, all of which hold together.

    Proxies answer all rows in all corruptions; the teacher answers some, as they were and in each, and its intervals
    are sharpened by the proxy's own turns.

    Parameters
    ----------
    kinds : tuple of str
        Of `kdaudit.sampling.corruptions.FITS`; all that fit the fields if empty.  "missing" is one claim a field.
    strength : float
        See `kdaudit.sampling.corruptions.Corruption`.
    margin : float
        Largest share of turned decisions that is accepted.
    questions : int
        Most teacher rows, those as they were included.
    minimum : int
        Rows below which a claim stays undecided.
    """

    kinds: tuple[Kind, ...] = ()
    strength: float = 0.1
    margin: float = 0.1
    questions: int = 1_500
    minimum: int = 30

    def __post_init__(self) -> None:
        if not 0 < self.margin < 1 or self.strength <= 0 or self.questions < 2 or self.minimum < 2:
            raise InvalidInput("margin lies between 0 and 1, strength above 0; questions and minimum are at least 2")
        if unknown := [kind for kind in self.kinds if kind not in FITS]:
            raise InvalidInput(f"there is no corruption {unknown[0]!r}; there are {', '.join(FITS)}")

    def price(self, samples: Samples) -> int:
        """Return the most teacher rows."""
        sides = 1 + len(fitting(samples.domain, self.kinds, self.strength))
        return min(self.questions // sides, len(samples)) * sides

    def examine(self, cast: Cast, samples: Samples, ask: Ask, rng: np.random.Generator) -> Evidence:
        """Answer the question for one proxy; see `kdaudit.question.Question`.

        Raises
        ------
        InvalidInput
            If a kind fits no field.
        """
        order = queue(samples, rng, STREAM)
        ways = fitting(samples.domain, self.kinds, self.strength)
        changes = tuple(Change(way.words, way.words, corrupted(samples, way, rng)) for way in ways)
        chosen = first_rows(order, np.arange(len(samples)), self.questions // (1 + len(ways)))
        level = bonferroni(0.95, len(ways))
        turns = Turns(cast, samples, ask, changes, chosen, level)
        rows: list[Row] = []
        claims: list[Claim] = []
        for at, change in enumerate(changes):
            figures = turns.figures(at, UNTOUCHED)
            title = capital(f"share of decisions that turn with {change.words}")
            rows += three_rows(figures, Heading(MEASURE, change.name, title, "percent"), cast)
            claims.append(self._claim(change, figures.teacher))
        return Evidence(
            question="",
            title="Do decisions hold when rows come corrupted?",
            rows=tuple(rows),
            claims=tuple(claims),
            context={
                "population": samples.origin.name,
                "pool": len(samples),
                "rows_asked": turns.asked,
                "margin": self.margin,
                "method": f"rows by chance, PPI++ with the proxy's own turns; {len(ways)} corruptions hold together "
                f"(Bonferroni, each at {level:.2%})",
            },
            shows="transfer",
            proxy_name=cast.proxy_name,
        )

    def _claim(self, change: Change, found: Interval) -> Claim:
        return Claim(
            text=capital(f"{change.words} turns at most {amount(self.margin, 'percent')} of decisions"),
            measure=MEASURE,
            group=change.name,
            form="at most",
            margin=self.margin,
            about="teacher",
            found=capital(f"{change.words} turns {found.text('percent')} of decisions."),
            minimum=self.minimum,
        )
