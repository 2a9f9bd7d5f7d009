"""Attention maps of layers that return none: queries, keys and mask are caught where the fused kernel is called.

The kernel still computes what the layer gives, so nothing changes but that its maps are worked out beside it, from the
very mask that it was given: padding, causal masks and biases need no second treatment.  This works for any layer that
calls ``scaled_dot_product_attention``, under any kernel, without touching the model's settings or a global registry.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from kdaudit.errors import NoSuchSignal

SIDES = ("map", "query", "key", "value")
HIDDEN = -1e4
"""Added scores from here down hide a token: models write minus infinity, the least float, or a large number."""


@dataclass(frozen=True, eq=False)
class Caught:
    """What one attention was given.

    Parameters
    ----------
    query, key, value : Tensor of shape (n, heads, tokens, width)
    mask : Tensor, optional
        Added to the scores, shape that broadcasts to (n, heads, asking, asked); minus infinity or very low where
        a token must not be looked at.
    scale : float
    """

    query: Tensor
    key: Tensor
    value: Tensor
    mask: Tensor | None
    scale: float

    def side(self, name: str) -> Tensor:
        """Return the maps, or one of the three sets of vectors; padded tokens are 0 throughout."""
        there = self.there
        if name == "map":
            key = self._heads(self.key)
            scores = self.query @ key.transpose(-2, -1) * self.scale
            maps = (scores if self.mask is None else scores + self.mask).softmax(dim=-1)
            return maps if there is None or maps.shape[-1] != maps.shape[-2] else maps * there[:, None, :, None]
        vectors: Tensor = {"query": self.query, "key": self.key, "value": self.value}[name]
        return vectors if there is None or vectors.shape[2] != there.shape[1] else vectors * there[:, None, :, None]

    def _heads(self, key: Tensor) -> Tensor:
        # grouped attention has fewer heads of keys than of queries
        groups = self.query.shape[1] // key.shape[1]
        return key if groups == 1 else key.repeat_interleave(groups, dim=1)

    @property
    def there(self) -> Tensor | None:
        """Which tokens some token may look at, 1 or 0, shape (n, tokens); padding is looked at by none."""
        if self.mask is None:
            return None
        n, asked = len(self.query), self.key.shape[2]
        mask = self.mask.expand(n, *self.mask.shape[1:]) if self.mask.ndim == 4 else self.mask[None, None]
        seen = (mask > HIDDEN).any(dim=2).any(dim=1)
        return seen.expand(n, asked).to(self.query.dtype)


class _Catching(TorchFunctionMode):
    def __init__(self, tell: Callable[[Caught], None]) -> None:
        super().__init__()
        self.tell = tell

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever the function gives
        given = dict(kwargs or {})
        if func is functional.scaled_dot_product_attention:
            self.tell(_of_kernel(dict(zip(_KERNEL, args, strict=False)) | given))
        elif func is functional.multi_head_attention_forward:
            # inside it this mode is off, so that the call of the kernel would be missed
            self.tell(_of_module(dict(zip(_MODULE, args, strict=False)) | given))
        return func(*args, **given)


_KERNEL = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal", "scale", "enable_gqa")
_MODULE = (
    *("query", "key", "value", "embed_dim_to_check", "num_heads", "in_proj_weight", "in_proj_bias", "bias_k", "bias_v"),
    *("add_zero_attn", "dropout_p", "out_proj_weight", "out_proj_bias", "training", "key_padding_mask"),
)


def _of_kernel(given: Mapping[str, Any]) -> Caught:
    query, key, value = (given[name][None] if given[name].ndim == 3 else given[name] for name in _KERNEL[:3])
    mask = given.get("attn_mask")
    if given.get("is_causal"):
        mask = torch.ones(query.shape[2], key.shape[2], dtype=torch.bool, device=query.device).tril()
    if mask is not None and mask.dtype == torch.bool:
        mask = _low(~mask, query)
    return Caught(query, key, value, mask, given.get("scale") or 1 / math.sqrt(query.shape[-1]))


def _of_module(given: Mapping[str, Any]) -> Caught:
    """Return what `torch.nn.MultiheadAttention` projects: inputs are (tokens, n, width), its masks hide where True."""
    weights, heads = given.get("in_proj_weight"), given["num_heads"]
    if weights is None or given.get("bias_k") is not None or given.get("add_zero_attn"):
        raise NoSuchSignal("maps of an attention with separate projections or added keys are not worked out")
    biases = given.get("in_proj_bias")
    parts = []
    for i, name in enumerate(("query", "key", "value")):
        x = given[name]
        rows = slice(i * x.shape[-1], (i + 1) * x.shape[-1])
        projected = functional.linear(x, weights[rows], None if biases is None else biases[rows])
        parts.append(projected.transpose(0, 1).reshape(x.shape[1], x.shape[0], heads, -1).transpose(1, 2))
    mask, padding = given.get("attn_mask"), given.get("key_padding_mask")
    if mask is not None:
        mask = _low(mask, parts[0]) if mask.dtype == torch.bool else mask
        mask = mask.reshape(-1, heads, *mask.shape[1:]) if mask.ndim == 3 else mask[None, None]
    if padding is not None:
        low = _low(padding, parts[0]) if padding.dtype == torch.bool else padding
        mask = low[:, None, None] if mask is None else mask + low[:, None, None]
    return Caught(parts[0], parts[1], parts[2], mask, 1 / math.sqrt(parts[0].shape[-1]))


def _low(hidden: Tensor, like: Tensor) -> Tensor:
    zero = torch.zeros(hidden.shape, dtype=like.dtype, device=like.device)
    return zero.masked_fill(hidden, torch.finfo(like.dtype).min / 4)


@contextmanager
def catching(wanted: bool, tell: Callable[[Caught], None]) -> Iterator[None]:  # noqa: FBT001 - said once, by name
    """Inside this context every attention is told before it is computed; layers take no path around it.

    Parameters
    ----------
    wanted : bool
        False leaves everything as it is.
    tell : callable
    """
    if not wanted:
        yield
        return
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with _Catching(tell):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
