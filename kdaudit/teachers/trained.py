"""A teacher that is trained here, on recorded outcomes of rows set aside for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from kdaudit.encoders import fitted
from kdaudit.errors import InvalidInput
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network
from kdaudit.networks.steps import Loss, fit
from kdaudit.networks.suiting import Family, Shape, suiting
from kdaudit.question import Setting
from kdaudit.teachers.recorded import classes


@dataclass(frozen=True)
class Trained:
    """A network trained on the outcomes of one part of the rows; it stands for a closed model.

    Parameters
    ----------
    part : str
        Rows set aside for it, with labels; no other part is seen.
    hidden : tuple of int
        Units of each hidden layer; channels of each block of a cnn; units inside each layer of a transformer.
    steps, batch : int
        Training steps, and rows a step.  On some thousands of rows many more steps learn the rows by heart.
    rate : float
        Learning rate at the start; it falls along half a cosine.
    seed : int
        Of weights and batches; a twin has another one.
    name : str
        For people.
    network : {"mlp", "cnn", "transformer", "soft_tree"}
        The second and third read one picture or one text.
    width, heads : int
        Of a transformer, or the vectors of words of a cnn.
    depth : int
        Of a soft tree: questions between root and leaf.
    reads : tuple of str
        Fields that it reads; none stands for all.
    """

    part: str
    hidden: tuple[int, ...] = (64, 32)
    steps: int = 300
    batch: int = 256
    rate: float = 3e-3
    seed: int = 0
    name: str = "trained network"
    network: Family = "mlp"
    width: int = 32
    heads: int = 2
    depth: int = 4
    reads: tuple[str, ...] = ()

    def open(self, setting: Setting) -> Network:
        """Train and return the teacher: the same rows and seed give the same weights, bit for bit.

        Weights of rows are not used: it is a model of the rows as they lie there.

        Raises
        ------
        InvalidInput
            If there is no such part, it has no labels, they are no classes, or the behaviour is a number.
        """
        if self.part not in setting.parts:
            raise InvalidInput(
                f"{self.name} is trained on part {self.part!r}, and there is none; "
                f"the parts are {', '.join(setting.parts) or 'none'}"
            )
        samples, outputs = setting.parts[self.part], setting.behaviour.outputs
        if setting.behaviour.scale == "value":
            raise InvalidInput(f"{self.name} learns classes, and the behaviour {setting.behaviour.name!r} is a number")
        labels = classes(samples, len(outputs))
        encoding = fitted(samples, self.reads)
        shape = Shape(self.network, self.hidden, self.width, self.heads, self.depth)
        module = build(*suiting(shape, encoding, len(outputs)), self.seed)
        loss = _likelihood(labels, len(outputs))
        encoded = encoding.encode(samples)
        fit(module, encoded, loss, steps=self.steps, batch=self.batch, rate=self.rate, seed=self.seed)
        return Network(self.name, module, encoding, outputs)


def _likelihood(labels: NDArray[np.int64], outputs: int) -> Loss:
    if outputs == 1:
        yes = torch.from_numpy(labels.astype(np.float32))
        return lambda given, rows: functional.binary_cross_entropy_with_logits(given[:, 0], yes[rows])
    right = torch.from_numpy(labels)
    return lambda given, rows: functional.cross_entropy(given, right[rows])
