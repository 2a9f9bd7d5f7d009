"""The fitted state of an estimator as plain data, so that its identity can be its content."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import sparse

from kdaudit.digest import of_arrays

_CLOCKS = ("cv_results_", "refit_time_")
"""Attributes that hold how long fitting took."""


class Opaque(Exception):
    """Something whose content cannot be told."""


def parts(model: object) -> Iterator[Any]:
    """Yield an estimator and all estimators inside it, each once."""
    waiting, seen = [model], set()
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        match thing:
            case dict():
                waiting.extend(thing.values())
            case list() | tuple():
                waiting.extend(thing)
            case np.ndarray() if thing.dtype == object:
                waiting.extend(thing.ravel().tolist())
            case _ if hasattr(thing, "get_params") and hasattr(thing, "__dict__"):
                yield thing
                waiting.extend(vars(thing).values())
            case _:
                pass


def state(thing: object, inside: tuple[int, ...] = ()) -> Any:  # noqa: ANN401 - plain JSON data
    """Return plain data that differs whenever the answers of a fitted estimator could.

    Parameters
    ----------
    thing : object
        An estimator, or what it holds.
    inside : tuple of int
        What it is inside of: a thing that holds itself is opaque.

    Raises
    ------
    Opaque
        On anything but numbers, texts, arrays, containers and objects of scikit-learn's own classes; functions among
        them, since what they call is not seen.
    """
    if id(thing) in inside:
        raise Opaque(type(thing).__name__)
    deeper = (*inside, id(thing))
    match thing:
        case None | bool() | int() | float() | complex() | str() | bytes() | slice():
            return [type(thing).__name__, repr(thing)]
        case np.ndarray() | np.generic():
            return _array(np.asarray(thing), deeper)
        case np.dtype():
            return ["dtype", repr(thing)]
        case np.random.RandomState() | np.random.Generator():
            return ["chance"]  # used in fitting only
        case list() | tuple():
            return [type(thing).__name__, *(state(item, deeper) for item in thing)]
        case set() | frozenset():
            return ["set", *sorted(state(item, deeper) for item in thing)]
        case dict():
            pairs = [[state(k, deeper), state(v, deeper)] for k, v in thing.items()]
            return ["dict", *sorted(pairs, key=repr)]
        case type():
            return ["type", _own(thing)]
        case _:
            return _object(thing, deeper)


def _array(array: np.ndarray[Any, Any], inside: tuple[int, ...]) -> Any:  # noqa: ANN401 - plain JSON data
    if array.dtype.names:
        # bytes between the fields of a record are left over from whatever lay there before
        return ["records", {name: _array(np.ascontiguousarray(array[name]), inside) for name in array.dtype.names}]
    if array.dtype == object:
        return ["objects", list(array.shape), [state(item, inside) for item in array.ravel().tolist()]]
    return ["array", of_arrays({"": array})]


def _object(thing: Any, inside: tuple[int, ...]) -> Any:  # noqa: ANN401 - plain JSON data
    if sparse.issparse(thing):
        matrix = sparse.csr_array(thing)
        return [
            "sparse",
            list(matrix.shape),
            *(_array(a, inside) for a in (matrix.data, matrix.indices, matrix.indptr)),
        ]
    name = _own(type(thing))
    # compiled classes have no attributes to look at; they tell their state where they can be copied
    values = vars(thing) if hasattr(thing, "__dict__") else {"": _reduced(thing)}
    return [name, {key: state(value, inside) for key, value in values.items() if key not in _CLOCKS}]


def _reduced(thing: Any) -> Any:  # noqa: ANN401 - whatever it is made from
    try:
        reduced = thing.__reduce__()
    except TypeError as error:
        raise Opaque(type(thing).__name__) from error
    if isinstance(reduced, str) or reduced[0] is not type(thing):
        raise Opaque(type(thing).__name__)
    return list(reduced[1:3])


def _own(kind: type) -> str:
    module = kind.__module__.partition(".")[0]
    if module not in ("sklearn", "numpy", "builtins"):
        raise Opaque(f"{kind.__module__}.{kind.__qualname__}")
    return f"{kind.__module__}.{kind.__qualname__}"
