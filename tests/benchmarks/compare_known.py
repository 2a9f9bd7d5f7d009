"""Comparisons whose answer is known, for bench_compare: trees by brute force, pairs of models, nulls of strangers."""

import math
import time
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from sklearn.tree import DecisionTreeRegressor

from kdaudit.chance import rng
from kdaudit.domain import Domain, Real
from kdaudit.encoding import Encoding
from kdaudit.explain.reasons import integrated_gradients
from kdaudit.explain.tables import table_interactions, table_values
from kdaudit.measures.ranks import spearman
from kdaudit.networks.network import Network
from kdaudit.networks.steps import fit
from kdaudit.rules import Rule, Rules, Test
from kdaudit.samples import Origin, Samples
from kdaudit.statistics.gaps import paired
from kdaudit.statistics.rates import mean
from kdaudit.statistics.strangers import excess_over


def numbers(n: int, fields: int):
    """Return the rows and targets that `compare_shap` draws too; values that float32 holds."""
    g = np.random.default_rng(0)
    x = g.normal(size=(n, fields))
    y = x[:, 0] * x[:, 1] + (x[:, 2] > 0) * x[:, 3] + x[:, 4:].sum(axis=1) * 0.3
    return x.astype(np.float32).astype(np.float64), y


def samples_of(x) -> Samples:
    """Return rows of numbers."""
    domain = Domain(tuple(Real(f"x{i}") for i in range(x.shape[1])))
    return Samples(domain, {f"x{i}": x[:, i].copy() for i in range(x.shape[1])}, np.arange(len(x)), Origin("numbers"))


def rules_of(estimator, fields: int) -> Rules:
    """Return a fitted tree as rules."""
    tree, out = estimator.tree_, []

    def walk(node: int, tests: tuple[Test, ...]) -> None:
        if tree.children_left[node] < 0:
            out.append(Rule(tests, (float(tree.value[node].ravel()[0]),)))
            return
        field, cut = f"x{tree.feature[node]}", float(tree.threshold[node])
        walk(tree.children_left[node], (*tests, Test(field, below=cut)))
        walk(tree.children_right[node], (*tests, Test(field, above=cut)))

    walk(0, ())
    return Rules("tree", tuple(out), ("y",))


def values(rules: Rules, rows: Samples, lent, source: Samples | None = None):
    """Return the exact values of all rows."""
    background = (source or rows).take(lent)
    return table_values(rules, rows, background, output=np.zeros(len(rows), dtype=np.int64)).values


def difference(*, order: int, family: str = "tree") -> float:
    """Return the largest difference to all 2**8 coalitions, over four rows and thirty background rows."""
    x, y = numbers(500, 8)
    rules = rules_of(DecisionTreeRegressor(max_leaf_nodes=32, random_state=0).fit(x, y), 8)
    if family == "list":
        # the tree's leaves with only their last three tests, so that they overlap and order matters
        rules = Rules("list", (*(Rule(r.tests[-3:], r.score) for r in rules.rules[:12]), Rule((), (0.1,))), ("y",))
    rows, lent = samples_of(x[:4]), samples_of(x[50:80])
    output = np.zeros(4, dtype=np.int64)
    ours = (
        table_values(rules, rows, lent, output=output).values
        if order == 1
        else table_interactions(rules, rows, lent, output=output)
    )
    return max(float(np.abs(ours[i] - brute(rules, x[i], x[50:80], order)).max()) for i in range(4))


def brute(rules: Rules, row, lent, order: int):
    """Return values or interactions of one row by their definition."""
    m = len(row)
    worth = np.empty(1 << m)
    for code in range(1 << m):
        inside = (code >> np.arange(m)) & 1 == 1
        worth[code] = rules.evaluate(samples_of(np.where(inside, row, lent))).mean()
    out = np.zeros((m,) * order)
    for players in combinations(range(m), order):
        for code in range(1 << m):
            if any(code >> i & 1 for i in players):
                continue
            s = bin(code).count("1")
            share = math.factorial(s) * math.factorial(m - s - order) / math.factorial(m - order + 1)
            delta = sum(
                (-1) ** (order - len(some)) * worth[code | sum(1 << i for i in some)]
                for size in range(order + 1)
                for some in combinations(players, size)
            )
            out[players] += share * delta
        out[players[::-1]] = out[players]
    return out


