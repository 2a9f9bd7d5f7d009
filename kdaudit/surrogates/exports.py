"""Rules for other systems: Python source without dependencies, SQL, an ONNX file.

Each takes the fields as they are, levels by name and values missing, and answers as `kdaudit.rules.Rules.evaluate`
does.  A row outside the domain (a level that it does not have, a value missing where none may be) is refused by the
Python function, answered with NULL in SQL and with NaN by ONNX; only fields that the rules test are looked at.

Beside the answer stands the decision, where it is asked for: of one output whether it lies above the line, of several
which is the largest, the first among equals.  Votes of a set are moved into the range from 0 to 1 for it, as a
`kdaudit.surrogates.surrogate.Surrogate` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kdaudit.domain import Category, Domain
from kdaudit.evaluation import openings
from kdaudit.rules import Rule, Rules, Term, Test, merged
from kdaudit.surrogates.graphs import DECISION, graph_of

WIDTH = 116
"""Characters of the longest line of source."""


def to_python(rules: Rules, domain: Domain, *, above: float = 0.5) -> str:
    """Return a Python module with two functions, ``answer(row)`` and ``decide(row)``, that needs no other package.

    ``row`` maps the name of a field to a number or a level; None or NaN where it is missing.  The function returns a
    tuple, one number an output, and raises ValueError on a row outside the domain; ``decide`` returns 0 or 1 by whether
    the one output lies above `above`, of several outputs the position of the largest.
    """
    levels = {name: _levels(domain, name) for name in rules.fields}
    may_miss = tuple(name for name in rules.fields if domain[name].missing)
    lines = [
        f'"""A {_title(rules)} as plain Python: ``answer(row)`` takes a mapping of field to value."""',
        "",
        f"OUTPUTS = {rules.outputs!r}",
        f"LEVELS = {levels!r}",
        f"MAY_BE_MISSING = {may_miss!r}",
        "",
        "",
        "def _checked(row):",
        "    v = {}",
        "    for name, levels in LEVELS.items():",
        "        value = row.get(name)",
        "        if value is None or value != value:",
        "            if name not in MAY_BE_MISSING:",
        '                raise ValueError(f"{name} is missing")',
        "            value = None",
        "        elif levels is not None and value not in levels:",
        '            raise ValueError(f"{name} has no level {value!r}; its levels are {levels}")',
        "        v[name] = value",
        "    return v",
        "",
        "",
        "def answer(row):",
        f'    """Return {len(rules.outputs)} number(s), for {_comment(", ".join(rules.outputs))}."""',
        "    v = _checked(row)",
    ]
    if rules.family == "set":
        lines += [f"    votes = {_tuple([0.0] * len(rules.outputs))}"]
    for position, rule in enumerate(rules.rules):
        lines += [f"    # {line}" for line in _said(position, rule, domain)]
        held = " and ".join(_python(test, domain) for test in _tests(rule)) or "True"
        lines.append(f"    if {held}:")
        if rules.family == "set":
            lines.append(f"        votes = tuple(a + b for a, b in zip(votes, {_tuple(rule.score)}))")
        else:
            lines.append(f"        return {_tuple(rule.score)}")
    last = "    return votes" if rules.family == "set" else '    raise ValueError("no rule holds for this row")'
    return "\n".join([*lines, last, "", "", *_decide(rules, above), ""])


def _decide(rules: Rules, above: float) -> list[str]:
    lines = ["def decide(row):", '    """Return which output is decided for."""', "    scores = answer(row)"]
    if rules.family == "set":
        lines.append("    scores = tuple(min(max(x, 0.0), 1.0) for x in scores)")
    one = len(rules.outputs) == 1
    return [*lines, f"    return int(scores[0] > {above!r})" if one else "    return scores.index(max(scores))"]


def to_sql(rules: Rules, domain: Domain, *, above: float | None = None) -> str:
    """Return SQL expressions, one an output, to stand after SELECT; with `above` a last one called ``decision``.

    Columns are named as the fields; numbers are numbers, levels are texts, NULL is a missing value.  Nothing but CASE,
    IN, IS NULL and comparisons is used.
    """
    scores = [_case(rules, domain, output) for output in range(len(rules.outputs))]
    columns = [f"{score} AS {_name(name)}" for score, name in zip(scores, rules.outputs, strict=True)]
    if above is not None:
        columns.append(f"{_decision(scores, rules, above)} AS {_name(DECISION)}")
    return ",\n".join(columns)


def _decision(scores: list[str], rules: Rules, above: float) -> str:
    if rules.family == "set":
        scores = [f"(CASE WHEN {x} < 0.0 THEN 0.0 WHEN {x} > 1.0 THEN 1.0 ELSE {x} END)" for x in scores]
    lines = ["CASE", f"  WHEN {scores[0]} IS NULL THEN NULL"]
    if len(scores) == 1:
        return "\n".join([*lines, f"  WHEN {scores[0]} > {above!r} THEN 1 ELSE 0", "END"])
    for at, score in enumerate(scores[:-1]):
        # what comes before it is smaller, or it would have been taken
        largest = " AND ".join(f"{score} >= {other}" for other in scores[at + 1 :])
        lines.append(f"  WHEN {largest} THEN {at}")
    return "\n".join([*lines, f"  ELSE {len(scores) - 1}", "END"])


def to_onnx(rules: Rules, domain: Domain, *, above: float | None = None) -> bytes:
    """Return an ONNX model of plain operators, in double precision.

    One input a field of the domain, called as it, of shape (rows, 1): numbers as double, NaN where missing; levels as
    texts, empty where missing.  One output ``score`` of shape (rows, outputs); with `above` a second, ``decision``, of
    shape (rows,): -1 for a row outside the domain.

    Raises
    ------
    InvalidInput
        If the package is not installed, or a level is the empty text, which stands for a missing one.
    """
    return graph_of(rules, domain, above)


def _case(rules: Rules, domain: Domain, output: int) -> str:
    lines = ["CASE"]
    lines += [f"  WHEN {_outside(domain, name)} THEN NULL" for name in rules.fields if _outside(domain, name)]
    if rules.family == "set":
        votes = [f"(CASE WHEN {_where(rule, domain)} THEN {rule.score[output]!r} ELSE 0.0 END)" for rule in rules.rules]
        total = "\n    + ".join(votes)
        if len(lines) == 1:
            return f"({total})"
        lines.append(f"  ELSE {total}")
    else:
        lines += [f"  WHEN {_where(rule, domain)} THEN {rule.score[output]!r}" for rule in rules.rules]
    return "\n".join([*lines, "END"])


def _where(rule: Rule, domain: Domain) -> str:
    return " AND ".join(_sql(test, domain) for test in _tests(rule)) or "1 = 1"


def _outside(domain: Domain, name: str) -> str:
    levels = _levels(domain, name)
    parts = [] if domain[name].missing else [f"{_name(name)} IS NULL"]
    parts += [] if levels is None else [f"{_name(name)} NOT IN ({', '.join(map(_text, levels))})"]
    return " OR ".join(parts)


def _sql(test: Test, domain: Domain) -> str:
    if test.terms:
        value = "(" + " + ".join(_sql_term(term, domain) for term in test.terms) + ")"
        absent = " OR ".join(f"{_name(name)} IS NULL" for name in test.fields)
        body = " AND ".join(_ends(value, test)) or "1 = 1"
    else:
        value, absent = _name(test.field), f"{_name(test.field)} IS NULL"
        passing = _passing(test, domain)
        body = " AND ".join(_ends(value, test)) if passing is None else f"{value} IN ({', '.join(map(_text, passing))})"
        # an empty list is no SQL
        body = "1 = 0" if passing == () else body or "1 = 1"
    return f"({absent} OR {body})" if test.missing else f"(NOT ({absent}) AND {body})"


def _sql_term(term: Term, domain: Domain) -> str:
    name, weight = _name(term.field), f"({term.weight!r})"
    item = domain[term.field]
    if not isinstance(item, Category):
        return f"{weight} * {name}"
    worth = _worth(term, item)
    cases = " ".join(f"WHEN {name} = {_text(level)} THEN {value!r}" for level, value in worth.items())
    return f"(CASE {cases} END)"


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(level: str) -> str:
    return "'" + level.replace("'", "''") + "'"


def _python(test: Test, domain: Domain) -> str:
    fields = [f"v[{name!r}]" for name in test.fields]
    absent = " or ".join(f"{field} is None" for field in fields)
    passing = None if test.terms else _passing(test, domain)
    if passing is not None:
        body = f"{fields[0]} in {passing!r}"
    else:
        value = " + ".join(_python_term(term, domain) for term in test.terms) or fields[0]
        body = " and ".join(_ends(f"({value})" if test.terms else value, test)) or "True"
    return f"({absent} or {body})" if test.missing else f"(not ({absent}) and {body})"


def _python_term(term: Term, domain: Domain) -> str:
    item = domain[term.field]
    if not isinstance(item, Category):
        return f"{term.weight!r} * v[{term.field!r}]"
    return f"{_worth(term, item)!r}[v[{term.field!r}]]"


def _worth(term: Term, item: Category) -> dict[str, float]:
    """Return what each level adds to a sum."""
    ranks = range(len(item.levels)) if term.levels is None else [level in term.levels for level in item.levels]
    return {level: float(term.weight * rank) for level, rank in zip(item.levels, ranks, strict=True)}


def _ends(value: str, test: Test) -> Iterator[str]:
    if test.above is not None:
        yield f"{value} > {float(test.above)!r}"
    if test.below is not None:
        yield f"{value} <= {float(test.below)!r}"


def _tests(rule: Rule) -> tuple[Test, ...]:
    """Return the tests, those on one field joined; as they are where one names levels and another cuts their order."""
    joined = merged(rule.tests)
    mixed = any(test.levels is not None and (test.below is not None or test.above is not None) for test in joined)
    return rule.tests if mixed else joined


def _levels(domain: Domain, name: str) -> tuple[str, ...] | None:
    item = domain[name]
    return item.levels if isinstance(item, Category) else None


def _passing(test: Test, domain: Domain) -> tuple[str, ...] | None:
    """Return the levels that pass a test; None for a number."""
    levels = _levels(domain, test.field)
    if levels is None:
        return None
    open_levels = openings([Rule((test,), ())], domain)[0].open[:-1, 0]
    return tuple(level for level, passes in zip(levels, open_levels, strict=True) if passes)


def _tuple(numbers: Sequence[float]) -> str:
    return "(" + "".join(f"{float(x)!r}, " for x in numbers).rstrip() + ")"


def _title(rules: Rules) -> str:
    noun = {"tree": "tree of", "list": "rule list of", "set": "rule set of"}[rules.family]
    return f"{noun} {len(rules.rules)} rule(s)"


def _said(position: int, rule: Rule, domain: Domain) -> list[str]:
    text = _comment(f"rule {position + 1}: {rule.text(domain)}")
    return [text[at : at + WIDTH] for at in range(0, len(text), WIDTH)]


def _comment(text: str) -> str:
    """Return a text that can neither end a comment nor a docstring."""
    return "".join(c if c.isprintable() and c not in '"\\' else "?" for c in text)
