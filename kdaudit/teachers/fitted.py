"""The fitted state of an estimator as plain data, so that its identity can be its content."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from kdaudit.digest import of_arrays, of_source

_TOLD = ("sklearn", "scipy", "numpy", "builtins")
"""Packages whose versions stand in the identity, so that their classes need no source there."""
_MACHINE = ("cv_results_", "refit_time_", "n_threads", "n_jobs")
"""Attributes that hold how long fitting took and in how many threads: no answer depends on them."""


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


@dataclass(frozen=True)
class State:
    """What is known of an estimator's fitted state.

    Parameters
    ----------
    data : object
        Plain data.
    opaque : tuple of str
        Kinds of things inside whose content could not be told in full; empty if `data` tells everything.
    """

    data: Any
    opaque: tuple[str, ...]


def state(thing: object) -> State:
    """Return plain data that differs whenever the answers of a fitted estimator could.

    Told in full: numbers, texts, arrays, containers, and objects of scikit-learn's, scipy's and numpy's own classes.
    Of other objects only the class and the attributes are told, of functions the source text: what they call is not
    seen, so they make the state opaque.
    """
    opaque: list[str] = []
    return State(_told(thing, (), opaque), tuple(sorted(set(opaque))))


def _told(thing: Any, inside: tuple[int, ...], opaque: list[str]) -> Any:  # noqa: ANN401 - plain JSON data
    if id(thing) in inside:
        opaque.append(type(thing).__name__)
        return ["itself"]
    deeper = (*inside, id(thing))

    def each(items: Iterable[Any]) -> list[Any]:
        return [_told(item, deeper, opaque) for item in items]

    match thing:
        case None | bool() | int() | float() | complex() | str() | bytes() | slice() | np.dtype():
            return [type(thing).__name__, repr(thing)]
        case np.ndarray() | np.generic():
            return _array(np.asarray(thing), deeper, opaque)
        case np.random.RandomState() | np.random.Generator():
            return ["chance"]  # used in fitting only
        case list() | tuple():
            return [type(thing).__name__, *each(thing)]
        case set() | frozenset():
            return ["set", *sorted(each(thing), key=repr)]
        case dict():
            return ["dict", *sorted(map(each, thing.items()), key=repr)]
        case _:
            return _object(thing, deeper, opaque)


def _array(array: NDArray[Any], inside: tuple[int, ...], opaque: list[str]) -> Any:  # noqa: ANN401 - plain JSON data
    if array.dtype.names:
        # bytes between the fields of a record are left over from whatever lay there before
        columns = {name: np.ascontiguousarray(array[name]) for name in array.dtype.names}
        return ["records", {name: _array(column, inside, opaque) for name, column in columns.items()}]
    if array.dtype == object:
        return ["objects", list(array.shape), [_told(item, inside, opaque) for item in array.ravel().tolist()]]
    return ["array", of_arrays({"": array})]


def _object(thing: Any, inside: tuple[int, ...], opaque: list[str]) -> Any:  # noqa: ANN401 - plain JSON data
    kind = thing if isinstance(thing, type) else type(thing)
    name = f"{kind.__module__}.{kind.__qualname__}"
    if sparse.issparse(thing):
        matrix = sparse.csr_array(thing)
        arrays = (matrix.data, matrix.indices, matrix.indptr)
        return [name, list(matrix.shape), *(_array(a, inside, opaque) for a in arrays)]
    if isinstance(thing, np.ufunc):
        return [name, thing.__name__]
    if isinstance(thing, partial):
        return [name, *(_told(part, inside, opaque) for part in (thing.func, thing.args, thing.keywords))]
    if hasattr(thing, "__code__"):
        return _function(thing, opaque)
    if not _own(kind):
        opaque.append(name)
    if isinstance(thing, type):
        return [name]
    values = _attributes(thing, name, opaque)
    return [name, {key: _told(value, inside, opaque) for key, value in values.items() if key not in _MACHINE}]


def _function(thing: Any, opaque: list[str]) -> list[str]:  # noqa: ANN401 - a function
    name = f"{thing.__module__}.{thing.__qualname__}"
    if not _own(thing) or thing.__closure__:
        opaque.append(name)
    return [name, of_source(thing)]


def _own(thing: Any) -> bool:  # noqa: ANN401 - a class or function
    return str(thing.__module__).partition(".")[0] in _TOLD


def _attributes(thing: Any, name: str, opaque: list[str]) -> dict[str, Any]:  # noqa: ANN401 - any object
    if hasattr(thing, "__dict__"):
        return dict(vars(thing))
    # compiled classes have no attributes to look at; they tell their state where they can be copied
    try:
        reduced = thing.__reduce__()
    except TypeError:
        reduced = ""
    if isinstance(reduced, str) or not _own(reduced[0]):
        opaque.append(name)
        return {}
    return {"": list(reduced[1:3])}
