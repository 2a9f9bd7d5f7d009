"""Teachers of a few digits, and how far students are from them: for tests that look for an effect over seeds."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from scipy.stats import ttest_1samp

from kdaudit.distillation.looking import look
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network
from kdaudit.networks.steps import fit
from kdaudit.objective.features import aligned, width_of
from kdaudit.objective.reference import Reference
from kdaudit.objective.sum import parse
from kdaudit.pictures import Pictures
from kdaudit.signal import LABEL, SCORE

TEACHERS = {"cnn": (16, 32), "patch_transformer": (64, 64), "mlp": (256, 128)}
BLOCK = 100
"""Rows that stand together where a term is about pairs of rows."""


def beside(name: str) -> ModuleType:
    """Return a module of this folder, which is no package."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


digits = beside("digits")


@cache
def rows():
    """Return 1,078 digits to learn from and 719 to judge on."""
    return digits.pictures()


def sizes(kind, hidden, width=32):
    """Return the arguments of an architecture that reads digits."""
    if kind == "mlp":
        return {"inputs": 64, "outputs": 10, "hidden": hidden}
    common = {"shape": (1, 8, 8), "outputs": 10, "hidden": hidden}
    return common if kind == "cnn" else common | {"patch": 2, "width": width, "heads": 2}


def blank(kind, hidden, seed, width=32):
    """Return a network that learned nothing yet."""
    return build(kind, sizes(kind, hidden, width), seed)


@cache
def teacher(kind, seed, n=120, steps=300):
    """Return a network that learned the labels of n digits, others for every seed."""
    samples = rows()[0].take(np.random.default_rng(500 + seed).permutation(len(rows()[0]))[:n])
    encoding, right = Pictures.fitted(samples), torch.from_numpy(samples.labels)
    module = blank(kind, TEACHERS[kind], seed)

    def loss(given, at):
        return torch.nn.functional.cross_entropy(given, right[at])

    fit(module, encoding.encode(samples), loss, steps=steps, batch=64, seed=seed)
    return Network(f"{kind} {seed}", module, encoding, digits.CLASSES)


def agreement(student, other, judge=None):
    """Return the share of rows set apart that both decide alike."""
    judge = rows()[1] if judge is None else judge
    return (student.answer(judge, {LABEL}).label == other.answer(judge, {LABEL}).label).mean()


def divergence(student, other, judge=None):
    """Return the mean divergence of a student's probabilities from another's on rows set apart, in nats."""
    judge = rows()[1] if judge is None else judge
    p, q = (_probabilities(who, judge) for who in (other, student))
    return (p * np.log(p / q)).sum(axis=1).mean()


def _probabilities(who, judge):
    score = who.answer(judge, {SCORE}).score
    return np.clip(np.hstack([1 - score, score]) if score.shape[1] == 1 else score, 1e-9, 1)


def surely_less(these, those, slack=0.0):
    """Whether the first are less than the second by more than `slack`, over paired seeds: one-sided t, p < .01."""
    return ttest_1samp(np.subtract(these, those) + slack, 0, alternative="less").pvalue < 0.01


def measured(objective, made, teacher, judge=None):
    """Return the mean of a term over rows set apart, by the term itself; layers of two widths meet by least squares."""
    ((_, term),) = parse(objective).parts
    inputs = torch.from_numpy(teacher.encoding.encode(rows()[1] if judge is None else judge))
    with torch.no_grad():
        logits = teacher.module(inputs)
    top = logits.argmax(dim=1)
    theirs = {} if term.teacher is None else look(teacher.module, inputs, [term.teacher], top)
    with torch.no_grad():
        mine = {"": made.module(inputs)}
    mine |= look(made.module, inputs, [term.student], top) if term.student else {}
    said = Reference.from_logits(logits, None, "probability", theirs)
    a, b = term.of(mine, said)
    if term.projects:
        a, b = _of_one_width(*aligned(a, b))
    if term.pairs:
        blocks = [torch.arange(i, i + BLOCK) for i in range(0, len(inputs) - BLOCK + 1, BLOCK)]
        return float(np.mean([float(term(a[at], b.take(at) if b is said else b[at]).mean()) for at in blocks]))
    return float(term(a, b).mean())


def _of_one_width(a, b):
    if width_of(a) == width_of(b):
        return a, b
    flat = [x.movedim(1, -1).reshape(-1, x.shape[1]) if x.ndim == 4 else x.reshape(-1, x.shape[-1]) for x in (a, b)]
    return flat[0] @ torch.linalg.lstsq(flat[0], flat[1]).solution, flat[1]
