"""A tree, rule list or rule set as plain data, evaluated in numpy.

A tree is kept as its leaves: each leaf is the list of tests on the way to it.  So one table of rules serves every
family, and what is evaluated is what the reviewer reads.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from kdaudit.domain import Category, Domain, Real
from kdaudit.errors import InvalidInput
from kdaudit.evaluation import first, held
from kdaudit.samples import Samples

FORMAT = 1
"""Version of the JSON form."""
FORMAT_OF_SUMS = 2
"""Version of the JSON form of bodies that hold weighted sums or votes, which older readers do not know."""


@dataclass(frozen=True)
class Term:
    """One part of a weighted sum.

    Parameters
    ----------
    field : str
    weight : float
        Times the value (reals; positions of ordered levels).
    levels : tuple of str, optional
        The weight itself where the level is among these, else nothing.
    """

    field: str
    weight: float
    levels: tuple[str, ...] | None = None

    def value(self, samples: Samples) -> NDArray[np.float64]:
        """Return what the term adds for each row, shape (n,); NaN where the field is missing."""
        item, column = samples.domain[self.field], samples.columns[self.field]
        if not isinstance(item, Category):
            return self.weight * np.asarray(column, dtype=np.float64)
        worth = np.arange(len(item.levels)) if self.levels is None else [x in self.levels for x in item.levels]
        out: NDArray[np.float64] = self.weight * np.append(np.asarray(worth, dtype=np.float64), np.nan)[column]
        return out

    def text(self, domain: Domain, *, first: bool) -> str:
        """Return the term with its sign, such as ``+ 2.5 x age`` or ``- 3 if savings is none``."""
        name, size = self.field.replace("_", " "), f"{abs(self.weight):.4g}"
        sign = ("-" if self.weight < 0 else "") if first else ("- " if self.weight < 0 else "+ ")
        if self.levels is not None:
            return f"{sign}{size} if {Test(self.field, levels=self.levels).text(domain)}"
        what = f"rank of {name}" if isinstance(domain[self.field], Category) else name
        return f"{sign}{what}" if size == "1" else f"{sign}{size} x {what}"


@dataclass(frozen=True)
class Test:
    """One test on one field, or on a weighted sum of a few.

    Parameters
    ----------
    field : str
        Of a weighted sum: the field of its first term.
    below : float, optional
        Holds where the value is at most this (reals; positions of ordered levels).
    above : float, optional
        Holds where the value is more than this.
    levels : tuple of str, optional
        Holds where the level is among these.
    missing : bool
        Whether a missing value passes; of a weighted sum, a row in which any of its fields is missing.
    terms : tuple of Term
        Where there are any, `below` and `above` are about their sum.
    """

    __test__ = False

    field: str
    below: float | None = None
    above: float | None = None
    levels: tuple[str, ...] | None = None
    missing: bool = False
    terms: tuple[Term, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields that are looked at."""
        return tuple(dict.fromkeys(term.field for term in self.terms)) if self.terms else (self.field,)

    @property
    def size(self) -> int:
        """Number of terms that a reader meets: 1 unless it is a weighted sum."""
        return max(1, len(self.terms))

    def holds(self, samples: Samples) -> NDArray[np.bool_]:
        """Return which rows pass, shape (n,)."""
        if self.terms:
            total = np.sum([term.value(samples) for term in self.terms], axis=0)
            return np.where(np.isnan(total), self.missing, self._inside(total))
        field = samples.domain[self.field]
        column = samples.columns[self.field]
        absent = column == -1 if isinstance(field, Category) else np.isnan(column)
        if self.levels is not None:
            known = samples.domain.category(self.field).levels
            passes = np.array([level in self.levels for level in known] + [False])[column]
        else:
            passes = self._inside(column)
        out: NDArray[np.bool_] = np.where(absent, self.missing, passes)
        return out

    def _inside(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        passes = np.ones(len(values), dtype=bool)
        with np.errstate(invalid="ignore"):
            if self.below is not None:
                passes &= values <= self.below
            if self.above is not None:
                passes &= values > self.above
        return passes

    def text(self, domain: Domain) -> str:
        """Return the test in plain words, such as ``age at most 40`` or ``schooling at least bachelor's degree``."""
        if self.terms:
            total = " ".join(term.text(domain, first=at == 0) for at, term in enumerate(self.terms))
            body = _range_words(self.above, self.below, whole=False)
            return f"{total}, in sum {body}" + (" or not known" if self.missing else "")
        match domain[self.field]:
            case Category(levels=known, ordered=True) if self.levels is None:
                words = []
                if self.above is not None:
                    words.append(f"at least {known[math.floor(self.above) + 1]}")
                if self.below is not None:
                    words.append(f"at most {known[math.floor(self.below)]}")
                body = " and ".join(words)
            case Category():
                names = self.levels or ()
                body = f"is {names[0]}" if len(names) == 1 else f"is one of {', '.join(names)}"
            case Real(integer=whole, unit=unit):
                # "hours per week at most 41", not "... at most 41 hours per week"
                measured = unit and unit != self.field.replace("_", " ")
                body = _range_words(self.above, self.below, whole=whole) + (f" {unit}" if measured else "")
            case _:
                body = "is present"
        return f"{self.field.replace('_', ' ')} {body}" + (" or missing" if self.missing else "")


def _range_words(above: float | None, below: float | None, *, whole: bool) -> str:
    if whole:
        low = None if above is None else math.floor(above) + 1
        high = None if below is None else math.floor(below)
        if low is not None and high is not None:
            return f"from {low} to {high}" if low < high else f"is {low}"
        return f"at least {low}" if low is not None else f"at most {high}"
    words = [f"above {above:.4g}"] if above is not None else []
    words += [f"at most {below:.4g}"] if below is not None else []
    return " and ".join(words)


@dataclass(frozen=True)
class Rule:
    """Tests that must all hold, and what is answered then.

    Parameters
    ----------
    tests : tuple of Test
        Of a tree: in the order of the path from the root.  Empty: holds for all rows.
    score : tuple of float
        Answer, one number an output; of a set: what the rule adds to the answer where it holds.
    n : int
        Rows among which the answer was fitted.
    """

    tests: tuple[Test, ...]
    score: tuple[float, ...]
    n: int = 0

    def text(self, domain: Domain) -> str:
        """Return the tests in plain words, tests on one field merged."""
        return " and ".join(t.text(domain) for t in merged(self.tests)) or "every other row"


@dataclass(frozen=True)
class Rules:
    """A body of rules.

    Parameters
    ----------
    family : {"tree", "list", "set"}
        "tree": exactly one rule holds for each row.  "list": the first that holds answers; the last has no tests.
        "set": all that hold vote: their scores are added up; the last has no tests, what the votes start from.
    rules : tuple of Rule
    outputs : tuple of str
        Names of the numbers that a rule answers with.

    Raises
    ------
    InvalidInput
        If there is no rule, the numbers of outputs differ, or a list or set lacks its default.
    """

    family: Literal["tree", "list", "set"]
    rules: tuple[Rule, ...]
    outputs: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.family not in ("tree", "list", "set"):
            raise InvalidInput(f"rules of family {self.family!r} are unknown; families are tree, list and set")
        if not self.rules:
            raise InvalidInput("a body of rules needs at least one rule")
        if any(len(rule.score) != len(self.outputs) for rule in self.rules):
            raise InvalidInput(f"every rule answers with {len(self.outputs)} numbers: {', '.join(self.outputs)}")
        if self.family != "tree" and self.rules[-1].tests:
            raise InvalidInput(f"a rule {self.family} ends with a rule without tests, its default")

    def held(self, samples: Samples) -> NDArray[np.bool_]:
        """Return which rules have a say in the answer to each row, shape (n, rules).

        Of trees and lists one rule a row; of sets all that hold, the default among them.
        """
        if self.family == "set":
            return held(self.rules, samples)
        alone: NDArray[np.bool_] = self.which(samples)[:, None] == np.arange(len(self.rules))
        return alone

    def which(self, samples: Samples) -> NDArray[np.int64]:
        """Return the position of the rule that answers each row, shape (n,); of a set, the first that holds.

        Raises
        ------
        InvalidInput
            If some row meets no leaf: the rules are no tree.
        """
        out = first(self.rules, samples)
        if (out == -1).any():
            raise InvalidInput(f"{int((out == -1).sum())} rows meet no leaf of this tree; it is not whole")
        return out

    def evaluate(self, samples: Samples) -> NDArray[np.float64]:
        """Return the answers, shape (n, outputs)."""
        table = np.array([rule.score for rule in self.rules], dtype=np.float64)
        if self.family == "set":
            total = np.zeros((len(samples), len(self.outputs)))
            for votes, rows in zip(table, self.held(samples).T, strict=True):
                # added up in the order of the rules: the same bytes however many rows are asked at once
                total += rows[:, None] * votes
            return total
        out: NDArray[np.float64] = table[self.which(samples)]
        return out

    @property
    def terms(self) -> int:
        """Number of terms that a reader meets, those shared by leaves of a tree counted once."""
        if self.family != "tree":
            return sum(test.size for rule in self.rules for test in rule.tests)
        splits = {rule.tests[:at]: test.size for rule in self.rules for at, test in enumerate(rule.tests)}
        return sum(splits.values())

    @property
    def depth(self) -> int:
        """Number of tests on the longest path to an answer."""
        return max(len(rule.tests) for rule in self.rules)

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields that are used, sorted."""
        return tuple(sorted({name for rule in self.rules for test in rule.tests for name in test.fields}))

    @property
    def format(self) -> int:
        """Version of the JSON form that this body is written in: the oldest that can say it."""
        sums = self.family == "set" or any(test.terms for rule in self.rules for test in rule.tests)
        return FORMAT_OF_SUMS if sums else FORMAT

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON data."""
        rules = [{"tests": [_data_of(t) for t in r.tests], "score": list(r.score), "n": r.n} for r in self.rules]
        return {
            "format": self.format,
            "family": self.family,
            "outputs": list(self.outputs),
            "rules": rules,
        }

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Rules:
        """Return the rules that `to_data` wrote.

        Raises
        ------
        InvalidInput
            On another format or a broken structure.
        """
        found = data.get("format") if isinstance(data, dict) else data
        if isinstance(found, bool) or found not in (FORMAT, FORMAT_OF_SUMS):
            raise InvalidInput(f"rules of format {found!r} cannot be read; format {FORMAT} was expected")
        try:
            rules = tuple(
                Rule(tuple(_test_of(t) for t in r["tests"]), tuple(_finite(x) for x in r["score"]), int(r["n"]))
                for r in data["rules"]
            )
            out = cls(data["family"], rules, tuple(data["outputs"]))
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise InvalidInput(f"rules cannot be read: {error!r}") from error
        if out.format != found:
            raise InvalidInput(f"rules of format {found} cannot be read: their body is of format {out.format}")
        return out


def _data_of(test: Test) -> dict[str, Any]:
    out: dict[str, Any] = {
        k: list(v) if isinstance(v, tuple) else v for k, v in vars(test).items() if v is not None and k != "terms"
    }
    if test.terms:
        out["terms"] = [
            {k: list(v) if isinstance(v, tuple) else v for k, v in vars(term).items() if v is not None}
            for term in test.terms
        ]
    return out


def _term_of(data: dict[str, Any]) -> Term:
    levels = data.get("levels")
    if not isinstance(data["field"], str) or not _texts(levels) or not set(data) <= {"field", "weight", "levels"}:
        raise ValueError(f"a term names a field, a weight and levels; {data} does not")
    return Term(data["field"], _finite(data["weight"]), None if levels is None else tuple(levels))


def _test_of(data: dict[str, Any]) -> Test:
    levels = data.get("levels")
    if not isinstance(data["field"], str) or not _texts(levels):
        raise ValueError(f"a test names a field and levels by text; {data} does not")
    if not isinstance(data.get("missing", False), bool):
        raise ValueError(f"missing is true or false; {data['missing']!r} is neither")
    ends: dict[str, Any] = {k: _finite(data[k]) for k in ("below", "above") if data.get(k) is not None}
    rest: dict[str, Any] = {k: v for k, v in data.items() if k not in ("below", "above", "levels", "terms")}
    terms = tuple(_term_of(term) for term in data.get("terms", ()))
    if terms and (levels is not None or data["field"] != terms[0].field or not ends):
        raise ValueError(f"a weighted sum is cut by numbers and named by its first field; {data} is not")
    return Test(**rest, **ends, levels=None if levels is None else tuple(levels), terms=terms)


def _texts(levels: object) -> bool:
    return levels is None or (isinstance(levels, list) and all(isinstance(x, str) for x in levels))


def _finite(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no number")
    return float(value)


def merged(tests: tuple[Test, ...]) -> tuple[Test, ...]:
    """Return the tests with those on one field (or one sum) joined into one, in the order in which they first occur."""
    out: dict[tuple[str, tuple[Term, ...]], Test] = {}
    for test in tests:
        about = (test.field, test.terms)
        if about not in out:
            out[about] = test
            continue
        old = out[about]
        levels = old.levels if test.levels is None else test.levels
        if old.levels is not None and test.levels is not None:
            levels = tuple(level for level in old.levels if level in test.levels)
        out[about] = Test(
            test.field,
            below=min((x for x in (old.below, test.below) if x is not None), default=None),
            above=max((x for x in (old.above, test.above) if x is not None), default=None),
            levels=levels,
            missing=old.missing and test.missing,
            terms=test.terms,
        )
    return tuple(out.values())
