"""Where the files of a plan may lie."""

from __future__ import annotations

from pathlib import Path

from kdaudit.errors import InvalidInput


def located(path: str, folder: Path, *, inside: bool = False) -> Path:
    """Return where a path of a plan leads, links followed.

    Parameters
    ----------
    path : str
        Relative paths start at, and stay below, the plan's folder.
    folder : Path
        The plan's folder.
    inside : bool
        Whether absolute paths must lie below the plan's folder too.

    Raises
    ------
    InvalidInput
        If it leads out of the plan's folder, or nothing is there.
    """
    given, home = Path(path), folder.resolve()
    place = (home / given).resolve()
    if (inside or not given.is_absolute()) and not place.is_relative_to(home):
        rest = "" if inside else ", or give its absolute path"
        raise InvalidInput(f"{path} leads out of the plan's folder; put it below that folder{rest}")
    if not place.exists():
        raise InvalidInput(
            f"{path} does not exist below {folder}" if not given.is_absolute() else f"{path} does not exist"
        )
    return place
