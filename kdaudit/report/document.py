"""A report as plain data: blocks of text, numbers and tables that know nothing of a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kdaudit.evidence import Row
from kdaudit.finding import Form, Transfer, Verdict
from kdaudit.interval import Interval
from kdaudit.report.exhibits import Sights


@dataclass(frozen=True)
class Heading:
    """A heading; `level` 2 opens a section, 3 a part of one."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """Running text; `quiet` for small print."""

    text: str
    quiet: bool = False


@dataclass(frozen=True)
class Bullets:
    """Sentences of equal rank."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """Short terms and what they are."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class VerdictBox:
    """The answer to the title.

    Parameters
    ----------
    verdict : Verdict
    answer : str
        One sentence to quote.
    sentences : tuple of str
        What else was found: counts, what a proxy hides, what it invents, what is undecided.
    limits : tuple of str
        Where the answer is valid, and what was not tested.
    facts : tuple of (str, str)
    """

    verdict: Verdict
    answer: str
    sentences: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Strip:
    """One row of evidence, drawn on the scale of its measure.

    Parameters
    ----------
    label, detail : str
        Whose value, and in which group.
    row : Row
    remark : str
        What the distance to the control says, where it says something in words.
    """

    label: str
    detail: str
    row: Row
    remark: str = ""


@dataclass(frozen=True)
class Strips:
    """One measure: its strips on one labelled scale.

    Parameters
    ----------
    title, definition : str
    unit : str
    scale : (float, float)
        Ends of the drawn scale.
    strips : tuple of Strip
    """

    title: str
    definition: str
    unit: str
    scale: tuple[float, float]
    strips: tuple[Strip, ...]


@dataclass(frozen=True)
class Key:
    """How a strip is read; a control in words."""

    control: str
    ceiling: str


@dataclass(frozen=True)
class Shown:
    """What one proxy shows of a contrast."""

    proxy_name: str
    value: Interval
    difference: Interval
    transfer: Transfer
    reason: str = ""


@dataclass(frozen=True)
class Contrast:
    """One claim about the teacher, and what each proxy shows of it.

    Parameters
    ----------
    label : str
        The group or the pair of groups.
    question, title : str
        ``section/name`` in the plan, and the question in words.
    claim, sentence, reason : str
        The claim, the finding in words, and why it is undecided.
    unit : str
    form, margin
        As in `kdaudit.finding.Claim`.
    teacher : Interval
    verdict : Verdict
    severity : str
    asked : int
        Teacher rows that it rests on.
    needed : int or None
        Teacher rows that would decide it.
    shown : tuple of Shown
        The lead proxy first.
    control, ceiling : Interval, optional
        Of the teacher's value.
    control_words, no_ceiling : str
        What the control is or why there is none; why there is no ceiling.
    saving : str
        What plain sampling would have needed.
    population : Interval, optional
        The teacher's value, widened to the population that the rows were drawn from.
    """

    label: str
    question: str
    title: str
    claim: str
    sentence: str
    reason: str
    measure: str
    unit: str
    form: Form
    margin: float
    teacher: Interval
    verdict: Verdict
    severity: str
    asked: int
    needed: int | None
    shown: tuple[Shown, ...]
    control: Interval | None = None
    ceiling: Interval | None = None
    control_words: str = ""
    no_ceiling: str = ""
    saving: str = ""
    population: Interval | None = None


@dataclass(frozen=True)
class TransferTable:
    """Contrasts with all their numbers."""

    contrasts: tuple[Contrast, ...]


@dataclass(frozen=True)
class TransferPlot:
    """The teacher's gap across, the proxy's gap up; `margin` cuts the plane into the words of transfer."""

    contrasts: tuple[Contrast, ...]
    unit: str
    margin: float
    sentences: tuple[tuple[Verdict, str], ...] = ()


