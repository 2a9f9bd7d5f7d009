"""Whether the proxy has the teacher's reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Cast, Empty
from kdaudit.compare import telling
from kdaudit.compare.crossing import Crossed, crossed, crossed_row
from kdaudit.compare.overall import overall
from kdaudit.compare.random_teachers import ASKING, beside_random
from kdaudit.compare.random_teachers import DRAWS as RANDOM
from kdaudit.compare.seats import (
    Explained,
    Method,
    Task,
    chosen_method,
    exchanged,
    is_network,
    is_open,
    predicted,
    rules_of,
    seats_of,
    some_rows,
    values_of,
)
from kdaudit.compare.sights import sights
from kdaudit.compare.voices import beside_seats
from kdaudit.compare.ways import explained
from kdaudit.errors import InvalidInput
from kdaudit.evidence import Evidence
from kdaudit.explain.attributions import Attributions
from kdaudit.explain.omissions import most_parts, only_text, words_in
from kdaudit.explain.shapley import fewest
from kdaudit.measure import Measure
from kdaudit.measures.ranks import LIKENESS, Likeness, among
from kdaudit.measures.reasons import FURTHER
from kdaudit.samples import Samples
from kdaudit.signal import LABEL, SCORE, Signal
from kdaudit.statistics.beside import Beside, evidence_rows
from kdaudit.statistics.choice import balanced, queue
from kdaudit.subject import Ask

STREAM = "compare/attribution/rows"
ENOUGH = 50
"""Rows not explained that make a background; with fewer all rows do."""
CROSSED = 100
"""Rows on which orders of units are tried on the teacher, where it is evaluated here."""
SANITY = 50
"""Rows on which a network with random weights is explained."""
STAGES = 4
"""Times that layers of the teacher are made random, see `kdaudit.explain.forgetting`."""

UNITS = {"interactions": "pairs of fields"}
"""What gets a share, where it is not a field."""
NAMES = {
    "gradient_input": "gradient times input",
    "gradient_shap": "gradient SHAP",
    "deeplift": "DeepLift",
    "grad_cam": "Grad-CAM",
    "shapley": "Shapley values",
    "interactions": "interactions of pairs",
}
"""Methods in words, where they are not their names."""


@dataclass(frozen=True)
class Attribution:
    """Whether teacher and proxy give the same reasons for the same rows, beside a stranger's proxy.

    Two models that learned one task give alike reasons without knowing of each other: what counts is the excess over
    the stranger.  All seats are explained on the same rows, output, baseline, coalitions and draws.

    Parameters
    ----------
    method : str
        Networks only: "integrated_gradients", "gradient", "gradient_input", "gradient_shap", "deeplift", "ablation";
        convolutions over pictures only: "grad_cam".
        Also for trees and rule lists, exactly: "shapley", and "interactions" of pairs of fields; a closed teacher is
        asked `questions` further rows for them.
        From answers alone, see `price`: "occlusion", and "permutation", which tells of all rows together.
        "auto" takes the first of the three kinds that all can give.
        Of texts words get the shares; "occlusion" leaves them out of the text itself, and so does "shapley" where not
        all are networks.
    rows : int
        Rows explained.
    nodes : int
        Of the path rule, even; doubled, up to eight times as many, where a row's gap asks for it.
    draws : int
        Background rows that lend values to each occlusion, and to Shapley values of a closed teacher; permutations of
        each field.
    margin : float
        By how much the rank correlation must exceed the control.
    evaluations : int
        Coalitions a row of Shapley values, and draws of gradient SHAP; interactions take more where they need them.
    background : int
        Background rows that lend values to Shapley values and to the crossed test.
    questions : int
        Mixed rows that a closed teacher may be asked for Shapley values.
    special : bool
        Of texts, by integrated gradients or ablation: whether special pieces, such as those at both ends of a text, and
        those of a prompt count as one more unit; else they stay where they are and have no share.
    """

    method: Method = "integrated_gradients"
    rows: int = 300
    nodes: int = 16
    draws: int = 4
    margin: float = 0.0
    evaluations: int = 128
    background: int = 16
    questions: int = 0
    special: bool = False

    def __post_init__(self) -> None:
        if self.rows < 2 or self.nodes < 2 or self.nodes % 2 or self.draws < 1 or self.margin < 0:
            raise InvalidInput(
                "rows must be at least 2, nodes even and at least 2, draws at least 1, and margin at least 0"
            )
        if self.evaluations < 4 or self.background < 1 or self.questions < 0:
            raise InvalidInput("evaluations must be at least 4, background at least 1, and questions at least 0")
        if self.special and self.method not in ("integrated_gradients", "ablation"):
            raise InvalidInput(
                f"special pieces have shares by integrated_gradients and ablation alone, not by {self.method}; leave "
                "`special` out, or take one of those"
            )

    @property
    def needs(self) -> frozenset[Signal]:
        """Nothing but answers: without gradients or scores the reasons stay unknown."""
        return frozenset()

    @property
    def part(self) -> Literal["judge", "pool"]:
        """The rows that no maker ever saw."""
        return "judge"

    def price(self, samples: Samples) -> int:
        """Return the rows explained, and the mixed rows: for occlusion one for each field and draw, or each word."""
        rows = min(self.rows, len(samples))
        if self.method in ("occlusion", "permutation", "auto"):
            if only_text(samples.domain):
                return rows + int(np.sort(words_in(samples))[len(samples) - rows :].sum())
            return rows * (1 + len(samples.domain.names) * self.draws)
        return rows + (self.questions if self.method in ("shapley", "interactions") else 0)

    def work(self, samples: Samples, seats: int) -> tuple[int, int]:
        """Return about how often each of `seats` networks is evaluated in place, and the teacher's beyond that.

        Of Shapley values and interactions alone, which take far longer than the rest.
        """
        if self.method not in ("shapley", "interactions"):
            return 0, 0
        rows, units = min(self.rows, len(samples)), most_parts(samples)
        # words are left out, where fields are lent by the background
        lent = 1 if any(field.kind == "text" for field in samples.domain.fields) else self.background
        coalitions = self.evaluations
        if self.method == "interactions":
            coalitions = max(coalitions, fewest(units))
        order = 0 if self.method in UNITS else 2 * (units + 1) * min(CROSSED, rows) * lent
        random = (RANDOM + STAGES) * min(SANITY, rows) * coalitions * lent
        return rows * coalitions * lent + 2 * order, (seats + 1) * order + random

    def examine(self, cast: Cast, samples: Samples, ask: Ask, rng: np.random.Generator) -> Evidence:
        """Answer the question for one proxy; see `kdaudit.question.Question`."""
        method = chosen_method(self.method, cast)
        task, told, apart = self._task(method, cast, samples, ask, rng)
        seats = explained(method, cast, task, ask)
        null = exchanged(told, rng)
        asked = self._asked(method, cast, seats, task)
        whole = method == "permutation"
        # what permutations tell of a single row is noise: they are compared over all rows alone
        items = [] if whole else [self._beside(one, cast, seats, null, asked) for one in (*LIKENESS, *FURTHER)]
        tried = self._crossed(method, cast, seats, task, ask, rng)
        rows = evidence_rows(items)
        if not isinstance(tried, Empty):
            rows = (*rows, crossed_row(tried, cast, len(np.unique(task.rows.keys()))))
        # the third word of one text has nothing in common with that of another
        over = [] if _of_texts(seats) else overall(cast, seats, np.random.default_rng([task.seed, 2]), asked=asked)
        rows = (*rows, *evidence_rows(over))
        if not whole:
            rows = (*rows, beside_random(method, cast, seats, task, ask))
        items = items or over
        context = telling.context(samples, task, seats, null, apart)
        context["nulls"] = {} if whole else telling.nulls(seats, null, told, items, rng)
        context["crossed"] = telling.crossing(tried)
        context["sanity"] = telling.sanity(method, cast, task, ask, SANITY)
        outputs = cast.teacher.outputs
        context["output"] = outputs[0] if len(outputs) == 1 else "the class that the teacher decides, row by row"
        context["unit"] = UNITS.get(method, _units(seats, samples))
        way = NAMES.get(method, method.replace("_", " "))
        context["sentences"] = list(telling.sentences(context, cast, items[0]))
        arrays, shown = sights(task, seats, outputs)
        return Evidence(
            question="",
            title=f"Does the {cast.proxy_name} have this teacher's reasons, by {way}?",
            rows=rows,
            claims=(telling.claim(cast, items[0], self.margin, units=context["unit"]),),
            context=context | shown,
            arrays=arrays | _shares(seats),
            shows="strip",
            proxy_name=cast.proxy_name,
        )

    def _task(
        self, method: Method, cast: Cast, samples: Samples, ask: Ask, rng: np.random.Generator
    ) -> tuple[Task, NDArray[np.int64], bool]:
        """Return what is explained, the teacher's decisions there, and whether the background lies apart."""
        parts, opened, text = most_parts(samples), is_open(cast.teacher), bool(only_text(samples.domain))
        draws = self.background if opened else 1 if text else self.draws
        rows, budget = self.rows, self.evaluations
        if method in ("shapley", "interactions") and not opened and self.questions:
            # as many rows as can have errors that cover: the regression needs two pairs a part
            least = fewest(parts) if method == "interactions" else 4 * parts + 2
            rows = max(2, min(rows, self.questions // (draws * least)))
            budget = min(max(budget, least), self.questions // (draws * rows))
        chosen = balanced(np.zeros(len(samples), dtype=np.int64), rows, queue(samples, rng, STREAM))
        signal = SCORE if SCORE in cast.teacher.offers else LABEL
        told = ask(cast.teacher, samples.take(chosen), frozenset({signal}))
        chosen, told = chosen[told.answered], told.take(np.flatnonzero(told.answered))
        rest = np.setdiff1d(np.arange(len(samples)), chosen)
        apart = len(rest) >= ENOUGH
        background = samples.take(rest if apart else np.arange(len(samples)))
        donors = rng.integers(0, max(len(background), 1), (len(chosen), self.draws))
        lent = rng.permutation(len(background))[:draws]
        everybody = [who for who in seats_of(cast).values() if not isinstance(who, Empty)]
        task = Task(
            samples.take(chosen),
            background,
            predicted(told, len(cast.teacher.outputs)),
            self.nodes,
            donors,
            background.take(lent),
            budget=budget,
            draws=max(self.evaluations // 2, 2),
            scale="logit" if all(is_open(who) and rules_of(who) is None for who in everybody) else "score",
            seed=int(rng.integers(2**62)),
            asks=method in ASKING or bool(self.questions),
            special=self.special,
            worded=text and not all(is_network(who) for who in everybody),
        )
        return task, told.label, apart

    def _crossed(
        self, method: Method, cast: Cast, seats: Explained, task: Task, ask: Ask, rng: np.random.Generator
    ) -> Crossed | Empty:
        if method in UNITS:
            return Empty("an order of pairs of fields is no order in which fields could be put in")
        if method == "permutation":
            return Empty("permutations give one order for all rows; orders are tried row by row")
        return crossed(cast, seats, some_rows(task, cast.teacher, CROSSED), ask, rng)

    def _asked(self, method: Method, cast: Cast, seats: Explained, task: Task) -> int:
        rows = len(np.unique(task.rows.keys()))
        if isinstance(seats["teacher"], Empty) or (method not in ASKING and is_open(cast.teacher)):
            return rows
        if method in ASKING and only_text(task.rows.domain):
            return rows + int(words_in(task.rows).sum())
        # at most: a lent value may be the row's own
        mixed = len(task.rows.domain.names) * self.draws if method in ASKING else task.budget * len(task.lent)
        return rows * (1 + mixed)

    def _beside(self, likeness: Likeness, cast: Cast, seats: Explained, null: NDArray[np.int64], asked: int) -> Beside:
        told, teacher = {name: values_of(seat) for name, seat in seats.items()}, seats["teacher"]
        alike = among(likeness.function, None if isinstance(teacher, Empty) else teacher.counts)
        return beside_seats(_measure(likeness), cast, told, alike, exchange=lambda seat: seat[null], asked=asked)


def _shares(seats: Explained) -> dict[str, NDArray[np.float32]]:
    return {
        name: seat.values.astype(np.float32)
        for name, seat in seats.items()
        if name in ("teacher", "proxy") and isinstance(seat, Attributions)
    }


def _of_texts(seats: Explained) -> bool:
    teacher = seats["teacher"]
    return not isinstance(teacher, Empty) and bool(teacher.words)


def _units(seats: Explained, samples: Samples) -> str:
    if _of_texts(seats):
        return "words"
    return "patches" if any(item.kind == "image" for item in samples.domain.fields) else "fields"


def _measure(likeness: Likeness) -> Measure:
    def function(*_: object) -> NDArray[np.float64]:
        raise InvalidInput(f"{likeness.name} compares attributions, not answers")

    return Measure(
        likeness.name, function, "", likeness.span, "high", likeness.definition, likeness.source, likeness.title
    )
