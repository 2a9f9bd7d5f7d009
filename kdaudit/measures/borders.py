"""What is measured about the places where two models change their minds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Border:
    """A measure of two boundaries.

    Parameters
    ----------
    name : str
        The field's standard term, where there is one.
    unit : str
    span : (float, float)
    better : {"high", "low"}
    definition, source, title : str
        As of `kdaudit.measure.Measure`.
    """

    name: str
    unit: str
    span: tuple[float, float]
    better: Literal["high", "low"]
    definition: str
    source: str
    title: str


CROSSING = Border(
    "crossing_agreement",
    "",
    (0.0, 1.0),
    "high",
    "on the way from a row to the nearest row of another class: 1 minus the distance between the places where the two "
    "decisions turn, as a share of the way; 0 where the other does not decide both ends as the teacher does",
    "bisection as in Brendel et al. 2018",
    "Turns at the same place between two rows",
)
SAME_CROSSING = Border(
    "same_crossing",
    "percent",
    (0.0, 1.0),
    "high",
    "share of the ways between rows on which both decisions turn within a twentieth of the way",
    "bisection as in Brendel et al. 2018",
    "Turns within a twentieth of the way",
)
TURNS = Border(
    "flip_agreement",
    "percent",
    (0.0, 1.0),
    "high",
    "share of rows, of those whose decision the teacher turns along a field, whose first turns up and down lie at most "
    "one step apart (levels without order: whose decision the same levels turn); 'all': mean over fields, row by row",
    "first flip on a grid, as in individual conditional expectation, Goldstein et al. 2015",
    "Turns at the same value of a field",
)
SLICE = Border(
    "reproducibility",
    "percent",
    (0.0, 1.0),
    "high",
    "share of the points of a plane through the boundary that both decide alike",
    "Somepalli et al. 2022",
    "Same decision over a plane",
)
SLICE_KAPPA = Border(
    "plane_kappa",
    "",
    (-1.0, 1.0),
    "high",
    "the same beyond what the shares of the decisions alone would give",
    "Cohen 1960",
    "Same decision over a plane, beyond chance",
)
REACH = Border(
    "distance_likeness",
    "",
    (0.0, 1.0),
    "high",
    "shorter over longer of the two distances from a row to the boundary along the gradient, in standard deviations of "
    "the encoded fields",
    "DeepFool, Moosavi-Dezfooli et al. 2016",
    "Equally far from the boundary",
)
VOLUME = Border(
    "volume_of_disagreement",
    "percent",
    (0.0, 1.0),
    "low",
    "share of rows drawn over the domain on which the two part",
    "exact interval of Clopper and Pearson 1934",
    "Parts from the teacher somewhere in the domain",
)
DISAGREEMENT = Border(
    "disagreement",
    "percent",
    (0.0, 1.0),
    "low",
    "share of fresh rows, which took no part in the search, on which the two part",
    "exact interval of Clopper and Pearson 1934; regions as in Rida et al. 2023",
    "Parts from the teacher",
)
BORDERS = (CROSSING, SAME_CROSSING, TURNS, SLICE, SLICE_KAPPA, REACH, VOLUME, DISAGREEMENT)
