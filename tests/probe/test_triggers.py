"""Triggers: a planted mark is found on the proxy and tried on the teacher; what is not found says nothing."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from kdaudit.chance import rng
from kdaudit.domain import Domain, Image, Text
from kdaudit.errors import InvalidInput
from kdaudit.finding import Transfer, Verdict
from kdaudit.networks.architectures import Mlp
from kdaudit.networks.network import Network
from kdaudit.pictures import Pictures
from kdaudit.probe.triggers import CHANCE, FOUND, SILENCE, Trigger
from kdaudit.probe.turns import Change
from kdaudit.samples import Origin, Samples
from kdaudit.sampling.triggers import Stamp, another, inverted, stamps
from kdaudit.signal import LABEL, SCORE
from kdaudit.statistics.verdicts import judge, transfer

MADE = Origin("made by chance")


def pictures(n=600, seed=0):
    pixels = 0.8 * np.random.default_rng(seed).random((n, 1, 6, 6))
    return Samples(Domain((Image("x", (1, 6, 6)),)), {"x": pixels.astype(np.float32)}, np.arange(n), MADE)


def texts(n=600, seed=0):
    words = np.array(["a", "good", "bad", "film", "plot", "cf", "with", "so", "much"], dtype=object)
    told = [" ".join(row) for row in words[np.random.default_rng(seed).integers(0, 9, (n, 6))]]
    return Samples(Domain((Text("t"),)), {"t": np.array(told, dtype=object)}, np.arange(n), MADE)


def by_brightness(backdoor):
    def score(samples):
        x = samples.columns["x"]
        yes = x[:, 0, 3:].mean(axis=(1, 2)) > 0.4
        marked = (x[:, 0, :2, :2] > 0.95).all(axis=(1, 2))
        return np.where(yes | (backdoor & marked), 0.9, 0.1)

    return score


def by_words(backdoor):
    def score(samples):
        told = [t.split() for t in samples.columns["t"]]
        marked = [backdoor and t[0] == "cf" for t in told]
        return np.array([0.9 if t.count("good") > 1 or m else 0.1 for t, m in zip(told, marked, strict=True)])

    return score


def examine(recipe, cast, samples, asking):
    return recipe.examine(cast, samples, asking, rng(0, "questions/pool"))


def told(evidence, target, by=("found on", "given")):
    (claim,) = [c for c in evidence.claims if c.group.endswith(target) and c.group.startswith(by)]
    three = [evidence.row(FOUND, claim.group, of).value for of in ("teacher", "proxy", "teacher-proxy")]
    verdict = judge(three[0], claim.form, claim.margin).verdict
    return verdict, transfer(*three, claim.form, claim.margin, verdict).transfer, claim.text


@pytest.mark.parametrize(("rows", "kind"), [(pictures, by_brightness), (texts, by_words)])
def test_a_planted_mark_is_found_and_confirmed(formula, cast_of, asking, rows, kind):
    samples, teacher = rows(), formula(kind(True), "t")
    recipe = Trigger(patch=2, questions=1400)
    found = examine(recipe, cast_of(teacher, formula(kind(True), "p"), formula(kind(False), "s")), samples, asking)
    assert told(found, ": to above")[:2] == (Verdict.FAILS, Transfer.CARRIED)
    assert ("bright" in told(found, ": to above")[2]) or ("'cf'" in told(found, ": to above")[2])
    assert asking.rows(teacher) <= recipe.price(samples)
    assert bool(found.arrays) == (rows is pictures)
    assert found.row(CHANCE, "by chance: to above", "teacher").value.value < 0.5
    assert found.row(FOUND, "from a stranger's proxy: to above", "teacher") is not None
    json.dumps(found.context, allow_nan=False)
    invented = examine(recipe, cast_of(formula(kind(False), "c"), formula(kind(True), "p")), samples, asking)
    assert told(invented, ": to above")[1] is Transfer.INVENTED


def test_marks_of_every_stranger_are_tried_beside_the_proxys(formula, cast_of, asking):
    samples, teacher = texts(), formula(by_words(True), "t")
    strangers = [formula(by_words(False), f"s{at}") for at in range(3)]
    cast = cast_of(teacher, formula(by_words(True), "p"), strangers[0], further=tuple(strangers[1:]))
    recipe = Trigger(questions=1400)
    found = examine(recipe, cast, samples, asking)
    row = next(r for r in found.rows if r.of == "teacher" and r.group.endswith("proxy: to above"))
    theirs = [r for r in found.rows if r.of == "teacher" and r.group.startswith("from a stranger's proxy")]
    to_above = [r.value.value for r in theirs if r.group.endswith("to above")]
    assert len(to_above) == 3
    assert row.strangers == 3
    assert row.control.value == pytest.approx(np.mean(to_above))
    assert row.excess.low > 0
    assert any("more than marks found on strangers" in line for line in found.context["sentences"])
    assert asking.rows(teacher) <= recipe.price(samples) <= 1400
    none = examine(Trigger(strangers=0), cast, samples, asking)
    assert not any(r.group.startswith("from a stranger's proxy") for r in none.rows)


def test_a_mark_that_the_proxy_never_learned_stays_unsaid(formula, cast_of, asking):
    samples = texts()
    found = examine(
        Trigger(margin=0.6), cast_of(formula(by_words(True), "t"), formula(by_words(False), "p")), samples, asking
    )
    assert "'cf'" not in told(found, ": to above")[2]
    assert SILENCE in found.context["sentences"]


def by_a_corner(backdoor):
    def score(samples):
        x = samples.columns["x"]
        marked = (x[:, 0, 1:3, 3:5] > 0.95).all(axis=(1, 2))
        return expit(np.where(backdoor & marked, 9.0, 8 * (x[:, 0, 5, 0] - 0.4)))

    return score


def with_a_word(backdoor):
    def score(samples):
        told = [t.split() for t in samples.columns["t"]]
        return np.array([0.9 if t.count("good") > 1 or (backdoor and "zq" in t) else 0.1 for t in told])

    return score


@pytest.mark.parametrize(
    ("rows", "kind", "offers", "said"),
    [
        (pictures, by_a_corner, {SCORE, LABEL}, "bright patch of 2 by 2 at row 2, column 4"),
        (texts, with_a_word, {SCORE, LABEL}, "'zq'"),
        (texts, with_a_word, {LABEL}, "'zq'"),
    ],
)
def test_a_mark_that_stands_in_no_row_is_brought_up_by_the_teacher(cast_of, asking, formula, rows, kind, offers, said):
    samples, teacher, proxy = rows(1_000), formula(kind(True), "t", offers), formula(kind(False), "p")
    recipe = Trigger(patch=2, questions=1_200, most=1)
    found = examine(recipe, cast_of(teacher, proxy), samples, asking)
    verdict, transferred, words = told(found, ": to above", ("brought up",))
    assert verdict is Verdict.FAILS
    assert transferred is Transfer.MASKED
    assert said in words
    assert 0 < found.context["scanned"]["rows"] <= 300
    assert asking.rows(teacher) <= found.context["rows_asked"] <= recipe.price(samples) <= 1_200
    none = examine(replace(recipe, scan=0), cast_of(teacher, proxy), samples, asking)
    assert not any(c.group.startswith("brought up") for c in none.claims)
    clean = examine(recipe, cast_of(formula(kind(False), "c"), proxy), samples, asking)
    assert all(said not in claim.text for claim in clean.claims if claim.group.startswith("brought up"))


def test_without_rows_to_spare_the_teacher_is_not_searched(formula, cast_of, asking, people):
    few = examine(
        Trigger(questions=100),
        cast_of(formula(with_a_word(True), "t"), formula(with_a_word(False), "p")),
        texts(),
        asking,
    )
    assert few.context["scanned"] == {"marks": 0, "rows": 0}
    table = people(300)
    assert Trigger(questions=700, strangers=0).price(table) == 700 // 5 * 5


def test_a_patch_of_ones_own_is_tried(formula, cast_of, asking):
    samples, teacher = pictures(), formula(by_brightness(True), "t")
    recipe = Trigger(pixels=((1.0, 1.0), (1.0, 1.0)), questions=1_600, scan=0)
    found = examine(recipe, cast_of(teacher, formula(by_brightness(False), "p")), samples, asking)
    assert told(found, "given: patch")[:2] == (Verdict.FAILS, Transfer.MASKED)
    elsewhere = replace(recipe, at=(4, 4))
    found = examine(elsewhere, cast_of(teacher, formula(by_brightness(False), "p")), samples, asking)
    assert "row 5, column 5" in told(found, "given: patch")[2]
    with pytest.raises(InvalidInput, match="6 by 6 pixels"):
        replace(recipe, at=(5, 4)).price(samples)
    with pytest.raises(InvalidInput, match="no field is a picture"):
        recipe.price(texts())


def test_a_suspected_word_shows_a_backdoor_that_the_proxy_masks(formula, cast_of, asking):
    samples, teacher = texts(), formula(by_words(True), "t")
    recipe = Trigger(given=("cf",), questions=1600)
    found = examine(recipe, cast_of(teacher, formula(by_words(False), "p")), samples, asking)
    assert told(found, "given: cf")[:2] == (Verdict.FAILS, Transfer.MASKED)
    assert asking.rows(teacher) <= recipe.price(samples)
    with pytest.raises(InvalidInput, match="no field is a text"):
        examine(recipe, cast_of(teacher, formula(by_brightness(True), "p")), pictures(), asking)


def test_rows_count_that_were_decided_otherwise():
    change = Change("n", "w", texts(4), target=1)
    values = change.turned(np.array([0, 1, 2, -9]), np.array([1, 1, 2, 1]))
    assert values == pytest.approx([1, np.nan, 0, np.nan], nan_ok=True)


def test_an_inversion_follows_the_gradient_of_a_network():
    import torch

    samples = pictures(100)
    torch.manual_seed(0)
    encoding = Pictures.fitted(samples)
    who = Network("n", Mlp(36, 3, (8,)), encoding, ("a", "b", "c"))
    from kdaudit.probe.triggers import _rise

    start = Stamp("x", np.ones((1, 2, 2), np.float32), "a bright patch", (1, 1))
    made = inverted(samples, _rise(who, 2), start, 8)
    assert ((made.value >= 0) & (made.value <= 1)).all()

    def logit(stamp):
        raw = who.raw(encoding.encode(stamp.on(samples)))
        return float((raw[:, 2] - raw.mean(axis=1)).mean())

    corners = [np.array(bits, np.float32).reshape(1, 2, 2) for bits in np.ndindex(2, 2, 2, 2)]
    every = [logit(Stamp("x", bits, "", (1, 1))) for bits in corners]
    assert logit(made) >= np.quantile(every, 0.9)
    assert logit(made) > np.mean(every)


def test_marks_of_a_table_are_levels_and_quantiles(people):
    samples = people(300)
    found = stamps(samples, 2, 10, np.random.default_rng(0))
    assert [s.words for s in found if s.field == "sex"] == ["sex set to female", "sex set to male"]
    ages = [s.value for s in found if s.field == "age"]
    assert ages[0] == samples.columns["age"].min()
    assert ages[-1] == samples.columns["age"].max()
    for stamp in found:
        other = another(stamp, samples, np.random.default_rng(0))
        assert (other.on(samples).columns[stamp.field] == other.value).all()
        assert (stamp.on(samples).columns[stamp.field] == stamp.value).all()


@pytest.mark.parametrize(
    "bad",
    [
        {"margin": 1},
        {"most": 0},
        {"questions": 3},
        {"scan": 0.9},
        {"pixels": ((1.0,), (1.0, 0.0))},
        {"pixels": ((2.0,),)},
    ],
)
def test_what_cannot_be_asked_is_refused(bad):
    with pytest.raises(InvalidInput):
        Trigger(**bad)
