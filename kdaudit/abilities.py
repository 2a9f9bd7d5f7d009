"""What a recipe, or a proxy, may have beside what all of them have: one protocol for each ability.

Nothing is registered: a recipe has an ability by having an attribute of its name, as field, property or method.  A
recipe without it is treated as the protocol's first line says of "all others".
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from kdaudit.behaviour import Behaviour, Contrast, Minus
from kdaudit.domain import Domain
from kdaudit.encoders import Encoder
from kdaudit.evidence import Evidence
from kdaudit.layers import Bulk
from kdaudit.question import ProxyRecipe, Question, Setting, Workbench
from kdaudit.samples import Samples
from kdaudit.subject import Subject

# ---- what the recipe of a proxy may have beside


@runtime_checkable
class Contrasting(Protocol):
    """Its proxies answer with the difference between two levels of a field; all others with answers."""

    @property
    def contrast(self) -> Contrast | None:
        """Which levels; None for one that answers."""
        ...


@runtime_checkable
class Departing(Protocol):
    """Its proxies answer with the teacher's answer minus another's; all others with answers."""

    @property
    def minus(self) -> str:
        """Whose: the name of a proxy made before, or of a seat (``previous``, ``twin``)."""
        ...

    def against(self, other: Subject) -> ProxyRecipe:
        """Return the recipe with that other one."""
        ...


@runtime_checkable
class Blindable(Protocol):
    """Its controls from recorded outcomes are made by another recipe; those of all others by the recipe itself."""

    def of_outcomes(self) -> ProxyRecipe | None:
        """Return that recipe, which looks into no teacher; None where outcomes can make no control."""
        ...


@runtime_checkable
class Elsewhere(Protocol):
    """Its proxy was made elsewhere and is found in the plan's folder; all others are made in the run."""

    def within(self, setting: Setting) -> FoundRecipe:
        """Return the recipe in its place."""
        ...


class FoundRecipe(ProxyRecipe, Protocol):
    """The recipe of a proxy that was made elsewhere, in its place."""

    def rivals(self) -> tuple[Subject, ...]:
        """Return its controls: models made in the same way from other teachers."""
        ...


@runtime_checkable
class Using(Protocol):
    """It does not need the teacher's answers to all rows of ``fit`` and ``select``, as all others do."""

    @property
    def uses(self) -> tuple[str, ...]:
        """Parts that the teacher answers whole."""
        ...


@runtime_checkable
class Sparing(Protocol):
    """The teacher may answer only some rows of ``fit``; for all others it answers each row of the parts they use."""

    @property
    def asked(self) -> int:
        """How many rows; 0 for all."""
        ...


@runtime_checkable
class Foretelling(Protocol):
    """It makes or chooses rows that can be told before; all others learn from the parts as they are."""

    def further(self, behaviour: Behaviour, parts: Mapping[str, Samples], rng: np.random.Generator) -> Samples | None:
        """Return the rows that it asks the teacher about; None where there are none."""
        ...


@runtime_checkable
class Beyond(Protocol):
    """It asks rows that hang on answers, so that only their number can be told before; all others ask none."""

    def extra(self, parts: Mapping[str, Samples]) -> int:
        """Return the most rows that are asked beyond ``fit`` and ``select``."""
        ...


@runtime_checkable
class Choosy(Protocol):
    """Its proxy reads some fields of a row; those of all others read each."""

    @property
    def reads(self) -> tuple[str, ...] | str:
        """Names of the fields, or of the one; empty for each."""
        ...


@runtime_checkable
class Particular(Protocol):
    """It makes nothing of some kinds of fields; all others take any rows."""

    def unfit(self, domain: Domain) -> str:
        """Return why it makes nothing of such rows, and what would; empty where it can."""
        ...


@runtime_checkable
class Redirecting(Protocol):
    """Its recipe knows keys of its neighbours that it has not; those of all others are taken for misspelt ones."""

    @property
    def instead(self) -> Mapping[str, str]:
        """Such a key -> what to write in its place."""
        ...


@runtime_checkable
class Dataless(Protocol):
    """Its proxy is made without data, and needs more than others to count as evidence of this teacher."""

    @property
    def dataless(self) -> bool:
        """Whether no row of the data is used."""
        ...


@runtime_checkable
class Showing(Protocol):
    """It puts made rows through the teacher's own network, in place and outside the budget; all others put none."""

    @property
    def shown(self) -> int:
        """How many rows."""
        ...


@runtime_checkable
class Benched(Protocol):
    """It wants a workbench; all others need none."""

    def at(self, workbench: Workbench) -> ProxyRecipe:
        """Return the recipe that works there."""
        ...


@runtime_checkable
class Measuring(Protocol):
    """A proxy or a question that measures what hangs on the machine; all others only count."""

    @property
    def measured_here(self) -> tuple[str, ...]:
        """What is measured, such as ``latency``; empty where nothing is."""
        ...


