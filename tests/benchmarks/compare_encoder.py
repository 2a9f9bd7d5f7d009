"""Path integrals of an encoder of six layers, for bench_compare: time and memory beside captum."""

from dataclasses import replace

import numpy as np
import torch
from compare_costs import Peak, best_pass, cpus
from torch import nn
from torch.nn import functional

from kdaudit.explain.passes import Passes
from kdaudit.explain.paths import Inputs, expected, integrated


class Block(nn.Module):
    """A layer of an encoder."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.n1, self.n2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.o = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.f1, self.f2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        b, t, d = x.shape
        q, k, v = self.qkv(self.n1(x)).view(b, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        x = x + self.o(functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, t, d))
        return x + self.f2(functional.gelu(self.f1(self.n2(x))))


class Encoder(nn.Module):
    """Six layers over vectors of 128 tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(384, 6) for _ in range(6))
        self.n, self.head = nn.LayerNorm(384), nn.Linear(384, 10)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(self.n(x).mean(dim=1))


def transformer(report, full: bool) -> None:
    """The encoder of six layers, 128 tokens of width 384; 16 rows where there is time."""
    torch.manual_seed(2)
    module, n = Encoder().eval().requires_grad_(False), 16 if full else 8
    x, lent = torch.randn(n, 128, 384) * 0.5, torch.randn(20, 128, 384) * 0.5
    inputs = Inputs(x, torch.arange(n) % 10, (torch.arange(128) // 4)[:, None], 32)
    # memory first: what was once taken from the system is not given back
    memory(report, module, inputs, lent)
    times(report, module, inputs, lent)


def memory(report, module, inputs, lent) -> None:
    """What path integrals take above the model, and what ten times the nodes add to it."""
    from captum.attr import IntegratedGradients

    passes, base, one = Passes(module), torch.zeros(128, 384), replace(inputs, rows=inputs.rows[:1])
    one = replace(one, output=inputs.output[:1])
    with Peak() as small:
        integrated(passes, inputs, base, nodes=8)
    with Peak() as drawn:
        expected(passes, inputs, lent, draws=5, rng=np.random.default_rng(0))
    peaks = []
    for nodes in (50, 500):
        with Peak() as peak:
            integrated(passes, one, base, nodes=nodes)
        peaks.append(peak.mb)
    with Peak() as theirs:
        start = base.expand_as(inputs.rows)
        IntegratedGradients(module).attribute(inputs.rows, start, target=inputs.output, n_steps=9)
    where = "transformer integrated gradients"
    report.figure(f"{where}: MB above the model", small.mb, n=len(inputs.rows), target="<= 300", peer=theirs.mb)
    report.figure("transformer gradient SHAP: MB above the model", drawn.mb, n=len(inputs.rows), target="<= 300")
    report.figure(f"{where}: MB with 500 nodes over MB with 50", peaks[1] / max(peaks[0], 1), target="<= 1.1")


def times(report, module, inputs, lent) -> None:
    """What path integrals cost beside captum's, and beside the passes alone."""
    from captum.attr import GradientShap, IntegratedGradients

    passes, x, output, base, n = Passes(module), inputs.rows, inputs.output, torch.zeros(128, 384), len(inputs.rows)
    method, shap = IntegratedGradients(module), GradientShap(module)
    both = best_pass(module, x, (1, 2, 4, 8), backward=True)
    ours, *theirs = cpus(
        [
            lambda: integrated(passes, inputs, base, nodes=8),
            *(
                lambda more=more: method.attribute(x, base.expand_as(x), target=output, n_steps=9, **more)
                for more in ({}, {"internal_batch_size": 16})
            ),
        ],
        3,
    )
    report.figure("transformer integrated gradients: our CPU over captum's", ours / min(theirs), n=n, target="<= 1.05")
    report.figure("transformer integrated gradients: ours over the floor", ours / (9 * n * both), target="<= 1.25")
    # captum tells no gap unless it is asked for it, and then pays for it as we do
    for what, gaps in (("", False), (", with its gap", True)):
        ours, theirs = cpus(
            [
                lambda gaps=gaps: expected(passes, inputs, lent, draws=5, rng=np.random.default_rng(0), gaps=gaps),
                lambda gaps=gaps: shap.attribute(x, lent, target=output, n_samples=5, return_convergence_delta=gaps),
            ],
            3,
        )
        report.figure(f"transformer gradient SHAP{what}: our CPU over captum's", ours / theirs, n=n, target="<= 1.05")
