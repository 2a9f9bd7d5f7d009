"""Comparisons of reasons: what they cost beside captum and shap, and what their errors and nulls are worth.

Costs are CPU seconds on one thread.  shap is no dependency: it is taken from this interpreter, or from the one that the
variable ``KDAUDIT_SHAP_PYTHON`` names; without it its figures are left out.
"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import compare_encoder
import compare_known
import numpy as np
import torch
from compare_costs import best_pass, cpu, cpus
from sklearn.tree import DecisionTreeRegressor
from torch import nn

from kdaudit.explain.coalitions import every
from kdaudit.explain.games import TensorGame
from kdaudit.explain.passes import Passes
from kdaudit.explain.paths import Inputs, expected, integrated
from kdaudit.explain.shapley import exact, kernel, permutations
from kdaudit.measures.representations import cka

HERE = Path(__file__).parent
ROWS, FIELDS = 512, 64


def run(report, full: bool) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        perceptron(report, full)
        trees(report)
        likenesses(report)
        coverage(report, 2000 if full else 1000)
        compare_known.pairs(report, full)
        compare_known.census(report)
        compare_encoder.transformer(report, full)
    finally:
        torch.set_num_threads(threads)


class Compared:
    """Says the cost of ours beside that of captum and the floor."""

    def __init__(self, report, where: str) -> None:
        self.report, self.where = report, where

    def say(self, what: str, ours: float, theirs: float, floor: float, *, faster: str, above: str) -> None:
        self.report.figure(f"{self.where} {what}: captum's CPU over ours", theirs / ours, target=faster, peer=theirs)
        self.report.figure(f"{self.where} {what}: ours over the floor", ours / floor, target=above, peer=theirs / floor)


def perceptron(report, full: bool) -> None:
    """The multilayer perceptron 64-256-256-10, 512 rows."""
    from captum.attr import FeatureAblation, GradientShap, IntegratedGradients, KernelShap, ShapleyValueSampling

    torch.manual_seed(0)
    module = (
        nn.Sequential(nn.Linear(FIELDS, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))
        .eval()
        .requires_grad_(False)
    )
    x, base = torch.randn(ROWS, FIELDS), torch.zeros(ROWS, FIELDS)
    lent, output = torch.randn(100, FIELDS), module(x).argmax(dim=1)
    forward = best_pass(module, x, (256, 512, 1024, 2048, 4096), backward=False)
    both = best_pass(module, x, (256, 512, 1024, 2048, 4096), backward=True)
    passes, inputs = Passes(module), Inputs(x, output, torch.arange(FIELDS), FIELDS)
    game = TensorGame(passes, inputs, torch.zeros(1, FIELDS))
    said = Compared(report, "perceptron")

    method = IntegratedGradients(module)
    ours, *theirs = cpus(
        [
            lambda: integrated(passes, inputs, base[0], nodes=50),
            *(
                lambda more=more: method.attribute(x, base, target=output, n_steps=50, **more)
                for more in ({}, {"internal_batch_size": 512}, {"internal_batch_size": 2048})
            ),
        ],
        12,
    )
    said.say("integrated gradients", ours, min(theirs), 51 * ROWS * both, faster=">= 1.5", above="<= 1.25")

    shap = GradientShap(module)
    ours, theirs = cpus(
        [
            lambda: expected(passes, inputs, lent, draws=25, rng=np.random.default_rng(0)),
            lambda: shap.attribute(x, lent, target=output, n_samples=25),
        ],
        12,
    )
    said.say("gradient SHAP", ours, theirs, 25 * ROWS * both, faster=">= 1.5", above="<= 1.25")

    masks = np.concatenate([np.ones((1, FIELDS), dtype=bool), ~np.eye(FIELDS, dtype=bool)])
    ablating = FeatureAblation(module)
    ours, *theirs = cpus(
        [
            lambda: game(masks),
            *(
                lambda size=size: ablating.attribute(x, base, target=output, perturbations_per_eval=size)
                for size in (1, 8, 64)
            ),
        ],
        40,
    )
    said.say("ablation", ours, min(theirs), 65 * ROWS * forward, faster=">= 1.1", above="<= 1.25")

    ours = cpu(lambda: permutations(game, FIELDS, 5, np.random.default_rng(0)), 2)
    method = ShapleyValueSampling(module)
    some = 128
    theirs = cpu(lambda: method.attribute(x[:some], base[:some], target=output[:some], n_samples=10), 1) * ROWS / some
    said.say("permutations", ours, theirs, 630 * ROWS * forward, faster="> 1", above="<= 1.5")

    ours = cpu(lambda: kernel(game, FIELDS, 255, np.random.default_rng(0)), 2)
    method, some = KernelShap(module), 8 if full else 2
    default, best = (
        cpu(
            lambda size=size: method.attribute(
                x[:some], base[:some], target=output[:some], n_samples=512, perturbations_per_eval=size
            ),
            1,
        )
        * ROWS
        / some
        for size in (1, 512)
    )
    said.say("Shapley kernel", ours, default, 512 * ROWS * forward, faster=">= 100", above="<= 1.25")
    report.figure("perceptron Shapley kernel: captum's CPU at its best setting over ours", best / ours, peer=best)


def likenesses(report) -> None:
    """What measures say of what has nothing in common."""
    g = np.random.default_rng(0)
    for n, width in ((64, 256), (64, 2048), (256, 2048)):
        found = [cka(g.normal(size=(n, width)), g.normal(size=(n, width))) for _ in range(20)]
        report.figure(
            f"debiased CKA of independent numbers, {n} rows of {width}", abs(float(np.mean(found))), target="<= 0.02"
        )


def coverage(report, repeats: int) -> None:
    """Intervals of sampled Shapley values in two games of ten players whose exact values are compare_known."""
    masks, bits = every(10), 1 << np.arange(10)
    for name, worth in (("network", network_game(masks)), ("pairs and triples", small_game(masks))):

        def game(chosen, worth=worth):
            return worth[chosen @ bits][:, None]

        truth = exact(game, 10).values[0]
        for way, pairs, low in ((kernel, 36, ">= 0.93"), (kernel, 72, ">= 0.93"), (kernel, 144, ">= 0.93"),
                                (permutations, 16, ">= 0.92"), (permutations, 32, ">= 0.92")):  # fmt: skip
            inside, spread = [], np.zeros(10)
            for seed in range(repeats):
                found = way(game, 10, pairs, np.random.default_rng(seed))
                low_end, high_end = found.interval()
                inside.append((low_end[0] <= truth) & (truth <= high_end[0]))
                spread = np.maximum(spread, found.error[0])
            # players that work with nobody have values without error, of which nothing can be covered
            rate = np.mean(inside, axis=0)[spread > 1e-9]
            what = f"{name}: coverage of {way.__name__}, {pairs} pairs"
            report.figure(what, float(rate.mean()), n=repeats, target=low)
            report.figure(f"{what}, at most", float(rate.mean()), n=repeats, target="<= 0.97")
            if way is kernel:
                report.figure(f"{what}, worst field", float(rate.min()), n=repeats, target=">= 0.90")


def network_game(masks):
    """A trained perceptron's answer with fields put to 0."""
    torch.manual_seed(1)
    module = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
    x = torch.randn(2000, 10)
    y = x[:, :1] * x[:, 1:2] + x[:, 2:3] - 2 * (x[:, 3:4] > 0) * x[:, 4:5] + x[:, 5:].sum(1, keepdim=True).sin()
    optimizer = torch.optim.Adam(module.parameters(), 3e-3)
    for _ in range(300):
        optimizer.zero_grad()
        ((module(x) - y) ** 2).mean().backward()
        optimizer.step()
    with torch.no_grad():
        return module(torch.from_numpy(masks.astype(np.float32)) * torch.randn(10)).double().numpy()[:, 0]


