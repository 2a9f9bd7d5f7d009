"""The objective: a weighted sum of terms, written as text in a plan."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import cast

from torch import Tensor

from kdaudit.errors import InvalidInput
from kdaudit.objective.balance import balance
from kdaudit.objective.features import cka, contrastive, cosine_hint, explanation, hint, relation, similarity
from kdaudit.objective.maps import attention
from kdaudit.objective.reference import Reference
from kdaudit.objective.terms import (
    FAITHFUL,
    SOFT,
    By,
    Need,
    Term,
    correlation,
    decoupled,
    faithful,
    labels,
    logit_mse,
    soft_targets,
)
from kdaudit.objective.weights import Ramp, Weight, at, checked, times
from kdaudit.subject import Scale

TERMS: dict[str, Callable[..., Term]] = {
    "attention": attention,
    "balance": balance,
    "cka": cka,
    "contrastive": contrastive,
    "correlation": correlation,
    "cosine_hint": cosine_hint,
    "decoupled": decoupled,
    "explanation": explanation,
    "faithful": faithful,
    "hint": hint,
    "labels": labels,
    "logit_mse": logit_mse,
    "relation": relation,
    "similarity": similarity,
    "soft_targets": soft_targets,
}
"""Name in a plan -> term."""
NUMBERS = dict.fromkeys(TERMS, 0) | {"contrastive": 1, "correlation": 1, "decoupled": 2, "soft_targets": 1}
"""Most numbers that a term takes in parentheses."""
OUTPUTS = ("balance", "correlation", "decoupled", "faithful", "labels", "logit_mse", "soft_targets")
"""Terms that need no layer of a teacher: at most one of the student, such as an early exit.  Others take one or two."""
NAMED = tuple(name for name in TERMS if name not in (*OUTPUTS, "explanation"))
"""Terms that cannot do without a layer."""
EXPLAINED = 0.2
"""Weight of the explanation in `faithful`, tried on few digits: see ``tests/benchmarks/distil_digits.py``."""
LONGEST = 500
"""Characters of the longest objective that is read."""


@dataclass(frozen=True)
class Objective:
    """A weighted sum of terms; closed under ``+`` and under ``*`` with a number or a `Ramp`.

    Parameters
    ----------
    parts : tuple of (float or Ramp, Term)
        Weights above 0.

    Raises
    ------
    InvalidInput
        If there is no term or a weight is not above 0.
    """

    parts: tuple[tuple[Weight, Term], ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise InvalidInput(f"an objective needs at least one term; terms are {', '.join(sorted(TERMS))}")
        for weight, term in self.parts:
            checked(weight, term.text)

    def __call__(self, student: Tensor | Mapping[str, Tensor], teacher: Reference, progress: float = 0.0) -> Tensor:
        """Return the weighted sum, one value a row: shape (n,).

        Parameters
        ----------
        student : Tensor of shape (n, outputs), or mapping of tap to Tensor
            The empty tap stands for the outputs.
        teacher : Reference
        progress : float
            Share of the training that is done, from 0 to 1, for weights that change.
        """
        said = {"": student} if isinstance(student, Tensor) else student
        first, *others = (at(weight, progress) * term(*term.of(said, teacher)) for weight, term in self.parts)
        return sum(others, start=first)

    def __add__(self, other: Objective) -> Objective:
        return Objective(self.parts + other.parts)

    def __mul__(self, factor: Weight) -> Objective:
        return Objective(tuple((times(factor, weight), term) for weight, term in self.parts))

    __rmul__ = __mul__

    def __str__(self) -> str:
        return " + ".join(term.text if weight == 1 else f"{weight!s} * {term.text}" for weight, term in self.parts)

    @property
    def needs(self) -> frozenset[Need]:
        """What a reference must hold."""
        return frozenset(need for _, term in self.parts for need in term.needs)

    @property
    def temperatures(self) -> frozenset[float]:
        """Temperatures at which the teacher's recorded answers are looked at."""
        soft = ("soft_targets", "correlation")
        return frozenset(t.numbers[0] for _, t in self.parts if t.name in soft and t.by == "teacher")

    def taught_by(self, by: By) -> frozenset[str]:
        """Return the taps that the terms ask of a teacher, of the student itself or of its peers."""
        taps = {term.teacher for _, term in self.parts if term.by == by}
        return frozenset(tap for tap in taps if tap is not None)

    @property
    def taps(self) -> frozenset[str]:
        """Taps that the terms ask of the student."""
        return frozenset(term.student for _, term in self.parts) - {""}

    @property
    def by(self) -> frozenset[By]:
        """Whom the terms compare the student with."""
        return frozenset(term.by for _, term in self.parts)

    @property
    def outward(self) -> Objective:
        """The terms that need a teacher's answers only; soft targets where there is none."""
        parts = tuple((weight, term) for weight, term in self.parts if term.by != "teacher" or term.teacher is None)
        return Objective(parts) if parts else of(soft_targets(1.0))

    def suited(self, scale: Scale, *, opened: bool) -> Objective:
        """Return the sum with `faithful` replaced by what a teacher allows.

        Parameters
        ----------
        scale : {"probability", "value"}
            Of the teacher's answers.
        opened : bool
            Whether its gradients by the encoded row can be had, and the student sees rows encoded in the same way.
        """
        parts: list[tuple[Weight, Term]] = []
        for weight, term in self.parts:
            if term.name != FAITHFUL:
                parts.append((weight, term))
                continue
            answers = logit_mse() if scale == "value" else soft_targets(SOFT)
            parts.append((weight, replace(answers, by=term.by)))
            if opened and term.by == "teacher":
                parts.append((times(EXPLAINED, weight), explanation()))
        return Objective(tuple(parts))

    def whose(self, by: By) -> Objective:
        """Return the same sum with every term compared with `by`: the student itself, or its peers.

        Raises
        ------
        InvalidInput
            If a term would compare a layer, or the outputs, with themselves.
        """
        for _, term in self.parts:
            if by == "own" and term.student == (term.teacher or ""):
                raise InvalidInput(
                    f"own({term.text}) compares the student's {term.student or 'outputs'} with themselves; "
                    "name a layer that learns from a deeper one, such as own(soft_targets(2, 'exits.*'))"
                )
        return Objective(tuple((weight, replace(term, by=by)) for weight, term in self.parts))


