"""The search: the same trials for the same seed, resumed or not; limits kept; chosen here, reported there."""

import pytest

from kdaudit.distillation.policies import Pairs, Policy, Space, size_of
from kdaudit.distillation.search import Limit, Making, Trialled, pareto, search
from kdaudit.distillation.students import Student
from kdaudit.errors import InvalidInput
from kdaudit.evidence import Row
from kdaudit.interval import Interval, counted, unknown
from kdaudit.networks.suiting import Shape
from kdaudit.objective.sum import parse

pytest.importorskip("optuna")


def shapes(*sizes):
    return tuple(Shape("mlp", (n,)) for n in sizes)


SPACE = Space(shapes(1, 2, 4, 8), weights={"logit_mse": (0.01, 1.0)})


class Sham:
    """A student without a body: it knows its policy."""

    def __init__(self, policy):
        self.policy = policy


def units(student):
    return student.policy.shape.hidden[0]


def size(student):
    return counted(float(units(student)), 1)


def merit(student):
    """Larger is better, and so is a temperature near 3."""
    temperature = float(student.policy.objective.split("(")[1].split(")")[0])
    return units(student) / (4 + units(student)) - abs(temperature - 3) / 10


def found(**keys):
    limits, making = keys.pop("limits", (Limit("size", size),)), keys.pop("making", Making(Sham, Sham))
    space = keys.pop("space", SPACE)
    return search(space, making, keys.pop("merit", merit), limits=limits, **{"trials": 25, **keys})


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
    assert best.policy.shape.hidden == (8,)
    assert best.merit > 8 / 12 - 0.02


def cost(point):
    return point.costs["size"].value


def test_the_pareto_table_holds_what_no_other_beats():
    result = found(trials=40)
    for one in result.tried:
        beaten = [o for o in result.tried if cost(o) <= cost(one) and o.merit > one.merit]
        assert (one in result.pareto) == (not beaten) or any(o.merit == one.merit for o in result.pareto)
    costs, merits = ([f(p) for p in result.pareto] for f in (cost, lambda p: p.merit))
    assert costs == sorted(set(costs)) and merits == sorted(set(merits))
    equal = [Trialled(Policy(shape, "logit_mse", 0.01), 1.0, {"size": counted(5.0, 1)}) for shape in shapes(1, 2)]
    assert pareto(equal, "size") == (equal[0],)


def test_limits_leave_sizes_out_before_anything_is_trained():
    trained = []

    def train(policy):
        trained.append(policy.shape.hidden)
        return Sham(policy)

    result = found(making=Making(Sham, train), limits=(Limit("size", size, 3),), trials=8)
    assert set(trained) <= {(1,), (2,)}
    assert result.left_out == {"[4]": "4 size, at most 3", "[8]": "8 size, at most 3"}
    with pytest.raises(InvalidInput, match="no size keeps"):
        found(limits=(Limit("size", size, 0.5),))


def test_what_is_undecided_is_left_out_with_the_reason():
    def wavering(student):
        return unknown("too busy to tell") if units(student) == 4 else Interval(units(student), 1.0, 3.0, 9)

    result = found(limits=(Limit("size", size), Limit("ms", wavering, 5)), trials=3)
    assert result.left_out == {"[4]": "ms undecided: too busy to tell"}
    with pytest.raises(InvalidInput, match="1 to 3 holds the limit of 2.5"):
        found(limits=(Limit("size", size), Limit("ms", wavering, 2.5)))


def test_what_is_reported_was_not_chosen_on():
    asked = []
    row = Row("agreement", "all", "proxy", Interval(0.5, 0.4, 0.6, 100), no_control="none", no_ceiling="none")

    def report(policy, student):
        assert student.policy == policy
        asked.append(policy)
        return (row,)

    result = found(making=Making(Sham, Sham, report))
    assert asked == [point.policy for point in result.pareto]
    assert all(point.reported == (row,) for point in result.pareto)
    assert all(one.reported == () for one in result.tried)


