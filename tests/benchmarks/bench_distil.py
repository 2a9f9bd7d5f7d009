"""How faithful students are, and what smaller ones keep."""

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import distil_digits
import distil_sizes
import distil_speed
import numpy as np

from kdaudit.statistics.rates import mean

WORKERS = 2
DIGITS_SEEDS, SIZES_SEEDS = 10, 3


def run(report, full: bool) -> None:
    distil_speed.run(report)
    digits(report)
    sizes(report, full)


def digits(report) -> None:
    """Digits with 120 labels: fidelity of one and the same student, over seeds, beside a label-only one."""
    teacher, student = distil_digits.weights()
    report.figure("digits: times that the student is smaller", teacher / student)
    # begun anew and not forked: a copy of a process in which torch has run may never come back from it
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(distil_digits.one, range(DIGITS_SEEDS)))
    told = distil_digits.OBJECTIVE
    for who in ("student", "label-only control"):
        each = [one[who] for one in found]
        aims = AIMS if who == "student" else {}
        for name, value in MEASURES.items():
            _figure(report, f"digits, {told}: {who}: {name}", [value(one) for one in each], aims.get(name, ""))
    excess = mean(np.array([one["student"].excess for one in found]))
    report.figure("digits: lower end of the mean excess, points", excess.low, n=DIGITS_SEEDS, target="> 2")
    beyond = [one["student"].excess - one["label-only control"].excess for one in found]
    _figure(report, "digits: excess beyond that of the label-only control, points", beyond)
    _figure(report, "digits: seconds of CPU to distil", [one["student"].seconds for one in found])


MEASURES: dict[str, Callable[[distil_digits.Outcome], float]] = {
    "agreement": lambda one: one.agreement,
    "divergence, nats": lambda one: one.divergence,
    "cosine of input gradients": lambda one: one.cosine,
    "excess, points": lambda one: one.excess,
    "excess over the teacher's twin, points": lambda one: one.excess_over_twin,
    "accuracy": lambda one: one.accuracy,
}
AIMS = {
    "agreement": ">= 0.96",
    "divergence, nats": "<= 0.063",
    "cosine of input gradients": ">= 0.5",
    "excess, points": ">= 4",
}


def sizes(report, full: bool) -> None:
    """Accuracy kept by smaller students on MNIST and on film reviews."""
    if not os.environ.get("KDAUDIT_DATA"):
        print("sizes: skipped, MNIST and the reviews are read from KDAUDIT_DATA")
        return
    seeds = range(DIGITS_SEEDS if full else SIZES_SEEDS)
    for name, task in (("MNIST", distil_sizes.mnist), ("SST", distil_sizes.sst)):
        made = task(Path(os.environ["KDAUDIT_DATA"]))
        found = [distil_sizes.one(made, seed) for seed in seeds]
        for who in found[0]:
            rows = [one[who] for one in found]
            for column in ("parameters", "flops", "milliseconds", "accuracy", "agreement", "excess", "seconds"):
                _figure(report, f"{name}, {who}: {column}", [getattr(row, column) for row in rows])
            if who == "teacher":
                continue
            kept = [one[who].accuracy / one["teacher"].accuracy for one in found]
            fewer = [1 - one[who].parameters / one["teacher"].parameters for one in found]
            aim = 0.95 if who == "10x smaller" else 0.97
            _figure(report, f"{name}, {who}: share of the teacher's accuracy that is kept", kept, f">= {aim}")
            _figure(report, f"{name}, {who}: share of weights that it lacks", fewer)


def _figure(report, what: str, values: list[float], target: str = "") -> None:
    found = mean(np.array(values, dtype=float))
    report.figure(what, float(np.mean(values)), low=found.low, high=found.high, n=len(values), target=target)
