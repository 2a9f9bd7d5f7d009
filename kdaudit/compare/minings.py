"""Where the proxy must not be used: rows on which it parts from the teacher are searched for, and ruled off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Cast
from kdaudit.compare.borders import exactly, parted
from kdaudit.compare.climbs import climb_of
from kdaudit.compare.hunts import Heard, able, back_to_data, described, heard, hunt
from kdaudit.compare.lines import Floats, distances, spreads
from kdaudit.compare.regions import FEWEST, Region, region_of, rule_text
from kdaudit.compare.slices import halves
from kdaudit.compare.voices import Told, Voices
from kdaudit.compare.words import capital
from kdaudit.errors import InvalidInput
from kdaudit.evidence import Evidence
from kdaudit.finding import Claim
from kdaudit.measures.borders import DISAGREEMENT
from kdaudit.samples import Samples
from kdaudit.signal import Signal
from kdaudit.statistics.beside import Beside, evidence_rows
from kdaudit.statistics.choice import balanced, queue
from kdaudit.subject import Ask

STREAM = "compare/mining/rows"
BACK = 0.2
"""Share of the rows made that go back from what was found towards the data."""
SEASONING = 0.1
"""Rows found that the rules are made with, as a share of the rows of the data."""
SHOWN = 3
"""Rows found that are told in words."""
ELSEWHERE, INSIDE, ALL = "elsewhere", "inside the rules", "all"


@dataclass(frozen=True)
class Mining:
    """On which inputs the two part, which rules describe them, and how often they part there and elsewhere.

    Rows of the data are cut in two by their content.  One half starts the search, and with what is found the rules are
    made; how often the two part is counted on the other half alone.  Rows that were searched for have no rate.

    Parameters
    ----------
    questions : int
        Rows made and asked.
    rows : int
        Rows of the data asked, half to start from and half to count on.
    leaves : int
        Most leaves of the tree from which the rules are read.
    margin : float
        Largest share of rows outside the rules on which the two may part.
    """

    questions: int = 400
    rows: int = 2000
    leaves: int = 4
    margin: float = 0.05
    each: ClassVar[bool] = True
    """Every proxy parts from the teacher elsewhere: rows are made for each."""

    def __post_init__(self) -> None:
        if self.questions < 0 or self.rows < 4 or self.leaves < 2 or not 0 <= self.margin < 1:
            raise InvalidInput("questions is at least 0, rows 4 and leaves 2, and margin a share below 1")

    @property
    def needs(self) -> frozenset[Signal]:
        """Nothing but answers."""
        return frozenset()

    @property
    def part(self) -> Literal["judge", "pool"]:
        """The rows that no maker ever saw."""
        return "judge"

    def made(self, samples: Samples) -> int:  # noqa: ARG002 - as many whatever the rows
        """Return the most rows that are none of the data's."""
        return self.questions

    def price(self, samples: Samples) -> int:
        """Return the rows of the data asked, and those that are made."""
        return min(self.rows, len(samples)) + self.questions

    def examine(self, cast: Cast, samples: Samples, ask: Ask, rng: np.random.Generator) -> Evidence:
        """Answer the question for one proxy; see `kdaudit.question.Question`."""
        voices = Voices(cast, ask)
        order = queue(samples, rng, STREAM)
        chosen = samples.take(balanced(np.zeros(len(samples), dtype=np.int64), self.rows, order))
        search = halves(chosen)
        start, fresh = heard(voices, chosen.take(search)), chosen.take(~search)
        found = self._mined(voices, start, rng)
        whole = start + self._some(found, len(start), rng) if len(found) else start
        region = region_of(whole.rows, whole.parted, self.leaves, rng)
        items = self._counted(voices, fresh, region)
        return Evidence(
            question="",
            title=f"Where must the {cast.proxy_name} not be used in this teacher's place?",
            rows=evidence_rows(items),
            claims=(self._claim(cast, region, items),),
            context=self._context(voices, start, found, region, items) | {"population": samples.origin.name},
            shows="strip",
            proxy_name=cast.proxy_name,
        )

    def _mined(self, voices: Voices, start: Heard, rng: np.random.Generator) -> Heard:
        nothing = start.take(np.arange(0))
        if able(voices) or not len(start):
            return nothing
        back = int(self.questions * BACK)
        found = hunt(voices, start, self.questions - back, rng, climb=climb_of(voices, start.rows))
        nearer, _ = back_to_data(voices, found, start, back, rng)
        return found + nearer if len(nearer) else found

    def _some(self, found: Heard, data: int, rng: np.random.Generator) -> Heard:
        """Return so few of the rows found that they show where to look without outvoting the data."""
        most = max(int(data * SEASONING), FEWEST)
        return found.take(np.sort(rng.permutation(len(found))[:most]))

    def _counted(self, voices: Voices, fresh: Samples, region: Region) -> list[Beside]:
        told = voices.told(lambda decide: decide(fresh).astype(np.float64)[:, None])
        if able(voices):
            # a record of answers cannot answer rows that are made, but these are the data's own
            told = {**told, **self._own(voices, fresh)}
        groups = {ALL: np.ones(len(fresh), dtype=bool)}
        if region.rules:
            inside = region.holds(fresh)
            groups |= {INSIDE: inside, ELSEWHERE: ~inside}
        return [self._beside(voices, told, rows, group) for group, rows in groups.items()]

    def _own(self, voices: Voices, fresh: Samples) -> dict[str, Floats]:
        pair = {"teacher": voices.cast.teacher, "proxy": voices.cast.proxy}
        return {name: voices.decide(who)(fresh).astype(np.float64)[:, None] for name, who in pair.items()}

    def _beside(self, voices: Voices, told: Told, rows: NDArray[np.bool_], group: str) -> Beside:
        at = np.flatnonzero(rows)
        cut = {name: seat[at] if isinstance(seat, np.ndarray) else seat for name, seat in told.items()}
        return exactly(voices.beside(DISAGREEMENT, cut, parted, np.roll(np.arange(len(at)), 1), group=group))

    def _claim(self, cast: Cast, region: Region, items: list[Beside]) -> Claim:
        item = next((one for one in items if one.group == ELSEWHERE), items[0])
        where = "outside the rules that were found" if region.rules else "on rows of these data"
        return Claim(
            text=capital(f"{where} the {cast.proxy_name} parts from this teacher in at most {self.margin:.1%} of rows"),
            measure=DISAGREEMENT.name,
            group=item.group,
            form="at most",
            margin=self.margin,
            about="proxy",
            found=capital(
                f"{where} the {cast.proxy_name} parts from this teacher in {item.value.text('percent')} of rows."
            ),
            minimum=30,
        )

    def _context(
        self, voices: Voices, start: Heard, found: Heard, region: Region, items: list[Beside]
    ) -> dict[str, Any]:
        at = np.flatnonzero(found.parted)
        nearest = _nearest(found, start)
        mined: dict[str, Any] = {"asked": len(found), "parted": len(at), "reason": able(voices)}
        if nearest is not None:
            mined["nearest_disagreement"] = nearest
        shown = at[np.argsort(-found.gap[at], kind="stable")[:SHOWN]]
        mined["examples"] = [described(found.rows.domain, found.rows.take(np.array([i]))) for i in shown]
        return {
            "searched": len(start),
            "fresh": items[0].rows,
            "asked": voices.asked,
            "mined": mined,
            "rules": [rule_text(rule, found.rows.domain) for rule in region.rules],
            "no_rules": region.reason,
            "gradients": "taken" if climb_of(voices, start.rows) is not None else "not taken: one of the two is closed",
            "method": "evolution over the fields inside the domain, halving back towards rows of the data, gradients "
            "where both give them; a tree on which rows part; shares counted on rows that took no part in it",
            "sentences": _sentences(voices.cast.proxy_name, region.text(found.rows), region, items, mined),
        }