CUES = 10
"""Fields: the first half tells the answer, and so does the second."""


def world(n: int, seed: int):
    """Return rows in which two cues, of five fields each, tell the same answer; and the answers."""
    g = np.random.default_rng(seed)
    y = g.integers(0, 2, n)
    shift = np.array([0.9, -0.7, 0.5, 0.3, -0.2])
    x = g.normal(size=(n, CUES)) + np.outer(2 * y - 1, np.concatenate([shift, shift[::-1]]))
    return samples_of(x), y


def learner(target, rows: Samples, hidden: tuple[int, ...], seed: int, *, blind: slice = slice(0, 0), steps: int = 200):
    """Return a network fitted to labels or to a teacher's logits; `blind` names fields that it does not see."""
    import torch
    from torch.nn import functional

    from kdaudit.networks.architectures import build

    encoding = Encoding.fitted(rows)
    encoded = encoding.encode(rows)
    encoded[:, blind] = 0
    module = build("mlp", {"inputs": encoding.width, "outputs": 1, "hidden": list(hidden)}, seed)
    wanted = torch.from_numpy(np.asarray(target, dtype=np.float32))

    def loss(given, at):
        return functional.binary_cross_entropy_with_logits(given[:, 0], wanted[at])

    fit(module, encoded, loss, steps=steps, batch=128, rate=5e-3, seed=seed)
    with torch.no_grad():
        first = next(p for p in module.parameters() if p.ndim == 2)
        first[:, blind] = 0
    return Network(f"net {seed}", module, encoding, ("yes",))


def likeness(teacher: Network, other: Network, rows: Samples, background: Samples):
    """Return the rank correlation of both sides' integrated gradients, row by row."""
    output = np.zeros(len(rows), dtype=np.int64)
    a, b = (integrated_gradients(who, rows, background, output=output).values for who in (teacher, other))
    return spearman(a, b)


