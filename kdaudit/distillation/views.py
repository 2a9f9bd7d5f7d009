"""On which inputs a student learns: rows, views of them that both sides see, or rows of the whole domain.

Every sampler makes rows of the domain, so that any teacher, however closed, is asked about exactly the rows that the
student sees: a teacher and a student that look at different views of a row learn less from each other (Beyer et al.
2022).  ``inputs("data + 4 * mixup", samples, rng)`` are the rows and four times as many mixtures of them.
"""

from __future__ import annotations

import ast
import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.condition import parse as parse_condition
from kdaudit.digest import of_data
from kdaudit.domain import Category, Domain, Field, Image, Real
from kdaudit.errors import InvalidInput
from kdaudit.samples import Origin, Samples, concat
from kdaudit.sampling.samplers import flipped as turned

Column = NDArray[Any]
Columns = dict[str, Column]
LONGEST = 200
"""Characters of the longest text that is read."""
TRIES = 100
"""How often rows that break a constraint are drawn anew."""


def jitter(samples: Samples, n: int, rng: np.random.Generator, amount: float = 0.1) -> Samples:
    """Return rows a little changed: what is near a row gets the same outcome.

    Numbers move by a normal step of `amount` standard deviations and stay in their range (whole numbers stay whole);
    categories change with probability ``amount / 2``, ordered ones by one level, others to a level drawn as often as
    it occurs; pictures shift by at most one pixel and get noise of `amount`.  Missing values stay missing, texts stay.

    Parameters
    ----------
    samples : Samples
    n : int
        Rows to make; each row of `samples` is changed equally often, give or take one.
    rng : Generator
    amount : float
        Above 0, at most 1.
    """
    if not 0 < amount <= 1:
        raise InvalidInput(f"jitter({amount:g}) is not possible; an amount is above 0 and at most 1")
    base = samples.take(_turns(len(samples), n, rng))
    columns = {
        f.name: _jittered(f, base.columns[f.name], samples.columns[f.name], amount, rng) for f in samples.domain.fields
    }
    return _made("jitter", (amount,), base, columns, labels=base.labels)


def mixup(samples: Samples, n: int, rng: np.random.Generator) -> Samples:
    """Return mixtures of two rows each (Zhang et al. 2018; as inputs of both sides: Beyer et al. 2022).

    The share of the first row is uniform on 0 to 1.  Numbers and pictures are averaged by it; a category, a text and a
    missing value is that of the first row with that probability.  Outcomes are left out: a mixture has none.
    """
    if len(samples) < 2:
        raise InvalidInput(f"mixup needs at least 2 rows; there are {len(samples)}")
    at = _turns(len(samples), n, rng)
    other = (at + rng.integers(1, len(samples), n)) % len(samples)
    first, second, share = samples.take(at), samples.take(other), rng.uniform(size=n)
    columns = {
        f.name: _mixed(f, first.columns[f.name], second.columns[f.name], share, rng) for f in samples.domain.fields
    }
    return _made("mixup", (), first, columns, labels=None)


def shuffled(samples: Samples, n: int, rng: np.random.Generator) -> Samples:
    """Return rows of which every field is drawn from the rows by itself, so that nothing hangs together."""
    base = samples.take(_turns(len(samples), n, rng))
    columns = {f.name: samples.columns[f.name][_turns(len(samples), n, rng)] for f in samples.domain.fields}
    return _made("shuffled", (), base, columns, labels=None)


def flipped(samples: Samples, n: int, rng: np.random.Generator) -> Samples:
    """Return rows with one protected category set to another level, all else kept; outcomes are left out.

    Of several protected categories each row has one changed, by chance; one in which it is missing stays as it is.  A
    student that learnt such rows shows better what the change does to its teacher's answer.

    Raises
    ------
    InvalidInput
        If no protected field is a category of several levels.
    """
    base = samples.take(_turns(len(samples), n, rng))
    changed, kept = turned(base, rng)
    if len(base) and not len(kept):
        raise InvalidInput("flipped changes a protected category; mark one as `protected: true`, or leave flipped out")
    columns = {name: column.copy() for name, column in base.columns.items()}
    for name, column in changed.items():
        columns[name][kept] = column
    return _made("flipped", (), base, columns, labels=None)


