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
from kdaudit.samples import Samples

FORMAT = 1
"""Version of the JSON form."""


@dataclass(frozen=True)
class Test:
    """One test on one field.

    Parameters
    ----------
    field : str
    below : float, optional
        Holds where the value is at most this (reals; positions of ordered levels).
    above : float, optional
        Holds where the value is more than this.
    levels : tuple of str, optional
        Holds where the level is among these.
    missing : bool
        Whether a missing value passes.
    """

    __test__ = False

    field: str
    below: float | None = None
    above: float | None = None
    levels: tuple[str, ...] | None = None
    missing: bool = False

    def holds(self, samples: Samples) -> NDArray[np.bool_]:
        """Return which rows pass, shape (n,)."""
        field = samples.domain[self.field]
        column = samples.columns[self.field]
        absent = column == -1 if isinstance(field, Category) else np.isnan(column)
        if self.levels is not None:
            known = samples.domain.category(self.field).levels
            passes = np.array([level in self.levels for level in known] + [False])[column]
        else:
            with np.errstate(invalid="ignore"):
                passes = np.ones(len(column), dtype=bool)
                if self.below is not None:
                    passes &= column <= self.below
                if self.above is not None:
                    passes &= column > self.above
        out: NDArray[np.bool_] = np.where(absent, self.missing, passes)
        return out

    def text(self, domain: Domain) -> str:
        """Return the test in plain words, such as ``age at most 40`` or ``schooling at least bachelor's degree``."""
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
        Answer, one number an output.
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
    family : {"tree", "list"}
        "tree": exactly one rule holds for each row.  "list": the first that holds answers; the last has no tests.
    rules : tuple of Rule
    outputs : tuple of str
        Names of the numbers that a rule answers with.

    Raises
    ------
    InvalidInput
        If there is no rule, the numbers of outputs differ, or a list lacks its default.
    """

    family: Literal["tree", "list"]
    rules: tuple[Rule, ...]
    outputs: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.family not in ("tree", "list"):
            raise InvalidInput(f"rules of family {self.family!r} are unknown; families are tree and list")
        if not self.rules:
            raise InvalidInput("a body of rules needs at least one rule")
        if any(len(rule.score) != len(self.outputs) for rule in self.rules):
            raise InvalidInput(f"every rule answers with {len(self.outputs)} numbers: {', '.join(self.outputs)}")
        if self.family == "list" and self.rules[-1].tests:
            raise InvalidInput("a rule list ends with a rule without tests, its default")

    def which(self, samples: Samples) -> NDArray[np.int64]:
        """Return the position of the rule that answers each row, shape (n,).

        Raises
        ------
        InvalidInput
            If some row meets no leaf: the rules are no tree.
        """
        out = np.full(len(samples), -1, dtype=np.int64)
        seen: dict[Test, NDArray[np.bool_]] = {}
        for position, rule in enumerate(self.rules):
            open_rows = out == -1
            for test in rule.tests:
                if test not in seen:
                    seen[test] = test.holds(samples)
                open_rows &= seen[test]
            out[open_rows] = position
        if (out == -1).any():
            raise InvalidInput(f"{int((out == -1).sum())} rows meet no leaf of this tree; it is not whole")
        return out

    def evaluate(self, samples: Samples) -> NDArray[np.float64]:
        """Return the answers, shape (n, outputs)."""
        table = np.array([rule.score for rule in self.rules], dtype=np.float64)
        out: NDArray[np.float64] = table[self.which(samples)]
        return out

    @property
    def terms(self) -> int:
        """Number of tests that a reader meets, those shared by leaves of a tree counted once."""
        if self.family == "list":
            return sum(len(rule.tests) for rule in self.rules)
        return len(self.rules) - 1

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields that are used, sorted."""
        return tuple(sorted({test.field for rule in self.rules for test in rule.tests}))

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON data."""
        rules = [
            {
                "tests": [
                    {k: list(v) if isinstance(v, tuple) else v for k, v in vars(t).items() if v is not None}
                    for t in r.tests
                ],
                "score": list(r.score),
                "n": r.n,
            }
            for r in self.rules
        ]
        return {"format": FORMAT, "family": self.family, "outputs": list(self.outputs), "rules": rules}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Rules:
        """Return the rules that `to_data` wrote.

        Raises
        ------
        InvalidInput
            On another format or a broken structure.
        """
        found = data.get("format") if isinstance(data, dict) else data
        if found != FORMAT:
            raise InvalidInput(f"rules of format {found!r} cannot be read; format {FORMAT} was expected")
        try:
            rules = tuple(
                Rule(tuple(_test_of(t) for t in r["tests"]), tuple(_finite(x) for x in r["score"]), int(r["n"]))
                for r in data["rules"]
            )
            return cls(data["family"], rules, tuple(data["outputs"]))
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise InvalidInput(f"rules cannot be read: {error!r}") from error


def _test_of(data: dict[str, Any]) -> Test:
    levels = data.get("levels")
    if not isinstance(data["field"], str) or not _texts(levels):
        raise ValueError(f"a test names a field and levels by text; {data} does not")
    if not isinstance(data.get("missing", False), bool):
        raise ValueError(f"missing is true or false; {data['missing']!r} is neither")
    ends: dict[str, Any] = {k: _finite(data[k]) for k in ("below", "above") if data.get(k) is not None}
    rest: dict[str, Any] = {k: v for k, v in data.items() if k not in ("below", "above", "levels")}
    return Test(**rest, **ends, levels=None if levels is None else tuple(levels))


def _texts(levels: object) -> bool:
    return levels is None or (isinstance(levels, list) and all(isinstance(x, str) for x in levels))


def _finite(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no number")
    return float(value)


def merged(tests: tuple[Test, ...]) -> tuple[Test, ...]:
    """Return the tests with those on one field joined into one, in the order in which fields first occur."""
    out: dict[str, Test] = {}
    for test in tests:
        if test.field not in out:
            out[test.field] = test
            continue
        old = out[test.field]
        levels = old.levels if test.levels is None else test.levels
        if old.levels is not None and test.levels is not None:
            levels = tuple(level for level in old.levels if level in test.levels)
        out[test.field] = Test(
            test.field,
            below=min((x for x in (old.below, test.below) if x is not None), default=None),
            above=max((x for x in (old.above, test.above) if x is not None), default=None),
            levels=levels,
            missing=old.missing and test.missing,
        )
    return tuple(out.values())
