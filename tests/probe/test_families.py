"""Several contrasts of one question: Holm, and one after the other down the proxy's ranking."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import binomtest

from kdaudit.chance import rng
from kdaudit.domain import Category, Domain, Real
from kdaudit.errors import InvalidInput
from kdaudit.probe.families import in_sequence
from kdaudit.probe.groups import Parity
from kdaudit.probe.odds import WORST, EqualizedOdds
from kdaudit.probe.slices import Slices
from kdaudit.probe.stops import Rule
from kdaudit.samples import Origin, Samples
from kdaudit.statistics.rates import critical
from kdaudit.statistics.verdicts import fault

GROUPS = ("a", "b", "c", "d")
EFFECTS = {"b": 0.05, "c": 0.3, "d": 0.2}
GAP = "selection_rate_difference"


def of_groups(n=8000, seed=0):
    chance = np.random.default_rng(seed)
    domain = Domain((Category("group", GROUPS), Real("own", 0, 1)))
    columns = {"group": chance.integers(0, 4, n).astype(np.int32), "own": chance.random(n)}
    labels = (chance.random(n) < columns["own"]).astype(np.int64)
    return Samples(domain, columns, np.arange(n), Origin("people"), labels)


def less(effects):
    """Scores of which each group's are lower by its effect."""
    lower = np.array([effects.get(x, 0.0) for x in GROUPS])
    return lambda s: np.clip(s.columns["own"] - lower[s.columns["group"]], 0, 1)


def examine(recipe, formula, cast_of, asking, effects=EFFECTS, shown=None):
    teacher, proxy = formula(less(effects), "t"), formula(less(shown or effects), "p")
    return recipe.examine(cast_of(teacher, proxy), of_groups(), asking, rng(0, "q")), asking.rows(teacher)


def states(evidence, margin, measure=GAP):
    rows = [r for r in evidence.rows if (r.measure, r.of) == (measure, "teacher")]
    return {r.group[7]: fault(r.value, "within", margin) for r in rows}


def test_holm_leaves_to_the_last_contrast_what_the_others_do_not_need(formula, cast_of, asking):
    recipe = Parity("group", reference="a", margin=0.07, questions=800, stop="never")
    evidence, _ = examine(recipe, formula, cast_of, asking)
    levels = {r.group[7]: r.value.level for r in evidence.rows if (r.measure, r.of) == (GAP, "teacher")}
    assert levels["c"] == pytest.approx(1 - 0.05 / 3)
    assert min(levels.values()) < levels["c"]
    assert "Holm" in evidence.context["method"]
    together, _ = examine(
        Parity("group", reference="a", margin=0.07, questions=800, stop="never", family="bonferroni"),
        formula,
        cast_of,
        asking,
    )
    assert {r.value.level for r in together.rows if (r.measure, r.of) == (GAP, "teacher")} == {1 - 0.05 / 3}


def test_a_sequence_spends_its_questions_on_one_contrast_after_the_other(formula, cast_of, asking):
    recipe = Parity("group", reference="a", margin=0.12, questions=800, family="fixed-sequence")
    evidence, asked = examine(recipe, formula, cast_of, asking)
    assert [claim.group for claim in evidence.claims] == ["group: c - a", "group: d - a", "group: b - a"]
    assert asked <= 800
    found = [evidence.row(GAP, claim.group, "teacher").value for claim in evidence.claims]
    assert found[0].level == 0.95
    assert fault(found[0], "within", 0.12) == "present-"
    assert "Those with group c: asking stopped at look" in " ".join(evidence.context["sentences"])
    assert "fixed sequence" in evidence.context["method"]
    assert {r.group for r in evidence.rows if r.measure == "selection_rate"} == {f"group = {x}" for x in GROUPS}


