"""Models in memory as subjects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import nn

from kdaudit.digest import of_data, of_source
from kdaudit.domain import Domain
from kdaudit.encoders import Encoder
from kdaudit.errors import InvalidInput
from kdaudit.networks.network import Network, meaning
from kdaudit.samples import Samples
from kdaudit.subject import Identity, Subject
from kdaudit.teachers.closed import BATCH, Closed
from kdaudit.teachers.estimators import estimator

Function = Callable[[pd.DataFrame], Any]


def wrap(
    thing: object,
    *,
    domain: Domain,
    outputs: Sequence[str],
    name: str,
    version: str = "",
    encoding: Encoder | None = None,
    batch: int = BATCH,
) -> Subject:
    """Return a model as a subject.

    Parameters
    ----------
    thing : Module, estimator or function
        A torch module over encoded rows, giving logits; a fitted scikit-learn classifier with ``predict_proba``; or a
        function from a frame (levels by name, indexed by id) to scores of shape (rows, outputs), or (rows,) for one.
    domain : Domain
        The rows that it takes.
    outputs : sequence of str
        One name for a yes-or-no score, else one a class.
    name : str
        For people.
    version : str
        What the model is called where it comes from; part of the identity of whatever has no content to hash.
    encoding : Encoder, optional
        What a module sees of a row; what an estimator sees, if it was fitted on encoded rows and not on frames.
    batch : int
        Rows handed over at once, the last ones filled up with copies: so a row's bits do not depend on its company.
        With 1, each row goes alone and nothing is filled up.  Modules need a multiple of 64.

    Returns
    -------
    Subject

    Raises
    ------
    InvalidInput
        If the thing is none of these, lacks an encoding or classes, or they do not fit `outputs` or `domain`.

    Notes
    -----
    Functions have a declared identity: name, version and their own source text.  What they call or capture is not seen;
    give another version when that changes.
    """
    if isinstance(outputs, str) or not outputs:
        raise InvalidInput(f"outputs of {name!r} are {outputs!r}; name one, or one a class, as a sequence")
    if encoding is not None and meaning(encoding.domain) != meaning(domain):
        raise InvalidInput(f"the encoding of {name!r} is of another domain than {', '.join(domain.names)}")
    if isinstance(thing, nn.Module):
        if encoding is None:
            raise InvalidInput(
                f"{name!r} is a torch module; say what it sees of a row with encoding=kdaudit.encoders.fitted(rows)"
            )
        return Network(name, thing, encoding, tuple(outputs), batch=batch)
    if hasattr(thing, "predict_proba") and hasattr(thing, "get_params"):
        return estimator(thing, domain, tuple(outputs), named=(name, version), encoding=encoding, batch=batch)
    if callable(thing) and not isinstance(thing, type):
        return _function(thing, domain, tuple(outputs), (name, version), batch)
    raise InvalidInput(
        f"{name!r} is a {type(thing).__name__}; a torch module, a scikit-learn classifier with predict_proba or a "
        "function from a frame to scores was expected"
    )


def _function(
    function: Function, domain: Domain, outputs: tuple[str, ...], named: tuple[str, str], batch: int
) -> Closed:
    code: object = function
    while isinstance(code, partial):
        code = code.func
    if not hasattr(code, "__code__"):
        code = type(code)
    content = {
        "name": named[0],
        "version": named[1],
        "source": of_source(code),
        "fields": meaning(domain),
        "outputs": outputs,
        "batch": batch,
    }

    def scorer(samples: Samples) -> NDArray[Any]:
        return np.asarray(function(samples.frame()))

    return Closed(Identity(named[0], of_data(content), "declared"), domain, outputs, scorer, batch=batch)
