"""Is a text answered otherwise when nothing but the people in it are others?  Templates, filled in pairs.

Kiritchenko and Mohammad 2018 (paired sentences), Dixon and others 2018 (identity terms in templates), Ribeiro and
others 2020 (minimum functionality, invariance and directional expectation tests).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Cast
from kdaudit.data.corpora import load_corpus
from kdaudit.digest import of_data, recipe_data
from kdaudit.domain import Text
from kdaudit.errors import InvalidInput
from kdaudit.evidence import Evidence, Row
from kdaudit.finding import Claim
from kdaudit.probe.figures import Control, Heading, three_rows
from kdaudit.probe.fillings import Found, Quantity, Said, Terms, Trial
from kdaudit.probe.readings import Reading, Values
from kdaudit.probe.texts import Words
from kdaudit.samples import Origin, Samples, concat
from kdaudit.sampling import templates as filling
from kdaudit.sampling.templates import Cells
from kdaudit.signal import SCORE, Signal
from kdaudit.statistics.choice import allocation
from kdaudit.statistics.many import bonferroni
from kdaudit.statistics.rates import Span
from kdaudit.subject import Ask

SHIFT, TURN, WRONG, FAILURE = "template_shift", "template_turn_rate", "template_wrong_way_rate", "template_failure_rate"
ENOUGH = 30
"""Templates below which the report says that what holds of them may not hold of others (Cameron and Miller 2015)."""
TermList = tuple[str, ...] | str


@dataclass(frozen=True)
class Templates:
    """Whether texts that differ in one group's terms alone are answered alike.

    Each template is filled with terms of every group; the proxy answers all fillings, the teacher an equal number of
    each template, chosen by chance.  The template is the unit of the interval: a thousand fillings of ten templates are
    ten facts.

    Parameters
    ----------
    templates : tuple of str
        Texts with slots, such as ``"{person} made this film, and it was {word}."``.
    slots : dict
        Name of a slot -> its terms, or the name of a list of them (see `kdaudit.sampling.terms`); of slots that stand
        for people: group -> terms.  Slots with groups move together, the first terms of all with each other.
    reference : str
        Group that all others are compared with.
    corpus, contrast : str
        Instead of templates, slots and reference: published pairs of sentences, and who is compared in them (see
        `kdaudit.data.corpora`).
    test : {"INV", "DIR", "MFT"}
        Invariance: scores or decisions stay.  Directional: the score goes `direction`, but for `tolerance`.  Minimum
        functionality: each filling is decided as `expect` says; no groups are needed.
    measure : {"score", "decision"}
        Of what the mean shift is told.
    unit : {"template", "text"}
        Whether claims are about templates like these, or about these very texts.
    within : bool
        Whether terms are exchanged within the reference group too, as a control of how many decisions turn: another
        name of the same group.  It takes one text more of each filling.
    margin : float
        Largest mean shift, and largest share of decisions turned or wrong, that is accepted.
    questions : int
        Most teacher texts.
    most : int
        Most texts that are written; the proxies answer them all.
    minimum : int
        Templates (texts, for that unit) below which claims stay undecided.
    text : str
        Field to write into; needed where the domain has several texts.  Other fields are those of rows of the pool.
    output, yes : str
        As for `kdaudit.probe.groups.Parity`.
    """

    templates: tuple[str, ...] = ()
    slots: dict[str, TermList | dict[str, TermList]] = field(default_factory=dict)
    reference: str = ""
    corpus: str = ""
    contrast: str = ""
    test: Literal["INV", "DIR", "MFT"] = "INV"
    measure: Literal["score", "decision"] = "score"
    unit: Literal["template", "text"] = "template"
    direction: Literal["up", "down"] = "up"
    tolerance: float = 0.0
    expect: Literal["yes", "no"] = "yes"
    within: bool = False
    margin: float = 0.05
    questions: int = 500
    most: int = 20_000
    minimum: int = 8
    text: str = ""
    output: str = ""
    yes: str = "scored above the line"

    def __post_init__(self) -> None:
        if self.margin <= 0 or self.questions < 1 or self.minimum < 2 or self.most < 1 or self.tolerance < 0:
            raise InvalidInput(
                "margin must be above 0, questions and most at least 1, minimum at least 2, tolerance at least 0"
            )
        self._check_texts()

    def _check_texts(self) -> None:
        if bool(self.templates) == bool(self.corpus):
            raise InvalidInput("there are no templates; write at least one under `templates`, or name a `corpus`")
        if self.corpus:
            if self.slots or self.reference or self.test == "MFT" or self.within:
                raise InvalidInput(
                    "a corpus has pairs of its own: slots, reference, within and the test MFT need templates"
                )
            return
        filling.check(self.templates, self.slots, compared=self.test != "MFT")
        self._check_reference(filling.groups_of(self.slots))
        if self.within and (self.test == "MFT" or not filling.several(self.slots, self.reference)):
            raise InvalidInput(f"within needs two terms of the group {self.reference!r} at least, and a test of groups")

    def _check_reference(self, groups: tuple[str, ...]) -> None:
        if self.test != "MFT" and self.reference not in groups:
            raise InvalidInput(
                f"reference is {self.reference!r}; one of the groups {', '.join(groups) or '(there are none)'} "
                "was expected"
            )

    @property
    def needs(self) -> frozenset[Signal]:
        """Scores, where scores are told."""
        scores = self.test == "DIR" or (self.test == "INV" and self.measure == "score")
        return frozenset({SCORE}) if scores else frozenset()

    def supplied(self, data: Path | None) -> Templates:
        """Return the recipe with its corpus read from the folder of data sets; itself where it names none.

        Raises
        ------
        InvalidInput
            If there is no such corpus, contrast or folder.
        """
        if not self.corpus:
            return self
        # a file of its own, which imports this one
        from kdaudit.probe.corpora import FromCorpus

        own = {f.name: getattr(self, f.name) for f in fields(self)}
        return FromCorpus(**own, pairs=load_corpus(self.corpus, self.contrast, data))

    @property
    def part(self) -> Literal["judge", "pool"]:
        """The pool, whose other fields the texts borrow."""
        return "pool"

    def price(self, samples: Samples) -> int:
        """Return the most teacher rows."""
        self._field(samples)
        return min(self.questions, self._count())

    def examine(self, cast: Cast, samples: Samples, ask: Ask, rng: np.random.Generator) -> Evidence:
        """Answer the question for one proxy; see `kdaudit.question.Question`.

        Raises
        ------
        InvalidInput
            If the domain has no field of texts, or several and `text` names none of them.
        """
        seed = int(rng.integers(2**62))
        cells = self._cells(seed)
        words, sides = self._words(cells), cells.texts.shape[1]
        quantities = self._quantities(cells.groups, values=cast.teacher.scale == "value")
        level = bonferroni(0.95, max(len(quantities), 1))
        reading = Reading("score" if SCORE in self.needs else "selection_rate", self.output)
        refused = cast.teacher.identity.by == "id"
        share = _even(cells, 0 if refused else self.questions // sides, seed)
        chosen = cells.first(share)
        trial = Trial(cells, self._written(cells, samples, seed), chosen, (cast, ask, reading), self._terms(level))
        rows: list[Row] = []
        claims: list[Claim] = []
        worth: dict[str, Any] = {}
        inside = self._inside(cells.groups)
        for one in quantities:
            found = trial.find(one, words.ignorant(one.measure), inside if one.measure == TURN else None)
            rows += self._rows(found, words.heading(one, found.figures, self.margin), cast)
            worth[f"{one.measure}, {one.group}"] = found.worth
            claims.append(words.claim(one, found.figures.teacher, (self.margin, self.minimum)))
        context = self._context(trial, level) | {"contrasts": worth} | self._further()
        more = ["What would narrow these intervals is more templates; more texts of the same ones do little."]
        context["sentences"] += [*context["notes"], *self._caution(cells), *(more if self.unit == "template" else [])]
        if refused:
            context["sentence"] = f"{cast.teacher.identity.name} is a record of answers; it cannot answer new texts"
        return Evidence(
            question="",
            title=words.title,
            rows=tuple(rows),
            claims=tuple(claims),
            context=context,
            shows="transfer",
            proxy_name=cast.proxy_name,
        )

    def _count(self) -> int:
        """Return how many texts are written at most."""
        self._check_supplied()
        sizes = filling.sizes_of(self.templates, self.slots)
        return min(self.most, int(sizes.sum()) * self._sides)

    @property
    def _sides(self) -> int:
        return len(self._groups) or 1

    @property
    def _groups(self) -> tuple[str, ...]:
        groups = filling.groups_of(self.slots)
        more = (filling.another(self.reference),) if self.within else ()
        return (*(g for g in groups if g != self.reference), *more, *(g for g in groups if g == self.reference))

    def _check_supplied(self) -> None:
        if self.corpus:
            raise InvalidInput(f"corpus {self.corpus!r} was not read; set KDAUDIT_DATA to the folder of data sets")

    def _cells(self, seed: int) -> Cells:
        self._check_supplied()
        sizes = filling.sizes_of(self.templates, self.slots)
        share = allocation(sizes, max(self.most // self._sides, 1))
        slots = filling.exchanged(self.slots, self.reference) if self.within else self.slots
        return filling.expand(self.templates, slots, self._groups, share, seed)

    def _digest(self) -> str:
        return of_data(recipe_data(self))

    def _further(self) -> dict[str, Any]:
        """Return what a reader must know of the texts beside what the recipe says."""
        return {"population": "texts written from templates", "notes": []}

    def _caution(self, cells: Cells) -> list[str]:
        told = f"{len(cells.names)} templates are few: what holds of them may not hold of texts written otherwise."
        beside = f"Beside the share of decisions that turn stands how many other terms of {self.reference} turn."
        return [told] * (len(cells.names) < ENOUGH and self.unit == "template") + [beside] * self.within

    def _field(self, samples: Samples) -> str:
        names = [f.name for f in samples.domain.fields if isinstance(f, Text)]
        if self.text in names or (not self.text and len(names) == 1):
            return self.text or names[0]
        if not names:
            raise InvalidInput("templates are written into texts, and the domain has no field of texts")
        told = f"text is {self.text!r}" if self.text else "`text` does not say which field is written"
        raise InvalidInput(f"{told}; a field of texts was expected: texts are {', '.join(names)}")

    def _written(self, cells: Cells, samples: Samples, seed: int) -> Samples:
        """Return all texts as rows, one side after another; other fields are those of rows of the pool."""
        name, n = self._field(samples), len(cells)
        if not len(samples):
            raise InvalidInput("the pool is empty; texts borrow their other fields from its rows")
        carriers = samples.take(np.random.Generator(np.random.PCG64(seed)).integers(len(samples), size=n))
        origin = Origin("texts written from templates", "templates", self._digest())
        sides = []
        for at, group in enumerate(cells.groups):
            columns = {**carriers.columns, name: cells.texts[:, at]}
            ids = np.array([f"template {t + 1}, text {i + 1} {group}".strip() for i, t in enumerate(cells.template)])
            sides.append(Samples(samples.domain, columns, ids, origin))
        return concat(sides)

    def _terms(self, level: float) -> Terms:
        return Terms(self.unit, level, self.minimum)

    def _words(self, cells: Cells) -> Words:
        return Words(self.test, self.measure, self.yes, self.expect, self.direction, self.unit, cells)

    def _quantities(self, groups: tuple[str, ...], *, values: bool) -> list[Quantity]:
        if self.test == "MFT":
            wanted = 1.0 if self.expect == "yes" else 0.0
            return [_failure(wanted)]
        last = len(groups) - 1
        out = []
        for at in range(last - self.within):
            name = f"{groups[at]} - {groups[last]}"
            if self.test == "DIR":
                out.append(_wrong_way(name, (at, last), 1.0 if self.direction == "up" else -1.0, self.tolerance))
                continue
            span = (-math.inf, math.inf) if values and self.measure == "score" else (-1.0, 1.0)
            out.append(_shift(name, (at, last), self.measure, span))
            if not values:
                out.append(_turn(name, (at, last)))
        return out

    def _inside(self, groups: tuple[str, ...]) -> Quantity | None:
        """Return how often decisions turn by another term of the reference group."""
        last = len(groups) - 1
        return _turn("", (last - 1, last)) if self.within else None

    def _rows(self, found: Found, heading: Heading, cast: Cast) -> list[Row]:
        teacher, proxy, gap = three_rows(found.figures, heading, cast)
        if found.difference is None:
            return [teacher, proxy, gap]
        # both are told of templates like these, so that their difference has its own spread
        other = found.strangers if found.strangers is not None and found.strangers.known else None
        count = found.figures.proxy_control.strangers
        return [teacher, proxy, _difference(gap, found, Control(other, cast.control_kind, strangers=count))]

    def _context(self, trial: Trial, level: float) -> dict[str, Any]:
        cells = trial.cells
        count = f"{len(cells):,} fillings of {len(cells.names):,} templates were written"
        asked = f"the teacher answered {len(trial.chosen):,} of them, as many of each template"
        unit = "the template is the unit" if self.unit == "template" else "claims are about these texts alone"
        return {
            "pool": len(cells),
            "templates": len(cells.names),
            "beyond_rows": self.unit == "template",
            "rows_asked": trial.asked,
            "failed": trial.failed,
            "margin": self.margin,
            "method": f"{unit}; {count}, {asked}; covariate: what the proxy says of the same texts; all claims hold "
            f"together (Bonferroni, each at {level:.2%})",
            "sentences": _examples(cells),
        }


def _difference(row: Row, found: Found, control: Control) -> Row:
    assert found.difference is not None
    if control.interval is None:
        return replace(row, value=found.difference)
    return replace(
        row,
        value=found.difference,
        control=control.interval,
        control_kind=control.kind,
        strangers=control.strangers,
        no_control="",
    )


def _examples(cells: Cells) -> list[str]:
    """Return a filling of the first template, as an example."""
    return [f"Such as: {' / '.join(cells.texts[0])}"] if len(cells) else []


def _even(cells: Cells, n: int, seed: int) -> NDArray[np.int64]:
    """Return how many fillings of each template are asked; where templates are more than `n`, chance says of which."""
    if n >= len(cells.names):
        return allocation(cells.sizes, n)
    share = np.zeros(len(cells.names), dtype=np.int64)
    share[np.random.Generator(np.random.PCG64(seed + 1)).permutation(len(share))[:n]] = 1
    return share


def _shift(name: str, pair: tuple[int, int], measure: str, span: Span) -> Quantity:
    def change(values: Values) -> Values:
        out: Values = values[:, pair[0]] - values[:, pair[1]]
        return out

    return Quantity(
        SHIFT,
        name,
        lambda said: change(said.scores if measure == "score" else said.decisions),
        lambda said: change(said.scores),
        span,
    )


def _turn(name: str, pair: tuple[int, int]) -> Quantity:
    def apart(values: Values) -> Values:
        out: Values = np.abs(values[:, pair[0]] - values[:, pair[1]])
        return out

    return Quantity(TURN, name, lambda said: apart(said.decisions), lambda said: apart(said.scores), (0.0, 1.0))


def _wrong_way(name: str, pair: tuple[int, int], sign: float, tolerance: float) -> Quantity:
    def back(said: Said) -> Values:
        out: Values = sign * (said.scores[:, pair[1]] - said.scores[:, pair[0]])
        return out

    def wrong(said: Said) -> Values:
        moved = back(said)
        out: Values = np.where(np.isnan(moved), np.nan, (moved > tolerance).astype(np.float64))
        return out

    return Quantity(WRONG, name, wrong, back, (0.0, 1.0))


def _failure(wanted: float) -> Quantity:
    def failed(said: Said) -> Values:
        out: Values = np.abs(said.decisions[:, 0] - wanted)
        return out

    return Quantity(FAILURE, "all", failed, lambda said: np.abs(said.scores[:, 0] - wanted), (0.0, 1.0))
