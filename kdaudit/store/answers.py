"""The one door: every answer of every subject is asked for, kept and counted here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from threading import RLock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.domain import Text
from kdaudit.durable import write_durably
from kdaudit.engine import slices
from kdaudit.errors import BrokenRun, InvalidAnswers, InvalidInput
from kdaudit.samples import Samples
from kdaudit.signal import LABEL, LOGIT, SCORE, Signal, Signals
from kdaudit.store import parts
from kdaudit.store.index import Keys
from kdaudit.store.keys import row_keys, sources
from kdaudit.store.shelf import Shelf, union
from kdaudit.subject import Answers, Identity, Subject, check_answers
from kdaudit.tokens import split

_DIGEST = re.compile(r"[0-9A-Za-z_-][0-9A-Za-z_.-]*")
_SHORT = 16


class Store:
    """Answers by identity, signal, draw and row.

    Parameters
    ----------
    folder : Path or str, optional
        Where answers are kept, shared by all audits; None keeps them in memory only.
    batch : int
        Most rows that a subject is asked at a time, and so the most that a killed process loses.

    Raises
    ------
    InvalidInput
        If `batch` is below 1, or `folder` is a file.

    Notes
    -----
    On disk: ``<folder>/<identity digest>/<epoch>/<signal>-<draw>/part-<digest>.parquet``, one part a batch, written
    before its answers are used and never changed.  Several processes may use one folder at once.
    """

    def __init__(self, folder: Path | str | None = None, *, batch: int = 1024) -> None:
        if batch < 1:
            raise InvalidInput(f"a store asks at least one row at a time; batch = {batch} was given")
        self._folder = None if folder is None else Path(folder)
        if self._folder is not None and self._folder.exists() and not self._folder.is_dir():
            raise InvalidInput(f"answers are kept in a folder, and {folder} is a file; name a folder")
        self._batch = batch
        self._shelves: dict[tuple[str, int, str, int], Shelf] = {}
        self._epochs: dict[str, int] = {}
        self._spent: dict[str, int] = {}
        self._lock = RLock()

    def ask(self, subject: Subject, samples: Samples, signals: Signals, draw: int = 0) -> Answers:
        """Return the subject's answers to the rows, from disk where they are known.

        Each distinct row is asked once, in batches, in the order of the rows.  Rows that fail are handed back as
        failed and asked again by the next ask.

        Parameters
        ----------
        subject : Subject
        samples : Samples
            n rows.
        signals : iterable of Signal
            Scores and labels are read off logits where the subject offers them (and labels off scores).
        draw : int
            Which repetition, for subjects that answer by chance.

        Returns
        -------
        Answers
            Aligned with `samples`: the signals asked for, and those they were read off.

        Raises
        ------
        NoSuchSignal
            If the subject cannot give a signal.
        InvalidAnswers
            If what it gives is no answer (see `kdaudit.subject.check_answers`).
        BrokenRun
            If answers on disk were cut or changed.
        """
        wanted = tuple(signals)
        with self._lock:
            shelves = {signal: self._shelf(subject, str(signal), draw) for signal in sources(subject, wanted)}
            names = row_keys(subject.identity, samples)
            keys, first, back = np.unique(names, return_index=True, return_inverse=True)
            places = _lacking(keys, shelves)
            if len(places) and any(list(map(Shelf.refresh, shelves.values()))):  # a list: each of them refreshes
                places = _lacking(keys, shelves)
            places = _in_order(places, first, samples, self._batch)
            failed: dict[int, str] = {}
            # looked up once: a batch answers none of another's rows
            missing = {signal: shelf.find(keys) < 0 for signal, shelf in shelves.items()} if len(places) else {}
            for piece in slices(len(places), self._batch):
                at = places[piece]
                some = {signal: shelves[signal] for signal, rows in missing.items() if rows[at].any()}
                failed |= self._ask_batch(subject, samples.take(first[at]), some, draw, (keys, at))
            return _assemble(keys, back, shelves, failed, wanted)

    def _ask_batch(
        self,
        subject: Subject,
        rows: Samples,
        shelves: Mapping[Signal, Shelf],
        draw: int,
        place: tuple[Keys, NDArray[np.int64]],
    ) -> dict[int, str]:
        keys, at = place
        answers = self._answered(subject, rows, tuple(shelves), draw)
        digest = subject.identity.digest
        self._spent[digest] = self._spent.get(digest, 0) + len(rows)
        good = answers.answered
        for signal, shelf in shelves.items():
            shelf.add(keys[at[good]], answers.values[signal][good])
            if answers.failed:
                shelf.fail(keys[at[~good]], [answers.failed[int(row)] for row in np.flatnonzero(~good)])
        return {int(at[row]): reason for row, reason in answers.failed.items()}

    def _answered(self, subject: Subject, rows: Samples, signals: tuple[Signal, ...], draw: int) -> Answers:
        answers = subject.answer(rows, signals, draw)
        if answers.failed and not (min(answers.failed) >= 0 and max(answers.failed) < len(rows)):
            raise InvalidAnswers(f"{subject.identity.name} says that rows failed that are not among its {len(rows)}")
        check_answers(answers, rows, signals, subject)
        return Answers({s: np.asarray(answers.values[s], dtype=_TYPES.get(s)) for s in signals}, answers.failed)

    def afresh(self, subject: Subject, samples: Samples, signals: Signals) -> Answers:
        """Return answers that nobody gave before: neither looked up, nor kept, nor counted as spent."""
        wanted = tuple(signals)
        answers = self._answered(subject, samples, sources(subject, wanted), 0)
        return _with(answers, wanted)

    def known(self, subject: Subject, samples: Samples, signals: Signals) -> Answers:
        """Return the answers that are kept, nothing being asked; the other rows stand among the failed."""
        wanted = tuple(signals)
        shelves = {signal: self._shelf(subject, str(signal), 0) for signal in sources(subject, wanted)}
        keys = row_keys(subject.identity, samples)
        at = {signal: shelf.find(keys) for signal, shelf in shelves.items()}
        lacking = _lacking(keys, shelves)
        values = {signal: shelf.take(at[signal]) for signal, shelf in shelves.items()}
        return _with(Answers(values, dict.fromkeys(lacking.tolist(), "not asked yet")), wanted)

    def kept(self, subject: Subject) -> int:
        """Return how many distinct rows of a subject were answered and kept, by whichever audit."""
        shelves = [self._shelf(subject, str(signal), 0) for signal in (LOGIT, SCORE, LABEL) if signal in subject.offers]
        for shelf in shelves:
            shelf.refresh()
        return len(np.unique(np.concatenate([shelf.keys for shelf in shelves]))) if shelves else 0

    @property
    def spent(self) -> Mapping[str, int]:
        """Rows newly asked by this store, by identity digest; canary rows are not among them."""
        return dict(self._spent)

    def used(self) -> Mapping[str, int]:
        """Return the number of distinct rows used through this store, cached or not, by identity digest."""
        rows: dict[str, list[Keys]] = {}
        for (digest, *_), shelf in self._shelves.items():
            rows.setdefault(digest, []).append(shelf.used().keys)
        counts = {digest: len(np.unique(np.concatenate(keys))) for digest, keys in rows.items()}
        return {digest: n for digest, n in counts.items() if n}

    def seal(self, folder: Path) -> tuple[Path, ...]:
        """Copy what was used through this store into `folder`, the same bytes for the same answers.

        Parameters
        ----------
        folder : Path
            Gets ``<first 16 digits of the identity>/<signal>.parquet`` (``<signal>-<draw>`` for later draws), sorted
            by key.  What an earlier process of the same run left there is kept and added to.

        Returns
        -------
        tuple of Path
            The files, sorted.

        Raises
        ------
        BrokenRun
            If a file that lies there already cannot be read.
        """
        out = []
        for (digest, epoch, signal, draw), shelf in self._shelves.items():
            part = shelf.used() if epoch == self._epochs.get(digest) and signal != CANARY else None
            if part is None or not len(part.keys):
                continue
            name = _file_name(signal) if draw == 0 else f"{_file_name(signal)}-{draw}"
            path = folder / digest[:_SHORT] / f"{name}.parquet"
            write_durably(path, parts.encode(_joined(path, part)))
            out.append(path)
        return tuple(sorted(out))

    def epoch(self, identity: Identity) -> int:
        """Return the number of times that the subject of this identity was found to have moved."""
        if identity.digest not in self._epochs:
            if not _DIGEST.fullmatch(identity.digest):
                raise InvalidInput(f"{identity.name} has the digest {identity.digest!r}; a sha256 in hex was expected")
            self._epochs[identity.digest] = self._last_epoch(identity.digest)
        return self._epochs[identity.digest]

    def begin_epoch(self, identity: Identity) -> int:
        """Leave the answers of this identity on disk, unused from now on, and return the new epoch."""
        self._epochs[identity.digest] = self.epoch(identity) + 1
        return self._epochs[identity.digest]

    def canaries(self, subject: Subject, width: int) -> Shelf:
        """Return the canary answers kept for the subject's present epoch: float64, `width` numbers a row."""
        return self._shelf(subject, CANARY, 0, np.full(width, np.nan))

    def _last_epoch(self, digest: str) -> int:
        if self._folder is None or not (self._folder / digest).is_dir():
            return 0
        numbers = [int(path.name) for path in (self._folder / digest).iterdir() if path.name.isdecimal()]
        return max(numbers, default=0)

    def _shelf(self, subject: Subject, signal: str, draw: int, blank: NDArray[Any] | None = None) -> Shelf:
        identity, epoch = subject.identity, self.epoch(subject.identity)
        where = (identity.digest, epoch, signal, draw)
        if where not in self._shelves:
            about = {"identity": identity.digest, "signal": signal, "draw": draw, "outputs": list(subject.outputs)}
            folder = None
            if self._folder is not None:
                folder = self._folder / identity.digest / str(epoch) / f"{_file_name(signal)}-{draw}"
            empty = _blank(signal, len(subject.outputs)) if blank is None else blank
            self._shelves[where] = Shelf(folder, empty, about)
        return self._shelves[where]


