"""Rules as tables: one of all rules, the same for every family, and the way of any row through them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from kdaudit.domain import Category
from kdaudit.rules import Test
from kdaudit.samples import Samples
from kdaudit.surrogates.surrogate import Surrogate


def rule_table(surrogate: Surrogate, samples: Samples) -> pd.DataFrame:
    """Return one row a rule: its number, words and tests, what it answers, and the rows that it has a say in.

    Parameters
    ----------
    surrogate : Surrogate
        Tree, list or set.
    samples : Samples
        Rows to count.

    Returns
    -------
    DataFrame
        Columns ``rule, text, terms``, one a output, ``made_from`` (rows that it was fitted to), ``n`` and ``share`` (of
        `samples`, those that it answers or has a vote in).
    """
    seen = surrogate.seen(samples)
    held = surrogate.rules.held(seen).sum(axis=0)
    out = []
    for at, rule in enumerate(surrogate.rules.rules):
        row: dict[str, Any] = {"rule": at + 1, "text": rule.text(seen.domain), "terms": sum(t.size for t in rule.tests)}
        row |= dict(zip(surrogate.outputs, rule.score, strict=True))
        row |= {"made_from": rule.n, "n": int(held[at]), "share": float(held[at]) / max(1, len(samples))}
        out.append(row)
    return pd.DataFrame(out)


def ways(surrogate: Surrogate, samples: Samples) -> pd.DataFrame:
    """Return the way of each row through the rules: every test that it met, its value there, and whether it passed.

    A row of a tree meets the tests of its leaf; of a list those of each rule until one holds, and of each rule until
    one fails; of a set those of every rule, until one fails.

    Returns
    -------
    DataFrame
        Columns ``id, rule, step, test, field, value, passed, answers``; ``answers`` is true for the rules that have a
        say in the answer.  A rule without tests has one row, without test, field or value.
    """
    rules, seen = surrogate.rules, surrogate.seen(samples)
    held = rules.held(seen)
    passes = {test: test.holds(seen) for rule in rules.rules for test in rule.tests}
    out: list[dict[str, Any]] = []
    for row, name in enumerate(samples.ids.tolist()):
        for at, rule in enumerate(rules.rules):
            said = bool(held[row, at])
            if rules.family == "tree" and not said:
                continue
            head = {"id": name, "rule": at + 1, "answers": said}
            if not rule.tests:
                out.append(head | {"step": 0, "test": "", "field": "", "value": None, "passed": True})
            for step, test in enumerate(rule.tests, 1):
                passed = bool(passes[test][row])
                told = {"step": step, "test": test.text(seen.domain), "field": " + ".join(test.fields)}
                out.append(head | told | {"value": _value(test, seen, row), "passed": passed})
                if not passed:
                    break
            if rules.family == "list" and said:
                break
    columns = ["id", "rule", "step", "test", "field", "value", "passed", "answers"]
    return pd.DataFrame(out, columns=columns)


def _value(test: Test, samples: Samples, row: int) -> float | str | None:
    """Return what a test looks at: a number, a level by name, the sum; None where it is missing."""
    one = samples.take([row])
    if test.terms:
        total = float(np.sum([term.value(one) for term in test.terms]))
        return None if np.isnan(total) else total
    if isinstance(samples.domain[test.field], Category):
        level = one.level(test.field)[0]
        return None if level is None else str(level)
    value = float(one.columns[test.field][0])
    return None if np.isnan(value) else value
