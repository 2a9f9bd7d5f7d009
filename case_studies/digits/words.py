"""A student of another modality: the teacher sees the picture of a digit, the student reads which squares hold ink.

Rows are paired: each holds the 8 x 8 picture and its squares in words, named as on a chess board ("c1 d1 e1 c2 ...").
Two networks are trained on pictures alone.  The student of the first reads the words alone, and learns the teacher's
answers as well as the vectors of its second layer; its control is the same student of the second network.

Run it with ``python case_studies/digits/words.py``.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import kdaudit as kd
from kdaudit.chance import rng
from kdaudit.compare.representations import Representation
from kdaudit.data.parts import split
from kdaudit.data.sets import load_set, named_set
from kdaudit.distillation.students import Student
from kdaudit.domain import Domain, Text
from kdaudit.evidence import Evidence
from kdaudit.question import Setting
from kdaudit.samples import Samples
from kdaudit.teachers.trained import Trained

INK = 0.4
"""A square holds ink where its pixel is darker than this."""
PARTS = {"past": 450, "other": 450, "fit": 450, "judge": 440}


@dataclass(frozen=True)
class Found:
    """Evidence on the student: of answers, and of layers."""

    answers: Evidence
    layers: Evidence


def paired() -> Samples:
    """Return scikit-learn's digits with the squares that hold ink, in words."""
    digits = load_set("digits")
    names = np.array([f"{column}{row + 1}" for row in range(8) for column in "abcdefgh"], dtype=object)
    pixels = digits.columns["digit"].reshape(len(digits), 64)
    told = np.array([" ".join(names[row > INK]) for row in pixels], dtype=object)
    domain = Domain((*digits.domain.fields, Text("told")))
    return Samples(domain, {**digits.columns, "told": told}, digits.ids, digits.origin, digits.labels)


def student(*, embeddings: bool, seed: int = 0, steps: int = 300) -> Found:
    """Return how the student of words stands to its teacher of pictures.

    Parameters
    ----------
    embeddings : bool
        Whether it learns the teacher's vectors beside its answers.
    seed : int
        Of networks and parts.
    steps : int
        That each network learns for.
    """
    rows = paired()
    parts = split(rows, PARTS, seed=seed)
    behaviour = kd.Behaviour("which digit", named_set("digits").outputs, rows.domain)
    setting = Setting(Path(), behaviour, parts, seed)
    teacher, stranger = (
        Trained(part, (64, 32), steps, 128, seed=seed, name=part, reads=("digit",)).open(setting)
        for part in ("past", "other")
    )
    goal = "soft_targets(4) + hint('layers.0', 'layers.1')" if embeddings else "soft_targets(4)"
    recipe = Student((64,), goal, steps, 128, 1e-2, network="cnn", reads=("told",))
    ask, fit = behaviour.through(kd.Store().ask), {"fit": parts["fit"]}
    proxy, control = (recipe.make(behaviour, who, fit, ask, rng(seed, "student")) for who in (teacher, stranger))
    question = Representation(layers=("layers.1",), proxy_layers=("layers.0",))
    return Found(
        kd.compare.fidelity(teacher, proxy, parts["judge"], control=control),
        kd.compare.examine(question, teacher, proxy, parts["judge"], control=control),
    )


if __name__ == "__main__":
    for learns in (False, True):
        found = student(embeddings=learns)
        sys.stdout.write(f"\nembeddings learned: {learns}\n")
        for evidence in (found.answers, found.layers):
            columns = ["measure", "group", "of", "value", "low", "high", "control", "excess", "n"]
            sys.stdout.write(evidence.table[columns].round(3).to_string(index=False) + "\n")
