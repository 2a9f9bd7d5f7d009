"""What a test with templates claims and finds, in words for people."""

from __future__ import annotations

from dataclasses import dataclass, field

from kdaudit.finding import Claim, Form
from kdaudit.interval import Interval
from kdaudit.probe.figures import Figures, Heading, scale
from kdaudit.probe.fillings import Quantity
from kdaudit.probe.sentences import amount, capital, listed, size
from kdaudit.sampling.templates import Cells, another


@dataclass(frozen=True)
class Words:
    """Words of one test.

    Parameters
    ----------
    test, measure, yes, expect, direction, unit : str
        As in `kdaudit.probe.templates.Templates`.
    cells : Cells
    """

    test: str
    measure: str
    yes: str
    expect: str
    direction: str
    unit: str
    cells: Cells = field(repr=False)

    @property
    def title(self) -> str:
        """The question in words."""
        *others, reference = (group for group in self.cells.groups if group != another(self.cells.groups[-1]))
        if self.test == "MFT":
            return f"Are texts that should{'' if self.expect == 'yes' else ' not'} be {self.yes} decided so?"
        who = listed(others) if len(others) <= 3 else f"{len(others)} groups"
        if self.test == "DIR":
            return f"Does the score go {self.direction} with {who} instead of {reference}?"
        return f"Are texts answered alike with {who} instead of {reference}?"

    def ignorant(self, measure: str) -> str:
        """Return why the teacher's own value has no control."""
        if measure == "template_failure_rate":
            return "a test with a known right answer needs none: 0 is what was expected"
        return "a teacher that ignores what differs scores exactly 0"

    def heading(self, one: Quantity, figures: Figures, margin: float) -> Heading:
        """Return how rows of a quantity are called."""
        title = {
            "template_shift": "mean change of the score" if self._scored else f"change of how many are {self.yes}",
            "template_turn_rate": "share of texts of which the decision turns",
            "template_wrong_way_rate": f"share of texts of which the score goes against {self.direction}",
            "template_failure_rate": "share of texts decided wrongly",
        }[one.measure]
        told = capital(title if one.group == "all" else f"{title}, {self._pair(one)}")
        if one.measure != "template_shift":
            return Heading(one.measure, one.group, told, "percent")
        end = scale([figures.teacher, figures.proxy], margin)
        return Heading(one.measure, one.group, told, self._unit(one), -end, end)

    def claim(self, one: Quantity, found: Interval, limits: tuple[float, int]) -> Claim:
        """Return the claim about a quantity; `limits`: margin, and fewest units."""
        margin, minimum = limits
        form: Form = "within" if one.measure == "template_shift" else "at most"
        return Claim(
            text=capital(f"{self._claimed(one, margin)}{self._where}"),
            measure=one.measure,
            group=one.group,
            form=form,
            margin=margin,
            about="teacher",
            found=f"{capital(self._told(one, found))}{self._where}.",
            minimum=minimum,
        )

    @property
    def _scored(self) -> bool:
        return self.measure == "score"

    @property
    def _where(self) -> str:
        return ", in templates like these" if self.unit == "template" else ", in these texts"

    def _unit(self, one: Quantity) -> str:
        return "points" if one.span == (-1.0, 1.0) else ""

    def _pair(self, one: Quantity) -> str:
        other, _, reference = one.group.partition(" - ")
        return f"{other} instead of {reference}"

    def _claimed(self, one: Quantity, margin: float) -> str:
        pair, share, shift = self._pair(one), amount(margin, "percent"), amount(margin, self._unit(one))
        match one.measure:
            case "template_shift" if self._scored:
                return f"texts with {pair} get the same score on average, within {shift}"
            case "template_shift":
                return f"texts with {pair} are {self.yes} equally often, within {shift}"
            case "template_turn_rate":
                return f"{pair} turns the decision of at most {share} of texts"
            case "template_wrong_way_rate":
                return f"with {pair} the score goes against {self.direction} in at most {share} of texts"
            case _:
                return f"at most {share} of texts that should{self._not} be {self.yes} are decided otherwise"

    @property
    def _not(self) -> str:
        return "" if self.expect == "yes" else " not"

    def _told(self, one: Quantity, found: Interval) -> str:
        pair, share = self._pair(one), found.text("percent")
        shift, below = size(found, self._unit(one))
        match one.measure:
            case "template_shift" if self._scored:
                return f"texts with {pair} get a score {shift} {'lower' if below else 'higher'} on average"
            case "template_shift":
                return f"texts with {pair} are {self.yes} {shift} {'less' if below else 'more'} often"
            case "template_turn_rate":
                return f"{pair} turns the decision of {share} of texts"
            case "template_wrong_way_rate":
                return f"with {pair} the score goes against {self.direction} in {share} of texts"
            case _:
                return f"{share} of texts that should{self._not} be {self.yes} are decided otherwise"
