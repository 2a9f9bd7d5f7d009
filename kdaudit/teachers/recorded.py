"""Answers that were recorded elsewhere: there is nobody to ask, and each row has its own answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.data.readers import Roles, read
from kdaudit.digest import of_arrays, of_data
from kdaudit.domain import Domain, Real
from kdaudit.errors import InvalidAnswers, InvalidInput
from kdaudit.question import Setting
from kdaudit.samples import Samples
from kdaudit.signal import LABEL, SCORE, Signal, Signals
from kdaudit.subject import SUM_TOLERANCE, Answers, Identity, Scale
from kdaudit.teachers.closed import derived, refuse_unoffered, unanswered
from kdaudit.teachers.places import located

Known = tuple[NDArray[np.str_], NDArray[np.bytes_]]
"""Ids, sorted, and the content keys of these rows when they were recorded."""


@dataclass(frozen=True, eq=False)
class Records:
    """Recorded answers by row id.

    A row that is not in the table, or whose content is no longer what it was, fails: what the teacher would say of it
    is not known.  So does one whose score is NaN: it was asked in vain.  Rows of the same content keep answers of their
    own.

    Parameters
    ----------
    identity : Identity
        By id.
    outputs : tuple of str
    ids : array of str, shape (m,)
        Sorted, each once.
    recorded : mapping of Signal to array of shape (m, ...)
    known : (ids, keys)
        Content of rows; rows whose id is not among them are answered by id alone.
    scale : {"probability", "value"}
    """

    identity: Identity
    outputs: tuple[str, ...]
    ids: NDArray[np.str_]
    recorded: dict[Signal, NDArray[Any]]
    known: Known
    scale: Scale = "probability"

    @property
    def offers(self) -> frozenset[Signal]:
        """What was recorded, and labels where scores were."""
        read_off = {LABEL} if SCORE in self.recorded and self.scale == "probability" else set()
        return frozenset({*self.recorded, *read_off})

    @property
    def form(self) -> None:
        """Nothing: there are only answers."""
        return None

    def answer(self, samples: Samples, signals: Signals, draw: int = 0) -> Answers:  # noqa: ARG002 - no chance here
        """Answer rows; see `kdaudit.subject.Subject.answer`.

        Raises
        ------
        NoSuchSignal
            If a signal was not recorded.
        """
        asked = frozenset(signals)
        refuse_unoffered(asked, self.offers, self.identity.name)
        ids = samples.ids.astype(str)
        at = _places(self.ids, ids)
        changed = self._changed(ids, samples)
        values = {signal: value[np.maximum(at, 0)].copy() for signal, value in self.recorded.items()}
        empty = unanswered(values[SCORE]) if SCORE in values else {}
        out = dict(derived(values, asked - set(values), samples, self.identity.name, empty).values)
        out |= {signal: values[signal] for signal in asked & set(values)}
        failed = dict.fromkeys(empty, "its recorded score is empty")
        failed |= {int(row): "the row was changed after its answer was recorded" for row in np.flatnonzero(changed)}
        failed |= {int(row): "no answer to this row was recorded" for row in np.flatnonzero(at < 0)}
        for signal, value in out.items():
            value[list(failed)] = -1 if signal == LABEL else np.nan
        return Answers(out, failed)

    def _changed(self, ids: NDArray[np.str_], samples: Samples) -> NDArray[np.bool_]:
        names, keys = self.known
        if not len(names) or not len(samples):
            return np.zeros(len(ids), dtype=bool)
        at = _places(names, ids)
        out: NDArray[np.bool_] = (at >= 0) & (keys[np.maximum(at, 0)] != samples.keys())
        return out


@dataclass(frozen=True)
class Recorded:
    """A table of row ids and scores.

    Parameters
    ----------
    path : str
        Parquet or CSV file, below the plan's folder or absolute.
    ids : str
        Column of the ids, the same as those of the rows that are audited.
    scores : tuple of str
        Columns of the scores, one an output; by default none, and the labels alone are used.  A row whose score is
        empty was asked in vain: it counts as failed.
    labels : str
        Column of the teacher's decisions, if they were recorded: names of the outputs, or 0 and 1 for one output.
    name : str
        For people.
    """

    path: str
    ids: str = "id"
    scores: tuple[str, ...] = ()
    labels: str = ""
    name: str = "recorded answers"

    def __post_init__(self) -> None:
        if not self.scores and not self.labels:
            raise InvalidInput("recorded answers need the columns of scores, or the column of labels")

    def open(self, setting: Setting) -> Records:
        """Read the table and return it as a teacher.

        Raises
        ------
        InvalidInput
            If the file cannot be read, lacks a column, has an id twice, or a score is no number or out of range, or a
            label is missing; the sentence names file, line and column.
        InvalidAnswers
            If the scores of a row do not sum to one.
        UnsafeFile
            If the file is a pickle.
        """
        behaviour = setting.behaviour
        outputs, numbers = behaviour.outputs, behaviour.scale == "value"
        if self.scores and len(self.scores) != len(outputs):
            raise InvalidInput(
                f"{self.path}: {len(self.scores)} columns of scores ({', '.join(self.scores)}) for "
                f"{len(outputs)} outputs ({', '.join(outputs)}); one column an output was expected"
            )
        places = {f"score_{position}": column for position, column in enumerate(self.scores)}
        low, high = (None, None) if numbers else (0.0, 1.0)
        fields = Domain(tuple(Real(place, low, high, missing=True) for place in places))
        named = ("0", "1") if len(outputs) == 1 else outputs
        roles = Roles(label=self.labels, classes=named if self.labels else (), id=self.ids, columns=places)
        table = read(located(self.path, setting.folder), fields, roles, name=self.name).samples
        recorded: dict[Signal, NDArray[Any]] = {}
        if self.scores:
            recorded[SCORE] = np.column_stack([table.columns[place] for place in places])
            _check_sums(recorded[SCORE], table.ids, self, numbers=numbers)
        if table.labels is not None:
            recorded[LABEL] = table.labels
        scale: Scale = "value" if numbers else "probability"
        return records(self.name, table.ids, recorded, outputs, known=setting.parts.values(), scale=scale)


def records(
    name: str,
    ids: NDArray[Any],
    recorded: dict[Signal, NDArray[Any]],
    outputs: tuple[str, ...],
    *,
    known: Iterable[Samples] = (),
    scale: Scale = "probability",
) -> Records:
    """Return recorded answers as a subject.

    Parameters
    ----------
    name : str
    ids : array of shape (m,)
    recorded : mapping of Signal to array of shape (m, ...)
    outputs : tuple of str
    known : iterable of Samples
        Rows as they were when the answers were recorded.
    scale : {"probability", "value"}

    Raises
    ------
    InvalidInput
        If an id occurs twice.
    """
    texts = ids.astype(str)
    order = np.argsort(texts, kind="stable")
    texts = texts[order]
    again = np.flatnonzero(texts[1:] == texts[:-1])
    if len(again):
        raise InvalidInput(f"id {texts[again[0]]} occurs twice in {name}; each id occurs once")
    ordered = {signal: value[order] for signal, value in recorded.items()}
    arrays = {"ids": texts.astype(object), **{str(signal): value for signal, value in ordered.items()}}
    digest = of_data({"answers": of_arrays(arrays), "outputs": outputs, "scale": scale})
    return Records(Identity(name, digest, by="id"), outputs, texts, ordered, _known(known), scale)


def outcomes(samples: Samples, outputs: tuple[str, ...], *, scale: Scale = "probability") -> Records:
    """Return recorded outcomes dressed as a subject: scores 0 and 1, or numbers as they are, by row id.

    Parameters
    ----------
    samples : Samples
        With labels: positions among `outputs`, or 0 and 1 for one output; any numbers where the scale is one of values.
    outputs : tuple of str
    scale : {"probability", "value"}

    Raises
    ------
    InvalidInput
        If there are no labels, they are no classes, or an id occurs twice.
    """
    if scale == "value" and samples.labels is not None:
        numbers = np.asarray(samples.labels, dtype=np.float64)[:, None]
        return records("recorded outcomes", samples.ids, {SCORE: numbers}, outputs, known=[samples], scale=scale)
    labels = classes(samples, len(outputs))
    score = labels[:, None].astype(np.float64) if len(outputs) == 1 else np.eye(len(outputs))[labels]
    return records("recorded outcomes", samples.ids, {SCORE: score}, outputs, known=[samples])


def classes(samples: Samples, outputs: int) -> NDArray[np.int64]:
    """Return recorded outcomes as positions among classes, or 0 and 1 for one output; shape (n,).

    Raises
    ------
    InvalidInput
        If there are none, or one is no such position; the sentence names the row.
    """
    if samples.labels is None or not len(samples):
        raise InvalidInput(
            f"part {samples.origin.part!r} has no recorded outcomes; name the label's column in the plan"
        )
    count = max(outputs, 2)
    values = np.asarray(samples.labels)
    bad = ~np.isin(values, np.arange(count))
    if bad.any():
        at = int(np.flatnonzero(bad)[0])
        raise InvalidInput(
            f"the outcome of row {samples.ids[at]} is {values[at]}; a whole number from 0 to {count - 1} was expected "
            f"({int(bad.sum())} such rows)"
        )
    out: NDArray[np.int64] = values.astype(np.int64)
    return out


def _places(known: NDArray[np.str_], asked: NDArray[np.str_]) -> NDArray[np.int64]:
    """Return where each of `asked` stands in `known`, which is sorted; -1 where it does not."""
    if not len(known):
        return np.full(len(asked), -1)
    at = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    out: NDArray[np.int64] = np.where(known[at] == asked, at, -1)
    return out


def _known(parts: Iterable[Samples]) -> Known:
    full = [part for part in parts if len(part)]
    if not full:
        return np.empty(0, dtype="U1"), np.empty(0, dtype="S16")
    ids, first = np.unique(np.concatenate([part.ids.astype(str) for part in full]), return_index=True)
    return ids, np.concatenate([part.keys() for part in full])[first]


def _check_sums(scores: NDArray[np.float64], ids: NDArray[Any], recipe: Recorded, *, numbers: bool) -> None:
    if numbers or scores.shape[1] == 1:
        return
    bad = np.abs(scores.sum(axis=1) - 1) > SUM_TOLERANCE
    if bad.any():
        at = int(np.flatnonzero(bad)[0])
        raise InvalidAnswers(
            f"{recipe.path}: the scores of row {ids[at]} in {', '.join(recipe.scores)} sum to {scores[at].sum():g}; "
            f"one was expected ({int(bad.sum())} such rows)"
        )