CANARY = "canary"
"""Stands in the place of a signal for the answers to canary rows."""

_TYPES: dict[Signal, type] = {SCORE: np.float64, LOGIT: np.float64, LABEL: np.int64}


def _file_name(signal: str) -> str:
    # layers have names of any kind: what is no plain character is written as its number, so that no name leaves
    # its folder and no two names meet
    return re.sub(r"[^0-9A-Za-z_@.]", lambda found: f"%{ord(found.group()):x}.", signal)


def _blank(signal: str, outputs: int) -> NDArray[Any]:
    if signal == str(LABEL):
        return np.array(-1, dtype=np.int64)
    return np.full(outputs if signal in (str(SCORE), str(LOGIT)) else (), np.nan)


def _lacking(keys: Keys, shelves: Mapping[Signal, Shelf]) -> NDArray[np.int64]:
    missing = np.zeros(len(keys), dtype=bool)
    for shelf in shelves.values():
        missing |= shelf.find(keys) < 0
    return np.flatnonzero(missing)


def _in_order(places: NDArray[np.int64], first: NDArray[np.int64], samples: Samples, batch: int) -> NDArray[np.int64]:
    """Return places in the order in which they are asked: that of the rows, or, of many texts, by how many words.

    Models of texts answer texts of one length together, so that a batch of many lengths costs more.
    """
    places = places[np.argsort(first[places])]
    texts = [item.name for item in samples.domain.fields if isinstance(item, Text)]
    if not texts or len(places) <= batch:
        return places
    columns = [samples.columns[name][first[places]] for name in texts]
    # words say better than characters how many pieces a model reads; among as many words the shorter text comes first
    words = [sum(len(split(text)) for text in row) for row in zip(*columns, strict=True)]
    lengths = [sum(len(text or "") for text in row) for row in zip(*columns, strict=True)]
    return places[np.lexsort((lengths, words))]