def small_game(masks):
    """Pairs and triples that work together."""
    g = np.random.default_rng(3)
    worth = masks @ g.normal(size=10) * 0.2
    for size in (2, 2, 2, 3, 3):
        worth = worth + g.normal() * masks[:, g.choice(10, size, replace=False)].all(axis=1)
    return worth


def trees(report) -> None:
    """Exact values of a tree of 32 leaves over 20 fields, 10,000 rows, beside shap."""
    x, y = compare_known.numbers(10_000, 20)
    tree = DecisionTreeRegressor(max_leaf_nodes=32, random_state=0).fit(x, y)
    rules, rows = compare_known.rules_of(tree, 20), compare_known.samples_of(x)
    interpreter = sys.executable if importlib.util.find_spec("shap") else os.environ.get("KDAUDIT_SHAP_PYTHON", "")
    for what, family, order in (
        ("tree values", "tree", 1),
        ("tree interactions", "tree", 2),
        ("rule list values", "list", 1),
        ("rule list interactions", "list", 2),
    ):
        apart = compare_known.difference(order=order, family=family)
        report.figure(f"{what}: largest difference to all coalitions", apart, target="<= 1e-10")
    for size, faster in ((100, ">= 5"), (1000, ">= 30")):
        lent = np.random.default_rng(size).choice(len(x), size, replace=False)
        ours = cpu(lambda lent=lent: compare_known.values(rules, rows, lent))
        report.figure(f"tree values, {size} background rows: our CPU seconds", ours, n=len(x))
        if not interpreter:
            print("shap: left out; set KDAUDIT_SHAP_PYTHON to an interpreter that has it")
            continue
        theirs, values = shap_of(interpreter, size)
        apart = float(np.abs(values - compare_known.values(rules, rows.take(np.arange(len(values))), lent, rows)).max())
        report.figure(
            f"tree values, {size} background rows: shap's CPU over ours", theirs / ours, target=faster, peer=theirs
        )
        report.figure(f"tree values, {size} background rows: largest difference to shap", apart, target="<= 1e-5")


def shap_of(interpreter: str, size: int) -> tuple[float, np.ndarray]:
    """Return shap's CPU seconds for all rows, and its values for the first hundred."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        command = [interpreter, str(HERE / "compare_shap.py"), str(size), str(out), "shap"]
        subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
        found = json.loads(out.read_text())
    return found["cpu"], np.array(found["values"])
