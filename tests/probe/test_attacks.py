"""Attacks: what turns on a proxy is tried on the teacher, beside strangers and chance."""

import json

import numpy as np
import pytest

from kdaudit.chance import rng
from kdaudit.encoding import Encoding
from kdaudit.errors import InvalidInput
from kdaudit.finding import Transfer, Verdict
from kdaudit.networks.architectures import Mlp
from kdaudit.networks.network import Network
from kdaudit.probe.attacks import CHANCE, COSINE, GAIN, MADE, OWN, Attack
from kdaudit.probe.changes import Effort, changed, cosines, decided, margins
from kdaudit.probe.readings import ask_one
from kdaudit.sampling.attacks import Reach
from kdaudit.statistics.verdicts import judge, transfer
from kdaudit.subject import Answers

GROUP = "made on proxy by search"


def on_hours(line, width=20.0):
    return lambda samples: 1 / (1 + np.exp(-(samples.columns["hours"] - line) / width))


def of_age(line):
    return lambda samples: 1 / (1 + np.exp(-(samples.columns["age"] - line) / 5))


def examine(recipe, cast, samples, asking):
    return recipe.examine(cast, samples, asking, rng(0, "questions/pool"))


def decided_on(evidence):
    (claim,) = evidence.claims
    teacher, proxy, gap = (
        evidence.row(claim.measure, claim.group, of).value for of in ("teacher", "proxy", "teacher-proxy")
    )
    verdict = judge(teacher, claim.form, claim.margin).verdict
    return verdict, transfer(teacher, proxy, gap, claim.form, claim.margin, verdict).transfer


def test_what_turns_the_proxy_turns_a_teacher_like_it_and_no_other(formula, people, cast_of, asking):
    samples = people(2000)
    teacher, alike = formula(on_hours(50), "t"), formula(on_hours(51), "p")
    recipe = Attack(size=0.5, swaps=0, fields=("hours", "age"), margin=0.1, questions=2400, steps=6, brood=8)
    found = examine(recipe, cast_of(teacher, alike), samples, asking)
    assert decided_on(found) == (Verdict.FAILS, Transfer.CARRIED)
    row = found.row(MADE, GROUP, "teacher")
    # by hand: the rows that lie within half a standard deviation of the line
    hours = samples.columns["hours"]
    near = (np.abs(hours - 51) <= 0.5 * hours.std()).mean()
    assert row.value.low - 0.03 <= near <= row.value.high + 0.03
    assert asking.rows(teacher) <= recipe.price(samples) <= 2400
    json.dumps(found.context, allow_nan=False)
    blind = formula(lambda s: np.where(s.columns["hours"] > 50, 0.9, 0.1) * 0 + 0.9, "b")
    lonely = examine(recipe, cast_of(blind, formula(lambda s: np.full(len(s), 0.8), "q")), samples, asking)
    assert decided_on(lonely) == (Verdict.HOLDS, Transfer.ABSENT)


def test_a_fault_of_the_proxy_alone_is_invented(formula, people, cast_of, asking):
    samples = people(1500)
    teacher = formula(lambda s: np.where(s.columns["hours"] > 50, 0.9, 0.1), "t")
    proxy = formula(lambda s: np.where((s.columns["hours"] > 50) ^ (np.mod(s.columns["age"], 10) == 9), 0.9, 0.1), "p")
    recipe = Attack(size=0.15, swaps=0, fields=("age",), margin=0.1, questions=2400)
    assert decided_on(examine(recipe, cast_of(teacher, proxy), samples, asking)) == (Verdict.HOLDS, Transfer.INVENTED)


def test_strangers_and_chance_stand_beside_it(formula, people, cast_of, asking):
    samples = people(2000)
    teacher, proxy = formula(on_hours(50), "t"), formula(on_hours(50), "p")
    strangers = [formula(lambda s, a=a: np.where(on_hours(50)(s) > 0.5, 0.9, 0.1), f"s{a}") for a in range(3)]
    cast = cast_of(teacher, proxy, strangers[0], further=tuple(strangers[1:]))
    recipe = Attack(size=0.3, swaps=0, fields=("hours",), questions=2100, steps=4, brood=4)
    found = examine(recipe, cast, samples, asking)
    row = found.row(MADE, GROUP, "teacher")
    assert (row.strangers, row.control_kind) == (3, "strangers_proxy")
    assert row.excess.value == pytest.approx(row.value.value - row.control.value)
    gain, chance = (found.row(name, GROUP, "teacher").value for name in (GAIN, CHANCE))
    assert gain.value == pytest.approx(row.value.value - chance.value)
    assert gain.low > 0
    assert len(found.context["makers"]) == 4


def test_records_and_few_rows_stay_undecided(formula, people, cast_of, asking):
    samples, proxy = people(60), formula(on_hours(50), "p")
    record = examine(Attack(), cast_of(formula(on_hours(50), "r", by="id"), proxy), samples, asking)
    assert "record" in record.rows[0].value.method
    assert asking.rows(formula(on_hours(50), "r")) == 0
    never = examine(Attack(), cast_of(formula(lambda s: 1 - on_hours(50)(s), "n"), proxy), samples, asking)
    assert not never.rows[0].value.known


def test_rows_that_fail_are_left_out(formula, people, cast_of, asking):
    samples = people(400)
    teacher = formula(on_hours(50), "t", failed=range(0, 400, 4))
    found = examine(Attack(fields=("hours",)), cast_of(teacher, formula(on_hours(50), "p")), samples, asking)
    assert found.context["rows_kept"] < found.context["rows_changed"]
    assert found.rows[0].value.known


