"""A run folder while it is written: one writer, whole files, names that cannot leave it."""

from __future__ import annotations

import json
import os
import re
import shutil
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from filelock import FileLock, Timeout

from kdaudit.durable import write_durably
from kdaudit.errors import BrokenRun, InvalidInput, KdauditError
from kdaudit.run.files import json_bytes, json_data

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O or U, which are misread."""
MANIFEST, LOCK, HOLDER, LOG, JOURNAL = "manifest.json", "run.lock", "run.pid", "log.jsonl", "journal.sqlite"
_ID = re.compile(f"[0-7][{LETTERS}]{{25}}")
_UNSAFE = re.compile(r'[\\:*?"<>|\x00-\x1f]')


def new_id(now: datetime, rng: np.random.Generator) -> str:
    """Return a ULID: 48 bits of milliseconds since 1970 and 80 bits of chance, as 26 letters that sort by time.

    Parameters
    ----------
    now : datetime
        With a time zone.
    rng : Generator
    """
    number = int(now.timestamp() * 1000) << 80 | int.from_bytes(rng.bytes(10), "big")
    return "".join(LETTERS[number >> shift & 31] for shift in range(125, -1, -5))


def is_id(name: str) -> bool:
    """Return whether `name` is a ULID, and so the name of a run."""
    return _ID.fullmatch(name) is not None


class RunFolder:
    """A run's files; inside ``with``, this process is the only one that writes them.

    Parameters
    ----------
    path : Path
        An existing folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # flock belongs to the open file, so any thread of this process may let go of it
        self._lock = FileLock(str(path / LOCK), thread_local=False)

    @classmethod
    def create(cls, runs: Path, *, now: datetime, rng: np.random.Generator) -> Self:
        """Return a new run folder in the folder `runs`, which is made if need be."""
        runs.mkdir(parents=True, exist_ok=True)
        while True:
            path = runs / new_id(now, rng)
            with suppress(FileExistsError):
                path.mkdir()
                return cls(path)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Return the run folder at `path`.

        Raises
        ------
        InvalidInput
            If it is no folder, or none that holds a plan.
        """
        if not path.is_dir():
            raise InvalidInput(f"{path} is no folder; name a run folder")
        if not (path / "plan.json").is_file():
            raise InvalidInput(f"{path} is no run folder: it holds no plan.json")
        return cls(path)

    @property
    def sealed(self) -> bool:
        """Whether the run is finished: its manifest is written last."""
        return (self.path / MANIFEST).exists()

    def lock(self) -> Self:
        """Return this folder, to be held in ``with folder.lock():``, the same as ``with folder:``."""
        return self

    def __enter__(self) -> Self:
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise InvalidInput(
                f"another process ({self._holder()}) is writing the run {self.path.name}; "
                "wait until it has finished, or end it"
            ) from error
        write_durably(self.path / HOLDER, f"{os.getpid()}\n".encode())
        for left in self.path.rglob(".*.tmp"):  # of a writer that was killed; there is none beside us
            left.unlink()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        (self.path / HOLDER).unlink(missing_ok=True)
        self._lock.release()

    def _holder(self) -> str:
        with suppress(OSError):
            text = (self.path / HOLDER).read_text().strip()
            if text.isdecimal():
                return f"pid {text}"
        return "pid unknown"

    def place(self, name: str) -> Path:
        """Return the path of the file called `name`, such as ``proxies/tree/card.json``.

        Raises
        ------
        KdauditError
            If the name would leave the folder, by itself or through a link.
        """
        parts = name.split("/")
        if _UNSAFE.search(name) or any(part in ("", ".", "..") for part in parts):
            raise KdauditError(
                f"{name!r} is no name for a file of a run; a relative path with plain names was expected"
            )
        path = self.path.joinpath(*parts)
        if not path.parent.resolve().is_relative_to(self.path.resolve()) or path.is_symlink():
            raise BrokenRun(f"{path} is or lies behind a link; a run holds plain files only: remove the link")
        return path

    def write_bytes(self, name: str, data: bytes) -> Path:
        """Write a file, whole or not at all, and return its path."""
        path = self.place(name)
        write_durably(path, data)
        return path

    def write_json(self, name: str, data: object) -> Path:
        """Write plain data as JSON with sorted keys and no NaN, and return its path."""
        return self.write_bytes(name, json_bytes(name, data))

    def read_bytes(self, name: str) -> bytes:
        """Return a file's bytes.

        Raises
        ------
        BrokenRun
            If there is no such file.
        """
        path = self.place(name)
        try:
            return path.read_bytes()
        except OSError as error:
            raise BrokenRun(f"{path} cannot be read: {error.strerror}; the run is not whole") from error

    def read_json(self, name: str) -> Any:  # noqa: ANN401 - plain JSON data
        """Return what a JSON file says.

        Raises
        ------
        BrokenRun
            If there is no such file or it is no JSON.
        """
        return json_data(str(self.path / name), self.read_bytes(name))

    def log(self, now: datetime, words: str) -> None:
        """Add a line to the log, the one file of a run that tells times.  It survives the death of this process."""
        line = json.dumps({"time": now.isoformat(timespec="milliseconds"), "words": words}, ensure_ascii=False)
        with self.place(LOG).open("ab", buffering=0) as stream:
            stream.write(f"{line}\n".encode())

    def discard(self) -> None:
        """Delete the run.

        Raises
        ------
        KdauditError
            If it is sealed.
        """
        if self.sealed:
            raise KdauditError(f"run {self.path.name} is sealed; a sealed run is not deleted")
        shutil.rmtree(self.path)
