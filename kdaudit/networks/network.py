"""A torch module as a subject: encoding in front, fixed batches, identity by content."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from kdaudit.digest import of_arrays, of_data, of_source
from kdaudit.domain import Category, Domain
from kdaudit.encoders import Encoder
from kdaudit.engine import slices
from kdaudit.errors import InvalidAnswers, InvalidInput, NoSuchSignal
from kdaudit.layers import Layers
from kdaudit.networks.architectures import described
from kdaudit.networks.gradients import input_gradients
from kdaudit.networks.products import COLUMNS, steady
from kdaudit.pieces import REACHES, TOGETHER
from kdaudit.samples import Samples
from kdaudit.signal import GRADIENT, LABEL, LOGIT, SCORE, Signal, Signals
from kdaudit.subject import Answers, Identity, Scale

PRECISION = "float32"


class Network:
    """A module over encoded rows.

    ``notes`` hold what a reader should know of how it was made, as plain data; they change no answer and no identity.

    The module is copied, so that training the original further changes neither answers nor identity; the copy is in
    evaluation mode, on the CPU, in float32 and without gradients of weights.  Rows go through it in batches filled up
    to one size, by steady products (see `kdaudit.networks.products`), so that a row's bits depend on no other row.

    Parameters
    ----------
    name : str
        For people.
    module : Module
        From (batch, encoding.width) to (batch, outputs) logits, or numbers where `scale` is "value".
    encoding : Encoder
    outputs : sequence of str
    scale : {"probability", "value"}
    batch : int
        Rows that go through the module at once, a multiple of 64.

    Raises
    ------
    InvalidInput
        If there is no output or the batch is no multiple of 64.
    """

    def __init__(
        self,
        name: str,
        module: nn.Module,
        encoding: Encoder,
        outputs: Sequence[str],
        *,
        scale: Scale = "probability",
        batch: int = 256,
    ) -> None:
        if not outputs or isinstance(outputs, str):
            raise InvalidInput(f"network {name!r} needs a sequence of outputs; name one, or one a class")
        if batch < 64 or batch % 64:
            raise InvalidInput(f"network {name!r} has batches of {batch} rows; a multiple of 64 was expected")
        self.name, self.encoding, self.outputs, self.scale, self.batch = name, encoding, tuple(outputs), scale, batch
        self.module = copy.deepcopy(module).to("cpu", torch.float32).eval().requires_grad_(False)
        self.architecture, self.arguments = described(self.module)
        self.identity = Identity(name, self._digest())
        self.notes: dict[str, Any] = {}

    @property
    def offers(self) -> frozenset[Signal]:
        """Logits, scores, labels and gradients; numbers have no logit and no label, numbers of words no gradient."""
        given = {SCORE} if self.scale == "value" else {LOGIT, SCORE, LABEL}
        return frozenset(given | {GRADIENT} if self.encoding.continuous else given)

    @property
    def form(self) -> Layers:
        """What the module is made of."""
        shapes = {name: tuple(tensor.shape) for name, tensor in self.module.state_dict().items()}
        parameters = sum(p.numel() for p in self.module.parameters())
        return Layers(self.architecture, self.arguments, parameters, shapes)

    def answer(self, samples: Samples, signals: Signals, draw: int = 0) -> Answers:  # noqa: ARG002 - no chance here
        """Answer rows; see `kdaudit.subject.Subject.answer`.

        Gradients have shape (n, width, outputs): of each centred logit (see `input_gradients`) to each encoded column.

        Raises
        ------
        OutOfDomain
            If the rows are of another domain.
        NoSuchSignal
            If a signal is not offered.
        InvalidAnswers
            If the module gives another shape, or no number where a label is asked for.
        """
        asked = frozenset(signals)
        if missing := asked - self.offers:
            raise NoSuchSignal(f"{self.name} does not offer {', '.join(sorted(map(str, missing)))}")
        encoded = self.encoding.encode(samples)
        raw = self.raw(encoded)
        values: dict[Signal, NDArray[Any]] = {SCORE if self.scale == "value" else LOGIT: raw}
        derived = Answers(values)
        if SCORE in asked:
            values[SCORE] = derived.score
        if LABEL in asked:
            if not np.isfinite(raw).all():
                row = int(np.flatnonzero(~np.isfinite(raw).all(axis=1))[0])
                raise InvalidAnswers(
                    f"{self.name} gives row {samples.ids[row]} no finite number; it has no label there"
                )
            values[LABEL] = derived.label
        if GRADIENT in asked:
            sides = [input_gradients(self, encoded, output)[1] for output in range(len(self.outputs))]
            values[GRADIENT] = np.stack(sides, axis=2)
        return Answers({signal: values[signal] for signal in asked})

    def raw(self, encoded: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return what the module gives for encoded rows: shape (n, width) -> (n, outputs), logits or numbers.

        Raises
        ------
        InvalidAnswers
            If the module gives another shape.
        """
        out = np.empty((len(encoded), len(self.outputs)))
        # not in inference mode, which would hand over whole layers instead of products
        with torch.no_grad(), steady():
            for width, rows in self._by_reach(encoded):
                for part, batch in self.batches(encoded[rows], self._size(width)):
                    given = self.shaped(self.module(batch[:, :width]), len(batch)).numpy()
                    out[rows[part]] = given[: part.stop - part.start]
        return out

    def _by_reach(self, encoded: NDArray[np.float32]) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """Yield how many columns are read, and the rows of which nothing lies behind; mostly all of both."""
        reach = getattr(self.encoding, "reach", None) if self._any_length else None
        if reach is None or not len(encoded):
            yield self.encoding.width, np.arange(len(encoded))
            return
        widths = reach(encoded)
        for width in np.unique(widths):
            yield int(width), np.flatnonzero(widths == width)

    @property
    def _any_length(self) -> bool:
        """Whether the module gives a row the same, but for rounding, with padding cut off behind it."""
        return bool(getattr(self.module, "any_length", False))

    def _size(self, width: int) -> int:
        """Return how many rows of a length go through at once: it hangs on the length alone."""
        if not self._any_length:
            return self.batch
        return min(self.batch, max(COLUMNS, 1 << (TOGETHER // width).bit_length() - 1))

    def batches(self, encoded: NDArray[np.float32], size: int = 0) -> Iterator[tuple[slice, torch.Tensor]]:
        """Yield rows and their tensor of shape (size, width), the last one filled up with zeros; 0: `batch` rows."""
        if encoded.ndim != 2 or encoded.shape[1] != self.encoding.width:
            raise InvalidInput(
                f"encoded rows of shape {encoded.shape} for {self.name}; (rows, {self.encoding.width}) was expected"
            )
        for rows in slices(len(encoded), size or self.batch):
            block = np.zeros((size or self.batch, encoded.shape[1]), dtype=np.float32)
            block[: rows.stop - rows.start] = encoded[rows]
            yield rows, torch.from_numpy(block)

    def shaped(self, given: torch.Tensor, size: int = 0) -> torch.Tensor:
        """Return the module's output for `size` rows (0: a batch) as (size, outputs).

        Raises
        ------
        InvalidAnswers
            If it has another shape.
        """
        k, n = len(self.outputs), size or self.batch
        if given.shape == (n, k):
            return given
        if k == 1 and given.shape == (n,):
            return given[:, None]
        raise InvalidAnswers(
            f"{self.name} gives an array of shape {tuple(given.shape)} for {n} rows; ({n}, {k}) was "
            f"expected, one column for each of {', '.join(self.outputs)}"
        )

    def _digest(self) -> str:
        tensors = {**dict(self.module.named_buffers()), **self.module.state_dict()}
        return of_data(
            {
                "weights": of_arrays({name: tensor.detach().numpy() for name, tensor in tensors.items()}),
                "structure": [_part(name, part) for name, part in self.module.named_modules()],
                "fields": meaning(self.encoding.domain),
                **{key: value for key, value in self.encoding.to_data().items() if key != "domain"},
                "outputs": self.outputs,
                "scale": self.scale,
                "architecture": self.architecture,
                "arguments": self.arguments,
                "batch": self.batch,
                "columns": COLUMNS,
                "precision": PRECISION,
                "torch": torch.__version__.split("+")[0],
                **({"reaches": REACHES, "together": TOGETHER} if self._any_length else {}),
            }
        )


def _part(name: str, part: nn.Module) -> dict[str, Any]:
    # two modules with the same weights may still differ in an activation, a slope or their code
    kind = type(part)
    attributes = {
        key: repr(value)
        for key, value in vars(part).items()
        if not key.startswith("_") and key != "training" and _plain(value)
    }
    source = "" if kind.__module__.startswith("torch.") else _source(kind)  # type: ignore[arg-type]
    return {"name": name, "kind": kind.__qualname__, "attributes": attributes, "source": source}


@cache
def _source(kind: type) -> str:
    # finding a class in a long file takes tens of milliseconds, and a network has many parts of one class
    return of_source(kind)


def _plain(value: object) -> bool:
    if isinstance(value, (tuple, list)):
        return all(_plain(item) for item in value)
    return value is None or isinstance(value, (bool, int, float, str))


def meaning(domain: Domain) -> list[Any]:
    """Return what a model sees of a domain, as plain data: roles and ranges change nothing of what is computed."""
    return [[f.kind, f.name, f.missing, list(f.levels) if isinstance(f, Category) else []] for f in domain.fields]
