"""Reading a soft tree: its leaves as sentences, and how often the sentences alone say what the tree says."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from kdaudit.domain import Category, Real
from kdaudit.encoders import Encoder, Reading
from kdaudit.networks.network import Network
from kdaudit.networks.products import steady
from kdaudit.networks.soft_trees import SoftTree
from kdaudit.samples import Samples

HEAVIEST = 3
"""Units that a question is told by: those with the longest weights."""


def read_tree(network: Network, samples: Samples) -> dict[str, Any]:
    """Return the leaves in which rows end most probably, as plain data.

    A row's likeliest way goes left or right at each question, whichever is more probable at the end of it; read so,
    the tree is a tree of linear questions with one answer a leaf.

    Parameters
    ----------
    network : Network
        Over a `SoftTree`.
    samples : Samples
        n rows.

    Returns
    -------
    dict
        ``rows``: n.  ``alone``: rows whose likeliest leaf alone decides as the whole tree does.  ``leaves``: of each
        leaf where some row ends, the most visited first, ``rows``, ``says`` (an output with its probability, or
        numbers) and the questions on its ``way``, each told by how it is answered there.

    References
    ----------
    Frosst and Hinton 2017, section 2 (the likeliest path as explanation).
    """
    tree = network.module
    assert isinstance(tree, SoftTree)
    encoded = network.encoding.encode(samples)
    with torch.no_grad(), steady():
        ends = [tree.paths(batch).argmax(dim=1)[: rows.stop - rows.start] for rows, batch in network.batches(encoded)]
    end = torch.cat(ends).numpy() if ends else np.empty(0, dtype=np.int64)
    answers = tree.leaves.weight.detach().double().numpy()
    alone = _decided(answers, network)[end] == _decided(network.raw(encoded), network)
    visited = sorted(set(end.tolist()), key=lambda leaf: (-int((end == leaf).sum()), leaf))
    leaves = [
        {"rows": int((end == leaf).sum()), "says": _says(answers[leaf], network), "way": _way(tree, leaf, network)}
        for leaf in visited
    ]
    return {"rows": len(samples), "alone": int(alone.sum()), "leaves": leaves}


def _decided(raw: NDArray[np.float64], network: Network) -> NDArray[np.int64]:
    middle = float(np.median(raw)) if network.scale == "value" else 0.0
    several = len(network.outputs) > 1
    out: NDArray[np.int64] = raw.argmax(axis=1) if several else (raw[:, 0] > middle).astype(np.int64)
    return out


def _says(answer: NDArray[np.float64], network: Network) -> str:
    if network.scale == "value":
        return ", ".join(f"{name} {value:.4g}" for name, value in zip(network.outputs, answer, strict=True))
    if len(answer) == 1:
        return f"{network.outputs[0]} ({1 / (1 + np.exp(-answer[0])):.2f})"
    share = np.exp(answer - answer.max())
    likeliest = int(share.argmax())
    return f"{network.outputs[likeliest]} ({share[likeliest] / share.sum():.2f})"


def _way(tree: SoftTree, leaf: int, network: Network) -> list[str]:
    """Return each question on the way to a leaf, told by its heaviest units, and how it is answered there."""
    out, here = [], 0
    for turn in f"{leaf:0{tree.depth}b}":
        right = turn == "1"
        weights = tree.questions.weight[here].detach().double().numpy()
        out.append(_asked(weights if right else -weights, network.encoding))
        here = 2 * here + 1 + right
    return out


def _asked(weights: NDArray[np.float64], encoder: Encoder) -> str:
    units = encoder.units
    lengths = [float(np.linalg.norm(weights[list(columns)])) for columns in units.columns]
    heaviest = sorted(range(len(lengths)), key=lambda i: -lengths[i])[:HEAVIEST]
    fields = (encoder.inner if isinstance(encoder, Reading) else encoder).domain.fields
    levels = [item.levels if isinstance(item, Category) else () for item in fields]
    told = []
    for i in heaviest:
        here = weights[list(units.columns[i])]
        if len(fields) == len(units) and levels[i]:
            place = int(here.argmax())
            told.append(f"{units.names[i]} {levels[i][place] if place < len(levels[i]) else 'missing'}")
        else:
            # pixels of a patch together; of a number that may be missing, the number
            up = here[0] if isinstance(fields[min(i, len(fields) - 1)], Real) else here.sum()
            told.append(f"{units.names[i]} {'high' if up > 0 else 'low'}")
    return ", ".join(told)
