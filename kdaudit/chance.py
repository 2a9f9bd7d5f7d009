"""Chance is an argument: generators derived from a seed and a *name*, never from an order."""

from __future__ import annotations

import hashlib

import numpy as np


def seed_of(seed: int, name: str) -> int:
    """Return the 63-bit seed of the stream called `name`.

    Parameters
    ----------
    seed : int
        The plan's seed.
    name : str
        Path of the stream, such as ``"questions/parity/choice"``.

    Returns
    -------
    int
        In [0, 2**63).  Fit for ``torch.Generator.manual_seed`` as well.
    """
    digest = hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def rng(seed: int, name: str) -> np.random.Generator:
    """Return the generator of the stream called `name`.

    A new question or a further worker changes no other stream, since nothing depends on order.

    Examples
    --------
    >>> rng(0, "a").integers(1000) == rng(0, "a").integers(1000)
    np.True_
    """
    return np.random.Generator(np.random.PCG64(seed_of(seed, name)))
