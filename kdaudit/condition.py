"""Conditions on rows as text, such as ``age >= 21 and sex == 'female'``.

One parser over a whitelisted syntax tree; nothing is evaluated.  Comparisons of a field with a number or a level
(``== != < <= > >= in`` and ``not in`` a tuple), joined by ``and``, ``or``, ``not``.  A comparison with a missing value
is false, as in SQL; ``age == None`` asks for missing values.  Ordered categories compare by the order of their levels.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.domain import Category, Domain, Field, Real
from kdaudit.errors import InvalidInput
from kdaudit.samples import Samples

Mask = NDArray[np.bool_]
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
LONGEST = 2_000
"""Characters of the longest condition that is read."""


@dataclass(frozen=True)
class Condition:
    """A condition that was read and holds for a domain; see `parse`."""

    text: str
    domain: Domain

    def mask(self, samples: Samples) -> Mask:
        """Return which rows fulfil the condition, shape (n,)."""
        if not self.text.strip():
            return np.ones(len(samples), dtype=bool)
        return _mask(ast.parse(self.text.strip(), mode="eval").body, samples)


def parse(text: str, domain: Domain) -> Condition:
    """Read a condition and check it against a domain.

    Parameters
    ----------
    text : str
        Empty for "all rows".
    domain : Domain

    Raises
    ------
    InvalidInput
        On anything but the language above, an unknown field or an unknown level; the sentence quotes the part.
    """
    if len(text) > LONGEST:
        raise InvalidInput(f"a condition has at most {LONGEST} characters; this one has {len(text)}")
    if text.strip():
        try:
            _check(ast.parse(text.strip(), mode="eval").body, domain)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise InvalidInput(f"condition {text!r} cannot be read: {getattr(error, 'msg', error)}") from error
    return Condition(text, domain)


def _refuse(node: ast.AST) -> InvalidInput:
    return InvalidInput(
        f"{ast.unparse(node)!r} is not part of a condition; "
        "compare a field with a number or a level, and join with and, or, not"
    )


def _check(node: ast.expr, domain: Domain) -> None:
    match node:
        case ast.BoolOp(values=values):
            for value in values:
                _check(value, domain)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            _check(operand, domain)
        case ast.Compare(left=ast.Name(id=name), ops=[op], comparators=[right]):
            _check_comparison(node, name, op, right, domain)
        case _:
            raise _refuse(node)


def _check_comparison(node: ast.Compare, name: str, op: ast.cmpop, right: ast.expr, domain: Domain) -> None:
    if isinstance(op, (ast.In, ast.NotIn)):
        if not isinstance(right, (ast.Tuple, ast.List)):
            raise _refuse(node)
        for item in right.elts:
            _value(name, item, domain)
    elif type(op) in _COMPARE:
        value = _value(name, right, domain)
        field = domain[name]
        unordered = not (isinstance(field, Real) or (isinstance(field, Category) and field.ordered))
        if not isinstance(op, (ast.Eq, ast.NotEq)) and (unordered or value is None):
            raise InvalidInput(f"{ast.unparse(node)!r}: {name} has no order; use == or in")
    else:
        raise _refuse(node)


def _value(name: str, node: ast.expr, domain: Domain) -> float | int | None:
    """Return the number or the level's position that a literal stands for; None for missing."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, SyntaxError, TypeError) as error:
        raise _refuse(node) from error
    if value is None:
        return None
    match domain[name]:
        case Category():
            return domain.code(name, str(value))
        case Real() if isinstance(value, (int, float)) and not isinstance(value, bool):
            try:
                return float(value)
            except OverflowError:  # an integer beyond all floats is beyond all values too
                return math.inf if value > 0 else -math.inf
        case field:
            raise InvalidInput(f"{name} is a {field.kind}; it cannot be compared with {value!r}")


def _mask(node: ast.expr, samples: Samples) -> Mask:
    match node:
        case ast.BoolOp(op=op, values=values):
            join = np.logical_and if isinstance(op, ast.And) else np.logical_or
            out: Mask = join.reduce([_mask(value, samples) for value in values])
            return out
        case ast.UnaryOp(operand=operand):
            return ~_mask(operand, samples)
        case ast.Compare(left=ast.Name(id=name), ops=[op], comparators=[right]):
            return _compare(name, op, right, samples)
        case _:
            raise _refuse(node)


def _compare(name: str, op: ast.cmpop, right: ast.expr, samples: Samples) -> Mask:
    column = samples.columns[name]
    missing = _missing(samples.domain[name], column)
    if isinstance(op, (ast.In, ast.NotIn)) and isinstance(right, (ast.Tuple, ast.List)):
        inside = np.isin(
            column, [v for v in (_value(name, item, samples.domain) for item in right.elts) if v is not None]
        )
        return (inside if isinstance(op, ast.In) else ~inside) & ~missing
    value = _value(name, right, samples.domain)
    if value is None:
        return missing if isinstance(op, ast.Eq) else ~missing
    held: Mask = _COMPARE[type(op)](column, value)
    return held & ~missing


def _missing(field: Field, column: NDArray[Any]) -> Mask:
    match field:
        case Category():
            out: Mask = column == -1
        case Real():
            out = np.isnan(column)
        case _:
            out = np.array([value is None for value in column], dtype=bool)
    return out
