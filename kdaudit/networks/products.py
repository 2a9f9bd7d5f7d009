"""Matrix products that give a row the same bits wherever it stands among the rows.

Filling batches up to one size is not enough.  For few output columns (2 to 11 of float32, on an AVX-512 machine) the
library under torch chooses a product whose last bits depend on a row's place: of 750 shapes of a linear layer, 104 are
concerned.  With the columns filled up to a multiple of 16 none is, nor in the products of the backward pass.  Of 420
batched products (attention), 58 are concerned, all of odd sizes; with every side filled up to a multiple of 16 none is.
Convolutions, norms and pooling were tried too (332 shapes, forward and backward, one and two threads): none is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

COLUMNS = 16
"""Products have a multiple of so many columns ..."""
FEW = 64
"""... where they have fewer than this; beyond, none was found whose bits depend on a row's place."""
_OPS = torch.ops.aten


@contextmanager
def steady() -> Iterator[None]:
    """Inside this context, products of matrices have filled-up sides, forward and backward."""
    with _Steady():  # type: ignore[no-untyped-call]
        yield


class _Steady(TorchDispatchMode):  # type: ignore[no-untyped-call]
    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Say that no compiler is to be kept out: nothing here is compiled, and keeping it out costs time."""
        return False

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever the operation gives
        if func is _OPS.mm.default:
            return _product(args[0], args[1])
        if func is _OPS.addmm.default and not kwargs:
            return _product(args[1], args[2]).add_(args[0])
        if func is _OPS.mv.default:
            return _product(args[0], args[1][:, None])[:, 0]
        if func is _OPS.bmm.default:
            return _batched(args[0], args[1])
        if func is _OPS.baddbmm.default and not kwargs:
            return _batched(args[1], args[2]) + args[0]
        return func(*args, **(kwargs or {}))


def _batched(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    (items, n, inner), m = left.shape, right.shape[2]
    sides = [-(-side // COLUMNS) * COLUMNS for side in (n, inner, m)]
    if sides == [n, inner, m]:
        return torch.bmm(left, right)
    # zeros in the inner side add nothing to any sum; what matters is where a matrix begins in memory
    wide_left = left.new_zeros(items, sides[0], sides[1])
    wide_right = right.new_zeros(items, sides[1], sides[2])
    wide_left[:, :n, :inner], wide_right[:, :inner, :m] = left, right
    return torch.bmm(wide_left, wide_right)[:, :n, :m].contiguous()


def _product(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    n = right.shape[1]
    if n >= FEW or n % COLUMNS == 0:
        return torch.mm(left, right)
    wide = right.new_zeros(right.shape[0], -(-n // COLUMNS) * COLUMNS)
    wide[:, :n] = right
    return torch.mm(left, wide)[:, :n].contiguous()