def widened(network: Network, seed: int) -> Network:
    """Return the same function in another architecture: half of the hidden units stand twice, each with half a say."""
    import torch

    from kdaudit.networks.architectures import build

    g, layers = np.random.default_rng(seed), network.module.layers
    copies = [np.arange(layers[0].in_features)]
    for layer in layers[:-1]:
        copies.append(g.permutation(np.r_[: layer.out_features, : layer.out_features // 2]))
    copies.append(np.arange(layers[-1].out_features))
    hidden = [len(units) for units in copies[1:-1]]
    module = build("mlp", {"inputs": network.encoding.width, "outputs": 1, "hidden": hidden}, seed)
    with torch.no_grad():
        for new, old, (into, out) in zip(module.layers, layers, pairwise(copies), strict=True):
            say = 1.0 / np.bincount(into)[into].astype(np.float32)
            new.weight.copy_(old.weight[out][:, into] * torch.from_numpy(say))
            new.bias.copy_(old.bias[out])
    return Network(f"wide {seed}", module, network.encoding, network.outputs)


@dataclass(frozen=True)
class World:
    """Rows, a teacher, strangers, and proxies of which it is known whether they have the teacher's reasons.

    Worlds differ in how many rows there are, in how long is learned, and in how many fields the teacher does not see:
    what a rank correlation is worth differs with them.
    """

    seed: int
    strangers: int = 6

    def found(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return the strangers' likeness to the teacher, and that of each proxy."""
        g = np.random.default_rng([self.seed, 1])
        n, steps, lack = int(g.integers(100, 600)), int(g.integers(40, 300)), int(g.integers(1, 6))
        data, y = world(1500, self.seed)
        judge, background = data.take(np.arange(1200, 1350)), data.take(np.arange(1350, 1500))
        # a teacher that leans on one cue: of the other it sees a part, or nothing
        teacher = learner(y[:600], data.take(np.arange(600)), (32, 32), self.seed, blind=slice(CUES // 2, 5 + lack))
        few, other = data.take(np.arange(n)), data.take(np.arange(600, 600 + n))
        score = teacher.answer(few, _scores()).score[:, 0]

        def small(seed: int, blind: slice = slice(0, 0)) -> Network:
            return learner(y[:n], few, (16,), seed + self.seed, blind=blind, steps=steps)

        others = [
            learner(y[600 : 600 + n], other, (16,), 1000 + self.seed * 50 + k, steps=steps)
            for k in range(self.strangers)
        ]
        proxies = {
            "the same function in another architecture": widened(teacher, self.seed),
            "distilled from the teacher": learner(score, few, (24,), 500 + self.seed, steps=steps),
            "as accurate by other fields": small(600, slice(0, CUES // 2)),
            "blind to a cue of the teacher": small(700, slice(0, 1)),
        }
        return np.array([likeness(teacher, who, judge, background) for who in others]), {
            name: likeness(teacher, who, judge, background) for name, who in proxies.items()
        }


ALIKE = ("the same function in another architecture", "distilled from the teacher")


def pairs(report, full: bool) -> None:
    """Pairs of one function, of one accuracy by other fields, with a cue that one side lacks; and strangers."""
    raw, more, alarms, single = {}, {}, [], []
    for seed in range(60 if full else 40):
        controls, proxies = World(seed).found()
        for name, found in proxies.items():
            more.setdefault(name, []).append(excess_over(found, controls)[0].value)
            raw.setdefault(name, []).append(float(np.nanmean(found)))
        for k in range(len(controls)):
            rest = np.delete(controls, k, axis=0)
            alarms.append(excess_over(controls[k], rest)[0].low > 0)
            single.append(paired(controls[k], rest[0]).low > 0)

    def apart(values, alike=ALIKE) -> float:
        high = [one for name in alike for one in values[name]]
        return auc(high, [one for name, found in values.items() if name not in ALIKE for one in found])

    n = sum(map(len, raw.values()))
    report.figure("known pairs: AUC of the excess over strangers", apart(more), n=n, target=">= 0.95")
    report.figure("known pairs: AUC of the raw rank correlation", apart(raw), n=n)
    report.figure("known pairs, distilled ones alone: AUC of the excess", apart(more, ALIKE[1:]), target=">= 0.95")
    report.figure("known pairs, distilled ones alone: AUC of the raw rank correlation", apart(raw, ALIKE[1:]))
    for what, found, target in (
        ("several strangers", alarms, "<= 0.05"),
        ("one stranger, over rows alone", single, ""),
    ):
        rate = mean(np.array(found, dtype=float))
        report.figure(f"false alarms, {what}", rate.value, low=rate.low, high=rate.high, n=len(found), target=target)


def _scores():
    from kdaudit.signal import SCORE

    return {SCORE}


def auc(high, low) -> float:
    """Return how often one of `high` lies above one of `low`."""
    a, b = np.array(high)[:, None], np.array(low)[None]
    return float((a > b).mean() + (a == b).mean() / 2)


def census(report) -> None:
    """A comparison of 1,000 rows by five methods, teacher and student of the bundled census, without their making."""
    from kdaudit.cast import Cast, Empty
    from kdaudit.compare.attributions import Attribution
    from kdaudit.data.sets import load_set
    from kdaudit.store.answers import Store

    rows = load_set("acs_income").take(np.arange(6000))
    made = rows.take(np.arange(3000))
    teacher = learner(made.labels, made, (64, 64), 1, steps=300)
    student = learner(teacher.answer(made, _scores()).score[:, 0], made, (16,), 2, steps=300)
    cast = Cast(teacher, student, Empty("not made here"), Empty("not made here"))
    start, wall = time.process_time(), time.perf_counter()
    for method in ("integrated_gradients", "gradient_input", "gradient_shap", "ablation", "shapley"):
        Attribution(method, rows=1000).examine(cast, rows.take(np.arange(3000, 6000)), Store().ask, rng(0, "bench"))
    report.figure("census, 1,000 rows, 5 methods, 2 subjects: CPU seconds", time.process_time() - start, target="<= 20")
    report.figure("census, 1,000 rows, 5 methods, 2 subjects: seconds", time.perf_counter() - wall)
