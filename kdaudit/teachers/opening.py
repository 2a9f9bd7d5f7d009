"""Models on disk as subjects, by one address."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kdaudit.domain import Domain
from kdaudit.errors import InvalidInput
from kdaudit.networks.files import load as load_network
from kdaudit.networks.files import refuse_risky
from kdaudit.subject import Subject
from kdaudit.teachers.huggingface import HuggingFace
from kdaudit.teachers.huggingface import opened as pretrained
from kdaudit.teachers.onnx_files import Onnx, opened

KINDS = ("torch", "onnx", "hf")


def load(address: str, *, domain: Domain | None = None, outputs: Sequence[str] = ()) -> Subject:
    """Return the model that an address names.

    Parameters
    ----------
    address : str
        ``"torch:FOLDER"``, with `model.safetensors` and `arch.json`; or ``"onnx:FILE"``; or ``"hf:FOLDER"``,
        with `config.json`, `model.safetensors` and a tokeniser.
    domain : Domain, optional
        The rows that an ONNX model or a model of texts takes; a torch folder says so itself.
    outputs : sequence of str
        Of such a model: one name for a yes-or-no score, else one a class.

    Raises
    ------
    UnsafeFile
        If the file could run code when loaded.
    InvalidInput
        If the address or the file cannot be read, or such a model comes without domain and outputs.

    Notes
    -----
    An ONNX file that gives logits, or that takes standardised numbers: see `kdaudit.teachers.onnx_files.Onnx`.
    """
    kind, _, rest = address.partition(":")
    if kind not in KINDS or not rest:
        raise InvalidInput(
            f"address {address!r} cannot be read; 'torch:FOLDER', 'onnx:FILE' or 'hf:FOLDER' was expected"
        )
    path = Path(rest)
    if kind != "hf":
        refuse_risky(path)
    if not path.exists():
        raise InvalidInput(f"{rest} does not exist")
    if kind == "torch":
        return load_network(path)
    if domain is None or not outputs:
        raise InvalidInput(f"{rest} does not say what its columns mean; give domain=... and outputs=...")
    if kind == "hf":
        return pretrained(HuggingFace(rest), path, domain, tuple(outputs))
    return opened(Onnx(rest), path, domain, tuple(outputs))
