"""Fitted scikit-learn classifiers as subjects."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import scipy
import sklearn
from numpy.typing import NDArray

from kdaudit.digest import of_data, of_source
from kdaudit.domain import Domain, Real
from kdaudit.encoders import Encoder
from kdaudit.errors import InvalidInput
from kdaudit.networks.network import meaning
from kdaudit.samples import Samples
from kdaudit.subject import Identity
from kdaudit.teachers.closed import BATCH, Closed
from kdaudit.teachers.fitted import parts, state


def estimator(
    model: Any,  # noqa: ANN401 - any estimator
    domain: Domain,
    outputs: tuple[str, ...],
    *,
    named: tuple[str, str],
    encoding: Encoder | None = None,
    batch: int = BATCH,
) -> Closed:
    """Return a fitted classifier as a subject.

    It is copied, so that fitting the original anew changes nothing, and the copy works in one thread: a forest that
    adds the votes of its trees in the order in which threads finish changes the last bits of a score.

    Parameters
    ----------
    model : estimator
        With ``predict_proba`` and ``classes_``.
    domain : Domain
    outputs : tuple of str
        One output: the column of the class of that name, or of the last of two classes.  Several: classes of those
        names in any order, or the classes 0, 1, 2 ... in theirs.
    named : (name, version)
    encoding : Encoder, optional
        What it was fitted on; without, it gets frames (or plain numbers, if it was fitted without names of columns).
    batch : int

    Raises
    ------
    InvalidInput
        If it is not fitted, its classes do not fit `outputs`, or its columns do not fit `domain`.

    Notes
    -----
    The identity is by content wherever the fitted state can be told in full (see `kdaudit.teachers.fitted`); else it is
    declared: name, version, the source of the class and what could be told.
    """
    name, version = named
    own = copy.deepcopy(model)
    for part in parts(own):
        if getattr(part, "n_jobs", None) is not None:
            part.n_jobs = 1
    columns = _columns(own, outputs, name)
    prepare = _preparation(own, domain, encoding, name)
    found = state(own)
    content: dict[str, Any] = {
        "fields": meaning(domain),
        "encoding": None if encoding is None else {k: v for k, v in encoding.to_data().items() if k != "domain"},
        "outputs": outputs,
        "batch": batch,
        "version": version,
        "libraries": [sklearn.__version__, scipy.__version__, np.__version__],
        "state": found.data,
    }
    if found.opaque:
        identity = Identity(name, of_data({**content, "name": name, "source": of_source(type(own))}), "declared")
    else:
        identity = Identity(name, of_data(content))

    def scorer(samples: Samples) -> NDArray[Any]:
        given = np.asarray(own.predict_proba(prepare(samples)))
        # another number of columns than classes is refused with its shape
        return given[:, columns] if given.ndim == 2 and given.shape[1] > max(columns) else given

    return Closed(identity, domain, outputs, scorer, batch=batch)


def _columns(model: Any, outputs: tuple[str, ...], name: str) -> list[int]:  # noqa: ANN401 - any estimator
    try:
        classes = [str(c) for c in model.classes_]
    except AttributeError as error:
        raise InvalidInput(f"{name!r} has no classes_; fit the {type(model).__name__} before it is audited") from error
    if set(outputs) <= set(classes) and (len(outputs) == 1 or len(outputs) == len(classes)):
        return [classes.index(output) for output in outputs]
    if len(outputs) == 1 and len(classes) == 2:
        return [1]
    if len(outputs) == len(classes) and classes == [str(i) for i in range(len(classes))]:
        return list(range(len(classes)))
    raise InvalidInput(
        f"{name!r} knows the classes {', '.join(classes)}, and the outputs are {', '.join(outputs)}; "
        "name them alike, or name one output for two classes"
    )


def _preparation(model: Any, domain: Domain, encoding: Encoder | None, name: str) -> Any:  # noqa: ANN401 - a function
    if encoding is not None:
        wanted = getattr(model, "n_features_in_", encoding.width)
        if wanted != encoding.width:
            raise InvalidInput(f"{name!r} was fitted on {wanted} columns, and the encoding has {encoding.width}")
        return encoding.encode
    names = getattr(model, "feature_names_in_", None)
    if names is None:
        if not all(isinstance(item, Real) for item in domain.fields):
            raise InvalidInput(f"{name!r} was fitted without names of columns; give the encoding that it was fitted on")
        return lambda samples: np.column_stack([samples.columns[column] for column in samples.domain.names])
    unknown = [str(column) for column in names if column not in domain]
    if unknown:
        raise InvalidInput(
            f"{name!r} was fitted on the columns {', '.join(unknown)}, which the domain lacks; "
            f"it has {', '.join(domain.names)}"
        )
    return lambda samples: samples.frame()[list(names)]
