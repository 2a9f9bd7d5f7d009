"""What each term, and each teacher, changes in a student of digits: on rows that nobody learned from, over seeds."""

import importlib.util
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from kdaudit.chance import rng
from kdaudit.distillation.looking import look
from kdaudit.distillation.loop import distil
from kdaudit.distillation.peers import mutual, outcomes
from kdaudit.distillation.training import Schedule
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network
from kdaudit.networks.steps import fit
from kdaudit.objective.reference import Reference
from kdaudit.objective.sum import parse
from kdaudit.pictures import Pictures
from kdaudit.signal import LABEL, SCORE
from kdaudit.teachers.consensus import Consensus
from kdaudit.teachers.ensembles import Ensemble

_spec = importlib.util.spec_from_file_location("digits", Path(__file__).with_name("digits.py"))
digits = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(digits)

pytestmark = pytest.mark.slow
SEEDS = 3
STEPS = Schedule(250, 64, 3e-3)


@cache
def rows():
    return digits.pictures()


@cache
def network(kind, seed, first=0, last=500):
    """A teacher: a cnn, or a transformer over patches, that learned the labels of some rows."""
    samples = rows()[0].take(np.arange(first, last))
    encoding, right = Pictures.fitted(samples), torch.from_numpy(samples.labels)
    module = build(kind, dict(sizes(kind, (16, 32) if kind == "cnn" else (64, 64), 32)), seed)
    fit(
        module,
        encoding.encode(samples),
        lambda given, at: torch.nn.functional.cross_entropy(given, right[at]),
        steps=250,
        batch=64,
        seed=seed,
    )
    return Network(f"{kind} {seed}", module, encoding, digits.CLASSES)


def sizes(kind, hidden, width):
    common = {"shape": (1, 8, 8), "outputs": 10, "hidden": hidden}
    return common if kind == "cnn" else common | {"patch": 2, "width": width, "heads": 2}


@cache
def student(kind, objective, seed, hidden=(8, 8), teacher="cnn"):
    module = build(kind, dict(sizes(kind, hidden, 16)), 100 + seed)
    return distil(module, network(teacher, 0), objective, rows()[0], schedule=STEPS, rng=rng(seed, "effect"))


def measured(objective, made, teacher):
    """The mean of a term over rows set apart, by the term itself; wide layers meet by least squares."""
    goal, judge = parse(objective), rows()[1]
    encoded = teacher.encoding.encode(judge)
    (_, term), inputs = goal.parts[0], torch.from_numpy(encoded)
    with torch.no_grad():
        logits = teacher.module(inputs)
    top = logits.argmax(dim=1)
    theirs = {} if term.teacher is None else look(teacher.module, inputs, [term.teacher], top)
    mine = {"": made.module(inputs)} | ({} if not term.student else look(made.module, inputs, [term.student], top))
    reference = Reference.from_logits(logits, None, "probability", theirs)
    a, b = term.of(mine, reference)
    if term.projects and a.shape[1] != b.shape[1]:
        flat = [x.movedim(1, -1).reshape(-1, x.shape[1]) if x.ndim == 4 else x.reshape(-1, x.shape[-1]) for x in (a, b)]
        a, b = flat[0] @ torch.linalg.lstsq(flat[0], flat[1]).solution, flat[1]
    if term.pairs:
        blocks = [slice(i, i + 100) for i in range(0, 700, 100)]
        return float(np.mean([term(a[block], b[block]).mean().item() for block in blocks]))
    return float(term(a, b).mean())


TERMS = [
    ("cnn", "hint('blocks.1')", 1),
    ("cnn", "cosine_hint('blocks.1')", 1),
    ("cnn", "attention('blocks.0')", 1),
    ("cnn", "similarity('blocks.1')", 1),
    ("cnn", "relation('blocks.1')", 1),
    ("cnn", "cka('blocks.1')", 1),
    ("cnn", "explanation", 1),
]


@pytest.mark.parametrize(("kind", "term", "weight"), TERMS)
def test_a_term_brings_nearer_what_it_names(kind, term, weight):
    teacher = network(kind, 0)
    # cosines are taken of layers of one width: least squares would not be the best projection for them
    hidden = (8, 32) if term.startswith("cosine") else (8, 8) if kind == "cnn" else (16, 16)
    for seed in range(SEEDS):
        without = measured(term, student(kind, "soft_targets(4)", seed, hidden, kind), teacher)
        goal = f"soft_targets(4) + {weight} * {term}"
        with_it = measured(term, student(kind, goal, seed, hidden, kind), teacher)
        assert with_it < 0.97 * without, (term, seed, with_it, without)


def test_mutual_students_agree_more_than_strangers():
    record, judge = outcomes(rows()[0].take(np.arange(300)), digits.CLASSES), rows()[1]
    for seed in range(SEEDS):
        modules = [build("cnn", dict(sizes("cnn", (8, 8), 0)), 10 * seed + i) for i in range(2)]
        apart = []
        for goal in ("labels + peers(soft_targets(1))", "labels + 1e-9 * peers(labels)"):
            pair = mutual(modules, goal, record, digits.CLASSES, schedule=STEPS, rng=rng(seed, "mutual"))
            said = [Reference.of(one.answer(judge, (SCORE,)), None, scale="probability") for one in pair]
            apart.append(float(parse("soft_targets(1)")(said[0].logit, said[1]).mean()))
        assert apart[0] < 0.7 * apart[1]


def test_an_ensemble_is_a_better_teacher_than_its_members_on_average():
    members = [network("cnn", s, 40 * s, 40 * s + 40) for s in range(1, 4)]
    judge = rows()[1]

    def right(subject):
        return float((subject.answer(judge, (LABEL,)).label == judge.labels).mean())

    assert right(Ensemble(members)) > np.mean([right(member) for member in members]) + 0.02


def test_noise_that_keeps_clients_private_costs_agreement():
    clients, judge = [network("cnn", s, 40 * s, 40 * s + 40) for s in range(1, 4)], rows()[1]
    plain = Ensemble(clients).answer(judge, (LABEL,)).label
    agreed, spent = [], []
    for noise in (0.02, 2.0):
        both = Consensus(clients, clip=10.0, noise=noise, secret=1)
        module = build("cnn", dict(sizes("cnn", (8, 8), 0)), 3)
        made = distil(module, both, "soft_targets(1)", rows()[0], schedule=STEPS)
        agreed.append((made.answer(judge, (LABEL,)).label == plain).mean())
        spent.append(made.notes["teacher"]["privacy"]["epsilon"])
    assert agreed[0] > agreed[1]
    assert spent[0] > spent[1] > 10
