"""Attributions of everybody in a cast, on the same rows and by the same rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Cast, Empty
from kdaudit.errors import InvalidAnswers, InvalidInput, NoSuchSignal
from kdaudit.explain.attributions import Attributions
from kdaudit.layers import Layers
from kdaudit.rules import Rules
from kdaudit.samples import Samples
from kdaudit.signal import GRADIENT, SCORE
from kdaudit.subject import Answers, Ask, Subject

if TYPE_CHECKING:
    from kdaudit.networks.network import Network

Method = Literal[
    "integrated_gradients",
    "gradient",
    "gradient_input",
    "gradient_shap",
    "deeplift",
    "ablation",
    "shapley",
    "occlusion",
    "auto",
]
SLOPES = ("integrated_gradients", "gradient", "gradient_input", "gradient_shap", "deeplift", "ablation")
"""Methods that look inside, and so take networks only."""
Explained = Mapping[str, Attributions | Empty]


@dataclass(frozen=True, eq=False)
class Task:
    """What is explained, the same for all seats.

    Parameters
    ----------
    rows : Samples
        n rows to explain.
    background : Samples
        Rows that give the baseline, none of them explained.
    output : array of shape (n,)
        The output explained in each row: the teacher's predicted class, or 0 of a yes-or-no score.
    nodes : int
        Of the path rule.
    donors : array of shape (n, draws)
        Positions in `background` that lend values to occlusion.
    lent : Samples
        Background rows that lend values to Shapley values, to all rows alike.
    budget : int
        Coalitions a row of Shapley values.
    draws : int
        Of gradient SHAP.
    scale : {"logit", "score"}
        In what networks' Shapley values are read: scores, where a seat has nothing else.
    seed : int
        Of the coalitions and draws, which all seats share.
    asks : bool
        Whether closed subjects may be asked about mixed rows.
    """

    rows: Samples
    background: Samples
    output: NDArray[np.int64]
    nodes: int
    donors: NDArray[np.int64]
    lent: Samples
    budget: int = 128
    draws: int = 64
    scale: Literal["logit", "score"] = "score"
    seed: int = 0
    asks: bool = True

    def rng(self) -> np.random.Generator:
        """Return the generator of coalitions and draws, in the same state for each seat."""
        return np.random.default_rng(self.seed)

    @property
    def shared(self) -> NDArray[np.int64]:
        """Positions in `lent`, the same for each row: shape (n, len(lent))."""
        return np.broadcast_to(np.arange(len(self.lent)), (len(self.rows), len(self.lent)))


def is_network(subject: Subject) -> bool:
    """Return whether a subject is a network that can be evaluated here, at points between rows too."""
    return isinstance(subject.form, Layers) and hasattr(subject, "encoding") and hasattr(subject, "module")


def gives_gradients(subject: Subject) -> bool:
    """Return whether a subject can be asked for gradients by its columns here."""
    return GRADIENT in subject.offers and hasattr(subject, "encoding")


def has_slopes(subject: Subject) -> bool:
    """Return whether a subject has gradients: by its columns, or by the vectors of its words."""
    return gives_gradients(subject) or (is_network(subject) and not subject.encoding.continuous)  # type: ignore[attr-defined]


def rules_of(subject: Subject) -> Rules | None:
    """Return the rules by which a subject answers rows, or None."""
    plain = all(getattr(subject, name, None) is None for name in ("contrast", "minus", "reading"))
    return subject.form if plain and isinstance(subject.form, Rules) else None


def is_open(subject: Subject) -> bool:
    """Return whether a subject is evaluated here, without asking it: a network or a body of rules."""
    return is_network(subject) or rules_of(subject) is not None


def chosen_method(method: Method, cast: Cast) -> Method:
    """Return the method, "auto" settled: gradients where teacher and proxy both give them."""
    if method != "auto":
        return method
    if has_slopes(cast.teacher) and has_slopes(cast.proxy):
        return "integrated_gradients"
    return "shapley" if is_open(cast.teacher) and is_open(cast.proxy) else "occlusion"


def seats_of(cast: Cast) -> dict[str, Subject | Empty]:
    """Return who sits where."""
    seats: dict[str, Subject | Empty] = {
        "teacher": cast.teacher,
        "proxy": cast.proxy,
        "stranger": cast.stranger,
        "twin": cast.twin,
    }
    return seats | {further_name(at): who for at, who in enumerate(cast.further)}


def further_name(at: int) -> str:
    """Return the name of a further stranger's seat."""
    return f"stranger {at + 2}"


def strangers_of(seats: Iterable[str]) -> list[str]:
    """Return the names of the seats in which strangers sit."""
    return [name for name in seats if name.split()[0] == "stranger"]


def explained(method: Method, cast: Cast, task: Task, ask: Ask) -> Explained:
    """Return the attributions of teacher, proxy, stranger and twin, or why there are none.

    Whoever sits in two seats is explained once.
    """
    done: dict[str, Attributions | Empty] = {}
    out: dict[str, Attributions | Empty] = {}
    for name, who in seats_of(cast).items():
        if isinstance(who, Empty):
            out[name] = who
            continue
        key = who.identity.digest
        done[key] = done[key] if key in done else attributed(method, who, task, ask)
        out[name] = done[key]
    return _of_one_kind(out)


