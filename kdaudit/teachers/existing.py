"""Somebody's small model in the seat of the proxy: an existing pair is audited without anything being distilled."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from kdaudit.behaviour import Behaviour
from kdaudit.digest import canonical
from kdaudit.domain import Domain
from kdaudit.errors import InvalidInput, UnsafeFile
from kdaudit.layers import Bulk
from kdaudit.question import Setting
from kdaudit.samples import Samples
from kdaudit.signal import Signal, Signals
from kdaudit.subject import Answers, Ask, Identity, Scale, Subject
from kdaudit.teachers.closed import Closed
from kdaudit.teachers.huggingface import HuggingFace
from kdaudit.teachers.onnx_files import Onnx, opened
from kdaudit.teachers.places import located
from kdaudit.teachers.torch_files import Torch

Format = Literal["torch", "huggingface", "onnx"]
FOUND = "found.json"
"""What a model kept as its own file was read with."""


@dataclass(frozen=True)
class Existing:
    """A model that was made elsewhere, audited as the proxy.

    How much it owes to the teacher shows beside a stranger.  The best one is a model that the same people distilled in
    the same way from another teacher: name it in `strangers`.  Without any, the proxy is compared with the plan's
    independent teachers; without those only exchanged rows are left.

    Parameters
    ----------
    path : str
        Folder or file, below the plan's folder or absolute.
    format : {"torch", "huggingface", "onnx"}
    strangers : tuple of str
        Paths of models of the same format, made in the same way from other teachers.
    labels, length, reads : tuple of str, int, str
        Of a Hugging Face folder; see `kdaudit.teachers.huggingface.HuggingFace`.
    gives : {"scores", "logits"}
        Of an ONNX file.
    name : str
        For people.
    """

    path: str
    format: Format = "huggingface"
    strangers: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    length: int = 0
    reads: str = ""
    gives: Literal["scores", "logits"] = "scores"
    name: str = ""
    uses: ClassVar[tuple[str, ...]] = ("select",)
    """Rows of the teacher: none are learned from, these tell how its scores are to be read."""

    def __post_init__(self) -> None:
        if self.format != "huggingface" and (self.labels or self.length or self.reads):
            raise InvalidInput("labels, length and reads are of folders of Hugging Face")
        if self.format != "onnx" and self.gives != "scores":
            raise InvalidInput("gives is of ONNX files")

    @property
    def signals(self) -> frozenset[Signal]:
        """Nothing: it is not made from answers."""
        return frozenset()

    def within(self, setting: Setting) -> Located:
        """Return the recipe in its place."""
        return Located(self, setting)


@dataclass(frozen=True)
class Located:
    """An existing model with the folder that its path starts from.

    Parameters
    ----------
    recipe : Existing
    setting : Setting
    """

    recipe: Existing
    setting: Setting

    @property
    def signals(self) -> frozenset[Signal]:
        """Nothing."""
        return frozenset()

    def make(
        self,
        behaviour: Behaviour,
        teacher: Subject,
        parts: Mapping[str, Samples],  # noqa: ARG002 - nothing is learned
        ask: Ask,  # noqa: ARG002
        rng: np.random.Generator,  # noqa: ARG002
    ) -> Subject:
        """Return the model; see `kdaudit.question.ProxyRecipe`.

        Raises
        ------
        UnsafeFile, InvalidInput, OutOfDomain
            As the teacher of that format does, and if it is the teacher itself or has other outputs.
        """
        found = self._opened(self.recipe.path, self.recipe.name)
        if found.outputs != behaviour.outputs:
            raise InvalidInput(
                f"{self.recipe.path} answers with {', '.join(found.outputs)}; "
                f"{', '.join(behaviour.outputs)} was expected"
            )
        if found.identity.digest == teacher.identity.digest:
            raise InvalidInput(f"{self.recipe.path} is the teacher itself; a proxy is another model")
        return found

    def rivals(self) -> tuple[Subject, ...]:
        """Return the models that were made in the same way from other teachers."""
        return tuple(self._opened(path, "") for path in self.recipe.strangers)

    def _opened(self, path: str, name: str) -> Subject:
        recipe, setting = self.recipe, self.setting
        name = name or Path(path).name
        match recipe.format:
            case "huggingface":
                more = {"labels": recipe.labels, "length": recipe.length, "reads": recipe.reads}
                return HuggingFace(path, name=name, **more).open(setting)  # type: ignore[arg-type]
            case "torch":
                return Torch(path).open(setting)
            case _:
                onnx = Onnx(path, gives=recipe.gives, name=name)
                return Filed(onnx.open(setting), onnx, located(path, setting.folder))


@dataclass(frozen=True, eq=False)
class Filed:
    """A closed model together with the file that it was read from, so that a run can keep it.

    Parameters
    ----------
    inner : Closed
    recipe : Onnx
    file : Path
    """

    inner: Closed
    recipe: Onnx
    file: Path

    @property
    def identity(self) -> Identity:
        """Who answers."""
        return self.inner.identity

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs."""
        return self.inner.outputs

    @property
    def scale(self) -> Scale:
        """Whether scores are probabilities or numbers."""
        return self.inner.scale

    @property
    def offers(self) -> frozenset[Signal]:
        """What the model gives."""
        return self.inner.offers

    @property
    def form(self) -> None:
        """Nothing: it is closed."""
        return None

    def answer(self, samples: Samples, signals: Signals, draw: int = 0) -> Answers:
        """Answer rows; see `kdaudit.subject.Subject.answer`."""
        return self.inner.answer(samples, signals, draw)

    @property
    def bulk(self) -> Bulk | None:
        """How large the model is."""
        return self.inner.bulk

    def passed(self, samples: Samples) -> Any:  # noqa: ANN401 - whatever the model gives
        """Run the model on rows as they come."""
        return self.inner.passed(samples)

    def keep(self, folder: Path) -> None:
        """Write the model's file, and what it was read with."""
        if (self.file.parent / f"{self.file.name}.data").exists():
            raise InvalidInput(f"{self.file} keeps its weights beside itself; save it as one file")
        shutil.copyfile(self.file, folder / "model.onnx")
        told = {
            "recipe": {**asdict(self.recipe), "path": "model.onnx"},
            "domain": self.inner.domain.to_data(),
            "outputs": list(self.outputs),
        }
        (folder / FOUND).write_text(canonical(told) + "\n", encoding="utf-8")


def fetched(folder: Path) -> Filed:
    """Return the model that `Filed.keep` wrote.

    Raises
    ------
    InvalidInput
        If the description cannot be read.
    UnsafeFile
        If it leads out of the folder.
    """
    try:
        data: dict[str, Any] = json.loads((folder / FOUND).read_text(encoding="utf-8"))
        recipe = replace(Onnx("model.onnx"), **data["recipe"])
        domain, outputs = Domain.from_data(data["domain"]), tuple(data["outputs"])
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"{folder / FOUND} does not describe a model: {error!r}") from error
    if recipe.path != "model.onnx":
        raise UnsafeFile(f"{folder / FOUND} leads to {recipe.path}; a run reads what lies in its own folder")
    file = folder / recipe.path
    return Filed(opened(recipe, file, domain, outputs), recipe, file)
