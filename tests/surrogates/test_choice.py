import numpy as np
import pytest

from kdaudit.domain import Domain, Real
from kdaudit.rules import Rule, Rules, Test
from kdaudit.samples import Origin, Samples
from kdaudit.surrogates.choice import Candidate, choose
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
