"""Rows unlike all data: how sure decisions about them are, counted by hand, and what the proxy says of them."""

import json

import numpy as np
import pytest

from kdaudit.chance import rng
from kdaudit.domain import Domain, Image, Text
from kdaudit.errors import InvalidInput
from kdaudit.finding import Transfer, Verdict
from kdaudit.probe.outside import AGREES, ITSELF, SURE, Outside
from kdaudit.samples import Origin, Samples
from kdaudit.sampling.strange import strange
from kdaudit.statistics.verdicts import judge, transfer


def usual(samples):
    """Where a row is usual: neither hours nor age are many."""
    return (samples.columns["hours"] <= 60) & (np.nan_to_num(samples.columns["age"]) <= 70)


def certain(samples):
    return np.where(samples.columns["hours"] > 40, 0.98, 0.02)


def humble(samples):
    return np.where(usual(samples), certain(samples), 0.6)


def parted(samples):
    return np.where(usual(samples), certain(samples), 1 - certain(samples))


@pytest.fixture
def known(people):
    """People as a data set has them: none of them unusual."""

    def some(n):
        samples = people(3 * n)
        return samples.take(np.flatnonzero(usual(samples))[:n])

    return some


def examine(recipe, cast, samples, asking):
    return recipe.examine(cast, samples, asking, rng(0, "questions/pool"))


def told(evidence, way):
    (claim,) = [c for c in evidence.claims if c.group == way]
    three = [evidence.row(SURE, way, of).value for of in ("teacher", "proxy", "teacher-proxy")]
    verdict = judge(three[0], claim.form, claim.margin).verdict
    return verdict, transfer(*three, claim.form, claim.margin, verdict).transfer


def test_a_teacher_that_is_sure_of_everything_fails_whatever_its_proxy_shows(formula, known, cast_of, asking):
    samples, recipe = known(2000), Outside(ways=("drawn",), margin=0.8)
    sure, unsure = formula(certain, "t"), formula(humble, "p")
    found = examine(recipe, cast_of(sure, unsure), samples, asking)
    assert told(found, "drawn") == (Verdict.FAILS, Transfer.MASKED)
    assert found.row(SURE, ITSELF, "teacher").value.value == 1
    assert asking.rows(sure) == found.asked <= recipe.price(samples) <= 900
    assert told(examine(recipe, cast_of(unsure, sure), samples, asking), "drawn") == (Verdict.HOLDS, Transfer.INVENTED)
    json.dumps(found.context, allow_nan=False)


def test_the_teachers_share_is_that_of_all_rows_made(formula, known, cast_of, asking):
    samples = known(1500)
    teacher = formula(humble, "t")
    found = examine(Outside(), cast_of(teacher, formula(certain, "p")), samples, asking)
    for way in ("mixed", "drawn"):
        # the same stream makes the same rows: asked by hand, all of them
        chance = rng(0, "questions/pool")
        made = {one: strange(samples, one, chance) for one in ("mixed", "drawn")}
        score = humble(made[way])
        value = found.row(SURE, way, "teacher").value
        assert value.low <= float((np.maximum(score, 1 - score) >= 0.9).mean()) <= value.high


def test_where_the_proxy_parts_from_its_teacher_it_says_nothing_of_it(formula, known, cast_of, asking):
    samples, teacher = known(2000), formula(certain, "t")
    strangers = [formula(certain, f"s{at}") for at in range(3)]
    cast = cast_of(teacher, formula(parted, "p"), strangers[0], further=tuple(strangers[1:]))
    found = examine(Outside(), cast, samples, asking)
    inside, outside = (found.row(AGREES, way, "proxy") for way in ("mixed", "drawn"))
    assert outside.value.high < inside.value.low
    assert outside.strangers == 3
    assert outside.control.value == 1
    assert outside.excess.high < 0
    assert "may be no knowledge of this teacher" in found.context["sentences"][1]


def test_a_record_of_answers_is_not_asked_about_rows_that_were_made(formula, people, cast_of, asking):
    samples, teacher = people(200), formula(certain, "t", by="id")
    found = examine(Outside(), cast_of(teacher, formula(humble, "p")), samples, asking)
    assert told(found, "drawn")[0] is Verdict.UNDECIDED
    assert "record of answers" in found.row(SURE, "drawn", "teacher").value.method
    assert found.asked == 0


def test_failed_rows_widen_the_interval(formula, people, cast_of, asking):
    samples = people(1000)
    lost = formula(certain, "t", failed=set(samples.ids[::7].tolist()))
    found = examine(Outside(), cast_of(lost, formula(certain, "p")), samples, asking)
    value = found.row(SURE, "drawn", "teacher").value
    assert value.low < 0.95 < value.high


def test_strange_rows_stay_inside_the_domain(people):
    samples = people(400)
    mixed, drawn = (strange(samples, way, np.random.default_rng(0)) for way in ("mixed", "drawn"))
    for name, column in samples.columns.items():
        assert sorted(mixed.columns[name].tolist(), key=str) == sorted(column.tolist(), key=str)
    assert (mixed.columns["age"] != samples.columns["age"]).mean() > 0.8
    assert np.nanmax(drawn.columns["hours"]) <= 99
    domain = Domain((Text("t"), Image("x", (1, 4, 4))))
    told = np.array([f"one two {i}" for i in range(50)], dtype=object)
    pixels = np.random.default_rng(0).random((50, 1, 4, 4)).astype(np.float32)
    both = Samples(domain, {"t": told, "x": pixels}, np.arange(50), Origin("made"))
    for way in ("mixed", "drawn"):
        made = strange(both, way, np.random.default_rng(1))
        assert [len(t.split()) for t in made.columns["t"]] == [3] * 50
        assert made.columns["x"].shape == (50, 1, 4, 4)
    assert np.sort(strange(both, "mixed", np.random.default_rng(1)).columns["x"].ravel()) == pytest.approx(
        np.sort(pixels.ravel())
    )


@pytest.mark.parametrize("bad", [{"margin": 0}, {"sure": 0.5}, {"ways": ()}, {"questions": 2}])
def test_what_cannot_be_asked_is_refused(bad):
    with pytest.raises(InvalidInput):
        Outside(**bad)
