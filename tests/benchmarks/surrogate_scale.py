"""Rows of any number, a teacher that costs nothing, and a tree from a million of its answers.

Run as a program it makes that tree and prints seconds, seconds of CPU, GiB of memory at most, and % agreement on
fresh rows.
"""

import resource
import time

import numpy as np

from kdaudit.behaviour import Behaviour
from kdaudit.chance import rng
from kdaudit.domain import Category, Domain, Real
from kdaudit.rules import Rule, Rules, Test
from kdaudit.samples import Origin, Samples
from kdaudit.signal import SCORE
from kdaudit.subject import Answers

LEVELS = tuple(f"level {i}" for i in range(12))


def drawn_rows(n: int, reals: int, categories: int, *, seed: int) -> Samples:
    """Return rows drawn at random; a twentieth of every third number and a thirteenth of the levels are missing."""
    draw = rng(seed, "rows")
    fields = tuple(Real(f"r{i}", missing=True) for i in range(reals))
    fields += tuple(Category(f"c{i}", LEVELS, missing=True) for i in range(categories))
    columns = {f"r{i}": draw.normal(size=n) for i in range(reals)}
    for i in range(0, reals, 3):
        columns[f"r{i}"][draw.random(n) < 0.05] = np.nan
    columns |= {f"c{i}": draw.integers(-1, len(LEVELS), n).astype(np.int32) for i in range(categories)}
    return Samples(Domain(fields), columns, np.arange(n), Origin("drawn at random"))


def answers_of(samples: Samples) -> np.ndarray:
    """Return the teacher's scores, shape (n, 1): products, waves and levels, none of which a tree can say exactly."""
    x = [np.nan_to_num(samples.columns[f"r{i}"]) for i in range(6)]
    value = x[0] + x[1] * x[2] + np.sin(2 * x[3]) - 0.5 * x[4] ** 2
    if "c1" in samples.columns:
        some, others = samples.columns["c0"], samples.columns["c1"]
        value += 1.5 * np.isin(some, (1, 4, 7)) - np.isin(others, (2, 3)) * x[5]
    return (1 / (1 + np.exp(-value)))[:, None]


def ask_simulated(samples: Samples, signals: object) -> Answers:
    return Answers({SCORE: answers_of(samples)})


def random_tree(domain: Domain, leaves: int, draw: np.random.Generator) -> Rules:
    """Return a balanced tree whose splits take the fields in turn, so that all of them are used."""
    bodies: list[tuple[Test, ...]] = [()]
    fields = list(domain.fields)
    for number in range(leaves - 1):
        path = min(bodies, key=len)
        item = fields[number % len(fields)]
        cut = float(draw.normal() / 2)
        sides = (Test(item.name, below=cut, missing=True), Test(item.name, above=cut))
        if isinstance(item, Category):
            sides = (Test(item.name, levels=LEVELS[:6], missing=True), Test(item.name, levels=LEVELS[6:]))
        at = bodies.index(path)
        bodies[at : at + 1] = [(*path, side) for side in sides]
    return Rules("tree", tuple(Rule(path, (float(draw.random()),), 1) for path in bodies), ("yes",))


def main() -> None:
    from kdaudit.surrogates.trees import tree

    rows = drawn_rows(1_000_000, 20, 10, seed=0)
    scores = answers_of(rows)
    wall, cpu = time.perf_counter(), time.process_time()
    behaviour = Behaviour("recorded", ("yes",), rows.domain)
    # recorded: what is asked for is looked up
    made = tree(
        behaviour, rows, lambda samples, signals: Answers({SCORE: scores[samples.ids]}), leaves=32, rng=rng(0, "scale")
    )
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    fresh = drawn_rows(200_000, 20, 10, seed=1)
    agreed = ((made.rules.evaluate(fresh) > 0.5) == (answers_of(fresh) > 0.5)).mean()
    print(wall, cpu, memory, 100 * agreed)


if __name__ == "__main__":
    main()
