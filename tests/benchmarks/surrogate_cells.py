"""Tasks and teachers of bench surrogates, and the peers that run beside."""

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from kdaudit.behaviour import Behaviour
from kdaudit.data.sets import load_set
from kdaudit.domain import Category, Domain, Real
from kdaudit.samples import Origin, Samples
from kdaudit.signal import SCORE
from kdaudit.subject import Answers

HERE = Path(__file__).parent
ENVIRONMENT = HERE.parents[1] / "build" / "peers"
NINE = ("sex", "age", "job", "housing", "savings", "account", "amount", "months", "purpose")
"""The fields of the short form of German credit that the protocol was measured on."""


@cache
def task(name: str) -> Samples:
    """Return all rows of a task with their labels.

    Raises
    ------
    LookupError
        If the rows are not on this machine.
    """
    if name == "german":
        if not os.environ.get("KDAUDIT_DATA"):
            raise LookupError("german credit needs KDAUDIT_DATA")
        rows = load_set("german_credit", Path(os.environ["KDAUDIT_DATA"]))
        domain = Domain(tuple(rows.domain[field] for field in NINE))
        return Samples(domain, {f: rows.columns[f] for f in NINE}, rows.ids, rows.origin, rows.labels)
    data = {"breast_cancer": load_breast_cancer, "digits": load_digits}[name]()
    names = [f"x{i}" for i in range(data.data.shape[1])]
    whole = name == "digits"
    domain = Domain(tuple(Real(n, 0, 16, integer=True) if whole else Real(n) for n in names))
    columns = {n: data.data[:, i].astype(float) for i, n in enumerate(names)}
    return Samples(domain, columns, np.arange(len(data.data)), Origin(name), data.target.astype(np.int64))


def matrix(samples: Samples, without: str = "") -> np.ndarray:
    """Return rows as numbers, one column a level."""
    parts = []
    for item in samples.domain.fields:
        column = samples.columns[item.name]
        if item.name == without:
            continue
        parts.append(
            np.eye(len(item.levels))[column] if isinstance(item, Category) else column[:, None].astype(np.float64)
        )
    return np.ascontiguousarray(np.hstack(parts))


@dataclass(frozen=True, eq=False)
class Cell:
    """A teacher, the rows that it was trained on, which surrogates may use, and rows that neither saw."""

    task: str
    kind: str
    seed: int
    train: Samples
    fresh: Samples
    teacher: object
    without: str = ""

    @property
    def behaviour(self) -> Behaviour:
        classes = len(self.teacher.classes_)
        outputs = ("yes",) if classes == 2 else tuple(str(c) for c in self.teacher.classes_)
        return Behaviour(self.task, outputs, self.train.domain)

    def score(self, samples: Samples) -> np.ndarray:
        chances = self.teacher.predict_proba(matrix(samples, self.without))
        return chances[:, 1:] if chances.shape[1] == 2 else chances

    def decided(self, samples: Samples) -> np.ndarray:
        return decided(self.score(samples))

    @property
    def ask(self) -> Callable:
        return lambda samples, signals: Answers({SCORE: self.score(samples)})


def decided(score: np.ndarray) -> np.ndarray:
    return (score[:, 0] > 0.5).astype(np.int64) if score.shape[1] == 1 else score.argmax(axis=1)


def cell(name: str, kind: str, seed: int, *, rows: Samples | None = None, without: str = "") -> Cell:
    """Return one cell: 65 % of the rows train the teacher, 35 % stay fresh."""
    rows = task(name) if rows is None else rows
    parts = train_test_split(np.arange(len(rows)), test_size=0.35, random_state=seed, stratify=rows.labels)
    train, fresh = (rows.take(part) for part in parts)
    return Cell(name, kind, seed, train, fresh, trained(kind, matrix(train, without), train.labels, seed), without)


def trained(kind: str, X: np.ndarray, y: np.ndarray, seed: int) -> object:
    if kind == "rf":
        teacher = RandomForestClassifier(100, min_samples_leaf=2, random_state=seed, n_jobs=1)
    else:
        teacher = make_pipeline(StandardScaler(), MLPClassifier((64, 32), max_iter=400, random_state=seed))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return teacher.fit(X, y)


def peers_python() -> Path | None:
    """Return the Python of the peers' environment; built if it is not there, None where it cannot be built."""
    python = Path(os.environ.get("KDAUDIT_PEERS", ENVIRONMENT / "bin" / "python"))
    if not python.exists() and "KDAUDIT_PEERS" not in os.environ:
        build = [sys.executable, "-m", "venv", str(ENVIRONMENT)]
        fill = [str(python), "-m", "pip", "install", "-q", "-r", str(HERE / "peers.txt")]
        for command in (build, fill):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                print(f"peers: left out, their environment could not be built: {done.stderr.strip()[-300:]}")
                return None
    return python if python.exists() else None


def peers(python: Path, one: Cell, runs: list[tuple[str, int]]) -> dict[tuple[str, int], dict]:
    """Return what peers decide of the fresh rows, their self-reported fidelity and size; nothing where they failed."""
    request = {
        "runs": runs,
        "seed": one.seed,
        "X": matrix(one.train, one.without).tolist(),
        "y": one.decided(one.train).tolist(),
        "fresh": matrix(one.fresh, one.without).tolist(),
    }
    command = [str(python), str(HERE / "surrogate_peers.py")]
    done = subprocess.run(command, input=json.dumps(request), capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"peers on {one.task}, {one.kind}, seed {one.seed}: {done.stderr.strip().splitlines()[-1][:200]}")
        return {}
    # a peer may print lines of its own before the answers
    answers = json.loads(done.stdout.strip().splitlines()[-1])
    return {(name, leaves): answers[f"{name} {leaves}"] for name, leaves in runs}