def test_what_comes_after_an_undecided_contrast_is_not_asked(formula, cast_of, asking):
    # the proxy points to d first, whose gap lies on the margin itself
    recipe = Parity("group", reference="a", margin=0.2, questions=600, family="fixed-sequence")
    evidence, _ = examine(recipe, formula, cast_of, asking, shown={"b": 0.05, "c": 0.3, "d": 0.5})
    first, *rest = (evidence.row(GAP, claim.group, "teacher") for claim in evidence.claims)
    assert first.group == "group: d - a"
    assert first.value.known
    for row in rest:
        assert not row.value.known
        assert row.asked == 0
        assert "group = d comes before it and is undecided" in row.value.method


@pytest.mark.parametrize("family", ["holm", "fixed-sequence"])
def test_subgroups_stop_early_and_one_after_the_other(family, formula, cast_of, asking):
    recipe = Slices(("group",), most=2, depth=1, margin=0.1, questions=1500, measure="selection_rate", family=family)
    effects = {"b": 0.6, "c": -0.2, "d": 0.0}
    teacher, proxy = formula(less(effects), "t"), formula(less(effects), "p")
    evidence = recipe.examine(cast_of(teacher, proxy), of_groups(), asking, rng(0, "q"))
    assert "group = c" in evidence.claims[0].group
    row = evidence.row(GAP, evidence.claims[0].group, "teacher")
    assert fault(row.value, "within", 0.1) == "present+"
    assert "asking stopped at look" in " ".join(evidence.context["sentences"])
    assert asking.rows(teacher) < 1500


def test_odds_stop_once_the_worse_difference_of_every_group_is_decided(formula, cast_of, asking):
    recipe = EqualizedOdds("group", reference="a", groups=("c",), questions=2000)
    evidence, asked = examine(recipe, formula, cast_of, asking)
    assert asked <= 1200
    assert "Asking stopped at look" in evidence.context["sentences"][0]
    row = evidence.row(WORST, "group: c - a", "teacher")
    assert fault(row.value, "at most", 0.05) == "present+"
    whole, _ = examine(EqualizedOdds("group", reference="a", groups=("c",), stop="never"), formula, cast_of, asking)
    counted = whole.row(WORST, "group: c - a", "proxy").value.value
    assert row.value.low <= counted <= row.value.high


def test_an_order_needs_a_reference_and_values_of_single_rows():
    with pytest.raises(InvalidInput, match="one group after the other"):
        Parity("group", measure="impact_ratio", family="fixed-sequence")
    with pytest.raises(InvalidInput, match="one group after the other"):
        Parity("group", measure="ranking_exposure", family="fixed-sequence")


@pytest.mark.parametrize("shared", [0.0, 0.5])
def test_a_sequence_is_seldom_wrong_anywhere(shared):
    chance, margin, wrong = np.random.default_rng(1), 4.0, 0
    truth = dict(zip("abcdef", (9.0, 4.001, -4.001, 4.3, 3.999, 0.0), strict=True))
    for _ in range(3000):
        common = chance.standard_normal()
        found = {
            x: at + math.sqrt(shared) * common + math.sqrt(1 - shared) * chance.standard_normal()
            for x, at in truth.items()
        }

        def said(x, found=found):
            half = critical(0.95)
            return "fails" if abs(found[x]) - half > margin else "holds" if abs(found[x]) + half <= margin else ""

        def asked(name, questions, why, said=said):
            chosen = np.arange(0 if why else 1)
            told = SimpleNamespace(group=lambda _: name)
            return SimpleNamespace(
                design=SimpleNamespace(chosen=chosen), tested=[name], minimum=1, strata=told, why=why, name=name,
                decided=lambda form, margin: bool(said(name)),
            )  # fmt: skip

        reached = [
            s.name for s in in_sequence(tuple(truth), 100, asked, Rule("never", 1, "within", margin)) if not s.why
        ]
        wrong += any(said(x) == ("holds" if abs(truth[x]) > margin else "fails") for x in reached)
    assert binomtest(wrong, 3000).proportion_ci(0.99).low < 0.05
    assert wrong / 3000 < 0.04
