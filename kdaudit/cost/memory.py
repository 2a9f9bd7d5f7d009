"""How much memory a subject takes: the peak of a process that answers, minus what it takes without the subject."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors.numpy

from kdaudit.abilities import Keeping
from kdaudit.domain import Domain
from kdaudit.errors import KdauditError
from kdaudit.interval import Interval, unknown
from kdaudit.layers import Layers
from kdaudit.rules import Rules
from kdaudit.samples import Origin, Samples
from kdaudit.signal import SCORE, Signal, Signals
from kdaudit.subject import Subject

SLACK = 0.05
"""Share by which two processes of one subject may differ; below a megabyte they may differ by more."""


@dataclass(frozen=True)
class Memory:
    """Peak memory in bytes.

    Parameters
    ----------
    peak : int
        Of the process that loads the subject and answers the rows.
    empty : int
        What the process held before, with all libraries loaded; else the peak of one that loads no subject.
    """

    peak: int
    empty: int

    @property
    def taken(self) -> int:
        """What the subject takes: its body and what it needs to answer."""
        return max(0, self.peak - self.empty)


def peak_memory(source: Path | str, samples: Samples, signals: Signals = (SCORE,)) -> Memory:
    """Measure the peak memory of a subject in a process of its own.

    A proxy is opened and answers twice there: what the second time takes beyond what was held before is its own.  For
    other subjects, and where the system does not forget a peak, the peak of a second process that opens none is taken
    off; libraries that load at the first answer then count as the subject's.

    Parameters
    ----------
    source : Path or str
        The folder of a proxy as an audit keeps it; or, for any other subject, the address of a function that opens it,
        such as ``"package.module:function"``: it is imported and called, so it must be trusted.
    samples : Samples
        Rows answered at once.
    signals : iterable of Signal

    Raises
    ------
    KdauditError
        If the process fails; the sentence ends with its last line.
    """
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        _write(samples, where)
        kind = "folder" if isinstance(source, Path) else "address"
        place = str(source.resolve()) if isinstance(source, Path) else source
        wanted = ",".join(map(str, sorted(signals)))
        most, before = _child(kind, place, folder, wanted, "answer")
        return Memory(most, before or _child(kind, place, folder, wanted, "load nothing")[0])


def settled(subject: Subject, samples: Samples, *, most: int = 256) -> Interval:
    """Return the megabytes that a proxy takes in a process of its own; unknown where two processes tell two stories.

    The proxy is written to a folder that is gone afterwards; see `peak_memory`.

    Parameters
    ----------
    subject : Subject
        A network of kdaudit's own architectures, or rules.
    samples : Samples
    most : int
        Rows that are answered.
    """
    few = samples.take(np.arange(min(most, len(samples))))
    with tempfile.TemporaryDirectory() as folder:
        try:
            _keep(subject, Path(folder))
        except KdauditError as error:
            return unknown(f"{subject.identity.name} cannot be opened in a process of its own: {error}")
        found = [peak_memory(Path(folder), few).taken / 1e6 for _ in range(2)]
    low, high = min(found), max(found)
    if high - low > max(SLACK * low, 1.0):
        return unknown(f"two processes took {low:.1f} and {high:.1f} MB; the machine is too busy to tell", 2)
    return Interval((low + high) / 2, low, high, 2, method="two processes")


def _keep(subject: Subject, folder: Path) -> None:
    match subject.form:
        case Rules():
            from kdaudit.surrogates.surrogate import save
        case Layers():
            from kdaudit.networks.files import save  # type: ignore[assignment]
        case None if isinstance(subject, Keeping):
            subject.keep(folder)
            return
        case None:
            raise KdauditError("it shows no body that could be kept")
    save(subject, folder)  # type: ignore[arg-type]


def _child(*arguments: str) -> tuple[int, int]:
    command = [sys.executable, "-m", "kdaudit.cost.answering", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise KdauditError(f"the process that answers for {arguments[1]} failed: {last}")
    most, before = done.stdout.strip().splitlines()[-1].split()
    return int(most), int(before)


def _write(samples: Samples, folder: Path) -> None:
    numbers = {name: np.ascontiguousarray(c) for name, c in samples.columns.items() if c.dtype.kind != "O"}
    texts = {name: c.tolist() for name, c in samples.columns.items() if c.dtype.kind == "O"}
    safetensors.numpy.save_file(numbers, folder / "rows.safetensors")
    data = {"domain": samples.domain.to_data(), "texts": texts, "ids": [str(i) for i in samples.ids]}
    (folder / "rows.json").write_text(json.dumps(data))


def read_rows(folder: Path) -> Samples:
    """Return the rows that were written for the process."""
    data = json.loads((folder / "rows.json").read_text())
    columns = safetensors.numpy.load_file(folder / "rows.safetensors")
    columns |= {name: np.array(values, dtype=object) for name, values in data["texts"].items()}
    return Samples(Domain.from_data(data["domain"]), columns, np.array(data["ids"]), Origin("rows to answer"))


def signals_of(text: str) -> frozenset[Signal]:
    """Return the signals written as text, joined by commas."""
    return frozenset(Signal.parse(part) for part in text.split(","))
