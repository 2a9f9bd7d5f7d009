"""A teacher in an ONNX file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from kdaudit.digest import of_data, of_file
from kdaudit.domain import Category, Domain, Real
from kdaudit.encoding import Encoding
from kdaudit.errors import InvalidInput, OutOfDomain
from kdaudit.networks.files import refuse_risky
from kdaudit.networks.network import meaning
from kdaudit.question import Setting
from kdaudit.samples import Samples
from kdaudit.signal import LOGIT, SCORE
from kdaudit.subject import Identity
from kdaudit.teachers.closed import BATCH, Closed
from kdaudit.teachers.onnx_sizes import bulk
from kdaudit.teachers.places import located

_NUMBERS = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
}
_TEXT = "tensor(string)"


@dataclass(frozen=True)
class Onnx:
    """A model in an ONNX file.

    Its inputs are either one an field, called as the fields, of shape (rows, 1): numbers; levels by name or, in an
    input of numbers, by position.  Or they are one input of shape (rows, width): the encoding, with the means and
    scales given here.

    Parameters
    ----------
    path : str
        Below the plan's folder or absolute.
    output : str
        Name of the output to read; by default the first one of numbers with decimals.
    gives : {"scores", "logits"}
        What these numbers are.
    means, scales : dict of str to float
        Of reals, by field, for an encoded input; 0 and 1 where none is given.
    name : str
        For people.
    """

    path: str
    output: str = ""
    gives: Literal["scores", "logits"] = "scores"
    means: dict[str, float] = field(default_factory=dict)
    scales: dict[str, float] = field(default_factory=dict)
    name: str = ""

    def open(self, setting: Setting) -> Closed:
        """Read and return the teacher.

        Raises
        ------
        InvalidInput
            If the extra is not installed, the file cannot be read, refers to weights outside its folder, or its inputs
            and outputs fit neither domain nor behaviour.
        UnsafeFile
            If the file is a pickle.
        """
        return opened(self, located(self.path, setting.folder), setting.behaviour.domain, setting.behaviour.outputs)


def opened(recipe: Onnx, path: Path, domain: Domain, outputs: tuple[str, ...]) -> Closed:
    """Return the model at `path` as a subject.

    It runs in one thread, on the CPU, in batches of one size (the file's own, where that is fixed).

    Raises
    ------
    InvalidInput, UnsafeFile
        As `Onnx.open`.
    """
    refuse_risky(path)
    name = recipe.name or path.name
    runtime = _runtime()
    weights = _outside_weights(path)
    session = _session(runtime, path)
    feed = _feeding(recipe, session, domain, name)
    chosen = _output(recipe, session, name)
    batch, fixed = _batch(session)
    content = {
        "file": of_file(path),
        "weights": {str(file.relative_to(path.parent.resolve())): of_file(file) for file in weights},
        "output": chosen,
        "gives": recipe.gives,
        "means": recipe.means,
        "scales": recipe.scales,
        "fields": meaning(domain),
        "outputs": outputs,
        "batch": batch,
        "onnxruntime": runtime.__version__,
    }

    def scorer(samples: Samples) -> NDArray[Any]:
        (given,) = session.run([chosen], feed(samples))
        return _one_column(np.asarray(given), recipe.gives) if len(outputs) == 1 else np.asarray(given)

    gives = SCORE if recipe.gives == "scores" else LOGIT
    size = bulk(path, weights)
    who = Identity(name, of_data(content))
    return Closed(who, domain, outputs, scorer, gives=gives, batch=batch, bulk=size, fixed=fixed)


def _one_column(given: NDArray[Any], gives: str) -> NDArray[Any]:
    if given.ndim != 2 or given.shape[1] != 2:
        return given
    # two classes and one output: its score is that of the last class, its logit the difference
    return given[:, 1] if gives == "scores" else given[:, 1] - given[:, 0]


def _runtime() -> ModuleType:
    try:
        import onnx  # noqa: F401
        import onnxruntime
    except ImportError as error:
        raise InvalidInput("ONNX files need more packages: pip install kdaudit[onnx]") from error
    out: ModuleType = onnxruntime
    return out


def _session(runtime: Any, path: Path) -> Any:  # noqa: ANN401 - onnxruntime has no types
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no common root but this one
        raise InvalidInput(f"{path} cannot be read as ONNX: {_line(error)}") from error


def _line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def _outside_weights(path: Path) -> list[Path]:
    """Return the files of weights that the model refers to, each below the model's folder."""
    import onnx

    try:
        model = onnx.load(path, load_external_data=False)
    except Exception as error:  # protobuf's decoding errors have no common root but this one
        raise InvalidInput(f"{path} cannot be read as ONNX: {_line(error)}") from error
    home, files = path.parent.resolve(), set()
    for location in _locations(model):
        file = (home / location).resolve()
        if not file.is_relative_to(home) or not file.is_file():
            raise InvalidInput(
                f"{path} refers to weights in {location!r}; they must lie in a file below its own folder"
            )
        files.add(file)
    return sorted(files)


def _locations(message: Any) -> Iterator[str]:  # noqa: ANN401 - any part of the file
    # tensors may stand in graphs, nodes, branches and functions alike, so the whole message is walked
    if message.DESCRIPTOR.name == "TensorProto":
        yield from (entry.value for entry in message.external_data if entry.key == "location")
        return
    for descriptor, value in message.ListFields():
        if descriptor.message_type is not None:
            for part in [value] if hasattr(value, "DESCRIPTOR") else value:
                yield from _locations(part)


def _batch(session: Any) -> tuple[int, bool]:  # noqa: ANN401 - onnxruntime has no types
    """Return how many rows go through at once, and whether no other number would."""
    fixed = {item.shape[0] for item in session.get_inputs() if item.shape and isinstance(item.shape[0], int)}
    return (int(fixed.pop()), True) if len(fixed) == 1 else (BATCH, False)


def _output(recipe: Onnx, session: Any, name: str) -> str:  # noqa: ANN401 - onnxruntime has no types
    kinds = {item.name: item.type for item in session.get_outputs()}
    if recipe.output and recipe.output not in kinds:
        raise InvalidInput(f"{name} has no output {recipe.output!r}; its outputs are {', '.join(kinds)}")
    numbers = [key for key, kind in kinds.items() if kind in ("tensor(float)", "tensor(double)")]
    chosen = recipe.output or (numbers[0] if numbers else "")
    if chosen not in numbers:
        listed = ", ".join(f"{key}: {kind}" for key, kind in kinds.items())
        raise InvalidInput(
            f"{name} has no output of scores that can be read ({listed}); a tensor of floats was expected "
            "(convert classifiers of scikit-learn with zipmap off)"
        )
    return chosen


def _feeding(recipe: Onnx, session: Any, domain: Domain, name: str) -> Any:  # noqa: ANN401 - a function
    inputs = {item.name: item for item in session.get_inputs()}
    for table in (recipe.means, recipe.scales):
        for key in table:
            if not isinstance(domain[key], Real):
                raise OutOfDomain(f"{key} is no number; means and scales are of numbers")
    if set(inputs) == set(domain.names):
        for item in domain.fields:
            _check_kind(item, inputs[item.name].type, name)
        kinds = {key: item.type for key, item in inputs.items()}
        ranks = {key: len(item.shape or ()) for key, item in inputs.items()}
        return lambda samples: {key: _field(samples, key, kinds[key], ranks[key]) for key in kinds}
    if len(inputs) == 1:
        ((key, only),) = inputs.items()
        reals = [item.name for item in domain.fields if isinstance(item, Real)]
        means, scales = tuple(recipe.means.get(r, 0.0) for r in reals), tuple(recipe.scales.get(r, 1.0) for r in reals)
        encoding = Encoding(domain, means, scales)
        width = only.shape[1] if len(only.shape or ()) == 2 else None
        if only.type not in _NUMBERS or (isinstance(width, int) and width != encoding.width) or len(only.shape) != 2:
            raise InvalidInput(
                f"{name} takes {key!r}, {only.type} of shape {only.shape}; numbers of shape (rows, {encoding.width}) "
                "were expected: one column a number, and one a level of each category"
            )
        kind = _NUMBERS[only.type]
        return lambda samples: {key: encoding.encode(samples).astype(kind)}
    raise InvalidInput(
        f"{name} takes {', '.join(inputs)}; either one encoded input was expected, or {', '.join(domain.names)}"
    )


def _check_kind(item: Any, kind: str, name: str) -> None:  # noqa: ANN401 - any field
    fits = kind in _NUMBERS or (kind == _TEXT and isinstance(item, Category))
    if not fits or not isinstance(item, (Real, Category)):
        raise InvalidInput(f"{name} takes {item.name!r} as {kind}, which a {item.kind} cannot be")


def _field(samples: Samples, name: str, kind: str, rank: int) -> NDArray[Any]:
    if kind == _TEXT:
        texts = samples.level(name)
        column = np.array(["" if text is None else text for text in texts], dtype=object)
    else:
        values = samples.columns[name]
        if np.issubdtype(_NUMBERS[kind], np.integer) and np.isnan(values.astype(np.float64)).any():
            raise OutOfDomain(f"{name} is missing in some row, and the model takes whole numbers there")
        column = values.astype(_NUMBERS[kind])
    return column[:, None] if rank == 2 else column
