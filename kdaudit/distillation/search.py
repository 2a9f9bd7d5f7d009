"""Policy search: which size, temperature, layers and weights make the best student within stated limits.

Chosen on one sample, reported on another: the search sees `merit` alone, a function that somebody else wrote over rows
set apart for choosing; `report` is called for the points that it returns, after it has ended.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kdaudit.chance import seed_of
from kdaudit.digest import of_data
from kdaudit.distillation.policies import Policy, Space, size_of
from kdaudit.errors import InvalidInput
from kdaudit.evidence import Row
from kdaudit.interval import Interval, counted
from kdaudit.networks.network import Network

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import BaseTrial

STARTING = 8
"""Trials drawn by chance before the search learns from them."""


@dataclass(frozen=True)
class Limit:
    """A cost that a student must keep to.

    Parameters
    ----------
    name : str
        Such as ``"parameters"``, ``"multiply-adds"``, ``"ms a row"``.
    cost : callable
        Of a student; measured on one of each size before any is trained, since it depends on the size alone.  An
        interval that is not known, or that holds the limit, leaves the size out: what is undecided is no pass.
    most : float
        The limit; infinite where the cost is to be shown and not limited.
    """

    name: str
    cost: Callable[[Network], Interval]
    most: float = math.inf

    def broken(self, found: Interval) -> str:
        """Return why a cost does not keep to the limit; empty where it does."""
        if math.isinf(self.most):
            return ""
        if not found.known:
            return f"{self.name} undecided: {found.method}"
        told = f"{found.value:.6g} {self.name}"
        if found.low > self.most:
            return f"{told}, at most {self.most:g}"
        if found.high > self.most:
            return f"{self.name} undecided: {found.low:.4g} to {found.high:.4g} holds the limit of {self.most:g}"
        return ""


@dataclass(frozen=True)
class Trialled:
    """One student that was tried.

    Parameters
    ----------
    policy : Policy
    merit : float
        On the rows that chose; flattered by the choice.
    costs : dict of str to Interval
    reported : tuple of Row
        On rows that chose nothing; of the points of the Pareto table alone.
    """

    policy: Policy
    merit: float
    costs: Mapping[str, Interval]
    reported: tuple[Row, ...] = ()

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
    failed : dict of str to str
        Text of the plan's item -> why no student came of it.
    """

    tried: tuple[Trialled, ...]
    pareto: tuple[Trialled, ...]
    left_out: Mapping[str, str]
    failed: Mapping[str, str] = field(default_factory=dict)

    @property
    def best(self) -> Trialled:
        """The one of the highest merit, the cheapest of these."""
        return self.pareto[-1]


def parameters(student: Network) -> Interval:
    """Return the number of weights, the cost that is counted by default."""
    return counted(float(student.form.parameters), 1)


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
        Policy -> the student; one that cannot be made raises `InvalidInput`, and the search goes on without it.
    report : callable, optional
        ``(policy, student)`` -> what it is worth on rows that chose nothing; called for the points of the Pareto table.
    """

    outline: Callable[[Policy], Network]
    train: Callable[[Policy], Network]
    report: Callable[[Policy, Network], tuple[Row, ...]] | None = None


def search(
    space: Space,
    making: Making,
    merit: Callable[[Network], float],
    *,
    limits: Sequence[Limit] = COUNTED,
    trials: int = 30,
    seed: int = 0,
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
    storage : Path, optional
        An SQLite file; a search that was stopped goes on from there.  What was measured is kept in it too: a resumed
        search excludes the same sizes.

    Raises
    ------
    InvalidInput
        If no size keeps to the limits, no student could be made, `storage` holds another search, a merit is no number,
        or optuna is missing.

    References
    ----------
    Watanabe 2023 and Ozaki et al. 2022 (tree-structured Parzen estimators for several goals), as in Optuna.
    """
    if trials < 1 or not limits:
        raise InvalidInput(f"{trials} trials and {len(limits)} costs; at least one of each is needed")
    study = _study(space, limits, seed, storage)
    costs, left_out = _costs(space, making.outline, limits, study)
    while (done := len(_told(study))) < trials:
        _reseed(study, seed, done)
        trial = study.ask()
        policy = space.drawn(trial, sorted(costs))
        try:
            student = making.train(policy)
        except InvalidInput as error:
            trial.set_user_attr("reason", str(error))
            study.tell(trial, state=_states().FAIL)
            continue
        value = float(merit(student))
        if not math.isfinite(value):
            raise InvalidInput(f"the merit of {policy.plan()} is {value}; a finite number was expected")
        study.tell(trial, [value, costs[space.shapes.index(policy.shape)][limits[0].name].value])
    return _searched(space, making, _told(study)[:trials], costs, left_out)


