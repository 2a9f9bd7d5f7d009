"""A teacher made by a Python file of the plan; it runs only where the user allows it."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from kdaudit.digest import of_data, of_file
from kdaudit.errors import InvalidInput, KdauditError
from kdaudit.question import Setting
from kdaudit.subject import Subject
from kdaudit.teachers.closed import Closed
from kdaudit.teachers.places import located
from kdaudit.teachers.wrapping import wrap


@dataclass(frozen=True)
class Python:
    """What a function of the plan's own Python file returns.

    Parameters
    ----------
    factory : str
        ``"file.py:function"``, the file below the plan's folder.  The function takes nothing and returns a subject, a
        scikit-learn classifier, or a function from a frame to scores.
    version : str
        What the model is called where it comes from; say another one when something changes that the file calls.
    """

    factory: str
    version: str

    def __post_init__(self) -> None:
        file, _, name = self.factory.rpartition(":")
        if not file.endswith(".py") or not name.isidentifier():
            raise InvalidInput(f"factory is {self.factory!r}; 'file.py:function' was expected")
        if not self.version:
            raise InvalidInput("version is empty; say which model it is, so that its answers are kept under that name")

    def open(self, setting: Setting) -> Subject:
        """Run the file and return its teacher.

        Raises
        ------
        InvalidInput
            If code is not allowed, the file lies elsewhere or cannot run, there is no such function, or what it
            returns is no teacher.
        """
        if not setting.allow_code:
            raise InvalidInput(f"the teacher {self.factory} is code that the plan brings; allow it with --allow-code")
        file, _, name = self.factory.rpartition(":")
        place = located(file, setting.folder, inside=True)
        made = _called(_function(_run(place), name, file), self.factory)
        if isinstance(made, Subject):
            return made
        behaviour = setting.behaviour
        subject = wrap(
            made, domain=behaviour.domain, outputs=behaviour.outputs, name=self.factory, version=self.version
        )
        if isinstance(subject, Closed) and subject.identity.basis == "declared":
            # the function's own text is seen by `wrap`; what stands beside it in the file counts as well
            digest = of_data([subject.identity.digest, of_file(place)])
            return replace(subject, identity=replace(subject.identity, digest=digest))
        return subject


def _run(place: Path) -> ModuleType:
    # compiled here and not imported, so that nothing is written beside the file
    module = ModuleType(f"plan_{of_file(place)[:16]}")
    module.__file__ = str(place)
    sys.modules[module.__name__] = module
    try:
        exec(compile(place.read_text(encoding="utf-8"), str(place), "exec"), module.__dict__)
    except KdauditError:
        raise
    except Exception as error:  # code of others may raise anything
        raise InvalidInput(f"{place.name} cannot run: {error!r}") from error
    return module


def _function(module: ModuleType, name: str, file: str) -> Callable[[], Any]:
    known = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
    function = vars(module).get(name)
    if not callable(function):
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(sorted(known)) or 'none'}"
        raise InvalidInput(f"{file} has no function {name!r}; {hint}")
    out: Callable[[], Any] = function
    return out


def _called(function: Callable[[], Any], address: str) -> object:
    try:
        return function()
    except KdauditError:
        raise
    except Exception as error:  # code of others may raise anything
        raise InvalidInput(f"{address} failed: {error!r}") from error
