"""Which steps of a run are finished, so that a run that died goes on where it stopped."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from kdaudit.digest import of_file
from kdaudit.errors import BrokenRun

SUFFIXES = ("", "-wal", "-shm")
"""What SQLite appends to the names of the files that belong together."""


class Journal:
    """Finished steps and the digests of their files.

    Parameters
    ----------
    path : Path
        SQLite file in the run folder; made if need be.

    Raises
    ------
    BrokenRun
        If the file is no journal.

    Notes
    -----
    A step that `finish` returned from is finished even after a loss of power (WAL, synchronous=FULL).  The journal is
    no evidence; sealing a run removes it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS files (step TEXT, file TEXT, sha256 TEXT, PRIMARY KEY (step, file))"
            )
            self._connection.execute("CREATE TABLE IF NOT EXISTS steps (step TEXT PRIMARY KEY)")
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise BrokenRun(
                f"{path} is no journal ({error}); delete it and resume: the steps are done again from answers on disk"
            ) from error

    def finished(self, step: str) -> Mapping[str, str] | None:
        """Return the files of a finished step by name, with their sha256; None if it has to be done (again).

        A step whose files are missing or changed has to be done again.
        """
        if self._connection.execute("SELECT 1 FROM steps WHERE step = ?", (step,)).fetchone() is None:
            return None
        rows = self._connection.execute("SELECT file, sha256 FROM files WHERE step = ? ORDER BY file", (step,))
        files: dict[str, str] = dict(rows.fetchall())
        root = self._path.parent
        for file, digest in files.items():
            if not (root / file).is_file() or of_file(root / file) != digest:
                return None
        return files

    def finish(self, step: str, files: Iterable[Path | str] = ()) -> None:
        """Note that a step is finished and which files, written before, it left in the run folder.

        Parameters
        ----------
        step : str
        files : iterable of Path or str
            Paths, or names relative to the run folder.
        """
        root = self._path.parent
        names = {self._name(file) for file in files}
        rows = [(step, name, of_file(root / name)) for name in sorted(names)]
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._connection.execute("DELETE FROM files WHERE step = ?", (step,))
            self._connection.executemany("INSERT INTO files VALUES (?, ?, ?)", rows)
            self._connection.execute("INSERT OR REPLACE INTO steps VALUES (?)", (step,))
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise

    def _name(self, file: Path | str) -> str:
        # a text is a name relative to the run folder; a path is one as the caller sees it
        path = self._path.parent / file if isinstance(file, str) else file
        return path.resolve().relative_to(self._path.parent.resolve()).as_posix()

    def close(self) -> None:
        """Let go of the file; a second call does nothing."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
