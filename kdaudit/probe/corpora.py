"""Templates that others have filled: published pairs of sentences."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kdaudit.data.corpora import Corpus
from kdaudit.probe.templates import Templates
from kdaudit.sampling.templates import Cells
from kdaudit.statistics.choice import allocation


@dataclass(frozen=True, eq=False)
class FromCorpus(Templates):
    """A test with published pairs; see `kdaudit.probe.templates.Templates`.

    Parameters
    ----------
    pairs : Corpus
    """

    pairs: Corpus | None = field(default=None, repr=False)

    @property
    def _read(self) -> Corpus:
        assert self.pairs is not None
        return self.pairs

    @property
    def _groups(self) -> tuple[str, ...]:
        return self._read.groups

    def _count(self) -> int:
        return min(self.most, self._read.texts.size)

    def _cells(self, seed: int) -> Cells:
        read = self._read
        order = np.random.Generator(np.random.PCG64(seed)).permutation(len(read.template))
        order = order[np.argsort(read.template[order], kind="stable")]
        terms = None if read.terms is None else read.terms[order]
        cells = Cells(read.names, read.groups, read.template[order], read.texts[order], terms)
        kept = cells.first(allocation(cells.sizes, max(self.most // 2, 1)))
        terms = None if terms is None else terms[kept]
        return Cells(cells.names, cells.groups, cells.template[kept], cells.texts[kept], terms)

    def _digest(self) -> str:
        return self._read.digest

    def _further(self) -> dict[str, Any]:
        read = self._read
        corpus = {"name": self.corpus, "contrast": self.contrast, "digest": read.digest}
        return {"population": read.title, "notes": list(read.notes), "corpus": corpus}
