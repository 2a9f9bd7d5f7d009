"""Encoders and decoders of texts as the library transformers builds them, from a description that runs no code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from kdaudit.errors import InvalidInput
from kdaudit.networks.completing import likelihoods

Kernel = Literal["sdpa", "eager"]
Task = Literal["classify", "masked", "causal"]
AUTO = {
    "classify": "AutoModelForSequenceClassification",
    "masked": "AutoModelForMaskedLM",
    "causal": "AutoModelForCausalLM",
}
"""What a model is for -> the library's class that finds its architecture."""
NEEDS = "models of Hugging Face need the extra: pip install 'kdaudit[hf]'"
WIDE = 16
"""Numbers in a line of memory."""
LEFT_OUT = ("_name_or_path", "transformers_version", "torch_dtype", "dtype", "architectures", "auto_map")
"""Of a configuration: what says where it came from and not what is computed."""


class Pretrained(nn.Module):
    """A model of the library transformers over numbers of pieces, read as logits of a behaviour's outputs.

    Every text has the same length, filled up with padding that no piece looks at, so that an answer depends on no other
    text.

    Parameters
    ----------
    config : dict
        Configuration of the library, as plain data; it names an architecture of the library.
    padding : int
        Number of what is no piece.
    chosen : sequence of int, or of sequences of int
        Of a classifier: its labels that are the outputs.  Of a language model: the piece that stands for each output,
        or the pieces, where there are several of any.  A single output is read as the logit of its probability among
        all labels.
    others : sequence of int, or of sequences of int
        Of a language model with one output: what stands for "not so".
    mask : int
        Of a masked language model: the number of the piece that is to be guessed.
    task : {"classify", "masked", "causal"}
    kernel : {"sdpa", "eager"}
        How attention is computed; answers differ by rounding only.

    Raises
    ------
    InvalidInput
        If the library is not installed or does not know the configuration.
    """

    any_length = True

    def __init__(
        self,
        config: dict[str, Any],
        padding: int,
        chosen: Sequence[int | Sequence[int]],
        others: Sequence[int | Sequence[int]] = (),
        mask: int = -1,
        task: Task = "classify",
        kernel: Kernel = "sdpa",
    ) -> None:
        super().__init__()
        self.config, self.padding, self.chosen, self.others = config, padding, _fixed(chosen), _fixed(others)
        self.mask, self.task, self.kernel = mask, task, kernel
        self.model = keep_buffers(_built(config, task, kernel))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return logits of shape (n, outputs) for numbers of pieces, shape (n, length)."""
        numbers = inputs.long()
        with sdpa_kernel(self._kernels()):
            if any(isinstance(one, tuple) for one in self.chosen):
                every = (*self.chosen, *self.others)
                told = likelihoods(self._logits, numbers, every, padding=self.padding, mask=self.mask)
                wanted, rest = told[:, : len(self.chosen)], told[:, len(self.chosen) :]
                return wanted - rest.logsumexp(dim=1, keepdim=True) if self.others else wanted
            logits = self._logits(numbers)
        return self._read(logits if self.task == "classify" else logits[self._rows(numbers), self._asked(numbers)])

    def _logits(self, numbers: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.model(input_ids=numbers, attention_mask=self.present(numbers).long()).logits
        return found

    def _kernels(self) -> list[SDPBackend]:
        """Return how attention is computed: by products and softmax where it is looked into or gradients are taken.

        Elsewhere by a fused kernel, where heads are so wide that each begins at a whole line of memory: of 7,344
        answers to one text in many places only those of narrower heads hung on the place.
        """
        config = self.model.config
        wide = getattr(config, "hidden_size", 1) // max(getattr(config, "num_attention_heads", 1), 1) % WIDE == 0
        fused = wide and not torch.is_grad_enabled()
        return [SDPBackend.FLASH_ATTENTION, SDPBackend.MATH] if fused else [SDPBackend.MATH]

    def present(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return where pieces stand and no padding, shape (n, length), bool."""
        return inputs.long() != self.padding

    def _rows(self, numbers: torch.Tensor) -> torch.Tensor:
        return torch.arange(len(numbers), device=numbers.device)

    def _asked(self, numbers: torch.Tensor) -> torch.Tensor:
        """Return where in each text a language model is asked: at its mask, or behind its last piece."""
        if self.task == "masked":
            return (numbers == self.mask).int().argmax(dim=1)
        there = (numbers != self.padding).int()
        places = torch.arange(numbers.shape[1], device=numbers.device)
        return (there * places).argmax(dim=1)

    def _read(self, logits: torch.Tensor) -> torch.Tensor:
        wanted = logits[:, list(self.chosen)]
        if len(self.chosen) > 1 or logits.shape[1] == 1:
            return wanted
        rest = self.others or tuple(i for i in range(logits.shape[1]) if i not in self.chosen)
        # the log of p / (1 - p) of a softmax over these labels
        return wanted - logits[:, list(rest)].logsumexp(dim=1, keepdim=True)


def _fixed(pieces: Sequence[int | Sequence[int]]) -> tuple[Any, ...]:
    return tuple(one if isinstance(one, int) else tuple(one) for one in pieces)


def library() -> Any:  # noqa: ANN401 - an optional module
    """Return the library.

    Raises
    ------
    InvalidInput
        If it is not installed.
    """
    try:
        import transformers
    except ImportError as error:
        raise InvalidInput(NEEDS) from error
    return transformers


def _built(config: dict[str, Any], task: str, kernel: str) -> nn.Module:
    transformers = library()
    if task not in AUTO or kernel not in ("sdpa", "eager"):
        raise InvalidInput(f"a pretrained model for {task!r} with attention {kernel!r} is unknown")
    plain = {key: value for key, value in config.items() if key != "model_type"}
    try:
        settled = transformers.AutoConfig.for_model(config.get("model_type", ""), **plain)
        auto = getattr(transformers, AUTO[task])
        made: nn.Module = auto.from_config(settled, trust_remote_code=False, attn_implementation=kernel)
    except (KeyError, ValueError, TypeError) as error:
        raise InvalidInput(
            f"a configuration of type {config.get('model_type')!r} makes no model that can {task}: {error}"
        ) from error
    return made


def keep_buffers(model: nn.Module) -> nn.Module:
    """Return the model with all its buffers among what is kept, and without the place that it was read from.

    One built without memory is then whole again, and the same model in another folder is the same.
    """
    for part in model.modules():
        part._non_persistent_buffers_set.clear()
        vars(part).pop("name_or_path", None)
    return model