def uniform(domain: Domain, n: int, rng: np.random.Generator) -> Samples:
    """Return rows drawn evenly from the whole domain: what is left where there are no data at all.

    Parameters
    ----------
    domain : Domain
        Of numbers with both ends, categories and pictures.  Constraints hold.
    n : int
    rng : Generator

    Raises
    ------
    InvalidInput
        If a number has no range, a field is a text, or hardly any row fulfils the constraints.
    """
    parts: list[Samples] = []
    missing = n
    for _ in range(TRIES):
        drawn = _bare("uniform", domain, {f.name: _even(f, missing, rng) for f in domain.fields}, missing)
        parts.append(drawn.take(_allowed(drawn)))
        missing -= len(parts[-1])
        if missing == 0:
            whole = concat(parts)
            return _bare("uniform", domain, dict(whole.columns), n)
    raise InvalidInput(f"of {TRIES} draws from the domain too few fulfil its constraints; {missing} rows are missing")


def inputs(text: str, samples: Samples, rng: np.random.Generator) -> Samples:
    """Return the rows that a text asks for, such as ``"data + 4 * mixup + 2 * jitter(0.2)"``.

    Parameters
    ----------
    text : str
        Samplers joined by ``+``; a number before one says how many times as many rows as there are.
    samples : Samples
        For ``uniform`` only their domain and their number are used.
    rng : Generator

    Raises
    ------
    InvalidInput
        If the text cannot be read or names an unknown sampler.
    """
    shares = parse(text)
    if all(share.name == "data" for share in shares):
        return samples
    made = [share.draw(samples, rng) for share in shares]
    return concat([_named(part) for part in made]) if len(made) > 1 else made[0]


def rows_of(text: str, fit: Samples, rng: np.random.Generator) -> Samples | None:
    """Return the rows that a text asks for, drawn by a stream of their own; None where they are `fit` itself.

    What else is drawn from `rng` stays as it is, so that a recipe's rows can be told before it is made.
    """
    rows = inputs(text, fit, rng.spawn(1)[0])
    return None if rows is fit else rows


@dataclass(frozen=True)
class Share:
    """So many times as many rows, by one sampler."""

    times: float
    name: str
    numbers: tuple[float, ...] = ()

    def rows(self, n: int) -> int:
        """Return how many rows are made where there are n."""
        return n if self.name == "data" else max(1, round(self.times * n))

    def draw(self, samples: Samples, rng: np.random.Generator) -> Samples:
        """Return the rows."""
        if self.name == "data":
            return samples
        n = self.rows(len(samples))
        if self.name == "uniform":
            return uniform(samples.domain, n, rng)
        return SAMPLERS[self.name](samples, n, rng, *self.numbers)


SAMPLERS: dict[str, Callable[..., Samples]] = {
    "jitter": jitter,
    "mixup": mixup,
    "shuffled": shuffled,
    "flipped": flipped,
}
NUMBERS: Mapping[str, int] = {"data": 0, "jitter": 1, "mixup": 0, "shuffled": 0, "flipped": 0, "uniform": 0}
"""Name in a plan -> most numbers that it takes in parentheses."""


def parse(text: str) -> tuple[Share, ...]:
    """Read a text such as ``"data + 4 * mixup"``; nothing is evaluated."""
    if not text.strip() or len(text) > LONGEST:
        raise InvalidInput(f"inputs have 1 to {LONGEST} characters, such as 'data + 4 * mixup'; these have {len(text)}")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InvalidInput(f"inputs {text!r} cannot be read: {getattr(error, 'msg', error)}") from error
    return _read(tree)


def _read(node: ast.expr) -> tuple[Share, ...]:
    match node:
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _read(left) + _read(right)
        case ast.BinOp(left=ast.Constant(value=int() | float() as times), op=ast.Mult(), right=right):
            shares = _read(right)
            if len(shares) == 1 and shares[0].name != "data" and math.isfinite(times) and times > 0:
                return (Share(float(times), shares[0].name, shares[0].numbers),)
        case ast.Name(id=name):
            return (_share(name, []),)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            return (_share(name, arguments),)
        case _:
            pass
    raise InvalidInput(
        f"{ast.unparse(node)!r} is not part of inputs; join {', '.join(NUMBERS)} with +, numbers above 0 in front, "
        "such as 'data + 4 * mixup'"
    )


def _share(name: str, arguments: list[ast.expr]) -> Share:
    if name not in NUMBERS:
        close = difflib.get_close_matches(name, NUMBERS)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(NUMBERS)}"
        raise InvalidInput(f"inputs {name!r} are unknown; {hint}")
    numbers = [a.value for a in arguments if isinstance(a, ast.Constant) and isinstance(a.value, (int, float))]
    if len(numbers) < len(arguments) or len(numbers) > NUMBERS[name]:
        raise InvalidInput(f"{name} takes at most {NUMBERS[name]} numbers in parentheses")
    return Share(1.0, name, tuple(float(x) for x in numbers))


