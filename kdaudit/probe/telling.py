"""What a comparison of groups claims, and how its numbers are called, in words for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kdaudit.finding import Claim
from kdaudit.interval import Interval
from kdaudit.measures.strata import Strata
from kdaudit.probe.figures import Figures, Heading, scale
from kdaudit.probe.quantities import Quantity
from kdaudit.probe.sentences import (
    capital,
    equally_high,
    equally_often,
    how_high,
    how_often,
    how_proportioned,
    in_proportion,
    listed,
)

MOST_NAMED = 3
"""Groups that a title names; of more it gives the number."""


@dataclass(frozen=True)
class Telling:
    """Words of one comparison.

    Parameters
    ----------
    measure : str
    quantity : Quantity
    strata : Strata
    names : mapping of str to str
        Groups in words.
    yes, outcome : str
        What a yes, and a recorded outcome of 1, mean.
    margin : float
    minimum : int
    unit : str
        Of means that are no rates.
    given : str
        The legitimate factor in which groups are made alike; empty for none.
    """

    measure: str
    quantity: Quantity
    strata: Strata
    names: Mapping[str, str]
    yes: str
    outcome: str
    margin: float
    minimum: int
    unit: str
    given: str = ""

    @property
    def ratio(self) -> bool:
        """Whether groups are compared by their ratio."""
        return self.measure == "impact_ratio"

    @property
    def decides(self) -> bool:
        """Whether values are rates."""
        return bool(self.quantity.yes)

    @property
    def compared(self) -> str:
        """Name of the measure of a contrast."""
        return self.measure if self.ratio else f"{self.measure}_difference"

    @property
    def alone(self) -> str:
        """Name of the measure of a group by itself."""
        return "selection_rate" if self.ratio else self.measure

    @property
    def said(self) -> str:
        """What happens to a row, in words."""
        told = self.quantity.yes.replace("{yes}", self.yes)
        return f"{told} {self.outcome}" if self.quantity.share else told

    def who(self, level: str) -> str:
        """Return a group in words, with the outcome that its rows share."""
        plain = self.names.get(level, self.strata.words(level))
        if self.quantity.share:
            return f"{plain} {self.yes}"
        if self.quantity.among is None:
            return plain
        return f"{plain} whose outcome is {'' if self.quantity.among else 'not '}{self.outcome}"

    def group(self, level: str) -> Heading:
        """Return the heading of one group."""
        what = f"how often {self.said}" if self.decides else f"mean {self.quantity.noun}"
        title = f"{self.who(level)}: {what}"
        return Heading(self.alone, self.strata.group(level), title, "percent" if self.decides else "")

    def contrast(self, other: str, reference: str, figures: Figures) -> Heading:
        """Return the heading of a contrast."""
        pair = f"{self.who(other)} against {self.who(reference)}"
        name = self.strata.contrast(other, reference)
        if self.ratio:
            ends = [x.high for x in (figures.teacher, figures.proxy) if x.known]
            return Heading(
                self.compared, name, f"{pair}: how many times as often {self.said}", "", 0.0, max([1, *ends])
            )
        end = scale([figures.teacher, figures.proxy], self.margin)
        what = f"how much more often {self.said}" if self.decides else f"how much higher the mean {self.quantity.noun}"
        return Heading(self.compared, name, f"{pair}: {what}{self._alike}", self.unit, -end, end)

    @property
    def _alike(self) -> str:
        return f", {self.given.replace('_', ' ')} being alike" if self.given else ""

    def claim(self, other: str, reference: str, found: Interval) -> Claim:
        """Return the claim about a contrast, with the sentence for what was found."""
        who, whom = self.who(other), self.who(reference)
        if self.ratio:
            text, told = in_proportion(who, whom, self.said, self.margin), how_proportioned(who, whom, self.said, found)
        elif self.decides:
            text, told = equally_often(who, whom, self.said, self.margin), how_often(who, whom, self.said, found)
        else:
            noun = self.quantity.noun
            text = equally_high(who, whom, self.margin, self.unit, noun)
            told = how_high(who, whom, found, self.unit, noun)
        return Claim(
            text=capital(text) + self._alike,
            measure=self.compared,
            group=self.strata.contrast(other, reference),
            form="at least" if self.ratio else "within",
            margin=self.margin,
            about="teacher",
            found=told.removesuffix(".") + f"{self._alike}.",
            minimum=self.minimum,
        )

    def title(self, reference: str, others: tuple[str, ...], field: str) -> str:
        """Return the question in words."""
        compared = [self.who(level) for level in others]
        who = listed(compared) if len(compared) <= MOST_NAMED else f"{len(compared)} groups of {field}"
        alike = f"{self.said} as often as" if self.decides else f"given the same {self.quantity.noun} as"
        return f"Are {who} {alike} {self.who(reference)}?"