def of(term: Term) -> Objective:
    """Return a term as a sum of one."""
    return Objective(((1.0, term),))


def spread(
    goal: Objective, student: Callable[[str], tuple[str, ...]], teacher: Callable[[str, By], tuple[str, ...]]
) -> Objective:
    """Return the sum with every wildcard replaced by the layers that it stands for.

    Where a term names several layers, each of the student's is paired with one of the teacher's at the same depth: the
    i-th of m with the one at the end of the i-th of m equal stretches.  Each pair counts an m-th of the term.

    Parameters
    ----------
    student, teacher : callable
        From a tap as written to the taps that it stands for; an unknown name is refused there.

    References
    ----------
    Jiao et al. 2020, section 3.1 (uniform mapping of layers).
    """
    parts: list[tuple[Weight, Term]] = []
    for weight, term in goal.parts:
        mine = student(term.student) if term.student else ("",)
        if term.teacher is None:
            parts += [(times(weight, 1 / len(mine)), replace(term, student=tap)) for tap in mine]
            continue
        theirs = teacher(term.teacher, term.by)
        for i, tap in enumerate(mine):
            other = theirs[_paired(i, len(mine), len(theirs))]
            parts.append((times(weight, 1 / len(mine)), replace(term, student=tap, teacher=other)))
    return Objective(tuple(parts))


def _paired(i: int, m: int, n: int) -> int:
    return (i + 1) * n // m - 1 if n >= m else i * n // m


def parse(text: str) -> Objective:
    """Return the objective written as text, such as ``soft_targets(2) + 0.1 * hint('layers.0')``.

    Terms, numbers, layers in quotes, ``ramp(...)``, ``own(...)``, ``peers(...)``, ``+``, ``*`` and parentheses; nothing
    is evaluated.

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
    if not isinstance(out, Objective):
        raise InvalidInput(f"objective {text!r} is a number; it needs a term: {', '.join(sorted(TERMS))}")
    return out


def _read(node: ast.expr) -> Objective | Weight:
    match node:
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _sum(_read(left), _read(right), node)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _product(_read(left), _read(right), node)
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return float(value)
        case ast.Name(id=name):
            return _term(name, [], node)
        case ast.Call(func=ast.Name(id="ramp"), args=arguments, keywords=[]):
            return _ramp(arguments, node)
        case ast.Call(func=ast.Name(id="own" | "peers" as by), args=[inner], keywords=[]):
            return _sum_of(inner).whose(cast("By", by))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            return _term(name, arguments, node)
        case _:
            raise _refuse(node)


def _sum_of(node: ast.expr) -> Objective:
    goal = _read(node)
    if isinstance(goal, Objective):
        return goal
    raise _refuse(node)


def _sum(a: Objective | Weight, b: Objective | Weight, node: ast.expr) -> Objective:
    if isinstance(a, Objective) and isinstance(b, Objective):
        return a + b
    raise _refuse(node)


def _product(a: Objective | Weight, b: Objective | Weight, node: ast.expr) -> Objective | Weight:
    match a, b:
        case Objective(), Objective():
            raise _refuse(node)
        case Objective(), _:
            return a * cast("Weight", b)
        case _, Objective():
            return b * a
        case _:
            return times(a, b)


def _ramp(arguments: list[ast.expr], node: ast.expr) -> Ramp:
    numbers = [value for value in map(_read, arguments) if isinstance(value, float)]
    if len(numbers) < len(arguments) or not 2 <= len(numbers) <= 4:
        raise _refuse(node)
    return Ramp(*numbers)


def _term(name: str, arguments: list[ast.expr], node: ast.expr) -> Objective:
    if name not in TERMS:
        close = difflib.get_close_matches(name, TERMS)
        hint_ = f"did you mean {' or '.join(close)}?" if close else f"terms are {', '.join(sorted(TERMS))}"
        raise InvalidInput(f"objective term {name!r} is unknown; {hint_}")
    taps = [a.value for a in arguments if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    others = [_read(a) for a in arguments if not (isinstance(a, ast.Constant) and isinstance(a.value, str))]
    values = [number for number in others if isinstance(number, float)]
    if len(values) < len(others):
        raise _refuse(node)
    written, most = ast.unparse(node), 1 if name in OUTPUTS else 2
    if len(values) > NUMBERS[name]:
        raise InvalidInput(f"{written!r}: {name} takes at most {NUMBERS[name]} numbers")
    if len(taps) > most or (name in NAMED and not taps):
        wanted = (
            "the student's layer, and the teacher's where it has another name" if most == 2 else "at most one layer"
        )
        raise InvalidInput(f"{written!r}: {name} takes {wanted}, in quotes, such as {name}('layers.0')")
    keys = dict(zip(("at", "teacher"), taps, strict=False))
    return of(TERMS[name](*values, **keys))


def _refuse(node: ast.AST) -> InvalidInput:
    return InvalidInput(
        f"{ast.unparse(node)!r} is not part of an objective; join terms with + and weigh them with numbers, "
        "such as 'soft_targets(2) + 0.5 * logit_mse'"
    )