def network(samples, outputs, seed=0, name="n"):
    import torch

    encoding = Encoding.fitted(samples)
    torch.manual_seed(seed)
    return Network(name, Mlp(encoding.width, len(outputs), (8,)), encoding, outputs)


@pytest.mark.parametrize("outputs", [("above",), ("a", "b", "c")])
@pytest.mark.parametrize("method", ["pgd", "fgsm", "search"])
def test_a_change_brings_each_row_nearer_to_turning(people, asking, outputs, method):
    samples = people(150)
    who = network(samples, outputs)
    own, reach = decided(asking, who, samples), Reach.over(samples, 0.2, 1)
    made = changed(who, samples, own, asking, reach, Effort(method, 5, 10), 0)
    before, after = (margins(ask_one(asking, who, s), own) for s in (samples, made))
    assert (after <= before + 1e-9).mean() > 0.97
    assert (after < before).mean() > 0.9


def test_an_open_teacher_is_attacked_itself(people, cast_of, asking):
    samples = people(500)
    teacher, proxy = network(samples, ("above",), 0, "t"), network(samples, ("above",), 0, "p")
    found = examine(Attack(questions=1000), cast_of(teacher, proxy), samples, asking)
    own, ours = (found.row(name, "made on proxy by PGD", "teacher").value for name in (OWN, MADE))
    # the same gradients, and so the same direction
    assert found.row(COSINE, "made on proxy by PGD", "proxy").value.value == pytest.approx(1.0)
    # proxy and teacher are one network, so that changes are the same
    assert own == ours


def test_a_search_never_asks_the_teacher_about_what_it_tries(people, cast_of, asking):
    samples, recipe = people(500), Attack(method="search", questions=700)
    teacher, proxy = network(samples, ("above",), 0, "t"), network(samples, ("above",), 1, "p")
    cast = cast_of(teacher, proxy)
    examine(recipe, cast, samples, asking)
    assert 0 < asking.rows(teacher) <= recipe.price(samples) <= 700


def test_cosines_are_those_of_slopes_by_differences(people):
    samples = people(40)
    a, b = network(samples, ("above",), 0), network(samples.take(np.arange(20)), ("above",), 1)
    own, encoded = np.zeros(40, dtype=int), a.encoding.encode(samples)
    found = cosines(a, b, samples, own)

    def slope(who, row):
        """Numbers moved by a thousandth of their standard deviation, levels put in by a thousandth."""
        start, out = who.encoding.encode(samples.take([row])).astype(float), []
        for j in range(encoded.shape[1]):
            step, field = 1e-3, next(f for f, c in enumerate(who.encoding.units.columns) if j in c)
            if field < 2:
                step *= samples.columns[samples.domain.names[field]].std() / who.encoding.scales[field]
            sides = [start + sign * step * (np.arange(start.shape[1]) == j) for sign in (1, -1)]
            up, down = (who.raw(side.astype(np.float32))[0, 0] for side in sides)
            out.append((up - down) / 2e-3)
        return np.array(out)

    for row in range(10):
        x, y = slope(a, row), slope(b, row)
        assert found[row] == pytest.approx(x @ y / np.linalg.norm(x) / np.linalg.norm(y), abs=0.02)


def test_margins_are_nothing_where_a_decision_has_turned():
    from kdaudit.signal import LABEL, SCORE

    labels = margins(Answers({LABEL: np.array([0, 1])}), np.array([0, 0]))
    assert labels.tolist() == [1.0, 0.0]
    scores = margins(Answers({SCORE: np.array([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1]])}), np.array([1, 1]))
    assert scores == pytest.approx([0.2, -0.3])


def test_the_same_seed_gives_the_same_bytes(formula, people, cast_of, asking):
    samples, cast = people(300), cast_of(formula(on_hours(50), "t"), formula(on_hours(52), "p"))
    a, b = (examine(Attack(), cast, samples, asking) for _ in range(2))
    assert a.table.equals(b.table)


@pytest.mark.parametrize("bad", [{"margin": 0}, {"size": 0, "swaps": 0}, {"questions": 3}, {"steps": 0}])
def test_what_cannot_be_asked_is_refused(bad):
    with pytest.raises(InvalidInput):
        Attack(**bad)


def test_words_are_exchanged_where_rows_are_texts(formula, cast_of, asking):
    from kdaudit.domain import Domain, Text
    from kdaudit.samples import Origin, Samples

    words = np.array(["a", "good", "bad", "film", "plot"], dtype=object)
    told = [" ".join(row) for row in words[np.random.default_rng(0).integers(0, 5, (300, 5))]]
    rows = Samples(Domain((Text("t"),)), {"t": np.array(told, dtype=object)}, np.arange(300), Origin("texts"))

    def liking(samples):
        return np.array([0.5 + 0.09 * (t.split().count("good") - t.split().count("bad")) for t in samples.columns["t"]])

    cast = cast_of(formula(liking, "t"), formula(lambda s: liking(s) + 0.001, "p"))
    found = examine(Attack(swaps=2, questions=1000), cast, rows, asking)
    row, chance = (found.row(name, GROUP, "teacher").value for name in (MADE, CHANCE))
    assert row.low > chance.high + 0.1
    assert "2 words" in found.claims[0].text
