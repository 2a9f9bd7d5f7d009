"""The objective: a weighted sum of terms, written as text in a plan."""

from __future__ import annotations

import ast
import difflib
import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from kdaudit.errors import InvalidInput
from kdaudit.objective.reference import Reference
from kdaudit.objective.terms import Need, Term, labels, logit_mse, soft_targets

TERMS: dict[str, Callable[..., Term]] = {"labels": labels, "logit_mse": logit_mse, "soft_targets": soft_targets}
"""Name in a plan -> term."""
NUMBERS = {"labels": 0, "logit_mse": 0, "soft_targets": 1}
"""Most numbers that a term takes in parentheses."""
LONGEST = 500
"""Characters of the longest objective that is read."""


@dataclass(frozen=True)
class Objective:
    """A weighted sum of terms; closed under ``+`` and under ``*`` with a number.

    Parameters
    ----------
    parts : tuple of (float, Term)
        Weights above 0.

    Raises
    ------
    InvalidInput
        If there is no term or a weight is not above 0.
    """

    parts: tuple[tuple[float, Term], ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise InvalidInput(f"an objective needs at least one term; terms are {', '.join(sorted(TERMS))}")
        for weight, term in self.parts:
            if not (math.isfinite(weight) and weight > 0):
                raise InvalidInput(f"{term.text} has the weight {weight:g}; a weight is a number above 0")

    def __call__(self, student: Tensor, teacher: Reference) -> Tensor:
        """Return the weighted sum, one value a row: shape (n,)."""
        first, *others = (weight * term(student, teacher) for weight, term in self.parts)
        return sum(others, start=first)

    def __add__(self, other: Objective) -> Objective:
        return Objective(self.parts + other.parts)

    def __mul__(self, factor: float) -> Objective:
        return Objective(tuple((float(factor) * weight, term) for weight, term in self.parts))

    __rmul__ = __mul__

    def __str__(self) -> str:
        return " + ".join(term.text if weight == 1 else f"{weight!r} * {term.text}" for weight, term in self.parts)

    @property
    def needs(self) -> frozenset[Need]:
        """What a reference must hold."""
        return frozenset(need for _, term in self.parts for need in term.needs)


def parse(text: str) -> Objective:
    """Return the objective written as text, such as ``soft_targets(2) + 0.5 * logit_mse``.

    Terms, numbers, ``+``, ``*`` and parentheses; nothing is evaluated.

    Raises
    ------
    InvalidInput
        On anything else, on an unknown term (with close ones), and on weights or temperatures that are not above 0.
    """
    if not text.strip() or len(text) > LONGEST:
        raise InvalidInput(
            f"an objective has 1 to {LONGEST} characters, such as 'soft_targets(2)'; this one has {len(text)}"
        )
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InvalidInput(f"objective {text!r} cannot be read: {getattr(error, 'msg', error)}") from error
    out = _read(tree)
    if isinstance(out, float):
        raise InvalidInput(f"objective {text!r} is a number; it needs a term: {', '.join(sorted(TERMS))}")
    return out


def _read(node: ast.expr) -> Objective | float:
    match node:
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            a, b = _read(left), _read(right)
            if isinstance(a, Objective) and isinstance(b, Objective):
                return a + b
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            a, b = _read(left), _read(right)
            if isinstance(a, float) and isinstance(b, Objective):
                return a * b
            if isinstance(a, Objective) and isinstance(b, float):
                return a * b
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return float(value)
        case ast.Name(id=name):
            return _term(name, [], node)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            return _term(name, [_read(argument) for argument in arguments], node)
        case _:
            pass
    raise _refuse(node)


def _term(name: str, numbers: list[Objective | float], node: ast.expr) -> Objective:
    if name not in TERMS:
        close = difflib.get_close_matches(name, TERMS)
        hint = f"did you mean {' or '.join(close)}?" if close else f"terms are {', '.join(sorted(TERMS))}"
        raise InvalidInput(f"objective term {name!r} is unknown; {hint}")
    values = [number for number in numbers if isinstance(number, float)]
    if len(values) < len(numbers):
        raise _refuse(node)
    if len(values) > NUMBERS[name]:
        raise InvalidInput(f"{ast.unparse(node)!r}: {name} takes at most {NUMBERS[name]} numbers")
    return Objective(((1.0, TERMS[name](*values)),))


def _refuse(node: ast.AST) -> InvalidInput:
    return InvalidInput(
        f"{ast.unparse(node)!r} is not part of an objective; join terms with + and weigh them with numbers, "
        "such as 'soft_targets(2) + 0.5 * logit_mse'"
    )
