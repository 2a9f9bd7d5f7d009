"""Taps: what layers give, by the names of the module tree.

=======================  ==============================================================================================
``layers.2``              what a layer gives
``layers.2:in``           what it is given
``layers.*``              a star stands for any name between two dots
``attention:map``         attention maps (n, heads, asking, asked); ``:query``, ``:key``, ``:value`` a head's vectors
``gradient@:in``          gradient of a class by the whole input; ``gradient@embedding`` by what a layer gives
=======================  ==============================================================================================

What a layer of tokens, shape (n, tokens, width), gives for padding is 0 throughout: terms and means leave such
positions out.  Which tokens are padding is told by the module's method ``present(inputs)``, shape (n, tokens), or else
by the first mask that an attention in it is given.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn

from kdaudit.errors import InvalidInput, NoSuchSignal
from kdaudit.networks.attention import SIDES, Caught, catching

GRADIENT = "gradient@"
ENDINGS = ("", "in", *SIDES)
"""What may stand behind the colon."""
SHOWN = 12
"""Names that an error lists where none is close."""


def resolve(module: nn.Module, tap: str) -> tuple[str, ...]:
    """Return the taps that a name stands for, in the order of the module tree.

    Raises
    ------
    InvalidInput
        If no layer has that name (with close ones), or the ending is none of `ENDINGS`.
    """
    prefix = GRADIENT if tap.startswith(GRADIENT) else ""
    name, colon, ending = tap.removeprefix(GRADIENT).partition(":")
    if ending not in ENDINGS or (colon and not ending):
        raise InvalidInput(f"tap {tap!r} ends with {ending!r}; endings are {', '.join(ENDINGS[1:])}")
    known = [known for known, _ in module.named_modules()]
    found = [known_ for known_ in known if _matches(known_, name)]
    if not found:
        close = difflib.get_close_matches(name, known, 3, 0.5)
        there = ", ".join(filter(None, known[: SHOWN + 1]))
        told = f"close names are {', '.join(close)}" if close else f"there are {there or 'no layers'}"
        raise InvalidInput(f"there is no layer {name!r} in {type(module).__name__}; {told}")
    return tuple(f"{prefix}{name}{colon}{ending}" for name in found)


def _matches(name: str, pattern: str) -> bool:
    parts, wanted = name.split("."), pattern.split(".")
    return len(parts) == len(wanted) and bool(name) == bool(pattern) and all(map(fnmatchcase, parts, wanted))


class Taps:
    """A module that also gives what its layers gave.

    Hooks are registered once and removed by `close`, or at the end of a ``with`` block.  ``print(taps)`` shows every
    layer that can be tapped, with the shape that it gives: where rows have gone through, or the module says how long a
    row is, as those of `kdaudit.networks.architectures` do.

    Parameters
    ----------
    module : Module
    taps : iterable of str
        As in `kdaudit.networks.taps`; stars are allowed.

    Raises
    ------
    InvalidInput
        On an unknown layer or ending, before anything runs.

    Examples
    --------
    >>> with Taps(module, ["layers.0", "gradient@:in"]) as taps:  # doctest: +SKIP
    ...     given = taps(rows)
    >>> given["layers.0"].shape  # doctest: +SKIP
    torch.Size([256, 32])
    """

    def __init__(self, module: nn.Module, taps: Iterable[str] = ()) -> None:
        self.module = module
        self.names = tuple(dict.fromkeys(name for tap in taps for name in resolve(module, tap)))
        self._seen: dict[str, Tensor] = {}
        self._caught: dict[str, list[Caught]] = {}
        self._weights: dict[str, Tensor] = {}
        self._handles: list[Any] = []
        self._inside: list[str] = []
        self._row: Tensor | None = None
        self._attention_of_all: Caught | None = None
        self._values = any(":" not in name or name.endswith(":in") for name in self.names if GRADIENT not in name)
        self._attends = self._values and not hasattr(module, "present")
        parts = dict(module.named_modules())
        self._attentive = frozenset(n.partition(":")[0] for n in self.names if n.partition(":")[2] in SIDES)
        for name in self.names:
            if name.startswith(GRADIENT):
                self._hook_gradient(parts, name)
            elif name.partition(":")[2] not in SIDES:
                self._hook_value(parts, name)
        for name in sorted(self._attentive):
            self._handles.append(parts[name].register_forward_pre_hook(self._enter(name)))
            self._handles.append(parts[name].register_forward_hook(self._leave(name)))

    def __call__(self, inputs: Tensor, classes: Tensor | None = None) -> dict[str, Tensor]:
        """Return what the module gives, under the empty name, and every tap.

        Parameters
        ----------
        inputs : Tensor of shape (n, ...)
        classes : Tensor of shape (n,), int64, optional
            Whose gradient is taken of each row; None stands for the likeliest class.

        Returns
        -------
        dict of str to Tensor
            Gradients can be differentiated again where the module is in training mode.

        Raises
        ------
        InvalidInput
            If a layer gave no tensor, or did not run.
        NoSuchSignal
            If a layer gave no attention maps, or there is no gradient.
        """
        self._seen, self._caught, self._weights, self._inside = {}, {}, {}, []
        self._attention_of_all, self._row = None, inputs[:1].detach()
        wants = [name for name in self.names if name.startswith(GRADIENT)]
        if GRADIENT + ":in" in wants:
            if not inputs.is_floating_point():
                raise NoSuchSignal(
                    f"{type(self.module).__name__} reads whole numbers, which have no gradient; "
                    "name the layer that embeds them, such as explanation('embedding')"
                )
            inputs = self._seen[GRADIENT + ":in"] = inputs.detach().requires_grad_()
        with _gradients(bool(wants)), catching(bool(self._attentive) or self._attends, self._catch):
            output = self.module(inputs)
            output = output[:, None] if output.ndim == 1 else output
            for name in wants:
                self._seen[name] = self._gradient(output, name, classes)
        # a module in which no attention runs is not watched a second time
        self._attends = self._attends and self._attention_of_all is not None
        there = self._present(inputs) if self._values or self._weights else None
        return {"": output} | {name: self._given(name, there) for name in self.names}

    def _present(self, inputs: Tensor) -> Tensor | None:
        told = getattr(self.module, "present", None)
        if told is not None:
            with torch.no_grad():
                there: Tensor = told(inputs)
            return there.bool()
        caught = self._attention_of_all
        return None if caught is None or caught.there is None else caught.there.bool()

    def _given(self, name: str, there: Tensor | None) -> Tensor:
        layer, _, ending = name.partition(":")
        if ending in SIDES and not name.startswith(GRADIENT):
            return self._attention(layer, ending, there)
        if name not in self._seen:
            raise InvalidInput(f"layer {layer!r} did not run, so that there is no {name!r}")
        value = self._seen[name]
        if there is None or value.ndim != 3 or value.shape[:2] != there.shape or name.startswith(GRADIENT):
            return value
        return value.masked_fill(~there[..., None], 0)

    def _gradient(self, output: Tensor, name: str, classes: Tensor | None) -> Tensor:
        if name not in self._seen:
            raise InvalidInput(f"layer {name.removeprefix(GRADIENT)!r} did not run, so that there is no {name!r}")
        if output.shape[1] > 1:
            at = output.argmax(dim=1) if classes is None else classes
            # softmax knows differences only, so a logit is taken against the mean of all
            chosen = output.gather(1, at[:, None])[:, 0] - output.mean(dim=1)
        else:
            chosen = output[:, 0]
        if not chosen.requires_grad:
            raise NoSuchSignal(f"{type(self.module).__name__} has no gradient: its steps cannot be differentiated")
        (slope,) = torch.autograd.grad(
            chosen.sum(), self._seen[name], create_graph=self.module.training, retain_graph=True
        )
        return slope

    def _attention(self, layer: str, ending: str, there: Tensor | None) -> Tensor:
        caught = self._caught.get(layer, [])
        if len(caught) == 1:
            return caught[0].side(ending)
        if not caught and ending == "map" and layer in self._weights:
            maps = self._weights[layer]
            # what padding looks at is no map
            return maps if there is None or maps.shape[2] != there.shape[1] else maps * there[:, None, :, None]
        reason = (
            f"{len(caught)} attentions ran in it; name one of its parts"
            if caught
            else ("it neither calls scaled_dot_product_attention nor returns its maps beside its output")
        )
        raise NoSuchSignal(f"layer {layer or 'the whole module'!r} gave no {ending}: {reason}")

    def _hook_value(self, parts: Mapping[str, nn.Module], name: str) -> None:
        layer, _, ending = name.partition(":")

        def before(_: nn.Module, given: tuple[Any, ...]) -> None:
            self._seen[name] = _tensor(given, name)

        def after(_: nn.Module, __: tuple[Any, ...], given: object) -> None:
            self._seen[name] = _tensor(given, name)

        part = parts[layer]
        hooked = part.register_forward_pre_hook(before) if ending == "in" else part.register_forward_hook(after)
        self._handles.append(hooked)

    def _hook_gradient(self, parts: Mapping[str, nn.Module], name: str) -> None:
        layer, _, ending = name.removeprefix(GRADIENT).partition(":")
        if (layer, ending) == ("", "in"):
            return
        if ending:
            raise InvalidInput(f"{name!r}: a gradient is taken by the whole input (':in') or by what a layer gives")

        def after(_: nn.Module, __: tuple[Any, ...], given: object) -> Tensor | None:
            value = _tensor(given, name)
            if value.requires_grad:
                self._seen[name] = value
                return None
            # a frozen layer begins no graph: what it gave is put in its place as a beginning
            self._seen[name] = value.detach().requires_grad_()
            return self._seen[name]

        self._handles.append(parts[layer].register_forward_hook(after))

    def _enter(self, name: str) -> Any:  # noqa: ANN401 - a hook
        def before(_: nn.Module, __: tuple[Any, ...]) -> None:
            self._inside.append(name)

        return before

    def _leave(self, name: str) -> Any:  # noqa: ANN401 - a hook
        def after(_: nn.Module, __: tuple[Any, ...], given: object) -> None:
            self._inside.remove(name)
            if isinstance(given, tuple) and len(given) > 1 and isinstance(given[1], Tensor) and given[1].ndim == 4:
                self._weights[name] = given[1]

        return after

    def _catch(self, caught: Caught) -> None:
        if self._attention_of_all is None and caught.query.shape[2] == caught.key.shape[2]:
            self._attention_of_all = caught
        for name in self._inside:
            self._caught.setdefault(name, []).append(caught)

    def close(self) -> None:
        """Remove all hooks; the module is as it was."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def __enter__(self) -> Taps:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __str__(self) -> str:
        return table(self.module, _row(self.module) if self._row is None else self._row)


