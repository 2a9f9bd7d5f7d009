"""What is laid out for the eye alone."""

from __future__ import annotations

from dataclasses import dataclass

Patch = tuple[float, float, float, float]
"""Top, left, bottom and right, as shares of height and width."""


@dataclass(frozen=True)
class Sights:
    """Pictures with the shares of their patches, one row of pictures a subject.

    Parameters
    ----------
    title : str
    decisions : tuple of str
        What the teacher decides, one a picture.
    pictures : tuple of tuple of tuple of float
        Grey from 0 to 1: pictures, their lines, the points of each.
    patches : tuple of Patch
    subjects : tuple of str
        The teacher first.
    shares : tuple of tuple of tuple of float
        Subjects, pictures, patches; of each subject and picture from -1 to 1, the largest size being 1.
    words : str
        How it is read.
    """

    title: str
    decisions: tuple[str, ...]
    pictures: tuple[tuple[tuple[float, ...], ...], ...]
    patches: tuple[Patch, ...]
    subjects: tuple[str, ...]
    shares: tuple[tuple[tuple[float, ...], ...], ...]
    words: str = ""
