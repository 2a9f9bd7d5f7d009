"""The search: the same trials for the same seed, resumed or not; limits kept; chosen here, reported there."""

import pytest

from kdaudit.behaviour import Behaviour
from kdaudit.chance import rng
from kdaudit.distillation.search import Limit, Making, Policy, Space, Trialled, pareto, search
from kdaudit.distillation.searching import Searching, distance
from kdaudit.distillation.students import Student
from kdaudit.errors import InvalidInput
from kdaudit.interval import Interval
from kdaudit.objective.sum import parse
from kdaudit.store.answers import Store

pytest.importorskip("optuna")

SPACE = Space(((1,), (2,), (4,), (8,)), weights={"logit_mse": (0.01, 1.0)})


class Sham:
    """A student without a body: it knows its policy."""

    def __init__(self, policy):
        self.policy = policy


def size(student):
    return float(student.policy.hidden[0])


def merit(student):
    """Larger is better, and so is a temperature near 3."""
    temperature = float(student.policy.objective.split("(")[1].split(")")[0])
    return student.policy.hidden[0] / (4 + student.policy.hidden[0]) - abs(temperature - 3) / 10


def found(**keys):
    limits = keys.pop("limits", (Limit("size", size),))
    return search(SPACE, Making(Sham, Sham), keys.pop("merit", merit), limits=limits, **{"trials": 25, **keys})


def test_the_same_seed_tries_the_same_and_another_tries_others():
    first, again, other = found(seed=1), found(seed=1), found(seed=2)
    assert first.tried == again.tried
    assert first.tried != other.tried
    assert len(first.tried) == 25


def test_a_search_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path):
    class Stopped(Exception):
        pass

    calls = []

    def hasty(student):
        calls.append(student.policy)
        if len(calls) in (7, 15):
            raise Stopped
        return merit(student)

    storage = tmp_path / "search.sqlite"
    for _ in range(2):
        with pytest.raises(Stopped):
            found(merit=hasty, storage=storage)
    resumed = found(merit=hasty, storage=storage)
    assert resumed.tried == found().tried
    assert len(calls) == 25 + 2  # nothing that was finished is made again
    with pytest.raises(InvalidInput, match="another search"):
        found(seed=5, storage=storage)


def test_the_search_finds_more_than_chance_would():
    best = found(trials=60).best
    assert best.policy.hidden == (8,)
    assert best.merit > 8 / 12 - 0.02


def test_the_pareto_table_holds_what_no_other_beats():
    result = found(trials=40)
    for one in result.tried:
        beaten = [o for o in result.tried if o.costs["size"] <= one.costs["size"] and o.merit > one.merit]
        assert (one in result.pareto) == (not beaten) or any(o.merit == one.merit for o in result.pareto)
    costs, merits = ([f(p) for p in result.pareto] for f in (lambda p: p.costs["size"], lambda p: p.merit))
    assert costs == sorted(set(costs)) and merits == sorted(set(merits))
    equal = [Trialled(Policy((n,), "logit_mse", 0.01), 1.0, {"size": 5.0}) for n in (1, 2)]
    assert pareto(equal, "size") == (equal[0],)


def test_limits_leave_sizes_out_before_anything_is_trained():
    trained = []

    def train(policy):
        trained.append(policy.hidden)
        return Sham(policy)

    result = search(SPACE, Making(Sham, train), merit, limits=(Limit("size", size, 3),), trials=8)
    assert set(trained) <= {(1,), (2,)}
    assert result.left_out == {"4": "4 size, at most 3", "8": "8 size, at most 3"}
    with pytest.raises(InvalidInput, match="no size keeps"):
        found(limits=(Limit("size", size, 0.5),))


def test_what_is_reported_was_not_chosen_on():
    asked = []

    def report(student):
        asked.append(student.policy)
        return Interval(0.5, 0.4, 0.6, 100)

    result = found(report=report)
    assert asked == [point.policy for point in result.pareto]
    assert all(point.reported.n == 100 for point in result.pareto)
    assert all(one.reported is None for one in result.tried)


def test_a_policy_can_be_put_into_a_plan():
    from ruamel.yaml import YAML

    for one in found(trials=5).tried:
        (item,) = YAML(typ="safe").load(one.plan)
        assert item.pop("name") and item.pop("kind") == "student"
        assert Student(**item).hidden == one.policy.hidden
        parse(one.policy.objective)


@pytest.mark.parametrize(
    "keys",
    [
        {"hidden": ()},
        {"hidden": ((4,), (4,))},
        {"temperature": (0, 2)},
        {"rate": (2, 1)},
        {"weights": {"soft": (1, 2)}},
    ],
)
def test_a_wrong_space_is_refused(keys):
    with pytest.raises(InvalidInput):
        Space(**keys)
    with pytest.raises(InvalidInput, match="finite"):
        found(merit=lambda s: float("nan"))


def test_a_plan_can_ask_for_a_search(teacher_of, draw_rows):
    teacher, parts = teacher_of(), {"fit": draw_rows(200), "select": draw_rows(150, 1)}
    behaviour = Behaviour("yes", teacher.outputs, parts["fit"].domain)
    recipe = Searching(sizes=[[2], [4], [8]], parameters=40, trials=6, steps=60, batch=64, rate=[3e-3, 3e-2])
    made = [recipe.make(behaviour, teacher, parts, behaviour.through(Store().ask), rng(0, "s")) for _ in range(2)]
    assert made[0].identity == made[1].identity
    assert made[0].form.parameters <= 40 and set(made[0].notes["left_out"]) == {"8"}
    points = made[0].notes["search"]
    assert points[-1]["parameters"] == made[0].form.parameters
    from kdaudit.distillation.loop import recorded

    told = recorded(teacher, parts["select"], Store().ask)
    assert points[-1]["distance"] == pytest.approx(distance(made[0], told))
    assert points[-1]["multiply-adds"] < points[-1]["parameters"]


@pytest.mark.parametrize(
    "keys", [{"trials": 0}, {"rate": [1]}, {"parameters": 0}, {"terms": ["nothing"]}, {"steps": 0}]
)
def test_a_wrong_recipe_is_refused_when_written(keys):
    with pytest.raises(InvalidInput):
        Searching(**keys)
