"""Networks on disk: weights as safetensors, all else as JSON; nothing that could run code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from kdaudit.encoders import read_encoder
from kdaudit.errors import InvalidInput, UnsafeFile
from kdaudit.networks.architectures import ARCHITECTURES, outline
from kdaudit.networks.network import Network

WEIGHTS, DESCRIPTION = "model.safetensors", "arch.json"
FORMAT = 1
"""Version of `arch.json`."""
LARGEST_DESCRIPTION = 16_000_000
"""Bytes of the longest description that is read."""
_RISKY = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle", ".joblib", ".zip", ".tar", ".pt2", ".npy", ".npz")


def save(network: Network, folder: Path) -> tuple[Path, ...]:
    """Write a network of the table of architectures; the same network gives the same bytes.

    Parameters
    ----------
    network : Network
    folder : Path
        Made if it is not there.

    Returns
    -------
    tuple of Path
        The files written.

    Raises
    ------
    InvalidInput
        If the module is none of the table: it could not be built again without running code.
    """
    if network.architecture not in ARCHITECTURES:
        raise InvalidInput(
            f"{network.name} is a {type(network.module).__name__} and cannot be kept; "
            f"kdaudit keeps modules of its own architectures: {', '.join(ARCHITECTURES)}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    # tables that share memory, as those of words in and out may, are written each
    state = {name: tensor.contiguous().clone() for name, tensor in network.module.state_dict().items()}
    save_file(state, folder / WEIGHTS)
    description = {
        "format": FORMAT,
        "name": network.name,
        "architecture": network.architecture,
        "arguments": network.arguments,
        "outputs": list(network.outputs),
        "scale": network.scale,
        "batch": network.batch,
        "encoding": network.encoding.to_data(),
    }
    text = json.dumps(description, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    (folder / DESCRIPTION).write_text(text + "\n", encoding="utf-8")
    return folder / WEIGHTS, folder / DESCRIPTION


def load(folder: Path) -> Network:
    """Return the network that `save` wrote, with the same digest.

    Parameters
    ----------
    folder : Path
        Holds `model.safetensors` and `arch.json`.

    Raises
    ------
    UnsafeFile
        If a pickle, a checkpoint or an archive is given.
    InvalidInput
        If a file is missing or cannot be read, or the weights do not fit the architecture.
    """
    refuse_risky(folder)
    for name in (WEIGHTS, DESCRIPTION):
        if not (folder / name).is_file():
            raise InvalidInput(f"{folder} has no {name}; a folder with {WEIGHTS} and {DESCRIPTION} was expected")
    data = _described(folder / DESCRIPTION)
    try:
        state = load_file(folder / WEIGHTS)
    except (SafetensorError, OSError) as error:
        raise InvalidInput(f"{folder / WEIGHTS} cannot be read as safetensors: {error}") from error
    try:
        # the outline takes no memory, whatever sizes the description claims
        module = outline(data["architecture"], data["arguments"])
        expected = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
        given = {name: tuple(tensor.shape) for name, tensor in state.items()}
        if expected != given:
            raise InvalidInput(f"the weights in {folder} have shapes {given}; {DESCRIPTION} says {expected}")
        module.load_state_dict(state, assign=True)
        encoding = read_encoder(data["encoding"])
        return Network(data["name"], module, encoding, data["outputs"], scale=data["scale"], batch=data["batch"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidInput(f"{folder / DESCRIPTION} does not describe a network: {error!r}") from error


def refuse_risky(path: Path) -> None:
    """Refuse formats that could run code when loaded, told by their ending or by their first bytes.

    Parameters
    ----------
    path : Path
        A file, or a folder that should hold a network.

    Raises
    ------
    UnsafeFile
        If it is a pickle, a checkpoint or an archive, or a folder that holds such files instead of a network.
    """
    if path.is_dir():
        files = [path / WEIGHTS] if (path / WEIGHTS).is_file() else sorted(f for f in path.iterdir() if f.is_file())
    else:
        files = [path]
    for file in files:
        if file.suffix.lower() in _RISKY or _risky_content(file):
            raise UnsafeFile(
                f"{file} is a pickle, a checkpoint or an archive, which could run code when loaded, so it is not read; "
                f"give a folder with {WEIGHTS} and {DESCRIPTION}, or an ONNX file"
            )


def _risky_content(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            head = stream.read(9)
    except OSError:
        return False
    # safetensors: eight bytes of length, which may look like a pickle's start, then the brace of a header
    return head[8:] != b"{" and (head[:1] == b"\x80" or head[:2] == b"PK")


def _described(path: Path) -> dict[str, Any]:
    if path.stat().st_size > LARGEST_DESCRIPTION:
        raise InvalidInput(f"{path} has more than {LARGEST_DESCRIPTION:,} bytes; a description is shorter")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise InvalidInput(f"{path} is no description of format {FORMAT}")
    return data
