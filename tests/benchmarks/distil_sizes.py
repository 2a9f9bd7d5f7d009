"""What smaller students keep of their teacher's accuracy: digits of MNIST, sentences of film reviews."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from kdaudit.cast import Empty
from kdaudit.chance import rng
from kdaudit.cost.latency import latency
from kdaudit.cost.sizes import size
from kdaudit.data.sets import load_set, named_set
from kdaudit.distillation.loop import Extras, distil
from kdaudit.distillation.starting import start_from, vocabulary
from kdaudit.distillation.training import Schedule
from kdaudit.encoders import Encoder
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network
from kdaudit.networks.steps import fit
from kdaudit.pictures import Pictures
from kdaudit.samples import Samples, concat
from kdaudit.tokens import Tokens

CALLS = 500
"""Timed answers of one row."""


@dataclass(frozen=True)
class Task:
    """Rows, and how networks on them are made.

    Parameters
    ----------
    labelled : (Samples, Samples)
        What the teacher and an independent teacher learn from.
    unlabelled : Samples
        What the student asks its teacher about.
    judge : Samples
    outputs : tuple of str
    objective : str
    students : dict of str to callable
        How much smaller -> (teacher, seed) -> (module, encoder).
    steps : (int, int)
        Of a teacher, and of a student.
    """

    labelled: tuple[Samples, Samples]
    unlabelled: Samples
    judge: Samples
    outputs: tuple[str, ...]
    objective: str
    teacher: Callable[[Samples, int], tuple[nn.Module, Encoder]]
    students: dict[str, Callable[[Network, int], tuple[nn.Module, Encoder]]]
    steps: tuple[int, int]


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    parameters: int
    flops: float
    milliseconds: float
    accuracy: float
    agreement: float
    excess: float
    seconds: float


def mnist(data: Path) -> Task:
    """Return digits: 20,000 labelled for each of two teachers, the first 20,000 without labels for students."""
    whole = load_set("mnist", data)
    order = rng(0, "bench/mnist").permutation(60_000)

    def cnn(hidden, depth):
        def made(samples, seed):
            arguments = {"shape": [1, 28, 28], "outputs": 10, "hidden": list(hidden), "depth": depth}
            return build("cnn", arguments, seed), Pictures.fitted(samples)

        return made

    def student(hidden, depth):
        return lambda teacher, seed: (cnn(hidden, depth)(first, seed)[0], teacher.encoding)

    first, second = whole.take(order[:20_000]), whole.take(order[20_000:40_000])
    return Task(
        (first, second),
        first,
        whole.take(np.arange(60_000, 70_000)),
        named_set("mnist").outputs,
        "soft_targets(4)",
        cnn((16, 32), 2),
        {"40-60 % smaller": student((11, 22), 2), "10x smaller": student((3, 5, 8), 2)},
        (500, 2_000),
    )


def sst(data: Path) -> Task:
    """Return sentences: the treebank's for the teachers, those and other reviews without labels for students.

    Students start from the teacher's word vectors, on their widest directions; all their weights are counted.
    """
    whole, reviews = load_set("sst", data), load_set("movie_reviews", data)
    names = np.char.partition(whole.ids.astype(str), " ")[:, 0]
    train, judge = whole.take(names == "train"), whole.take(names == "test")
    half = rng(0, "bench/sst").permutation(len(train))

    def transformer(encoder, width, hidden, seed):
        sizes = {"vocabulary": encoder.vocabulary, "length": encoder.length, "outputs": 1}
        return build("transformer", {**sizes, "width": width, "hidden": list(hidden), "heads": 4, "dropout": 0.2}, seed)

    def teacher(samples, seed):
        encoder = Tokens.fitted(concat([train, reviews]), words=8_000)
        return transformer(encoder, 64, (128,), seed), encoder

    def student(words, width, hidden):
        def made(teacher, seed):
            encoder = vocabulary(teacher.encoding, teacher, words, "teacher")
            module = transformer(encoder, width, hidden, seed)
            start_from(teacher, module)
            return module, encoder

        return made

    return Task(
        (train.take(half), train.take(half)),
        concat([train, reviews]),
        judge,
        named_set("sst").outputs,
        "soft_targets(1)",
        teacher,
        {"40-60 % smaller": student(8_000, 32, (64,)), "10x smaller": student(3_000, 16, (32,))},
        (400, 1_200),
    )


def taught(task: Task, samples: Samples, name: str, seed: int) -> Network:
    """Return a teacher that learned labels."""
    module, encoder = task.teacher(samples, seed)
    labels = torch.from_numpy(samples.labels)

    def loss(given, chosen):
        if given.shape[1] == 1:
            return functional.binary_cross_entropy_with_logits(given[:, 0], labels[chosen].float())
        return functional.cross_entropy(given, labels[chosen])

    fit(module, encoder.encode(samples), loss, steps=task.steps[0], batch=64, seed=seed)
    return Network(name, module, encoder, task.outputs)


def one(task: Task, seed: int) -> dict[str, Row]:
    """Return teacher and students as lines of a table."""
    torch.set_num_threads(1)
    teacher, stranger = (taught(task, part, "teacher", seed + 1_000 * i) for i, part in enumerate(task.labelled))
    out = {"teacher": line(teacher, teacher, stranger, task.judge, 0.0)}
    for name, make in task.students.items():
        module, encoder = make(teacher, seed)
        start = time.process_time()
        student = distil(
            module,
            teacher,
            task.objective,
            task.unlabelled,
            rng=rng(seed, f"bench/{name}"),
            schedule=Schedule(steps=task.steps[1], batch=64),
            extras=Extras(encoding=encoder),
        )
        out[name] = line(student, teacher, stranger, task.judge, time.process_time() - start)
    return out


def line(student: Network, teacher: Network, stranger: Network, judge: Samples, seconds: float) -> Row:
    """Return what a network is worth on held-out rows, and what it costs."""
    ours, theirs, others = (decided(net.raw(net.encoding.encode(judge))) for net in (student, teacher, stranger))
    found, row = size(student, judge), torch.from_numpy(student.encoding.encode(judge.take([0])))
    with torch.no_grad():
        took = latency(lambda: student.module(row), calls=CALLS)
    return Row(
        parameters=int(found.parameters.value),
        flops=float("nan") if isinstance(found.operations, Empty) else found.operations.value,
        milliseconds=took.p50.value / 1_000,
        accuracy=float((ours == judge.labels).mean()),
        agreement=float((ours == theirs).mean()),
        excess=100 * float((ours == theirs).mean() - (ours == others).mean()),
        seconds=seconds,
    )


def decided(raw: np.ndarray) -> np.ndarray:
    """Return decisions."""
    return (raw[:, 0] > 0).astype(np.int64) if raw.shape[1] == 1 else raw.argmax(axis=1)
