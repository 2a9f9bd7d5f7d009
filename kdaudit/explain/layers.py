"""What the layers of a network give for rows, as arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from kdaudit.errors import InvalidInput
from kdaudit.explain.texts import attended, text_of, words_of
from kdaudit.networks.network import Network
from kdaudit.networks.products import steady
from kdaudit.networks.taps import Taps
from kdaudit.pieces import Pieces
from kdaudit.samples import Samples

MOST = 12
"""Layers that are taken where none is named: evenly over the depth, the last hidden one always among them."""


def hidden_layers(network: Network) -> tuple[str, ...]:
    """Return the layers with weights of their own, in the order of the module tree, but for the one that answers.

    At most `MOST` of them.  Of layers whose output is no table of numbers a row, name others.
    """
    kinds = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.MultiheadAttention)
    found = [name for name, part in network.module.named_modules() if name and isinstance(part, kinds)]
    # a projection inside an attention is run by the attention, not by itself
    inside = [name for name, part in network.module.named_modules() if isinstance(part, nn.MultiheadAttention)]
    found = [name for name in found if not any(name.startswith(f"{outer}.") for outer in inside)][:-1]
    if len(found) <= MOST:
        return tuple(found)
    chosen = np.unique(np.linspace(0, len(found) - 1, MOST).round().astype(int))
    return tuple(found[i] for i in chosen)


def representations(network: Network, samples: Samples, layers: Sequence[str] = ()) -> dict[str, NDArray[np.float64]]:
    """Return what layers give for each row: layer -> array of shape (n, width).

    Of tokens (without padding) or places of a picture the mean is taken: tables (n, tokens, width) lose their second
    axis, pictures (n, channels, height, width) their last two.

    Parameters
    ----------
    network : Network
    samples : Samples
        n rows.
    layers : sequence of str
        Names in the module tree, stars allowed (see `kdaudit.networks.taps`); empty for `hidden_layers`.

    Raises
    ------
    InvalidInput
        If there is no such layer, it did not run, or it gives something else than the above.
    """
    names = tuple(layers) or hidden_layers(network)
    if not names:
        return {}
    encoded = network.encoding.encode(samples)
    parts: dict[str, list[NDArray[np.float64]]] = {}
    with Taps(network.module, names) as taps, torch.no_grad(), steady():
        for rows, batch in network.batches(encoded):
            n = rows.stop - rows.start
            for name, value in taps(batch).items():
                if name:
                    parts.setdefault(name, []).append(_flat(name, value, network.batch)[:n])
    return {name: np.concatenate(given) for name, given in parts.items()}


def attention_maps(
    network: Network, samples: Samples, layers: Sequence[str], *, words: bool = False, special: bool = False
) -> list[NDArray[np.float64]]:
    """Return the attention maps of each layer, arrays of shape (n, heads, asking, asked).

    Parameters
    ----------
    network : Network
    samples : Samples
    layers : sequence of str
        Attentions by their names in the module tree, stars allowed.
    words : bool
        Whether maps of texts are among words, special pieces left out; see `kdaudit.explain.texts.attended`.
    special : bool
        Of maps among words: whether what belongs to no word (special pieces, a prompt) is one unit in front of them,
        0 throughout where a network reads no such piece.

    Raises
    ------
    InvalidInput
        If there is no such layer.
    NoSuchSignal
        If one of them has no attention maps.
    """
    encoded = network.encoding.encode(samples)
    parts: dict[str, list[NDArray[np.float64]]] = {}
    with Taps(network.module, [f"{name}:map" for name in layers]) as taps, torch.no_grad(), steady():
        for rows, batch in network.batches(encoded):
            n = rows.stop - rows.start
            for name, value in taps(batch).items():
                if name:
                    parts.setdefault(name, []).append(value.detach().numpy().astype(np.float64)[:n])
    maps = [np.concatenate(given) for given in parts.values()]
    found = text_of(network.encoding, samples) if words else None
    if found is None:
        return maps
    if not isinstance(found[0], Pieces):
        return [np.pad(one, ((0, 0), (0, 0), (1, 0), (1, 0))) for one in maps] if special else maps
    places = words_of(network.encoding, samples, special=special)
    assert places is not None
    return [attended(one, places) for one in maps]


def _flat(name: str, value: torch.Tensor, n: int) -> NDArray[np.float64]:
    given = value.detach().to(torch.float64).numpy()
    if given.ndim < 2 or len(given) != n:
        raise InvalidInput(f"layer {name!r} gives an array of shape {given.shape} for {n} rows; one each was expected")
    match given.ndim:
        case 2:
            return given
        case 3:
            # padding is 0 throughout
            there = (given != 0).any(axis=2).sum(axis=1)
            out: NDArray[np.float64] = given.sum(axis=1) / np.maximum(there, 1)[:, None]
            return out
        case 4:
            mean: NDArray[np.float64] = given.mean(axis=(2, 3))
            return mean
        case _:
            raise InvalidInput(f"layer {name!r} gives an array of {given.ndim} axes; name one of 2, 3 or 4")
