"""What students cost beside their teacher, and whether the instruments say the same of one thing twice."""

import tempfile
from pathlib import Path

import numpy as np

from kdaudit.cost.energy import measured, modelled
from kdaudit.cost.latency import answering, beside, latency
from kdaudit.cost.memory import peak_memory
from kdaudit.cost.sizes import size
from kdaudit.domain import Domain, Real
from kdaudit.encoding import Encoding
from kdaudit.networks.architectures import build
from kdaudit.networks.files import save
from kdaudit.networks.network import Network
from kdaudit.samples import Origin, Samples
from kdaudit.signal import SCORE

COLUMNS = 64
DOMAIN = Domain(tuple(Real(f"x{i}") for i in range(COLUMNS)))


def run(report, full: bool) -> None:
    teacher, student = network((256, 256)), network((32,))
    for name, subject in (("teacher", teacher), ("student", student)):
        counted = size(subject, rows(16))
        report.figure(f"{name}: FLOPs a row", counted.operations.value, n=1)
        energy = modelled(counted)
        report.figure(f"{name}: nanojoule a row, {energy.label}", 1e9 * energy.joule, n=1)
    for batch in (1, 256):
        few = rows(batch)
        calls = [answering(who, few, {SCORE}) for who in (teacher, student)]
        ratio = beside(*calls, blocks=60 if full else 15, calls=10)
        own = ratio.itself
        what = f"batch {batch}: teacher against itself, times"
        report.figure(what, own.value, low=own.low, high=own.high, n=own.n, target="<= 1.05")
        found = ratio.value
        what = f"batch {batch}: teacher against student, times"
        report.figure(what, found.value, low=found.low, high=found.high, n=found.n)
    times = latency(answering(student, rows(1), {SCORE}), calls=5000 if full else 1000)
    for name in ("p50", "p90", "p99"):
        part = getattr(times, name)
        report.figure(f"student, one row: {name}, microseconds", part.value, low=part.low, high=part.high, n=part.n)
    report.figure("student, one row: largest, microseconds", times.largest, n=times.calls)
    told = measured(lambda: None, calls=1)
    print(f"energy: {told.label}, {told.source}")
    with tempfile.TemporaryDirectory() as folder:
        save(teacher, Path(folder))
        memory = peak_memory(Path(folder), rows(256))
    weights = 4 * teacher.form.parameters
    report.figure("teacher: MiB beyond an empty process", memory.taken / 2**20, n=1)
    report.figure("teacher: MiB of its weights", weights / 2**20, n=1)


def rows(n: int) -> Samples:
    draw = np.random.default_rng(0)
    return Samples(DOMAIN, {f.name: draw.normal(size=n) for f in DOMAIN.fields}, np.arange(n), Origin("drawn"))


def network(hidden) -> Network:
    arguments = {"inputs": COLUMNS, "outputs": 10, "hidden": list(hidden)}
    return Network("network", build("mlp", arguments, 0), Encoding.fitted(rows(100)), tuple("0123456789"))