@dataclass(frozen=True)
class BoundaryPlane:
    """Two boundaries over the plane of two fields, all else kept.

    Parameters
    ----------
    title : str
    across, up : (str, tuple of str)
        Name of the field, and its values as written along the axis.
    teacher, proxy : tuple of tuple of int
        Decisions, one inner tuple a value across; negative where there is none.
    proxy_name : str
    words : str
        What else is kept at, and how the picture is read.
    """

    title: str
    across: tuple[str, tuple[str, ...]]
    up: tuple[str, tuple[str, ...]]
    teacher: tuple[tuple[int, ...], ...]
    proxy: tuple[tuple[int, ...], ...]
    proxy_name: str
    words: str = ""


@dataclass(frozen=True)
class LayerMap:
    """One number for each layer of the teacher (rows) and of the proxy (columns); NaN where there is none.

    `low` and `high` hold the ends of each number's interval, shaped as `values`.
    """

    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    low: tuple[tuple[float, ...], ...]
    high: tuple[tuple[float, ...], ...]
    words: str = ""


@dataclass(frozen=True)
class ReasonChart:
    """How much each field counts, subject beside subject.

    Parameters
    ----------
    title : str
    units : tuple of str
        Fields, the teacher's weightiest first.
    subjects : tuple of str
        The teacher first.
    values, controls : tuple of tuple of Interval
        One inner tuple a subject, one interval a field; controls are None where there are none.
    unit : str
    words : str
        How the picture is read.
    """

    title: str
    units: tuple[str, ...]
    subjects: tuple[str, ...]
    values: tuple[tuple[Interval, ...], ...]
    controls: tuple[tuple[Interval | None, ...], ...]
    unit: str = ""
    words: str = ""


@dataclass(frozen=True)
class Table:
    """A table of texts; `numeric` names the columns that are set flush right."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Knot:
    """A size with the value reached there, and what a control reached."""

    size: float
    value: Interval
    control: Interval | None = None


@dataclass(frozen=True)
class Curve:
    """A measure against size, on a scale of powers.

    Parameters
    ----------
    across, measure : str
        What the axes hold.
    unit : str
        Of the measure.
    knots : tuple of Knot
        By rising size.
    law : tuple of (float, float, float, float)
        Size, value, and the ends of the band, of the fitted law; empty where none was fitted.
    """

    across: str
    measure: str
    unit: str
    knots: tuple[Knot, ...]
    law: tuple[tuple[float, float, float, float], ...] = ()


@dataclass(frozen=True)
class RuleEnd:
    """Where a rule ends: its likeliest output with its score, the rows it was made from, what the teacher does."""

    output: str
    score: float
    n: int
    teacher: Interval | None


@dataclass(frozen=True)
class RulePicture:
    """A body of rules drawn: lines with the position of the rule that ends there; the rate over all rows."""

    lines: tuple[tuple[str, int | None], ...]
    ends: tuple[RuleEnd, ...]
    control: Interval | None
    unit: str
    family: str


@dataclass(frozen=True)
class Code:
    """Text in fixed pitch: rules, commands."""

    text: str


@dataclass(frozen=True)
class Note:
    """Something that a reader must not miss."""

    text: str


@dataclass(frozen=True)
class Fold:
    """Detail that opens on demand; `kept` says that formats which cannot open it must show it, however long."""

    summary: str
    blocks: tuple[Block, ...]
    kept: bool = False


Block = (
    Heading
    | Paragraph
    | Bullets
    | Facts
    | VerdictBox
    | Strips
    | Key
    | TransferTable
    | TransferPlot
    | BoundaryPlane
    | LayerMap
    | ReasonChart
    | Sights
    | Curve
    | Table
    | RulePicture
    | Code
    | Note
    | Fold
)


@dataclass(frozen=True)
class Document:
    """A whole report.

    Parameters
    ----------
    title : str
        The question.
    kicker : str
        What kind of page this is.
    lead : str
        How the answer was come by, in one sentence.
    blocks : tuple of Block
    data : mapping
        The same as plain JSON data, for machines.
    """

    title: str
    kicker: str
    lead: str
    blocks: tuple[Block, ...]
    data: Mapping[str, Any] = field(default_factory=dict)