# ---- what a question may have beside


@runtime_checkable
class ReadingOf(Protocol):
    """It is about the proxies that answer in one way; all others are about those that answer as the teacher does."""

    @property
    def reads(self) -> str:
        """``answers``, ``contrast`` or ``minus``."""
        ...


@runtime_checkable
class PerProxy(Protocol):
    """It makes rows of its own on each proxy; all others ask one set of rows for all proxies."""

    @property
    def each(self) -> bool:
        """Whether it does."""
        ...


@runtime_checkable
class MakingRows(Protocol):
    """Some of the rows that it asks are made by it and none of the data's; all others ask rows of the data."""

    def made(self, samples: Samples) -> int:
        """Return how many of `price` at most."""
        ...


@runtime_checkable
class Bounded(Protocol):
    """It asks fewer rows where the budget ends; all others are asked whole, or not at all."""

    @property
    def questions(self) -> int:
        """Most teacher rows; a smaller number in its place is a smaller question."""
        ...


@runtime_checkable
class Supplied(Protocol):
    """It needs something of the folder of public data sets, such as published sentences; all others need nothing."""

    def supplied(self, data: Path | None) -> Question:
        """Return the question with what it needs."""
        ...


@runtime_checkable
class Toiling(Protocol):
    """It evaluates networks in place so often that it takes long; of all others nothing is forecast."""

    def work(self, samples: Samples, seats: int) -> tuple[int, int]:
        """Return about how often each of `seats` networks is evaluated, and the teacher's beyond that."""
        ...


# ---- what the recipe of a teacher may have beside


@runtime_checkable
class Releasing(Protocol):
    """Its answers cost privacy, so that only so many may be released; those of all others cost rows alone."""

    @property
    def releases(self) -> int | None:
        """Most distinct rows; None for any number."""
        ...

    def told(self, rows: int) -> str:
        """Return in words what so many rows cost."""
        ...


# ---- what a teacher may carry beside what every subject has


@runtime_checkable
class Stating(Subject, Protocol):
    """A federation, which says what its answers cost in privacy; those of all others cost none."""

    def statement(self, releases: int) -> dict[str, Any]:
        """Return what so many distinct rows cost, as plain data."""
        ...


@runtime_checkable
class Composed(Subject, Protocol):
    """It is made of subjects; all others are one."""

    @property
    def members(self) -> tuple[Subject, ...]:
        """Those."""
        ...


# ---- what a proxy may carry beside what every subject has


@runtime_checkable
class Noted(Protocol):
    """It knows how it was made; the card of any other says nothing of that."""

    @property
    def notes(self) -> Mapping[str, Any]:
        """Plain data for its card."""
        ...


@runtime_checkable
class Illustrated(Protocol):
    """Its making brought evidence to light, such as a curve of sizes."""

    @property
    def shown(self) -> tuple[Evidence, ...]:
        """That evidence; no claim, since the rows it rests on chose the proxy."""
        ...


@runtime_checkable
class Keeping(Protocol):
    """It writes itself; all others are written by their form, rules or layers."""

    def keep(self, folder: Path) -> None:
        """Write whatever finds it again."""
        ...


@runtime_checkable
class Differing(Protocol):
    """Its answers may be differences; those of all others are answers."""

    @property
    def contrast(self) -> Contrast | None:
        """Between which levels."""
        ...

    @property
    def minus(self) -> Minus | None:
        """To whom."""
        ...


@runtime_checkable
class Rereading(Protocol):
    """Its rules test fields that are read off rows; those of all others test the rows' own."""

    @property
    def reading(self) -> Any:  # noqa: ANN401 - of the room that made it
        """How; None where they test the rows' own."""
        ...

    def seen(self, samples: Samples) -> Samples:
        """Return rows as the rules see them."""
        ...


# ---- what any subject may carry beside


@runtime_checkable
class Encoded(Protocol):
    """It shows how rows become columns of numbers; all others take rows as they are."""

    @property
    def encoding(self) -> Encoder:
        """The way."""
        ...


@runtime_checkable
class Opened(Encoded, Protocol):
    """A network that is evaluated in place, between rows and inside its layers too; all others are only asked."""

    @property
    def module(self) -> Any:  # noqa: ANN401 - a torch module; naming it here would load torch
        """Its body."""
        ...

    def raw(self, encoded: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return what it gives for encoded rows, before anything is made of it."""
        ...


@runtime_checkable
class Runnable(Protocol):
    """It shows no body, but may lie in a file that is run here; all others without a body are only asked."""

    @property
    def bulk(self) -> Bulk | None:
        """How large it is; None where it does not run here."""
        ...

    def passed(self, samples: Samples) -> Any:  # noqa: ANN401 - whatever comes out
        """Run it on rows as they come, so that it can be timed."""
        ...
