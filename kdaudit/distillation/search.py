"""Policy search: which size, temperature and weights make the best student within stated limits.

Chosen on one sample, reported on another: the search sees `merit` alone, a function that somebody else wrote over rows
set apart for choosing; `report` is called for the points that it returns, after it has ended.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kdaudit.chance import seed_of
from kdaudit.digest import of_data
from kdaudit.errors import InvalidInput
from kdaudit.interval import Interval
from kdaudit.networks.network import Network
from kdaudit.objective.sum import parse

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import Trial

STARTING = 8
"""Trials drawn by chance before the search learns from them."""


@dataclass(frozen=True)
class Policy:
    """How a student is made: the keys of a plan's item.

    Parameters
    ----------
    hidden : tuple of int
    objective : str
    rate : float
    """

    hidden: tuple[int, ...]
    objective: str
    rate: float

    def plan(self, name: str = "student") -> str:
        """Return the text of a plan's item that makes such a student."""
        hidden = ", ".join(map(str, self.hidden))
        goal = self.objective.replace('"', '\\"')
        return f'- {{name: {name}, kind: student, hidden: [{hidden}], objective: "{goal}", rate: {self.rate:.4g}}}'


@dataclass(frozen=True)
class Space:
    """What is searched.

    Parameters
    ----------
    hidden : tuple of tuple of int
        Sizes to choose from.
    temperature : (float, float)
        Ends of the temperature of ``soft_targets``, drawn on a scale of powers.
    weights : mapping of str to (float, float)
        Further terms with the ends of their weights, on a scale of powers, such as ``{"logit_mse": (0.01, 1)}``.
    rate : (float, float)
        Ends of the learning rate.

    Raises
    ------
    InvalidInput
        If there is no size, an end is not above 0 or the first is larger, or a term cannot be read.
    """

    hidden: tuple[tuple[int, ...], ...] = ((4,), (8,), (16,), (32,), (64,), (32, 16))
    temperature: tuple[float, float] = (1.0, 8.0)
    weights: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    rate: tuple[float, float] = (1e-3, 1e-2)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", tuple(tuple(sizes) for sizes in self.hidden))
        if not self.hidden or len(set(self.hidden)) < len(self.hidden):
            raise InvalidInput(f"sizes {self.hidden}; at least one, and none twice, was expected")
        for name, (low, high) in {"temperature": self.temperature, "rate": self.rate, **self.weights}.items():
            if not 0 < low <= high < math.inf:
                raise InvalidInput(f"{name} from {low:g} to {high:g}; ends above 0 in rising order were expected")
        for term in self.weights:
            parse(term)

    def drawn(self, trial: Trial, sizes: Sequence[int]) -> Policy:
        """Return the policy that a trial proposes, of the sizes at positions `sizes`."""
        hidden = self.hidden[trial.suggest_categorical("hidden", list(sizes))]
        terms = [f"soft_targets({trial.suggest_float('temperature', *self.temperature, log=True):.3g})"]
        for term, ends in sorted(self.weights.items()):
            terms.append(f"{trial.suggest_float(term, *ends, log=True):.3g} * {term}")
        return Policy(hidden, " + ".join(terms), float(f"{trial.suggest_float('rate', *self.rate, log=True):.3g}"))


@dataclass(frozen=True)
class Limit:
    """A cost that a student must keep to.

    Parameters
    ----------
    name : str
        Such as ``"parameters"``, ``"multiply-adds"``, ``"microseconds a row"``.
    cost : callable
        Of a student; measured on one of each size before any is trained, since it depends on the size alone.
    most : float
        The limit; infinite where the cost is to be shown and not limited.
    """

    name: str
    cost: Callable[[Network], float]
    most: float = math.inf


@dataclass(frozen=True)
class Trialled:
    """One student that was tried.

    Parameters
    ----------
    policy : Policy
    merit : float
        On the rows that chose; flattered by the choice.
    costs : dict of str to float
    reported : Interval, optional
        On rows that chose nothing; of the points of the Pareto table alone.
    """

    policy: Policy
    merit: float
    costs: Mapping[str, float]
    reported: Interval | None = None

    @property
    def plan(self) -> str:
        """Text of the plan's item that makes it."""
        return self.policy.plan()


@dataclass(frozen=True)
class Searched:
    """What a search found.

    Parameters
    ----------
    tried : tuple of Trialled
        In the order of the trials.
    pareto : tuple of Trialled
        Those that no other beats in merit without costing more, by rising cost.
    left_out : dict of str to str
        Sizes that a limit excludes -> the limit.
    """

    tried: tuple[Trialled, ...]
    pareto: tuple[Trialled, ...]
    left_out: Mapping[str, str]

    @property
    def best(self) -> Trialled:
        """The one of the highest merit, the cheapest of these."""
        return self.pareto[-1]


def parameters(student: Network) -> float:
    """Return the number of weights, the cost that is counted by default."""
    return float(student.form.parameters)


COUNTED = (Limit("parameters", parameters),)
"""What is counted where nobody says what a student may cost."""


@dataclass(frozen=True)
class Making:
    """How a policy becomes a student; the same policy must give the same student.

    Parameters
    ----------
    outline : callable
        Policy -> a student that was not trained, to be measured.
    train : callable
        Policy -> the student.
    """

    outline: Callable[[Policy], Network]
    train: Callable[[Policy], Network]


