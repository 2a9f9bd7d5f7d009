"""Integrated gradients of a network of ours, from rows to fields."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from kdaudit.explain.attributions import Attributions
from kdaudit.explain.paths import path_gradients
from kdaudit.networks.gradients import input_gradients
from kdaudit.networks.network import Network
from kdaudit.samples import Samples


def integrated_gradients(
    network: Network,
    samples: Samples,
    background: Samples,
    *,
    output: NDArray[np.int64],
    nodes: int = 16,
) -> Attributions:
    """Return what each field contributes to the network's centred logit.

    Parameters
    ----------
    network : Network
    samples : Samples
        n rows to explain.
    background : Samples
        The baseline is the mean of these rows in the network's own encoding: a point that networks of different
        encodings share.
    output : array of shape (n,)
        Which output is explained in each row: of a yes-or-no score 0.
    nodes : int
    """
    encoding = network.encoding
    baseline = encoding.encode(background).astype(np.float64).mean(axis=0).astype(np.float32)
    return path_gradients(
        partial(input_gradients, network),
        encoding.encode(samples),
        baseline,
        output=output,
        units=encoding.units,
        nodes=nodes,
    )