def _nearest(found: Heard, start: Heard) -> float | None:
    """Return how near a row found lies to a row of the data on which both agree."""
    at, agreed = np.flatnonzero(found.parted), np.flatnonzero(~start.parted)
    if not len(at) or not len(agreed):
        return None
    return float(distances(found.rows.take(at), start.rows.take(agreed), spreads(start.rows)).min())


def _sentences(name: str, words: str, region: Region, items: list[Beside], mined: dict[str, Any]) -> list[str]:
    by_group = {item.group: item.value for item in items}
    out = []
    if region.rules and by_group[INSIDE].known:
        worse = by_group[INSIDE].low > by_group[ELSEWHERE].value
        out.append(
            (
                f"Do not use the {name} in the teacher's place where {words}"
                if worse
                else f"Rules that the search found for the {name} did not prove true on fresh rows ({words})"
            )
            + f": there they part in {by_group[INSIDE].text('percent')} of fresh rows, elsewhere in "
            f"{by_group[ELSEWHERE].text('percent')}."
        )
    elif region.reason:
        out.append(f"No rules say where the {name} parts from the teacher: {region.reason}.")
    if mined["reason"]:
        out.append(f"No rows were searched for: {mined['reason']}.")
    elif mined["parted"]:
        out.append(
            f"{mined['parted']} of {mined['asked']} rows made by the search part {name} and teacher. They were looked "
            "for, so that this is no rate and none of the shares above counts them."
        )
    if "nearest_disagreement" in mined:
        far = mined["nearest_disagreement"]
        out.append(
            f"The nearest of them differs from a row of the data on which both agree by {far:.3f} "
            "a field, on average (numbers in ranges of their middle 90 %, levels 0 or 1)."
        )
    out += [f"They part, for example, on: {one}." for one in mined["examples"][:1]]
    return out
