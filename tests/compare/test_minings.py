"""Rows on which two part are found, ruled off and counted on rows that took no part in the search."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import nn

from kdaudit.chance import rng
from kdaudit.compare.climbs import climb_of, raised
from kdaudit.compare.hunts import back_to_data, heard, hunt
from kdaudit.compare.lines import distances, spreads
from kdaudit.compare.minings import Mining
from kdaudit.compare.regions import region_of, rule_text
from kdaudit.compare.slices import halves
from kdaudit.compare.voices import Voices
from kdaudit.domain import Domain
from kdaudit.encoding import Encoding
from kdaudit.errors import InvalidInput
from kdaudit.networks.network import Network
from kdaudit.rules import Rule, Test
from kdaudit.samples import Samples
from kdaudit.signal import LABEL


def smooth(x):
    return 1 / (1 + np.exp(-x))


def by_hours(samples):
    return smooth((samples.columns["hours"] - 50) / 9)


def but_for_old_women(samples):
    """As `by_hours`, and the opposite for women above 70."""
    odd = (samples.columns["age"] > 70) & (samples.columns["sex"] == 0)
    score = by_hours(samples)
    return np.where(odd, 1 - score, score)


def examine(recipe, cast, samples, asking):
    return recipe.examine(cast, samples, asking, rng(0, "questions/judge"))


def test_a_planted_region_is_found_and_counted_on_fresh_rows(formula, people, cast_of, asking):
    samples = people(2000)
    teacher, proxy = formula(by_hours, "teacher"), formula(but_for_old_women, "proxy")
    stranger = formula(lambda s: smooth((s.columns["hours"] - 60) / 9), "stranger")
    recipe = Mining(questions=100, rows=2000)
    evidence = examine(recipe, cast_of(teacher, proxy, stranger), samples, asking)
    inside, elsewhere = (evidence.row("disagreement", g, "proxy") for g in ("inside the rules", "elsewhere"))
    assert inside.value.low > 0.8 and elsewhere.value.high < 0.05
    assert inside.excess.low > 0
    assert inside.value.method == "Clopper-Pearson"
    said = " ".join(evidence.context["rules"])
    assert "age" in said and "sex is female" in said
    assert any("Do not use the proxy" in text for text in evidence.context["sentences"])
    assert evidence.claims[0].group == "elsewhere" and evidence.claims[0].form == "at most"
    # the rows counted are those that the search never saw
    assert inside.value.n + elsewhere.value.n == int((~halves(samples)).sum()) == evidence.context["fresh"]
    assert asking.rows(teacher) == evidence.context["asked"] <= recipe.price(samples)
    assert evidence.context["mined"]["parted"] > 50
    json.dumps(evidence.context, allow_nan=False)


def test_rows_found_by_search_never_enter_a_rate(formula, people, cast_of, asking):
    samples = people(1000)
    cast = cast_of(formula(by_hours, "t"), formula(but_for_old_women, "p"), formula(by_hours, "s"))
    few, many = (examine(Mining(questions=q, rows=1000), cast, samples, asking) for q in (0, 200))
    assert few.row("disagreement", "all", "proxy").value == many.row("disagreement", "all", "proxy").value
    assert few.context["mined"]["asked"] == 0 < many.context["mined"]["asked"] <= 200


def test_the_search_finds_more_than_chance_does(formula, people, cast_of, asking):
    samples = people(1000)

    def rare(rows):
        odd = (rows.columns["age"] > 86) & (rows.columns["sex"] == 0)
        return np.where(odd, 1 - by_hours(rows), by_hours(rows))

    cast = cast_of(formula(by_hours, "t"), formula(rare, "p"))
    voices = Voices(cast, asking)
    start = heard(voices, samples)
    assert start.parted.mean() < 0.05
    found = hunt(voices, start, 200, rng(0, "hunt"), climb=None)
    assert len(found) <= 200
    assert found.parted.mean() > 5 * start.parted.mean()
    assert len(np.unique(found.rows.keys())) == len(found)


def test_the_way_back_ends_nearer_to_the_data_and_still_parts(formula, people, cast_of, asking):
    samples = people(400)
    voices = Voices(cast_of(formula(by_hours, "t"), formula(but_for_old_women, "p")), asking)
    start = heard(voices, samples)
    found = hunt(voices, start, 80, rng(0, "hunt"), climb=None)
    nearer, far = back_to_data(voices, found, start, 50, rng(0, "back"))
    assert nearer.parted.all() and len(nearer) == len(far) <= 50
    agreed = start.take(np.flatnonzero(~start.parted)).rows
    apart = distances(found.take(np.flatnonzero(found.parted)).rows, agreed, spreads(samples)).min()
    assert distances(nearer.rows, agreed, spreads(samples)).min() <= apart


def test_rows_made_stay_inside_domain_and_constraints(formula, people, cast_of, asking):
    plain = people(300)
    domain = Domain(plain.domain.fields, ("hours <= 90 or age >= 30",))
    keep = (plain.columns["hours"] <= 90) | (plain.columns["age"] >= 30)
    samples = Samples(domain, plain.columns, plain.ids, plain.origin).take(keep)
    voices = Voices(cast_of(formula(by_hours, "t"), formula(but_for_old_women, "p")), asking)
    found = hunt(voices, heard(voices, samples), 100, rng(0, "hunt"), climb=None)
    assert len(found)
    assert ((found.rows.columns["hours"] <= 90) | (found.rows.columns["age"] >= 30)).all()


def test_the_same_seed_finds_the_same_rows(formula, people, cast_of, asking):
    samples = people(500)
    cast = cast_of(formula(by_hours, "t"), formula(but_for_old_women, "p"))
    one, two = (examine(Mining(questions=60, rows=500), cast, samples, asking) for _ in range(2))
    assert one.context == two.context and one.rows == two.rows


def test_labels_alone_are_enough(formula, people, cast_of, asking):
    samples = people(1000)
    seats = [formula(f, n, offers=(LABEL,)) for f, n in ((by_hours, "t"), (but_for_old_women, "p"))]
    evidence = examine(Mining(questions=60, rows=1000), cast_of(*seats), samples, asking)
    assert evidence.context["mined"]["parted"] > 0


def test_a_record_of_answers_is_counted_and_not_searched(formula, people, cast_of, asking):
    samples = people(1500)
    cast = cast_of(formula(by_hours, "t", by="id"), formula(but_for_old_women, "p"))
    evidence = examine(Mining(questions=60, rows=1500), cast, samples, asking)
    assert evidence.context["mined"]["asked"] == 0
    assert "record of answers" in evidence.context["mined"]["reason"]
    assert evidence.row("disagreement", "inside the rules", "proxy").value.low > 0.8


def test_two_that_never_part_have_no_rules(formula, people, cast_of, asking):
    samples = people(400)
    cast = cast_of(formula(by_hours, "t"), formula(by_hours, "p"))
    evidence = examine(Mining(questions=40, rows=400), cast, samples, asking)
    assert evidence.context["rules"] == [] and "rules need" in evidence.context["no_rules"]
    assert evidence.row("disagreement", "all", "proxy").value.value == 0.0
    assert evidence.claims[0].group == "all"


def test_rules_that_fresh_rows_do_not_bear_out_are_said_so(people):
    samples = people(400)
    parted = rng(0, "noise").random(400) < 0.2
    region = region_of(samples, parted, 4, rng(0, "region"))
    # rows that part by chance alone: the tree may or may not cut, and a cut is told with its reason or its rules
    assert bool(region.rules) != bool(region.reason)


def test_a_rule_says_what_a_level_is_not_where_that_is_shorter(people):
    domain = people(5).domain
    rule = Rule((Test("school", levels=("low", "middle")), Test("sex", levels=("female",))), (1.0,))
    assert rule_text(rule, domain) == "school is not high and not missing and sex is female"


def test_gradients_climb_by_the_field_that_gains_most(people, cast_of, asking):
    samples = people(100)
    encoding = Encoding.fitted(samples)

    def network(name, weights):
        module = nn.Linear(encoding.width, 1)
        with torch.no_grad():
            module.weight.copy_(torch.tensor(weights, dtype=torch.float32)[None])
            module.bias.zero_()
        return Network(name, module, encoding, ("above",))

    weights = rng(0, "weights").normal(size=(2, encoding.width))
    voices = Voices(cast_of(network("t", weights[0]), network("p", weights[1])), asking)
    climb = climb_of(voices, samples)
    gap = encoding.encode(samples).astype(np.float64) @ (weights[0] - weights[1])
    after = encoding.encode(climb(samples)).astype(np.float64) @ (weights[0] - weights[1])
    changed = samples.keys() != climb(samples).keys()
    assert changed.mean() > 0.9
    assert (np.abs(after)[changed] > np.abs(gap)[changed]).mean() > 0.95
    # one field a row
    moved = sum((samples.columns[n] != climb(samples).columns[n]).astype(int) for n in ("age", "hours", "sex"))
    assert moved.max() <= 1
    flat = raised(samples, np.zeros((100, encoding.width)), encoding, samples)
    assert len(flat) == 100


def test_without_networks_nothing_climbs(formula, people, cast_of, asking):
    voices = Voices(cast_of(formula(by_hours, "t"), formula(by_hours, "p")), asking)
    assert climb_of(voices, people(10)) is None


@pytest.mark.parametrize("wrong", [{"questions": -1}, {"rows": 2}, {"leaves": 1}, {"margin": 1.0}])
def test_sizes_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InvalidInput):
        Mining(**wrong)
