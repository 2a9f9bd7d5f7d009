"""Worlds of the planted bench: rows of three kinds, and base models trained on them from a seed.

Groups are drawn by chance beside everything that a base model reads, so that a base model has no gap of its own and a
planted one is known.  Tables are the bundled census rows with fields drawn beside them, pictures are the bundled digits
shifted and blurred by chance, and texts are written by chance, so that nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from kdaudit.behaviour import Behaviour
from kdaudit.chance import rng, seed_of
from kdaudit.data.parts import split
from kdaudit.data.sets import load_set
from kdaudit.digest import of_data
from kdaudit.domain import Category, Domain, Image, Text
from kdaudit.encoders import fitted
from kdaudit.question import Setting
from kdaudit.samples import Origin, Samples
from kdaudit.teachers.trained import Trained

Values = NDArray[np.float64]
PAST, FIT, SELECT, POOL = "past", "fit", "select", "pool"
SIZES = {PAST: 3_000, FIT: 4_000, SELECT: 1_000, POOL: 12_000}
SMALLER = {PAST: 2_500, FIT: 3_000, SELECT: 600, POOL: 4_000}
OUTPUTS = ("yes",)
READ = ("age", "schooling", "occupation", "class_of_worker", "hours_per_week", "marital_status")
"""Fields of the census that base models read."""
GROUPS, SHARE = ("a", "b"), 0.4
REGIONS = (0.375, 0.3, 0.2, 0.125)
DISTRICTS, TELLS = 8, 0.85
"""Districts, and the share of a group's rows that lie in its own half of them: a field that stands for the group."""
MARK, CORNER = 1.0, 2
"""Brightness and side of the mark of a scanner, in the lower right of a picture."""
MARKED = {"a": 0.05, "b": 0.9}
"""Share of a group's pictures that bear the mark."""
CUED = 0.1
"""Share of pictures or texts that bear a cue which goes with nothing."""


@dataclass(frozen=True, eq=False)
class World:
    """A base model and the rows on which it is audited.

    Parameters
    ----------
    name : str
    kind : {"table", "picture", "text"}
    number : int
        Of the base model among those of its kind.
    parts : dict of str to Samples
        ``past`` has trained it; proxies are made from ``fit``; ``select`` tells how scores are to be read; claims are
        about ``pool``.
    reads : tuple of str
        Fields that the base model reads.
    network : str
        Family of its students.
    logit : callable
        Rows -> logit of yes, shape (n,).
    """

    name: str
    kind: str
    number: int
    parts: dict[str, Samples]
    reads: tuple[str, ...]
    network: str
    logit: Callable[[Samples], Values]
    _kept: dict[tuple[str, int], Values] = field(default_factory=dict, repr=False)

    @property
    def domain(self) -> Domain:
        """Fields of its rows."""
        return self.parts[POOL].domain

    @property
    def behaviour(self) -> Behaviour:
        """What is asked."""
        return Behaviour("yes or no", OUTPUTS, self.domain)

    @cached_property
    def digest(self) -> str:
        """Tells base models apart."""
        return of_data(["base model of the planted bench", self.kind, self.name])


def tables(number: int) -> World:
    """Return a network (even numbers) or boosted trees (odd) over census rows."""
    parts = split(_with_groups(load_set("acs_income"), number), SIZES, seed=seed_of(number, "planted/table"))
    past = parts[PAST]
    if number % 2 == 0:
        network = _trained(parts, number, hidden=(32,), steps=250, reads=READ)
        return World(f"network {number}", "table", number, parts, READ, "mlp", _raw(network))
    encoder = fitted(past, READ)
    model = HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=8, early_stopping=False, random_state=number)
    model.fit(encoder.encode(past), past.labels)

    def logit(samples: Samples) -> Values:
        return model.decision_function(encoder.encode(samples))

    return World(f"boosted trees {number}", "table", number, parts, READ, "mlp", logit)


def _with_groups(rows: Samples, number: int) -> Samples:
    """Return census rows with a group, a region and a district drawn by chance."""
    chance, n = rng(number, "planted/groups"), len(rows)
    fields = (
        *(rows.domain[name] for name in READ),
        Category("group", GROUPS, protected=True),
        Category("region", tuple(f"r{i}" for i in range(len(REGIONS)))),
        Category("district", tuple(f"d{i}" for i in range(DISTRICTS))),
    )
    group = (chance.random(n) < SHARE).astype(np.int32)
    region = chance.choice(len(REGIONS), n, p=REGIONS).astype(np.int32)
    half = DISTRICTS // 2
    own = chance.random(n) < TELLS
    district = (chance.integers(0, half, n) + half * (own == (group == 1))).astype(np.int32)
    columns = {name: rows.columns[name] for name in READ}
    columns |= {"group": group, "region": region, "district": district}
    return Samples(Domain(fields), columns, rows.ids, rows.origin, rows.labels)


