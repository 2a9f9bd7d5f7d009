"""Which decisions of the teacher turn by small changes that were made on the proxy?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Cast, Empty
from kdaudit.errors import InvalidInput
from kdaudit.evidence import Evidence, Row
from kdaudit.finding import Claim
from kdaudit.interval import Interval, unknown
from kdaudit.probe.changes import FAILED, SHORT, WORDS, Effort, Labels, Method, changed, cosines, decided, has_slope
from kdaudit.probe.figures import by_row
from kdaudit.probe.pools import OfPool
from kdaudit.probe.rewording import has_words
from kdaudit.probe.sentences import amount, capital
from kdaudit.samples import Samples, concat
from kdaudit.sampling.attacks import Reach, by_chance
from kdaudit.statistics.choice import queue
from kdaudit.statistics.gaps import paired
from kdaudit.statistics.rates import mean
from kdaudit.subject import Ask, Subject

STREAM = "probe/attacks/rows"
MADE, GAIN, CHANCE, OWN = "attack_success_rate", "attack_gain_over_chance", "random_change_rate", "own_attack_rate"
COSINE = "gradient_cosine"
FIXED_SIDES = 4
"""Rows that the teacher answers for each row of the data beside those of strangers: as it was, changed on the proxy, by
chance, and on the teacher itself."""
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Attack(OfPool):
    """Whether small changes, made on the proxy so that its decision turns, turn the teacher's.

    The same rows are changed on proxies of strangers, by chance as far, and, where the teacher is a network that is
    open, on the teacher itself.  Rows count that all of them decide alike before the change.

    Parameters
    ----------
    method : {"pgd", "fgsm", "hotflip", "search"}
        Along the proxy's gradients, in many steps or one; words are exchanged by the gradient of their vectors.
        Whoever has no gradient searches.
    size : float
        Largest change of a number, in standard deviations; of a pixel, in [0, 1].
    swaps : int
        Categories, and words of a text, that are exchanged at most.
    fields : tuple of str
        Fields that may be changed; all that are not immutable if empty.
    steps, brood : int
        Steps, or rounds of a search; changes tried in each round.
    strangers : int
        Strangers' proxies at most whose changes are tried too.
    margin : float
        Largest share of turned decisions that is accepted.
    questions : int
        Most teacher rows: a row of the data takes four, and one more for each stranger.
    minimum : int
        Rows below which the answer stays undecided.
    """

    each: ClassVar[bool] = True
    method: Method = "pgd"
    size: float = 0.1
    swaps: int = 1
    fields: tuple[str, ...] = ()
    steps: int = 10
    brood: int = 20
    strangers: int = 3
    margin: float = 0.1
    questions: int = 1_400
    minimum: int = 30

    def __post_init__(self) -> None:
        if not 0 < self.margin < 1 or self.size < 0 or min(self.swaps, self.strangers) < 0:
            raise InvalidInput("margin lies between 0 and 1; size, swaps and strangers are at least 0")
        if min(self.steps, self.brood) < 1 or self.minimum < 2 or self.size + self.swaps <= 0:
            raise InvalidInput("steps and brood are at least 1, minimum 2, and size or swaps above 0")
        if self.questions < self.sides:
            raise InvalidInput(f"questions is {self.questions}; a single row takes {self.sides}")

    @property
    def sides(self) -> int:
        """Teacher rows that a row of the data takes."""
        return FIXED_SIDES + self.strangers

    def price(self, samples: Samples) -> int:
        """Return the most teacher rows, for one proxy."""
        return min(self.questions // self.sides, len(samples)) * self.sides

    def examine(self, cast: Cast, samples: Samples, ask: Ask, rng: np.random.Generator) -> Evidence:
        """Answer the question for one proxy; see `kdaudit.question.Question`.

        Raises
        ------
        InvalidInput
            If no field may be changed.
        """
        order = queue(samples, rng, STREAM)
        trial = _Trial(self, cast, samples, order, ask, int(rng.integers(2**62)))
        rows = trial.rows()
        return Evidence(
            question="",
            title=f"Do small changes made on the {cast.proxy_name} turn the teacher's decisions?",
            rows=rows,
            claims=(self._claim(cast, trial, rows[0].value),),
            context=trial.context(rows),
            shows="transfer",
            proxy_name=cast.proxy_name,
        )

    def _claim(self, cast: Cast, trial: _Trial, found: Interval) -> Claim:
        what = f"changes made on the {cast.proxy_name} ({self.reach_words(trial.pool)})"
        return Claim(
            text=capital(f"{what} turn at most {amount(self.margin, 'percent')} of the teacher's decisions"),
            measure=MADE,
            group=trial.group,
            form="at most",
            margin=self.margin,
            about="teacher",
            found=capital(f"{what} turn {found.text('percent')} of the teacher's decisions."),
            minimum=self.minimum,
        )

    def reach_words(self, samples: Samples) -> str:
        """Return how far a row is changed at most, in words."""
        kinds = {item.kind for item in samples.domain.fields if not self.fields or item.name in self.fields}
        parts = [f"pixels by {self.size:g}"] if "image" in kinds else []
        parts += [f"numbers by {self.size:g} standard deviations"] if "real" in kinds else []
        swapped = " or ".join(word for kind, word in (("category", "level"), ("text", "word")) if kind in kinds)
        if swapped and self.swaps:
            parts.append(f"{self.swaps} {swapped}{'s' if self.swaps > 1 else ''}")
        return ", ".join(parts)


class _Trial:
    """Rows changed by everybody, and what the teacher decides of them, asked all at once."""

    def __init__(
        self, recipe: Attack, cast: Cast, pool: Samples, order: NDArray[np.uint64], ask: Ask, seed: int
    ) -> None:
        self.recipe, self.cast, self.pool, self._ask = recipe, cast, pool, ask
        self.effort = Effort(recipe.method, recipe.steps, recipe.brood)
        self.seed, self.reach = seed, Reach.over(pool, recipe.size, recipe.swaps, recipe.fields)
        self.strangers = () if cast.control_kind == "swapped_teacher" else _strangers(cast)[: recipe.strangers]
        self.reason = _closed(cast.teacher)
        own = decided(ask, cast.proxy, pool)
        alike = own != FAILED
        for one in self.strangers:
            alike &= decided(ask, one, pool) == own
        candidates = np.flatnonzero(alike)
        first = candidates[np.argsort(order[candidates], kind="stable")]
        chosen = np.sort(first[: 0 if self.reason else recipe.questions // recipe.sides])
        self.dropped, self.candidates = len(pool) - len(candidates), len(candidates)
        self.own, self.first = own[chosen], pool.take(chosen)
        self.asked, self.on_itself = 0, np.empty(0)
        self.turned, self.cosines = dict[str, Values](), dict[str, Values]()
        self.kept = np.zeros(len(chosen), dtype=bool)
        if len(chosen):
            self._try()

    def _try(self) -> None:
        cast, n = self.cast, len(self.first)
        makers: dict[str, Subject] = {"proxy": cast.proxy}
        makers |= {f"stranger {i}": one for i, one in enumerate(self.strangers)}
        slope = has_slope(cast.teacher, self.first)
        if slope or has_words(cast.teacher, self.first):
            makers["teacher"] = cast.teacher
        made = {name: self._changed(one) for name, one in makers.items()}
        made["chance"] = by_chance(self.first, made["proxy"], self.reach, np.random.default_rng(self.seed + 1))
        every = concat([self.first, *made.values()])
        told = decided(self._ask, cast.teacher, every).reshape(len(made) + 1, n)
        self.asked = len(np.unique(every.keys()))
        # a row on which the teacher differs from the proxy before the change says nothing of the change
        self.kept = told[0] == self.own
        self.turned = {name: _turned(row, self.own)[self.kept] for name, row in zip(made, told[1:], strict=True)}
        itself = decided(self._ask, cast.proxy, concat([made["proxy"], made["chance"]])).reshape(2, n)
        self.on_itself = np.stack([_turned(row, self.own)[self.kept] for row in itself])
        names = [name for name in makers if name != "teacher" and slope and has_slope(makers[name], every)]
        kept, own = self.first.take(self.kept), self.own[self.kept]
        self.cosines = {name: cosines(cast.teacher, makers[name], kept, own) for name in names} if len(kept) else {}

    def _changed(self, who: Subject) -> Samples:
        effort = self.effort
        if who is self.cast.teacher and effort.method == "search":
            # a search would ask the teacher about each change that it tries; its gradients ask nothing
            effort = replace(effort, method="pgd")
        return changed(who, self.first, self.own, self._ask, self.reach, effort, self.seed)

    @property
    def group(self) -> str:
        """What the rows of evidence are about: who made the changes, and how."""
        how = self.effort.of(self.cast.proxy, self.pool)
        return f"made on {self.cast.proxy_name} by {SHORT[how]}"

    @property
    def left(self) -> int:
        """Rows of the pool, at most, that the claim is about: those that all decide alike."""
        return self.candidates - int((~self.kept).sum())

    def rows(self) -> tuple[Row, ...]:
        """Return the rows of evidence, the claim's first."""
        group, title = self.group, f"Decisions of the teacher that turn by changes made on {self.cast.proxy_name}"
        nothing = unknown(self.reason or f"{int(self.kept.sum())} rows that all decide alike", int(self.kept.sum()))
        no_control = "changes by chance stand in a row of their own"
        no_ceiling = "the teacher gives no gradients, so that no change was made on itself"
        if "teacher" in self.turned:
            no_ceiling = "what changes made on the teacher itself do stands in a row of its own"
        blank = Row(
            MADE, group, "teacher", nothing, "percent", self.asked, no_control=self._no_stranger, no_ceiling=no_ceiling,
            title=title,
        )  # fmt: skip
        proxy = replace(blank, of="proxy", asked=0, no_control=no_control, title=f"{blank.title} (proxy: its own)")
        gap = replace(blank, of="teacher-proxy", unit="points", low_end=-1.0, no_control=no_control)
        if not self.turned or self.kept.sum() < 2:
            return blank, proxy, gap
        ours, itself, chance = self.turned["proxy"], self.on_itself, self.turned["chance"]
        out = [
            replace(
                blank, value=self._mean(ours), population=mean(ours, span=(0, 1)),
                **self._control(self.turned, (0, 1), self._no_stranger),
            ),
            replace(proxy, value=self._mean(itself[0])),
            replace(gap, value=paired(ours, itself[0], pool=self.left)),
            replace(
                blank, measure=CHANCE, value=self._mean(chance), no_control="these changes are what others are beside",
                title="Decisions of the teacher that turn by changes by chance, as far",
            ),
            replace(
                gap, measure=GAIN, of="teacher", value=paired(ours, chance, pool=self.left),
                no_control="it is a distance from changes by chance already",
                title=f"How many more turn by changes made on {self.cast.proxy_name} than by chance",
            ),
        ]  # fmt: skip
        return (*out, *self._open(blank, proxy))

    def _open(self, blank: Row, proxy: Row) -> list[Row]:
        """Return the rows that only an open teacher has: changes made on itself, and how gradients point."""
        out: list[Row] = []
        if "teacher" in self.turned:
            title = "Decisions of the teacher that turn by changes made on the teacher itself"
            out.append(replace(
                blank, measure=OWN, value=self._mean(self.turned["teacher"]), title=title, no_control=proxy.no_control,
                no_ceiling="no change is nearer to the teacher than its own",
            ))  # fmt: skip
        if "proxy" in self.cosines:
            found = self.cosines["proxy"]
            title = "How far the proxy's gradients point where the teacher's do (cosine)"
            out.append(replace(
                proxy, measure=COSINE, value=mean(found, span=(-1, 1)), unit="", title=title, low_end=-1.0,
                no_ceiling="the teacher's own gradients have the cosine 1",
                **self._control(self.cosines, (-1, 1), self._no_stranger),
            ))  # fmt: skip
        return out

    def _mean(self, values: Values) -> Interval:
        return mean(values, pool=self.left, span=(0.0, 1.0))

    @property
    def _no_stranger(self) -> str:
        if isinstance(self.cast.stranger, Empty):
            return self.cast.stranger.reason
        if not self.strangers:
            return "no proxy of the same recipe was made from a stranger, or none was to be tried"
        return "too few rows are decided alike to compare changes"

    def _control(self, of: Mapping[str, Values], span: tuple[float, float], none: str) -> dict[str, Any]:
        """Return what strangers' proxies score, and the proxy minus that, row by row."""
        ours, theirs = of["proxy"], [v for name, v in of.items() if name.startswith("stranger")]
        found = by_row(ours, theirs, span, self.cast.control_kind, none)
        if found.interval is None:
            return {"no_control": found.reason}
        told = {"control": found.interval, "excess": found.excess, "control_kind": found.kind}
        return {**told, "strangers": found.strangers, "no_control": ""}

    def context(self, rows: tuple[Row, ...]) -> dict[str, Any]:
        """Return what a reader should know beside the rows."""
        who = {"proxy": self.cast.proxy, **{f"stranger {i}": one for i, one in enumerate(self.strangers)}}
        how = {name: WORDS[self.effort.of(one, self.pool)] for name, one in who.items()}
        return {
            "population": self.pool.origin.name,
            "pool": len(self.pool),
            "about_rows": self.left,
            "left_out": self.dropped,
            "rows_asked": self.asked,
            "rows_changed": len(self.first),
            "rows_kept": int(self.kept.sum()),
            "margin": self.recipe.margin,
            "method": f"{how['proxy']}; {self.recipe.reach_words(self.pool)}",
            "makers": how,
            "sentences": self._sentences(rows),
        }

    def _sentences(self, rows: tuple[Row, ...]) -> list[str]:
        found = {row.measure: row for row in rows if row.of == "teacher"}
        first = found[MADE]
        told = [
            f"Counted are {int(self.kept.sum()):,} rows that teacher, proxy and the proxies of {len(self.strangers)} "
            "strangers decide alike before any change."
        ]
        if first.excess is not None and first.excess.known:
            worth = "only that much was learned from this teacher"
            if first.excess.low <= 0:
                worth = "strangers' luck may explain all of it, so that it may be no knowledge of this teacher"
            told.append(
                f"Changes made on the proxy turn {first.excess.text('points', signed=True)} more of the teacher's "
                f"decisions than changes made on strangers' proxies: {worth}."
            )
        if GAIN in found:
            told.append(
                f"They turn {found[GAIN].value.text('points', signed=True)} more than changes by chance, as far."
            )
        if OWN in found:
            told.append(f"Changes made on the teacher itself turn {found[OWN].value.text('percent')} of its decisions.")
        return told


def _turned(told: Labels, own: Labels) -> Values:
    return np.where(told == FAILED, np.nan, (told != own).astype(np.float64))


def _strangers(cast: Cast) -> tuple[Subject, ...]:
    return () if isinstance(cast.stranger, Empty) else (cast.stranger, *cast.further)


def _closed(teacher: Subject) -> str:
    if teacher.identity.by == "id":
        return f"{teacher.identity.name} is a record of answers; it cannot answer a row that was changed"
    return ""