def pareto(tried: Sequence[Trialled], cost: str) -> tuple[Trialled, ...]:
    """Return those that no other beats in merit at the same or a lower cost, by rising cost; of equals the first."""
    out: list[Trialled] = []
    for one in sorted(tried, key=lambda t: (t.costs[cost].value, -t.merit)):
        if not out or one.merit > out[-1].merit:
            out.append(one)
    return tuple(out)


def _searched(
    space: Space,
    making: Making,
    trials: Sequence[Any],
    costs: Mapping[int, Mapping[str, Interval]],
    left_out: Mapping[str, str],
) -> Searched:
    tried, failed = [], {}
    for trial in trials:
        policy = _again(space, trial, sorted(costs))
        if trial.state == _states().FAIL:
            failed[policy.plan()] = str(trial.user_attrs["reason"])
        else:
            tried.append(Trialled(policy, float(trial.values[0]), costs[space.shapes.index(policy.shape)]))
    if not tried:
        raise InvalidInput(f"no student could be made: {next(iter(failed.values()))}")
    best = pareto(tried, next(iter(tried[0].costs)))
    if making.report is not None:
        best = tuple(replace(t, reported=making.report(t.policy, making.train(t.policy))) for t in best)
    return Searched(tuple(tried), best, left_out, failed)


def _costs(
    space: Space, outline: Callable[[Policy], Network], limits: Sequence[Limit], study: Study
) -> tuple[dict[int, dict[str, Interval]], dict[str, str]]:
    """Return what each size costs that keeps to the limits, and why others are left out; nothing is trained."""
    kept: dict[int, dict[str, Interval]] = {}
    left_out: dict[str, str] = {}
    for place, shape in enumerate(space.shapes):
        found = _measured(place, partial(outline, space.plainest(place)), limits, study)
        told = [why for limit in limits if limit.name in found and (why := limit.broken(found[limit.name]))]
        if told:
            left_out[size_of(shape)] = told[0]
        else:
            kept[place] = found
    if not kept:
        nearest = "; ".join(f"{size}: {told}" for size, told in left_out.items())
        raise InvalidInput(f"no size keeps to the limits ({nearest}); allow more, or name smaller sizes")
    return kept, left_out


def _measured(place: int, outline: Callable[[], Network], limits: Sequence[Limit], study: Study) -> dict[str, Interval]:
    """Return the costs of a size, up to the first that breaks its limit; as they were measured the first time."""
    known = study.user_attrs.get(f"costs of {place}")
    if known is not None:
        return {name: Interval.from_data(data) for name, data in known.items()}
    student, found = outline(), {}
    for limit in limits:
        found[limit.name] = limit.cost(student)
        if limit.broken(found[limit.name]):
            break
    study.set_user_attr(f"costs of {place}", {name: cost.to_data() for name, cost in found.items()})
    return found


def _study(space: Space, limits: Sequence[Limit], seed: int, storage: Path | None) -> Study:
    try:
        import optuna
    except ImportError as error:
        raise InvalidInput("a search needs optuna: pip install 'kdaudit[search]'") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    what = of_data({"space": space, "limits": [[x.name, str(x.most)] for x in limits], "seed": seed})
    if storage is not None:
        storage.parent.mkdir(parents=True, exist_ok=True)
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
    for trial in study.get_trials(deepcopy=False, states=(_states().RUNNING,)):
        study.tell(trial.number, state=_states().FAIL)
    return study


def _reseed(study: Study, seed: int, done: int) -> None:
    """Give the next trial chance of its own, by its place: a resumed search draws what an undisturbed one does."""
    from optuna.samplers import TPESampler

    study.sampler = TPESampler(seed=seed_of(seed, f"search/{done}") % 2**32, n_startup_trials=STARTING)


def _told(study: Study) -> list[Any]:
    """Return the trials that came to an end, those of which no student came included."""
    states = _states()
    found: list[Any] = study.get_trials(deepcopy=False, states=(states.COMPLETE, states.FAIL))
    return [trial for trial in found if trial.state == states.COMPLETE or "reason" in trial.user_attrs]


def _states() -> Any:  # noqa: ANN401 - an enumeration of optuna, which is not always there
    from optuna.trial import TrialState

    return TrialState


def _again(space: Space, trial: Any, places: Sequence[int]) -> Policy:  # noqa: ANN401 - a trial that was told
    from optuna.trial import FixedTrial

    fixed: BaseTrial = FixedTrial(dict(trial.params))
    return space.drawn(fixed, places)