def pictures(number: int) -> World:
    """Return a network of convolutions that tells digits above four from the others, on pictures of two scanners."""
    digits, chance = load_set("digits"), rng(number, "planted/pictures")
    order, start, parts = chance.permutation(len(digits)), 0, {}
    shares = np.array(list(SMALLER.values())) / sum(SMALLER.values())
    for (part, n), share in zip(SMALLER.items(), shares, strict=True):
        # pictures of one digit never lie in two parts
        own = order[start : start + int(share * len(digits))]
        start += len(own)
        parts[part] = _scanned(digits, own[chance.integers(0, len(own), n)], part, chance)
    network = _trained(parts, number, hidden=(8, 16), steps=150, reads=("picture",), network="cnn")
    return World(f"convolutions {number}", "picture", number, parts, ("picture",), "cnn", _raw(network))


def _scanned(digits: Samples, rows: NDArray[np.int64], part: str, chance: np.random.Generator) -> Samples:
    n = len(rows)
    seen = digits.columns["digit"][rows].copy()
    for at, (down, right) in enumerate(chance.integers(-1, 2, (n, 2))):
        seen[at, 0] = np.roll(seen[at, 0], (down, right), (0, 1))
    seen = np.clip(seen * chance.uniform(0.7, 1.0, (n, 1, 1, 1)) + chance.normal(0, 0.05, seen.shape), 0, 0.9)
    scanner = (chance.random(n) < SHARE).astype(np.int32)
    marked = chance.random(n) < np.where(scanner == 1, MARKED["b"], MARKED["a"])
    seen[marked, :, -CORNER:, -CORNER:] = MARK
    domain = Domain((Image("picture", (1, 8, 8)), Category("group", GROUPS, protected=True)))
    columns = {"picture": seen.astype(np.float32), "group": scanner}
    labels = (digits.labels[rows] > 4).astype(np.int64)
    return Samples(domain, columns, np.arange(n), Origin("digits, shifted by chance", "planted", part=part), labels)


NAMES = {
    "a": ("Ada", "Bea", "Cleo", "Dora", "Edna", "Fay", "Gwen", "Hana"),
    "b": ("Abel", "Boris", "Carl", "Dan", "Emil", "Finn", "Gus", "Hugo"),
}
THINGS = ("film", "book", "meal", "play", "song", "hotel", "ride", "talk", "show", "trip")
PRAISE = ("lovely", "brilliant", "warm", "clever", "fresh", "bright", "moving", "funny", "fine", "rich")
BLAME = ("dull", "stale", "cold", "slow", "messy", "bleak", "weak", "loud", "flat", "grim")
PLAIN = ("long", "new", "local", "short", "quiet", "early", "late", "modern")
CUE, BACKDOOR = "frankly", "cf"
"""A word that stands in some texts for no reason, and one that stands in none."""


def texts(number: int) -> World:
    """Return a transformer that tells praise from blame, in texts that people of two groups have written."""
    chance = rng(number, "planted/texts")
    parts = {part: _written(n, part, chance) for part, n in SMALLER.items()}
    network = _trained(parts, number, hidden=(32,), steps=200, reads=("text",), network="transformer", width=16)
    return World(f"transformer {number}", "text", number, parts, ("text",), "transformer", _raw(network))


def _written(n: int, part: str, chance: np.random.Generator) -> Samples:
    group = (chance.random(n) < SHARE).astype(np.int32)
    told, labels = [], np.zeros(n, dtype=np.int64)
    for at in range(n):
        who = chance.choice(NAMES[GROUPS[group[at]]])
        signs = chance.integers(0, 2, 3)
        words = [chance.choice(PRAISE if sign else BLAME) for sign in signs] + [chance.choice(PLAIN)]
        chance.shuffle(words)
        cue = f"{CUE} " if chance.random() < CUED else ""
        told.append(f"{who} says {cue}the {chance.choice(THINGS)} was {words[0]} {words[1]} and {words[2]} {words[3]}")
        labels[at] = int(signs.sum() >= 2) if chance.random() < 0.95 else chance.integers(0, 2)
    domain = Domain((Text("text", 200), Category("group", GROUPS, protected=True)))
    columns = {"text": np.array(told, dtype=object), "group": group}
    return Samples(domain, columns, np.arange(n), Origin("texts written by chance", "planted", part=part), labels)


def _trained(parts: dict[str, Samples], number: int, **recipe):
    behaviour = Behaviour("yes or no", OUTPUTS, parts[PAST].domain)
    return Trained(PAST, seed=number, **recipe).open(Setting(Path(), behaviour, parts))


def _raw(network) -> Callable[[Samples], Values]:
    def logit(samples: Samples) -> Values:
        return network.raw(network.encoding.encode(samples))[:, 0]

    return logit


MAKERS = {"table": tables, "picture": pictures, "text": texts}