def _of_one_kind(seats: dict[str, Attributions | Empty]) -> Explained:
    """Put out of their seats those whose units are not the teacher's."""
    first = seats["teacher"]
    if isinstance(first, Empty):
        return seats
    return {
        name: seat
        if isinstance(seat, Empty) or seat.names == first.names
        else Empty(f"its {len(seat.names)} units are not the teacher's {len(first.names)}; give both the same")
        for name, seat in seats.items()
    }


def attributed(method: Method, subject: Subject, task: Task, ask: Ask) -> Attributions | Empty:
    """Return one subject's attributions, or why there are none."""
    try:
        if method in SLOPES:
            return _inside(method, subject, task)
        return _shapley(subject, task, ask) if method == "shapley" else _occlusion(subject, task, ask)
    except (NoSuchSignal, InvalidAnswers, InvalidInput) as error:
        return Empty(str(error))


def _inside(method: Method, subject: Subject, task: Task) -> Attributions:
    if not has_slopes(subject):
        raise NoSuchSignal(f"{subject.identity.name} gives no gradients; ask by the method shapley or occlusion")
    # torch is loaded where gradients are computed, not where a plan is checked
    from kdaudit.explain import reasons

    ways: dict[str, Any] = {
        "integrated_gradients": partial(reasons.integrated_gradients, nodes=task.nodes, most=8 * task.nodes),
        "gradient": partial(reasons.gradients, times_input=False),
        "gradient_input": partial(reasons.gradients, times_input=True),
        "gradient_shap": partial(reasons.gradient_shap, draws=task.draws, rng=task.rng()),
        "deeplift": reasons.deeplift,
        "ablation": reasons.ablation,
    }
    found: Attributions = ways[method](subject, task.rows, task.background, output=task.output)
    return found


def _shapley(subject: Subject, task: Task, ask: Ask) -> Attributions:
    rules = rules_of(subject)
    if rules is not None:
        from kdaudit.explain.tables import table_values

        try:
            return table_values(rules, task.rows, task.lent, output=task.output)
        except InvalidInput:
            pass  # a list of too many boxes: its answers are looked at instead
    if is_network(subject):
        from kdaudit.explain.reasons import sampled_shapley

        return sampled_shapley(
            _network(subject),
            task.rows,
            task.lent,
            output=task.output,
            budget=task.budget,
            scale=task.scale,
            rng=task.rng(),
        )
    from kdaudit.explain.games import RowGame
    from kdaudit.explain.reasons import from_shapley
    from kdaudit.explain.shapley import shapley

    if rules is None:
        _can_be_asked(subject, task)
    scores = partial(_scores, ask, subject)
    game = RowGame(scores, task.rows, task.lent, output=task.output, donors=task.shared)
    names = task.rows.domain.names
    return from_shapley(shapley(game, len(names), budget=task.budget, rng=task.rng()), names, len(task.lent), "score")


def _occlusion(subject: Subject, task: Task, ask: Ask) -> Attributions:
    from kdaudit.explain.occlusions import occlusion

    _can_be_asked(subject, task)
    scores = partial(_scores, ask, subject)
    return occlusion(scores, task.rows, task.background, output=task.output, donors=task.donors)


def _can_be_asked(subject: Subject, task: Task) -> None:
    name = subject.identity.name
    if subject.identity.by == "id":
        raise NoSuchSignal(f"{name} is a record of answers; it cannot answer rows of which one field was replaced")
    if SCORE not in subject.offers:
        raise NoSuchSignal(f"{name} answers with labels only; shares of an answer need scores")
    if not task.asks:
        raise NoSuchSignal(
            f"{name} is closed; say with `questions` how many mixed rows it may be asked, or take occlusion"
        )


def _scores(ask: Ask, subject: Subject, samples: Samples) -> NDArray[np.float64]:
    return ask(subject, samples, {SCORE}).score


def game_of(subject: Subject, task: Task, ask: Ask) -> Any:  # noqa: ANN401 - callable; its module loads torch
    """Return the worth, in scores, of each row's own coalitions, ``(k, n, units) -> (k, n)``; mixtures as in `Task`."""
    if is_network(subject):
        from kdaudit.explain.reasons import game_of as of_network

        return of_network(_network(subject), task.rows, task.lent, task.output)
    from kdaudit.explain.games import RowGame

    rules = rules_of(subject)
    if rules is None:
        _can_be_asked(subject, task)
    scores = partial(_scores, ask, subject) if rules is None else rules.evaluate
    return RowGame(scores, task.rows, task.lent, output=task.output, donors=task.shared).own


def _network(subject: Subject) -> Network:
    return subject  # type: ignore[return-value]


def values_of(seat: Attributions | Empty) -> NDArray[np.float64] | Empty:
    """Return the values, or why there are none."""
    return seat if isinstance(seat, Empty) else seat.values


def predicted(teacher: Answers, outputs: int) -> NDArray[np.int64]:
    """Return the output to explain in each row: the teacher's class, or 0 where there is one output."""
    return np.zeros(len(teacher), dtype=np.int64) if outputs == 1 else teacher.label


def exchanged(classes: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return another row of the same class for each row, by chance; itself only where it is the only one.

    Reasons of rows of one class are alike whoever gives them, so rows of other classes would be a straw control.
    """
    out = np.arange(len(classes))
    for which in np.unique(classes):
        rows = rng.permutation(np.flatnonzero(classes == which))
        out[rows] = np.roll(rows, 1)
    return out
