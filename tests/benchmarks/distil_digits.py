"""Digits with few labels: how faithful a student 26 times smaller than its teacher is, beside its controls.

The teacher learns 120 labelled digits; its student sees 1,078 unlabelled ones, and both are compared on 719 others.  An
independent teacher learns 120 other digits.  Excess is agreement with the teacher minus agreement of the same student
with the independent one: what cannot be had by being right.  A twin learns the teacher's own 120 digits from another
seed; it is the harder control, since it shares what these digits teach.
"""

import time
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from torch.nn import functional

from kdaudit.chance import rng
from kdaudit.data.sets import load_set, named_set
from kdaudit.distillation.loop import distil
from kdaudit.distillation.training import Schedule
from kdaudit.distillation.views import mixup
from kdaudit.networks.network import Network
from kdaudit.networks.steps import fit
from kdaudit.pictures import Pictures
from kdaudit.samples import Samples, concat
from kdaudit.students.cnn import Cnn

CLASSES = named_set("digits").outputs
LABELLED, HELD_OUT = 120, 0.4
TEACHER, STUDENT = Cnn((24, 48), depth=2), Cnn((8, 16))
OBJECTIVE = "soft_targets(4) + 0.2 * explanation"
"""What `faithful` becomes for a teacher that lies open: softened answers, and the gradient by the teacher's class."""
SCHEDULE = Schedule(steps=16_000, batch=256, rate=6e-3, settled=0.5, doubt=0.15)
TWIN = 1_000
"""Added to the seed for the twin."""
VIEWS = 28
"""Mixtures a row, and copies a row: a small student that sees mixtures alone spends itself on what is no digit."""
NOISE = 0.12
"""Most noise of either, in shares of a pixel's range; a third of the spread of all pixels."""


@dataclass(frozen=True)
class Outcome:
    """What was measured on the held-out digits.

    `cosine` is between the gradients of the teacher's likeliest class by the pixels, student's and teacher's.
    """

    accuracy: float
    agreement: float
    stranger: float
    twin: float
    divergence: float
    cosine: float
    seconds: float

    @property
    def excess(self) -> float:
        """Points of agreement beyond that with the independent teacher."""
        return 100 * (self.agreement - self.stranger)

    @property
    def excess_over_twin(self) -> float:
        """Points of agreement beyond that with the teacher's twin."""
        return 100 * (self.agreement - self.twin)


@cache
def rows() -> tuple[Samples, Samples]:
    """Return the digits to learn from, and those held out: the same for every seed."""
    digits = load_set("digits")
    learn, judge = train_test_split(np.arange(len(digits)), test_size=HELD_OUT, random_state=0, stratify=digits.labels)
    return digits.take(learn, part="fit"), digits.take(judge, part="judge")


def taught(samples: Samples, recipe: Cnn, name: str, seed: int, steps: int = 320) -> Network:
    """Return a network that learned labels."""
    encoder, labels = Pictures.fitted(samples), torch.from_numpy(samples.labels)
    module = recipe.build(samples.domain, CLASSES, rng(seed, f"bench/{name}"))
    fit(
        module,
        encoder.encode(samples),
        lambda given, chosen: functional.cross_entropy(given, labels[chosen]),
        steps=steps,
        batch=30,
        seed=seed,
    )
    return Network(name, module, encoder, CLASSES)


def seen(samples: Samples, seed: int, views: int = VIEWS) -> Samples:
    """Return the digits, mixtures of two and copies of one, both with noise of up to `NOISE`; no label is used."""
    draw = rng(seed, "bench/views")
    mixed = mixup(samples, views * len(samples), draw)
    copied = samples.take(np.tile(np.arange(len(samples)), views))
    bare = Samples(samples.domain, samples.columns, samples.ids.astype(str), samples.origin)
    return concat([bare, noisy(mixed, "mixture", draw), noisy(copied, "copy", draw)])


def noisy(samples: Samples, name: str, draw: np.random.Generator) -> Samples:
    """Return the digits with normal noise, each of its own amount, and new ids."""
    pixels = samples.columns["digit"]
    amount = draw.uniform(0, NOISE, (len(pixels), 1, 1, 1)).astype(np.float32)
    changed = np.clip(pixels + amount * draw.standard_normal(pixels.shape, dtype=np.float32), 0, 1)
    ids = np.array([f"{name} {i}" for i in range(len(pixels))])
    return Samples(samples.domain, {"digit": changed}, ids, samples.origin)


def one(seed: int, objective: str = OBJECTIVE, schedule: Schedule = SCHEDULE) -> dict[str, Outcome]:
    """Return the outcome of the student, and of one of its size that learned the teacher's labels alone."""
    torch.set_num_threads(1)
    learn, judge = rows()
    order = rng(seed, "bench/labelled").permutation(len(learn))
    parts = [learn.take(order[start : start + LABELLED]) for start in (0, LABELLED)]
    teacher = taught(parts[0], TEACHER, "teacher", seed)
    others = taught(parts[1], TEACHER, "stranger", seed), taught(parts[0], TEACHER, "twin", seed + TWIN)
    start = time.process_time()
    module = STUDENT.build(learn.domain, CLASSES, rng(seed, "bench/student"))
    student = distil(module, teacher, objective, seen(learn, seed), rng=rng(seed, "bench/distil"), schedule=schedule)
    seconds = time.process_time() - start
    control = taught(parts[0], STUDENT, "label-only control", seed, steps=1500)
    return {
        "student": measured(student, teacher, others, judge, seconds),
        "label-only control": measured(control, teacher, others, judge, 0.0),
        "teacher": measured(teacher, teacher, others, judge, 0.0),
    }


def measured(
    student: Network, teacher: Network, others: tuple[Network, Network], judge: Samples, seconds: float
) -> Outcome:
    """Return what a student is worth on held-out digits."""
    nets = (student, teacher, *others)
    ours, theirs, stranger, twin = (net.raw(net.encoding.encode(judge)) for net in nets)
    label = theirs.argmax(axis=1)
    p, q = (torch.log_softmax(torch.from_numpy(z), dim=1) for z in (theirs, ours))
    slopes = [slope(net, judge, label) for net in (student, teacher)]
    return Outcome(
        accuracy=float((ours.argmax(axis=1) == judge.labels).mean()),
        agreement=float((ours.argmax(axis=1) == label).mean()),
        stranger=float((ours.argmax(axis=1) == stranger.argmax(axis=1)).mean()),
        twin=float((ours.argmax(axis=1) == twin.argmax(axis=1)).mean()),
        divergence=float((p.exp() * (p - q)).sum(dim=1).mean()),
        cosine=float(functional.cosine_similarity(*slopes, dim=1).mean()),
        seconds=seconds,
    )


def slope(network: Network, samples: Samples, label: np.ndarray) -> torch.Tensor:
    """Return the gradient of one logit a row by the pixels (both networks standardise by one number each)."""
    inputs = torch.from_numpy(network.encoding.encode(samples)).requires_grad_()
    chosen = network.module(inputs).gather(1, torch.from_numpy(label)[:, None])
    return torch.autograd.grad(chosen.sum(), inputs)[0]


def weights() -> tuple[int, int]:
    """Return parameters of teacher and student."""
    domain = rows()[0].domain
    built = (recipe.build(domain, CLASSES, np.random.default_rng(0)) for recipe in (TEACHER, STUDENT))
    teacher, student = (sum(p.numel() for p in module.parameters()) for module in built)
    return teacher, student
