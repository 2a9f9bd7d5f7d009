"""Everybody in a cast asked for decisions about rows that were made, on the same terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Cast, Empty
from kdaudit.compare.lines import Decide, Floats, Labels
from kdaudit.compare.seats import seats_of, strangers_of
from kdaudit.errors import InvalidInput
from kdaudit.measure import Measure
from kdaudit.measures.borders import Border
from kdaudit.samples import Samples
from kdaudit.signal import LABEL, SCORE
from kdaudit.statistics.beside import Beside, Scored, summary, together
from kdaudit.subject import Answers, Ask, Subject

Seat = TypeVar("Seat")
Told = Mapping[str, Floats | Empty]
"""What each seat gave: one array, rows of it the units that are compared; or why there is none."""


class Voices:
    """The seats of a cast.

    Parameters
    ----------
    cast : Cast
    ask : Ask
        The behaviour through the store.
    """

    def __init__(self, cast: Cast, ask: Ask) -> None:
        self.cast, self._ask = cast, ask
        self._keys: set[bytes] = set()
        self.seats: dict[str, Subject | Empty] = {name: _able(seat) for name, seat in seats_of(cast).items()}

    @property
    def asked(self) -> int:
        """Distinct rows that the teacher was asked so far."""
        return len(self._keys)

    def answers(self, subject: Subject, samples: Samples) -> Answers:
        """Return scores where the subject gives them, else labels."""
        if subject is self.cast.teacher:
            self._keys.update(samples.keys().tolist())
        return self._ask(subject, samples, frozenset({SCORE} if SCORE in subject.offers else {LABEL}))

    def decide(self, subject: Subject) -> Decide:
        """Return the subject as a function from rows to decisions."""

        def decisions(samples: Samples) -> Labels:
            told = self.answers(subject, samples)
            return np.where(told.answered, told.label, -1)

        return decisions

    def told(self, question: Callable[[Decide], NDArray[np.float64]]) -> Told:
        """Return what `question` gives for each seat; it is put to all of them on the same rows."""
        return {
            name: seat if isinstance(seat, Empty) else question(self.decide(seat)) for name, seat in self.seats.items()
        }

    def beside(
        self,
        border: Border,
        told: Told,
        alike: Callable[[Floats, Floats], Floats],
        null: NDArray[np.int64],
        *,
        group: str = "all",
    ) -> Beside:
        """Return the proxy's likeness beside stranger and twin.

        Parameters
        ----------
        border : Border
            What is measured.
        told : mapping
            From `told`.
        alike : callable
            From the teacher's array and another's to one value a unit; NaN where the teacher has none.
        null : array of shape (units,)
            Without a stranger: another unit for each, whose place the proxy's answer takes.
        group : str
        """
        return beside_seats(
            measure_of(border), self.cast, told, alike, exchange=lambda seat: seat[null], group=group, asked=self.asked
        )


def beside_seats(
    measure: Measure,
    cast: Cast,
    told: Mapping[str, Seat | Empty],
    alike: Callable[[Seat, Seat], Floats],
    *,
    exchange: Callable[[Seat], Seat] | None = None,
    group: str = "all",
    asked: int = 0,
) -> Beside:
    """Return the proxy's likeness beside strangers and twin, whatever the seats gave.

    Parameters
    ----------
    measure : Measure
        Its function is not used.
    cast : Cast
        With further strangers the interval of the excess is over rows and strangers.
    told : mapping
        Seat, as in `kdaudit.compare.seats.seats_of`, -> what it gave.
    alike : callable
        From what two seats gave to one value a unit.
    exchange : callable, optional
        Without a stranger the control is the proxy with its units exchanged so; without this there is none.
    group : str
    asked : int
        Distinct teacher rows.
    """

    def both(a: Seat | Empty, b: Seat | Empty) -> Floats | Empty:
        if isinstance(a, Empty):
            return a
        return b if isinstance(b, Empty) else alike(a, b)

    teacher, proxy, stranger, twin = (told[name] for name in ("teacher", "proxy", "stranger", "twin"))
    value, ceiling, kind = both(teacher, proxy), both(teacher, twin), cast.control_kind
    control: Floats | Empty
    if isinstance(stranger, Empty) and not cast.further:
        changed = exchange(proxy) if exchange is not None and not isinstance(proxy, Empty) else stranger
        control = both(teacher, changed)
        kind = "none" if isinstance(changed, Empty) else "permuted"
    elif kind == "swapped_teacher":
        control = together([both(told[name], proxy) for name in strangers_of(told)])
    else:
        control = together([both(teacher, told[name]) for name in strangers_of(told)])
    return summary(measure, Scored(value, control, ceiling, kind), group=group, asked=asked)


def like_teacher(name: str, cast: Cast) -> bool:
    """Return whether who sits there is built as the teacher is: its twin, and a stranger that is a teacher itself."""
    return name in ("teacher", "twin") or (cast.control_kind == "swapped_teacher" and name.startswith("stranger"))


def _able(seat: Subject | Empty) -> Subject | Empty:
    if isinstance(seat, Empty) or seat.identity.by == "content":
        return seat
    return Empty(f"{seat.identity.name} is a record of answers; it cannot answer rows that were made")


def measure_of(border: Border) -> Measure:
    """Return a border as the measure that summaries and evidence speak of."""

    def function(*_: object) -> NDArray[np.float64]:
        raise InvalidInput(f"{border.name} compares boundaries, not answers to given rows")

    return Measure(
        border.name, function, border.unit, border.span, border.better, border.definition, border.source, border.title
    )
