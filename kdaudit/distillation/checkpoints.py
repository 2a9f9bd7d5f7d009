"""Training on disk: everything that the next step depends on, as plain tensors and JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from kdaudit.durable import write_durably
from kdaudit.errors import BrokenRun, InvalidInput

INDEX = "training.json"
FORMAT = 1
"""Version of the index."""


def write(folder: Path, tensors: dict[str, Tensor], data: dict[str, Any]) -> None:
    """Keep the state after a step; a process that dies while writing leaves the state before it.

    Parameters
    ----------
    folder : Path
        Made if it is not there; holds one training.
    tensors : dict of str to Tensor
    data : dict
        Plain data with ``"step"``.
    """
    name = f"training-{data['step']}.safetensors"
    write_durably(folder / name, save({key: value.detach().cpu().contiguous() for key, value in tensors.items()}))
    text = json.dumps({"format": FORMAT, "tensors": name, **data}, indent=2, sort_keys=True, allow_nan=False)
    write_durably(folder / INDEX, text.encode() + b"\n")
    for old in folder.glob("training-*.safetensors"):
        if old.name != name:
            old.unlink()


def read(folder: Path, training: dict[str, Any]) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Return the state that was kept last, or None where there is none.

    Parameters
    ----------
    folder : Path
    training : dict
        What this training is (objective, rows, seed): another one is not gone on with.

    Raises
    ------
    InvalidInput
        If the state is of another training.
    BrokenRun
        If a file cannot be read.
    """
    if not (folder / INDEX).is_file():
        return None
    try:
        data = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        if data["training"] != training:
            differ = sorted(key for key in training if training[key] != data["training"].get(key))
            raise InvalidInput(
                f"{folder} holds another training, which differs in {', '.join(differ)}; give a folder of its own"
            )
        return load((folder / data["tensors"]).read_bytes()), data
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise BrokenRun(f"{folder} does not hold a training that could be gone on with: {error!r}") from error
