"""Data sets that a plan can ask for by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kdaudit.data import census, credit, digits, reviews
from kdaudit.domain import Domain
from kdaudit.errors import InvalidInput
from kdaudit.samples import Samples


@dataclass(frozen=True)
class NamedSet:
    """A data set with the meaning of its fields and labels.

    Parameters
    ----------
    title : str
        For people.
    domain : Domain
    outputs : tuple of str
        Name of the yes-or-no answer that the labels are about, or one name a class.
    label : str
        What label 1 means, or what the classes are.
    rows : callable
        Folder of the set -> its rows.
    folder : str
        Where the set lies below the data folder; empty for a set inside the package.
    """

    title: str
    domain: Domain
    outputs: tuple[str, ...]
    label: str
    rows: Callable[[Path], Samples]
    folder: str = ""


_INCOME = ("income above 50,000 dollars",)
_INCOME_LABEL = "yearly income above 50,000 dollars"
_POSITIVE = ("positive",)
_POSITIVE_LABEL = "the sentence praises the film"

SETS = {
    "acs_income": NamedSet(census.TITLE, census.DOMAIN, _INCOME, _INCOME_LABEL, lambda _: census.bundled_rows()),
    "acs_income_full": NamedSet(
        f"{census.TITLE}, rows outside the bundled draw",
        census.DOMAIN,
        _INCOME,
        _INCOME_LABEL,
        census.outside_rows,
        "acs_folktables",
    ),
    "german_credit": NamedSet(
        credit.TITLE, credit.DOMAIN, ("bad credit",), "the credit went bad", credit.credit_rows, "german_credit"
    ),
    "digits": NamedSet(
        digits.DIGITS_TITLE, digits.DIGITS, digits.CLASSES, "which digit it is", lambda _: digits.bundled_digits()
    ),
    "mnist": NamedSet(
        digits.MNIST_TITLE, digits.MNIST, digits.CLASSES, "which digit it is", digits.mnist_rows, "mnist"
    ),
    "sst": NamedSet(reviews.SST_TITLE, reviews.DOMAIN, _POSITIVE, _POSITIVE_LABEL, reviews.sst_rows, "sst_mr"),
    "movie_reviews": NamedSet(
        reviews.REVIEWS_TITLE, reviews.DOMAIN, _POSITIVE, _POSITIVE_LABEL, reviews.review_rows, "sst_mr"
    ),
}


def named_set(name: str) -> NamedSet:
    """Return what is known of a set without reading it.

    Raises
    ------
    InvalidInput
        If there is no such set.
    """
    if name not in SETS:
        near = difflib.get_close_matches(name, SETS, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise InvalidInput(f"there is no data set {name!r}; {hint}data sets are {', '.join(SETS)}")
    return SETS[name]


def load_set(name: str, data: Path | None = None) -> Samples:
    """Return the rows of a set.

    Parameters
    ----------
    name : str
        A key of `SETS`.
    data : Path, optional
        Folder of public data sets, one folder a set; what KDAUDIT_DATA names.

    Raises
    ------
    InvalidInput
        If there is no such set, or it needs a data folder and that is not given or lacks the set.
    """
    found = named_set(name)
    if not found.folder:
        return found.rows(Path())
    if data is None:
        raise InvalidInput(
            f"data set {name!r} is not part of the package; set KDAUDIT_DATA to a folder that holds {found.folder}/"
        )
    folder = data / found.folder
    if not folder.is_dir():
        raise InvalidInput(f"data set {name!r} is not in {data}; KDAUDIT_DATA must name a folder with {found.folder}/")
    return found.rows(folder)
