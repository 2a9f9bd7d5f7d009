import numpy as np
import pytest

from kdaudit.domain import Domain, Real
from kdaudit.rules import Rule, Rules, Test
from kdaudit.samples import Origin, Samples
from kdaudit.surrogates import choice as module
from kdaudit.surrogates.choice import Candidate, Near, choose
from kdaudit.surrogates.targets import Targets

DOMAIN = Domain((Real("x"),))


def stairs(*cuts):
    """A list that decides 1, 0, 1, ... between the cuts."""
    rules = [Rule((Test("x", below=cut),), (float(i % 2 == 0),)) for i, cut in enumerate(cuts)]
    return Rules("list", (*rules, Rule((), (float(len(cuts) % 2 == 0),))), ("yes",))


def target(n, wrong):
    x = np.linspace(0, 1, n)
    label = (x <= 0.5).astype(int)
    label[-wrong:] = 1 if wrong else label[-1:]
    return Targets(
        Samples(DOMAIN, {"x": x}, np.arange(n), Origin("drawn")), label[:, None].astype(float), label, False, 0.5, 0
    )


@pytest.mark.parametrize(("wrong", "size"), [(1, 2), (40, 3)])
def test_a_larger_body_must_be_better_than_chance(wrong, size):
    select = target(200, wrong)
    top = float(select.samples.columns["x"][-wrong]) - 1e-9
    small, large = Candidate("small", stairs(0.5)), Candidate("large", stairs(0.5, top))
    chosen, rules, curve = choose([large, small], select, 1.0)
    assert rules is chosen.rules
    assert len(chosen.rules.rules) == size
    # the slow way: the difference on the same rows against its own standard error
    lost = np.zeros(200)
    lost[-wrong:] = 1
    assert (lost.mean() <= lost.std(ddof=1) / np.sqrt(200) + 1e-12) == (size == 2)
    assert [row["agreement"] for row in curve] == pytest.approx([1.0, 1 - wrong / 200])


def test_without_slack_the_best_is_taken():
    select = target(200, 1)
    large = stairs(0.5, 1 - 1e-9)
    chosen, _, _ = choose([Candidate("small", stairs(0.5)), Candidate("large", large)], select, 0.0)
    assert chosen.rules == large


def test_numbers_are_chosen_by_squared_error():
    x = np.linspace(0, 1, 100)
    rows = Samples(DOMAIN, {"x": x}, np.arange(100), Origin("drawn"))
    select = Targets(rows, np.where(x <= 0.5, 1.0, 0.0)[:, None] * 1.0, np.zeros(100, int), True, 0.5, 0)
    flat = Candidate("flat", Rules("list", (Rule((), (0.5,)),), ("yes",)))
    chosen, _, curve = choose([flat, Candidate("stairs", stairs(0.5))], select, 1.0)
    assert chosen.way == "stairs"
    assert curve[0]["agreement"] is None


def test_what_the_rows_chosen_on_cannot_tell_apart_is_made_again_and_told_apart_on_all_rows():
    every, part = target(400, 1), np.arange(0, 400, 4)
    # wrong in two rows, neither of them chosen on
    worse, better = stairs(0.5, 0.502, 0.5085), stairs(0.5)
    again = {"worse": lambda: worse, "better": lambda: better}
    # alike where they are chosen: the first would win, and the second is better once made from all rows
    candidates = [Candidate(way, stairs(0.5), make) for way, make in again.items()]
    chosen, rules, curve = choose(candidates, every.take(part), 0.0, every=[every])
    assert (chosen.way, rules) == ("better", better)
    assert [row["chosen"] for row in curve] == [False, True]
    assert all(row["tied"] for row in curve)


def test_a_row_and_those_drawn_around_it_count_half_each():
    select, rng = target(60, 1), np.random.default_rng(0)
    parents = rng.integers(0, 50, 200)
    around = target(200, 1)
    near = Near(around, parents)
    candidates = [Candidate(str(cut), stairs(cut)) for cut in (0.3, 0.5, 0.7)]
    merits = np.array([select.merit(c.rules.evaluate(select.samples)) for c in candidates])
    beside = np.array([around.merit(c.rules.evaluate(around.samples)) for c in candidates])
    joined = module._joined(merits, beside, parents)
    for at in range(len(candidates)):
        for row in range(60):
            own = beside[at][parents == row]
            slow = (merits[at, row] + own.mean()) / 2 if len(own) else merits[at, row]
            assert joined[at, row] == pytest.approx(slow)
    assert choose(candidates, select, 0.0, near)[0].way == "0.5"


def test_with_slack_a_way_listed_before_may_be_hardly_larger():
    select = target(200, 1)
    sizes = {"first": (0.1, 0.2, 0.3, 0.4, 0.5), "second": (0.2, 0.3, 0.4, 0.5), "much larger": (0.5,)}
    bodies = [Candidate(way, flat(*cuts)) for way, cuts in sizes.items()]
    assert [len(body.rules.rules) for body in bodies] == [6, 5, 2]
    # all decide alike, so that only way and size tell them apart
    assert choose(bodies[:2], select, 0.5)[0].way == "first"
    assert choose(bodies[1::-1], select, 0.5)[0].way == "second"
    assert choose(bodies, select, 0.5)[0].way == "much larger"


def flat(*cuts):
    """A list of many rules that decides 1 up to the last cut."""
    rules = [Rule((Test("x", below=cut),), (1.0 - i / 100,)) for i, cut in enumerate(cuts)]
    return Rules("list", (*rules, Rule((), (0.0,))), ("yes",))


@pytest.mark.parametrize(("more", "way"), [(1, "stays"), (4, "stays"), (5, "best"), (40, "best")])
def test_what_stays_is_taken_unless_it_parts_from_the_teacher_much_more_often(more, way):
    # the best is wrong in 20 rows, what stays in some more
    select = target(400, 1)
    x = select.samples.columns["x"]
    best = Candidate("best", stairs(0.5, *_wrong_up_to(x, 20)))
    stays = Candidate("stays", stairs(0.5, *_wrong_up_to(x, 20 + more)), steady=True)
    for candidate, wrong in ((best, 20), (stays, 20 + more)):
        assert (1 - select.merit(candidate.rules.evaluate(select.samples))).sum() == wrong
    assert ((20 + more) / 20 <= module.DEARER) == (way == "stays")
    assert choose([best, stays], select, 0.5)[0].way == way
    # without slack the best is taken
    assert choose([best, stays], select, 0.0)[0].way == "best"


def _wrong_up_to(x, count):
    """Cuts between which one of the last rows but one, `count` - 1 of them, is decided otherwise."""
    return float(x[-1 - count] + 1e-9), float(x[-2] + 1e-9)