def search(  # noqa: PLR0913 - what is searched, by whom it is judged, and how long
    space: Space,
    making: Making,
    merit: Callable[[Network], float],
    *,
    limits: Sequence[Limit] = COUNTED,
    trials: int = 30,
    seed: int = 0,
    report: Callable[[Network], Interval] | None = None,
    storage: Path | None = None,
) -> Searched:
    """Search for policies; the same seed gives the same trials, stopped and resumed or not.

    Parameters
    ----------
    space : Space
    making : Making
    merit : callable
        The higher the better; over rows set apart for choosing.
    limits : sequence of Limit
        The first one is the cost of the Pareto table.
    trials : int
        In all, those of an earlier call with the same `storage` included.
    seed : int
    report : callable, optional
        Merit with its interval, over rows that chose nothing; called for the points of the Pareto table, at the end.
    storage : Path, optional
        An SQLite file; a search that was stopped goes on from there.

    Raises
    ------
    InvalidInput
        If no size keeps to the limits, `storage` holds another search, a merit is no number, or optuna is missing.

    References
    ----------
    Watanabe 2023 and Ozaki et al. 2022 (tree-structured Parzen estimators for several goals), as in Optuna.
    """
    if trials < 1 or not limits:
        raise InvalidInput(f"{trials} trials and {len(limits)} costs; at least one of each is needed")
    costs, left_out = _costs(space, making.outline, limits)
    study = _study(space, limits, seed, storage)
    while (done := len(_finished(study))) < trials:
        _reseed(study, seed, done)
        trial = study.ask()
        policy = space.drawn(trial, sorted(costs))
        place = space.hidden.index(policy.hidden)
        value = float(merit(making.train(policy)))
        if not math.isfinite(value):
            raise InvalidInput(f"the merit of {policy.plan()} is {value}; a finite number was expected")
        study.tell(trial, [value, costs[place][limits[0].name]])
    tried = tuple(_trialled(space, trial, costs) for trial in _finished(study)[:trials])
    best = pareto(tried, limits[0].name)
    if report is not None:
        best = tuple(Trialled(t.policy, t.merit, t.costs, report(making.train(t.policy))) for t in best)
    return Searched(tried, best, left_out)


def pareto(tried: Sequence[Trialled], cost: str) -> tuple[Trialled, ...]:
    """Return those that no other beats in merit at the same or a lower cost, by rising cost; of equals the first."""
    out: list[Trialled] = []
    for one in sorted(tried, key=lambda t: (t.costs[cost], -t.merit)):
        if not out or one.merit > out[-1].merit:
            out.append(one)
    return tuple(out)


def _costs(
    space: Space, outline: Callable[[Policy], Network], limits: Sequence[Limit]
) -> tuple[dict[int, dict[str, float]], dict[str, str]]:
    """Return what each size costs that keeps to the limits, and why others are left out; nothing is trained."""
    kept: dict[int, dict[str, float]] = {}
    left_out: dict[str, str] = {}
    for place, hidden in enumerate(space.hidden):
        student = outline(Policy(hidden, f"soft_targets({space.temperature[0]:.3g})", space.rate[0]))
        found = {limit.name: float(limit.cost(student)) for limit in limits}
        over = [limit for limit in limits if not found[limit.name] <= limit.most]
        if over:
            told = f"{found[over[0].name]:g} {over[0].name}, at most {over[0].most:g}"
            left_out[", ".join(map(str, hidden)) or "linear"] = told
        else:
            kept[place] = found
    if not kept:
        nearest = "; ".join(f"[{hidden}]: {told}" for hidden, told in left_out.items())
        raise InvalidInput(f"no size keeps to the limits ({nearest}); allow more, or name smaller sizes")
    return kept, left_out


def _study(space: Space, limits: Sequence[Limit], seed: int, storage: Path | None) -> Study:
    try:
        import optuna
    except ImportError as error:
        raise InvalidInput("a search needs optuna: pip install 'kdaudit[search]'") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    what = of_data({"space": space, "limits": [[x.name, str(x.most)] for x in limits], "seed": seed})
    place = None if storage is None else f"sqlite:///{storage}"
    study = optuna.create_study(
        storage=place, study_name="policies", directions=["maximize", "minimize"], load_if_exists=True
    )
    known = study.user_attrs.get("search")
    if known is None:
        study.set_user_attr("search", what)
    elif known != what:
        raise InvalidInput(f"{storage} holds another search, of another space, limits or seed; name another file")
    # a trial that was under way when the search was stopped is made again
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    return study


def _reseed(study: Study, seed: int, done: int) -> None:
    """Give the next trial chance of its own, by its place: a resumed search draws what an undisturbed one does."""
    from optuna.samplers import TPESampler

    study.sampler = TPESampler(seed=seed_of(seed, f"search/{done}") % 2**32, n_startup_trials=STARTING)


def _finished(study: Study) -> list[Any]:
    from optuna.trial import TrialState

    found: list[Any] = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return found


def _trialled(space: Space, trial: Any, costs: Mapping[int, Mapping[str, float]]) -> Trialled:  # noqa: ANN401
    from optuna.trial import FixedTrial

    policy = space.drawn(FixedTrial(dict(trial.params)), sorted(costs))  # type: ignore[arg-type]
    return Trialled(policy, float(trial.values[0]), costs[space.hidden.index(policy.hidden)])