def test_a_policy_of_which_no_student_comes_is_told_and_not_tried_again(tmp_path):
    def train(policy):
        if "logit_mse" in policy.objective and policy.rate > 3e-3:
            raise InvalidInput("the loss is nan")
        return Sham(policy)

    result = found(making=Making(Sham, train))
    assert len(result.tried) + len(result.failed) == 25 and result.tried
    assert set(result.failed.values()) == {"the loss is nan"}
    halves = [found(making=Making(Sham, train), trials=n, storage=tmp_path / "s.sqlite") for n in (9, 25)]
    assert halves[-1] == result

    def never(policy):
        raise InvalidInput("no such layer")

    with pytest.raises(InvalidInput, match="no student could be made: no such layer"):
        found(making=Making(Sham, never), trials=3)


def test_what_was_measured_is_not_measured_again(tmp_path):
    times = iter([1.0, 5.0, 1.0, 1.0, 9.0, 9.0, 9.0, 9.0])

    def slow(student):
        return counted(next(times), 1)

    limits = (Limit("size", size), Limit("ms", slow, 3.0))
    first = found(limits=limits, trials=3, storage=tmp_path / "s.sqlite")
    again = found(limits=limits, trials=6, storage=tmp_path / "s.sqlite")
    assert first.left_out == again.left_out == {"[2]": "5 ms, at most 3"}
    assert again.tried[:3] == first.tried and next(times) == 9.0


def pairs():
    student = tuple(tuple(f"layers.{k}" for k in range(depth)) for depth in (1, 2, 2, 3))
    return Pairs(("hint", "similarity"), student, ("block.0", "block.1"))


def test_layers_are_paired_and_the_pair_that_helps_is_found():
    def likes(student):
        goal = student.policy.objective
        return ("hint('layers.1', 'block.1')" in goal) + 0.5 * ("similarity" not in goal)

    result = found(space=Space(shapes(1, 2, 4, 8), pairs=pairs()), merit=likes, trials=60)
    assert "hint('layers.1', 'block.1')" in result.best.policy.objective
    assert "similarity" not in result.best.policy.objective
    tried = " ".join(one.policy.objective for one in result.tried)
    assert "layers.0" in tried and "block.0" in tried
    assert any("(" not in one.policy.objective.replace("soft_targets(", "") for one in result.tried)
    for one in result.tried:
        depth = {1: 1, 2: 2, 4: 2, 8: 3}[one.policy.shape.hidden[0]]
        assert all(f"layers.{k}" not in one.policy.objective for k in range(depth, 3))


def test_a_policy_can_be_put_into_a_plan():
    from ruamel.yaml import YAML

    others = (Shape("cnn", (4, 8)), Shape("transformer", (8, 8), 16, 4), Shape("soft_tree", (), depth=3))
    space = Space(others, pairs=Pairs(("hint",), (("a",), ("b",), ("c",)), ("d",)), steps=77)
    for one in (*found(trials=5).tried, *found(trials=9, space=space, merit=lambda s: 1.0, limits=FLAT).tried):
        (item,) = YAML(typ="safe").load(one.plan)
        assert item.pop("name") and item.pop("kind") == "student"
        made = Student(**item)
        assert size_of(made._shape) == size_of(one.policy.shape) and made.network == one.policy.shape.family
        assert (made.steps, made.rate) == (one.policy.steps, one.policy.rate)
        assert str(parse(made.objective)) == str(parse(one.policy.objective))


FLAT = (Limit("size", lambda student: counted(1.0, 1)),)


@pytest.mark.parametrize(
    "keys",
    [
        {"shapes": ()},
        {"shapes": shapes(4, 4)},
        {"temperature": (0, 2)},
        {"rate": (2, 1)},
        {"rate": (2,)},
        {"weights": {"soft": (1, 2)}},
    ],
)
def test_a_wrong_space_is_refused(keys):
    with pytest.raises(InvalidInput):
        Space(**keys)


def test_pairs_need_layers_and_a_merit_is_a_number():
    with pytest.raises(InvalidInput, match="by layers"):
        Pairs(("logit_mse",), (("a",),), ("b",))
    with pytest.raises(InvalidInput, match="at least one layer"):
        Pairs(("hint",), ((),), ("b",))
    with pytest.raises(InvalidInput, match="finite"):
        found(merit=lambda s: float("nan"))
