"""Whatever is asked of groups and changes, a proxy stands beside all strangers, not beside the first."""

from dataclasses import replace

import numpy as np
import pytest

from kdaudit.chance import rng
from kdaudit.probe.calibrations import ERROR, Calibration
from kdaudit.probe.counterfactuals import Flip
from kdaudit.probe.groups import Parity
from kdaudit.probe.situations import GAP, Situation
from kdaudit.probe.trials import RATE

PAIR = "sex: female - male"


def scored(effect):
    return lambda s: 1 / (1 + np.exp(-(s.columns["hours"] - 50) / 12 - effect * (s.columns["sex"] == 0)))


@pytest.mark.parametrize(
    ("recipe", "measure", "group"),
    [
        (Parity("sex", reference="male", questions=400), "selection_rate_difference", PAIR),
        (Parity("sex", reference="male", questions=400), "selection_rate", "sex = female"),
        (Flip("sex", "female", "male", questions=200), RATE, PAIR),
        (Situation("sex", "female", "male", ("hours",), questions=400), GAP, PAIR),
        (Calibration("sex", questions=400), ERROR, "sex = female"),
    ],
)
def test_a_proxys_control_is_all_strangers(recipe, measure, group, formula, people, cast_of, asking):
    samples = people(800)
    samples = replace(samples, labels=(np.random.default_rng(0).random(800) < 0.5).astype(int))
    first, *further = (formula(scored(effect), f"s{effect}") for effect in (0.0, -1.5, 1.0))
    teacher, proxy = formula(scored(-1), "t"), formula(scored(-0.7), "p")
    cast = cast_of(teacher, proxy, first, further=tuple(further))
    beside = recipe.examine(cast, samples, asking, rng(0, "q")).row(measure, group, "proxy")
    each = []
    for one in (first, *further):
        alone = recipe.examine(cast_of(teacher, proxy, one), samples, asking, rng(0, "q")).row(measure, group, "proxy")
        assert (alone.strangers, alone.control.half) == (1, 0)
        each.append(alone.control.value)
    assert (beside.strangers, beside.control_kind) == (3, "strangers_proxy")
    assert beside.control.value == pytest.approx(np.mean(each))
    assert beside.excess.value == pytest.approx(beside.value.value - np.mean(each))
    # strangers may differ more than these three do
    assert beside.excess.half > beside.control.half > np.std(each)


def test_agreement_and_flips_shown_stand_beside_all_strangers_over_rows_and_strangers(formula, people, cast_of, asking):
    samples = people(1500)
    first, *further = (formula(scored(effect), f"s{effect}") for effect in (-0.2, -0.5, -3.0))
    teacher, proxy = formula(scored(-1), "t"), formula(scored(-1.1), "p")
    cast = cast_of(teacher, proxy, first, further=tuple(further))
    flips = Flip("sex", "female", "male", questions=1000).examine(cast, samples, asking, rng(0, "q"))
    parity = Parity("sex", reference="male").examine(cast, samples, asking, rng(0, "q"))
    for row in (flips.row("flip_recall", PAIR, "proxy"), parity.row("group_agreement", "sex = female", "proxy")):
        assert row.strangers == 3
        assert row.control.half > 0
        assert row.excess.value == pytest.approx(row.value.value - row.control.value)
        assert row.excess.half > row.control.half
