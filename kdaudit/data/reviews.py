"""Sentences of film reviews: the Stanford sentiment treebank (two classes) and the movie reviews it grew from."""

from __future__ import annotations

import gzip
import html
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kdaudit.digest import of_data, of_file
from kdaudit.domain import Domain, Text
from kdaudit.errors import InvalidInput
from kdaudit.samples import Origin, Samples

DOMAIN = Domain((Text("sentence", longest=2_000),))
SST_TITLE = "Stanford sentiment treebank, sentences of two classes"
REVIEWS_TITLE = "Movie review sentences outside the treebank's dev and test sentences"
PARTS = ("train", "dev", "test")
REVIEWS = "rt-polarity.all.gz"
HELD_OUT = ("dev", "test")
SHORT = 20
"""Letters of a sentence so short ("a bad film") that it says nothing if it stands inside another; it must be equal."""

RUN = 8
"""Words in a row that two sentences share only if one is a copy of the other, with a word or a sign changed."""

Labelled = list[tuple[int, str]]


def sst_rows(folder: Path) -> Samples:
    """Return the treebank's sentences, training part first; ids are such as ``"dev 12"``, labels 1 where positive.

    Raises
    ------
    InvalidInput
        If a file is missing or a line has no label.

    References
    ----------
    Socher et al. 2013.
    """
    parts = [_read(folder / f"stsa.binary.{part}") for part in PARTS]
    ids = [f"{part} {i}" for part, lines in zip(PARTS, parts, strict=True) for i in range(len(lines))]
    digest = of_data([of_file(folder / f"stsa.binary.{part}") for part in PARTS])
    return _samples([line for lines in parts for line in lines], ids, Origin(SST_TITLE, "sst", digest))


def review_rows(folder: Path) -> Samples:
    """Return the movie-review sentences that share none with the treebank's dev and test parts.

    The treebank's sentences were cut from these reviews, and spelt a little otherwise.  A review is left out if it
    equals a dev or test sentence, holds one or stands in one, when letters and digits alone are compared (what is
    shorter than `SHORT` must be equal), or shares `RUN` words in a row with one, as misspelt copies do.

    Raises
    ------
    InvalidInput
        If a file is missing or a line has no label.

    References
    ----------
    Pang and Lee 2005.
    """
    lines = _read(folder / REVIEWS)
    held = [text for part in HELD_OUT for _, text in _read(folder / f"stsa.binary.{part}")]
    rows = np.flatnonzero(~sharing([text for _, text in lines], held))
    names = [REVIEWS, *(f"stsa.binary.{part}" for part in HELD_OUT)]
    digest = of_data([of_file(folder / name) for name in names])
    origin = Origin(REVIEWS_TITLE, "movie_reviews", digest)
    return _samples([lines[i] for i in rows], [f"review {i}" for i in rows], origin)


def sharing(texts: Sequence[str], held: Sequence[str]) -> NDArray[np.bool_]:
    """Return which texts equal one of `held`, hold one or stand in one by letters and digits alone, or share a run.

    A run is `RUN` words in a row.  Shape (n,).
    """
    ours, theirs = [_bare(text) for text in texts], [_bare(text) for text in held]
    starts = np.cumsum([0] + [len(text) + 1 for text in ours])
    every, others = "\n".join(ours), "\n".join(theirs)
    same = set(theirs) - {""}
    out = np.array([text in same or (len(text) >= SHORT and text in others) for text in ours], dtype=bool)
    for text in (text for text in theirs if len(text) >= SHORT):
        at = every.find(text)
        while at >= 0:
            out[np.searchsorted(starts, at, side="right") - 1] = True
            at = every.find(text, at + 1)
    runs = {run for text in held for run in _runs(text)}
    out |= np.array([not runs.isdisjoint(_runs(text)) for text in texts], dtype=bool)
    return out


def _runs(text: str) -> list[tuple[str, ...]]:
    words = re.findall("[a-z0-9]+", html.unescape(text.lower()))
    return [tuple(words[i : i + RUN]) for i in range(len(words) - RUN + 1)]


def _bare(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.lower()).encode("ascii", "ignore").decode()
    return "".join(sign for sign in plain if sign.isalnum())


def _read(path: Path) -> Labelled:
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}") from error
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    out = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        if line[:2] not in ("0 ", "1 "):
            raise InvalidInput(f"line {number} of {path} begins with {line[:10]!r}; 0 or 1 and a space were expected")
        out.append((int(line[0]), line[2:].strip()))
    return out


def _samples(lines: Labelled, ids: list[str], origin: Origin) -> Samples:
    texts = np.array([text for _, text in lines], dtype=object)
    return Samples(
        DOMAIN, {"sentence": texts}, np.array(ids), origin, np.array([label for label, _ in lines], np.int64)
    )