def _row(module: nn.Module) -> Tensor | None:
    """Return a row of zeros as the module takes it; None where it does not say how long one is."""
    shape = getattr(module, "shape", None)
    wide = math.prod(shape) if shape else getattr(module, "inputs", None) or getattr(module, "length", None)
    weights = next(module.parameters(), None)
    if not isinstance(wide, int) or weights is None or weights.is_meta:
        return None
    return torch.zeros(1, wide, dtype=weights.dtype, device=weights.device)


def table(module: nn.Module, inputs: Tensor | None = None) -> str:
    """Return every layer that can be tapped, a line each, with the shape that it gives n rows where `inputs` are given.

    The module is run once, in evaluation mode, and left as it was.
    """
    shapes: dict[str, str] = {}

    def look(name: str) -> Any:  # noqa: ANN401 - a hook
        def after(_: nn.Module, __: tuple[Any, ...], given: object) -> None:
            found = given[0] if isinstance(given, (tuple, list)) and given else given
            shapes[name] = _shape(found) if isinstance(found, Tensor) else type(found).__name__

        return after

    names = [(name, part) for name, part in module.named_modules() if name]
    if inputs is not None:
        modes = [(part, part.training) for part in module.modules()]
        handles = [part.register_forward_hook(look(name)) for name, part in names]
        try:
            with torch.no_grad():
                module.eval()(inputs)
        finally:
            for handle in handles:
                handle.remove()
            for part, mode in modes:
                part.training = mode
    wide = max((len(name) for name, _ in names), default=0)
    lines = [f"{name:{wide}}  {type(part).__name__:24}  {shapes.get(name, '')}".rstrip() for name, part in names]
    told = "" if shapes else "; their shapes are told when rows have gone through"
    return "\n".join([f"{type(module).__name__}: {len(names)} layers can be tapped{told}", *lines])


def _shape(given: Tensor) -> str:
    return f"(n{''.join(f', {size}' for size in given.shape[1:])})" if given.ndim else "one number"


def _tensor(given: object, name: str) -> Tensor:
    found = given[0] if isinstance(given, (tuple, list)) and given else given
    if isinstance(found, Tensor):
        return found
    raise InvalidInput(f"{name!r} gives a {type(found).__name__} and no tensor; name a layer inside it")


@contextmanager
def _gradients(wanted: bool) -> Iterator[None]:  # noqa: FBT001 - said once, beside its name
    if not wanted:
        yield
        return
    with torch.enable_grad():
        yield