def _assemble(
    keys: Keys,
    back: NDArray[np.int64],
    shelves: Mapping[Signal, Shelf],
    failed: dict[int, str],
    wanted: tuple[Signal, ...],
) -> Answers:
    values = {}
    for signal, shelf in shelves.items():
        at = shelf.find(keys)
        at[list(failed)] = -1
        shelf.use(at)
        values[signal] = shelf.take(at[back])
    reasons = {}
    if failed:
        bad = np.zeros(len(keys), dtype=bool)
        bad[list(failed)] = True
        reasons = {row: failed[int(back[row])] for row in np.flatnonzero(bad[back]).tolist()}
    return _with(Answers(values, reasons), wanted)


def _with(answers: Answers, wanted: tuple[Signal, ...]) -> Answers:
    values = dict(answers.values)
    if SCORE in wanted and SCORE not in values:
        values[SCORE] = answers.score
    if LABEL in wanted and LABEL not in values:
        values[LABEL] = answers.label
    return Answers(values, answers.failed)


def _joined(path: Path, part: parts.Part) -> parts.Part:
    if not path.exists():
        return part
    try:
        old = parts.decode(path.read_bytes())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BrokenRun(
            f"{path} cannot be read ({error}); delete it and resume: the answers are copied again"
        ) from error
    if old.about != part.about:
        raise BrokenRun(f"{path} holds answers of another subject; move the run folder away and start anew")
    return union(old, part)