def _turns(rows: int, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return n positions, each row equally often, give or take one."""
    rounds = -(-n // max(1, rows))
    return np.concatenate([rng.permutation(rows) for _ in range(rounds)] or [np.empty(0, np.int64)])[:n]


def _jittered(item: Field, column: Column, whole: Column, amount: float, rng: np.random.Generator) -> Column:
    match item:
        case Real():
            spread = float(np.nanstd(whole)) if np.isfinite(whole).any() else 0.0
            return _ranged(item, column + rng.normal(0.0, amount * spread, len(column)))
        case Category(levels=levels, ordered=ordered):
            change = (rng.random(len(column)) < amount / 2) & (column >= 0)
            step = np.clip(column + rng.choice((-1, 1), len(column)), 0, len(levels) - 1)
            present = whole[whole >= 0]
            to = step if ordered or not len(present) else rng.choice(present, len(column))
            return np.where(change, to, column)
        case Image():
            moved = (
                np.stack([np.roll(x, rng.integers(-1, 2, 2), axis=(1, 2)) for x in column]) if len(column) else column
            )
            return np.clip(moved + rng.normal(0.0, amount, column.shape), 0.0, 1.0).astype(column.dtype)
        case _:
            return column


def _mixed(item: Field, a: Column, b: Column, share: NDArray[np.float64], rng: np.random.Generator) -> Column:
    take = rng.random(len(a)) < share
    match item:
        case Real():
            mean = _ranged(item, share * a + (1 - share) * b)
            return np.where(np.isnan(a) | np.isnan(b), np.where(take, a, b), mean)
        case Image():
            by_row = share[:, None, None, None]
            return (by_row * a + (1 - by_row) * b).astype(a.dtype)
        case _:
            return np.where(take, a, b)


def _even(item: Field, n: int, rng: np.random.Generator) -> Column:
    match item:
        case Real(low=float() | int() as low, high=float() | int() as high, integer=whole):
            return rng.integers(math.ceil(low), math.floor(high) + 1, n) * 1.0 if whole else rng.uniform(low, high, n)
        case Category(levels=levels):
            return rng.integers(0, len(levels), n)
        case Image(shape=shape):
            return rng.random((n, *shape)).astype(np.float32)
        case Real(name=name):
            raise InvalidInput(f"{name} has no range to draw from; give the field low and high in the domain")
        case _:
            raise InvalidInput(f"{item.name} is a {item.kind}; there is no even draw of these")


def _ranged(item: Real, values: Column) -> Column:
    low, high = (-np.inf if item.low is None else item.low), (np.inf if item.high is None else item.high)
    return np.clip(np.round(values) if item.integer else values, low, high)


def _allowed(samples: Samples) -> NDArray[np.bool_]:
    out = np.ones(len(samples), dtype=bool)
    for text in samples.domain.constraints:
        out &= parse_condition(text, samples.domain).mask(samples)
    return out


def _made(name: str, numbers: tuple[float, ...], base: Samples, columns: Columns, labels: Column | None) -> Samples:
    """Return the rows; those that break a constraint are the rows that they were made from."""
    recipe = of_data({"sampler": name, "numbers": list(numbers), "of": base.origin.digest})
    origin = Origin(f"{name} of {base.origin.name}", name, recipe, base.origin.part)
    ids = _ids(name, len(base))
    made = Samples(base.domain, columns, ids, origin, labels)
    broken = ~_allowed(made)
    if broken.any():
        back = {key: _where(broken, base.columns[key], column) for key, column in made.columns.items()}
        made = Samples(base.domain, back, ids, origin, labels)
    return made


def _bare(name: str, domain: Domain, columns: Columns, n: int) -> Samples:
    recipe = of_data({"sampler": name, "domain": domain.to_data()})
    return Samples(domain, columns, _ids(name, n), Origin("rows drawn evenly from the whole domain", name, recipe))


def _where(mask: NDArray[np.bool_], a: Column, b: Column) -> Column:
    return np.where(mask.reshape(-1, *[1] * (a.ndim - 1)), a, b)


def _ids(name: str, n: int) -> NDArray[Any]:
    return np.array([f"{name} {i}" for i in range(n)])


def _named(samples: Samples) -> Samples:
    # ids of made rows are texts, and one array holds one kind
    return Samples(
        samples.domain,
        samples.columns,
        samples.ids.astype(str),
        samples.origin,
        samples.labels,
    )
