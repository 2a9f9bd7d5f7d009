"""Templates: planted dependence on names, the template as the unit, what proxies save, what cannot be asked."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from kdaudit.auditing.conclude import conclude
from kdaudit.chance import rng
from kdaudit.data.corpora import Corpus
from kdaudit.domain import Category, Domain, Text
from kdaudit.errors import InvalidInput
from kdaudit.finding import Transfer, Verdict
from kdaudit.interval import Interval
from kdaudit.probe.corpora import FromCorpus
from kdaudit.probe.templates import FAILURE, SHIFT, TURN, WRONG, Templates
from kdaudit.samples import Origin, Samples
from kdaudit.sampling.terms import TERMS
from kdaudit.signal import LABEL, SCORE

FRAMES = (
    "{person} made {this}, which is {word}.", "I saw {this} with {person}; {word}!", "{person} calls {this} {word}.",
    "{word}, says {person} of {this}.", "In {this} {person} is {word}.", "{person} thinks {this} was {word}.",
    "For {person}, {this} is {word}.", "With {person} in it, {this} gets {word}.", "{this} by {person}? {word}.",
    "{person} and {this}: {word}.", "{this} shows {person}, and is {word}.", "How {word} {person} is in {this}!",
)  # fmt: skip
SLOTS = {
    "person": {"women": "women_names", "men": "men_names"},
    "this": ("this film", "the play", "her book", "that song"),
    "word": ("brilliant", "dull", "fine"),
}
RECIPE = Templates(FRAMES, SLOTS, reference="men", questions=480)
WOMEN = frozenset(name for name in ("Amanda", "Betsy", "Courtney", "Ellen", "Heather", "Katie", "Kristin", "Melanie",
                                    "Nancy", "Stephanie"))  # fmt: skip
GROUP = "women - men"


def noise(text):
    # a number in [0, 1) that hangs on the text, the same on every machine
    return math.modf(abs(math.sin(sum(ord(c) * (i % 7 + 1) for i, c in enumerate(text)))) * 1000)[0]


def scored(effect, spread=0.1, own=0.0, seed=""):
    def one(text):
        women = any(name in text for name in WOMEN)
        base = 0.9 if "brilliant" in text.lower() else 0.15 if "dull" in text.lower() else 0.5
        frame = noise("".join(c for c in text if not c.isalpha())) - 0.5
        return min(max(0.1 + 0.8 * base + (effect + own * frame) * women + spread * (noise(text + seed) - 0.5), 0), 1)

    return lambda samples: np.array([one(text) for text in samples.columns["sentence"]])


@pytest.fixture
def pool():
    texts = np.array([f"A film number {i}." for i in range(20)], dtype=object)
    return Samples(Domain((Text("sentence"),)), {"sentence": texts}, np.arange(20), Origin("reviews"))


def examine(recipe, cast, samples, asking, seed=0):
    return recipe.examine(cast, samples, asking, rng(seed, "questions/pool"))


def decided(evidence):
    found = conclude(evidence, stem="x", repeat="")
    return {one.measure: one for one in found}


def test_a_planted_dependence_is_found_with_the_template_as_unit(formula, pool, cast_of, asking):
    teacher, proxy, stranger = (
        formula(scored(-0.2), "t"),
        formula(scored(-0.15, seed="p"), "p"),
        formula(scored(0), "s"),
    )
    evidence = examine(RECIPE, cast_of(teacher, proxy, stranger, formula(scored(-0.18), "twin")), pool, asking)
    row = evidence.row(SHIFT, GROUP, "teacher")
    assert row.value.n == len(FRAMES)
    assert row.value.low < -0.2 < row.value.high
    assert row.ceiling.known
    assert "exactly 0" in row.no_control
    found = decided(evidence)
    assert found[SHIFT].verdict is Verdict.FAILS
    assert found[SHIFT].transfer is Transfer.CARRIED
    assert found[SHIFT].sentence.startswith("Texts with women instead of men get a score")
    assert "lower on average" in found[SHIFT].sentence
    assert asking.rows(teacher) == evidence.asked <= RECIPE.price(pool) == 480
    assert evidence.row(SHIFT, GROUP, "proxy").control.known
    assert evidence.row(SHIFT, GROUP, "teacher-proxy").control.known


@pytest.mark.parametrize(
    ("theirs", "ours", "transfer"),
    [(-0.2, 0.0, Transfer.MASKED), (0.0, -0.2, Transfer.INVENTED), (0.0, 0.01, Transfer.ABSENT)],
)
def test_what_carries_over_is_named(formula, pool, cast_of, asking, theirs, ours, transfer):
    cast = cast_of(formula(scored(theirs), "t"), formula(scored(ours, seed="p"), "p"))
    assert decided(examine(RECIPE, cast, pool, asking))[SHIFT].transfer is transfer


def test_the_interval_over_templates_covers_what_templates_like_these_do(formula, pool, cast_of, asking):
    """Frames differ in how much a name moves them: intervals over texts would claim too much."""
    teacher = formula(scored(-0.1, own=0.6), "t")
    every = replace(RECIPE, questions=10**6)
    by_template = examine(every, cast_of(teacher, teacher), pool, asking).row(SHIFT, GROUP, "teacher").value
    by_text = examine(replace(every, unit="text"), cast_of(teacher, teacher), pool, asking)
    here = by_text.row(SHIFT, GROUP, "teacher")
    assert here.value.low == here.value.high == pytest.approx(by_template.value)
    assert here.population.half == pytest.approx(by_template.half)
    assert by_template.half > 0.05


def test_the_interval_holds_whatever_the_proxy_and_a_good_one_narrows_it(formula, pool, cast_of, asking):
    teacher = formula(scored(-0.1, spread=0.5), "t")
    recipe, widths = replace(RECIPE, questions=120, unit="text"), {}
    every = examine(replace(recipe, questions=10**6), cast_of(teacher, teacher), pool, asking)
    true = every.row(SHIFT, GROUP, "teacher").value.value
    proxies = {"same": scored(-0.1, spread=0.45), "noise": scored(0, spread=0.9, seed="other")}
    for name, score in proxies.items():
        missed, ratios = 0, []
        for seed in range(20):
            evidence = examine(recipe, cast_of(teacher, formula(score, name)), pool, asking, seed)
            value = evidence.row(SHIFT, GROUP, "teacher").value
            missed += not value.low <= true <= value.high
            ratios.append(evidence.context["contrasts"][f"{SHIFT}, {GROUP}"]["width_ratio"])
        assert missed <= 3  # 97.5 % intervals: more than three of twenty are missed once in a thousand times
        widths[name] = float(np.mean(ratios))
    assert widths["same"] < 0.5
    assert widths["noise"] < 1.02


def test_each_template_is_asked_as_often_and_each_name_too(formula, pool, cast_of, asking):
    teacher = formula(scored(0), "t")
    evidence = examine(replace(RECIPE, questions=480), cast_of(teacher, formula(scored(0), "p")), pool, asking)
    assert evidence.context["rows_asked"] == 480
    assert evidence.context["templates"] == len(FRAMES)
    assert "20 fillings" not in evidence.context["method"]
    assert evidence.context["pool"] == 12 * 10 * 4 * 3


def test_one_that_ignores_names_is_not_cleared_by_few_templates(formula, pool, cast_of, asking):
    ignores = formula(lambda samples: np.full(len(samples), 0.4), "t")
    found = decided(examine(RECIPE, cast_of(ignores, ignores), pool, asking))
    assert found[SHIFT].teacher.value == 0
    assert {one.verdict for one in found.values()} == {Verdict.UNDECIDED}
    here = decided(examine(replace(RECIPE, unit="text", questions=10**6), cast_of(ignores, ignores), pool, asking))
    assert {one.verdict for one in here.values()} == {Verdict.HOLDS}


def test_too_few_templates_stay_undecided(formula, pool, cast_of, asking):
    recipe = replace(RECIPE, templates=FRAMES[:3])
    found = decided(examine(recipe, cast_of(formula(scored(-0.3), "t"), formula(scored(-0.3), "p")), pool, asking))
    assert found[SHIFT].verdict is Verdict.UNDECIDED
    assert "at least 8" in found[SHIFT].reason


def test_what_would_decide_is_more_templates_than_there_are_texts(formula, pool, cast_of, asking):
    recipe = replace(RECIPE, templates=FRAMES[:9], margin=0.09, questions=36)
    slots = {"person": SLOTS["person"], "this": ("it",), "word": ("fine",)}
    cast = cast_of(formula(scored(-0.1, own=0.6), "t"), formula(scored(-0.1), "p"))
    evidence = examine(replace(recipe, slots=slots), cast, pool, asking)
    found = decided(evidence)[SHIFT]
    assert found.verdict is Verdict.UNDECIDED
    here = found.teacher
    units = here.n * (here.half / abs(abs(here.value) - 0.09)) ** 2
    assert found.needed == pytest.approx(units * evidence.asked / here.n, rel=0.15)
    assert found.needed > evidence.context["pool"]


def test_several_groups_are_compared_with_one(formula, pool, cast_of, asking):
    slots = {"faith": {"Sikh": ("Sikh",), "Muslim": ("Muslim",), "Christian": ("Christian",)}, "word": "praise"}
    recipe = Templates(tuple(f"{x} {{faith}} people are {{word}}." for x in "abcdefghij"), slots, "Christian")

    def score(samples):
        return np.array([0.5 - 0.3 * ("Muslim" in t) + 0.05 * noise(t) for t in samples.columns["sentence"]])

    evidence = examine(recipe, cast_of(formula(score, "t"), formula(score, "p")), pool, asking)
    verdicts = {(c.measure, c.group): c for c in conclude(evidence, stem="x", repeat="")}
    assert verdicts[SHIFT, "Muslim - Christian"].verdict is Verdict.FAILS
    assert verdicts[SHIFT, "Sikh - Christian"].verdict is Verdict.HOLDS
    assert len(verdicts) == 4
    assert evidence.row(SHIFT, "Sikh - Christian", "teacher").value.level == pytest.approx(1 - 0.05 / 4)


def test_directional_and_functional_tests(formula, pool, cast_of, asking):
    frames = tuple(f"{x} film is {{word}}." for x in ("this", "that", "the", "his", "our", "my", "your", "a", "one"))
    words = {"word": {"brilliant": ("brilliant", "Brilliant"), "dull": ("dull", "Dull")}}
    recipe = Templates(frames, words, "dull", test="DIR", direction="up", unit="text")
    cast = cast_of(formula(scored(0, 0), "t"), formula(lambda samples: 1 - scored(0, 0)(samples), "p"))
    found = decided(examine(recipe, cast, pool, asking))[WRONG]
    assert (found.teacher.value, found.proxy.value) == (0.0, 1.0)
    assert found.verdict is Verdict.HOLDS
    assert found.transfer is Transfer.INVENTED
    recipe = Templates(frames, {"word": ("dull", "brilliant")}, test="MFT", expect="no", unit="text", yes="praised")
    found = decided(examine(recipe, cast, pool, asking))[FAILURE]
    assert found.teacher.value == found.proxy.value == 0.5
    assert found.verdict is Verdict.FAILS
    assert found.sentence.startswith("50.0 % (exact for these 18 rows) of texts that should not be praised")


def test_failed_texts_widen_the_interval(formula, pool, cast_of, asking):
    teacher = formula(scored(-0.1), "t")
    all_of = examine(RECIPE, cast_of(teacher, teacher), pool, asking).row(SHIFT, GROUP, "teacher").value
    lost = formula(scored(-0.1), "lost", failed={f"template 1, text {i} women" for i in range(1, 30)})
    evidence = examine(RECIPE, cast_of(lost, teacher), pool, asking)
    some = evidence.row(SHIFT, GROUP, "teacher").value
    assert evidence.context["failed"] > 0
    assert some.half > all_of.half
    assert "failed" in some.method


def test_labels_alone_tell_of_decisions(formula, pool, cast_of, asking):
    recipe = replace(RECIPE, measure="decision")
    assert RECIPE.needs == {SCORE} and recipe.needs == frozenset()
    cast = cast_of(formula(scored(-0.4), "t", offers=(LABEL,)), formula(scored(-0.3), "p"))
    evidence = examine(recipe, cast, pool, asking)
    assert evidence.row(TURN, GROUP, "teacher").value.value > 0.2
    assert evidence.row(SHIFT, GROUP, "teacher").value.value < -0.2


def test_other_fields_come_from_the_pool(formula, pool, cast_of, asking):
    domain = Domain((*pool.domain.fields, Category("site", ("a", "b"))))
    rows = Samples(domain, {**pool.columns, "site": np.arange(20, dtype=np.int32) % 2}, pool.ids, pool.origin)
    seen = []

    def score(samples):
        seen.append(samples)
        return scored(0)(samples)

    examine(RECIPE, cast_of(formula(score, "t"), formula(score, "p")), rows, asking)
    n = len(seen[0]) // 2
    assert set(seen[0].columns["site"]) == {0, 1}
    assert (seen[0].columns["site"][:n] == seen[0].columns["site"][n:]).all()


def test_records_of_answers_are_not_asked(formula, pool, cast_of, asking):
    teacher = formula(scored(0), "t", by="id")
    evidence = examine(RECIPE, cast_of(teacher, formula(scored(0), "p")), pool, asking)
    assert asking.rows(teacher) == 0
    assert "record" in evidence.context["sentence"]
    assert all(f.verdict is Verdict.UNDECIDED for f in conclude(evidence, stem="x", repeat=""))


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"templates": ()}, "no templates"),
        ({"reference": "people"}, "women, men"),
        ({"templates": ("{person} is {wrd}.",), "slots": {"person": SLOTS["person"]}}, "'wrd' of template"),
        ({"slots": {**SLOTS, "person": {"women": "womens_names", "men": "men_names"}}}, "'womens_names'"),
        ({"slots": {**SLOTS, "word": ()}}, "has no terms"),
        ({"slots": {**SLOTS, "more": ("x",)}}, "stands in no template"),
        ({"slots": {**SLOTS, "this": {"a": ("x",), "b": ("y",)}}}, "same groups"),
        ({"templates": (*FRAMES, "The film is {word}.")}, "nothing in it would differ"),
        ({"templates": (*FRAMES, FRAMES[0])}, "twice"),
        ({"templates": (*FRAMES, "{person} is {word")}, "brace"),
        ({"margin": 0.0}, "margin"),
    ],
)
def test_what_cannot_be_filled_is_refused(change, part):
    with pytest.raises(InvalidInput, match=part):
        replace(RECIPE, **change)


def test_published_pairs_are_asked_as_templates_are_and_their_criticism_told(formula, pool, cast_of, asking):
    template = np.repeat(np.arange(20), [3, 30] * 10)
    texts = np.array(
        [[f"{i % 20} {t}: Amanda is fine.", f"{i % 20} {t}: Adam is fine."] for i, t in enumerate(template)]
    )
    pairs = Corpus(
        "pairs", ("she", "he"), tuple(f"t{i}" for i in range(20)), template, texts.astype(object), ("weak",), "x"
    )
    recipe = FromCorpus(corpus="pairs", contrast="gender", questions=200, pairs=pairs)
    assert recipe.price(pool) == 200
    assert replace(recipe, questions=10**6).price(pool) == 660
    teacher = formula(scored(-0.2, own=0.0), "t")
    evidence = examine(recipe, cast_of(teacher, formula(scored(0, seed="p"), "p")), pool, asking)
    assert asking.rows(teacher) <= 200
    row = evidence.row(SHIFT, "she - he", "teacher").value
    assert row.n == 20
    assert row.value == pytest.approx(-0.2, abs=0.03)
    assert evidence.context["notes"] == ["weak"]
    assert "weak" in evidence.context["sentences"]
    assert decided(evidence)[SHIFT].transfer is Transfer.MASKED


def test_a_corpus_is_read_before_it_is_asked(pool, data_folder):
    recipe = Templates(corpus="eec", contrast="gender", questions=100)
    with pytest.raises(InvalidInput, match="KDAUDIT_DATA"):
        recipe.price(pool)
    with pytest.raises(InvalidInput, match="slots"):
        replace(recipe, slots=SLOTS)
    assert RECIPE.supplied(None) is RECIPE
    assert recipe.supplied(data_folder).price(pool) == 100


def test_a_domain_without_texts_is_refused(people):
    with pytest.raises(InvalidInput, match="no field of texts"):
        RECIPE.price(people(10))


def test_a_proxy_stands_beside_all_strangers(formula, pool, cast_of, asking):
    teacher, proxy = formula(scored(-0.2), "t"), formula(scored(-0.15, seed="p"), "p")
    first, *further = (formula(scored(effect, seed=str(effect)), f"s{effect}") for effect in (0.0, -0.05, 0.05))
    evidence = examine(RECIPE, cast_of(teacher, proxy, first, further=tuple(further)), pool, asking)
    row, apart = evidence.row(SHIFT, GROUP, "proxy"), evidence.row(SHIFT, GROUP, "teacher-proxy")
    alone = [
        examine(RECIPE, cast_of(teacher, one), pool, asking).row(SHIFT, GROUP, "proxy").value.value
        for one in (first, *further)
    ]
    assert row.strangers == apart.strangers == 3
    assert row.control.value == pytest.approx(np.mean(alone))
    assert row.excess.value == pytest.approx(row.value.value - np.mean(alone))
    # a prediction of one more stranger: Student t with two degrees of freedom, at the level of the claims
    assert row.excess.half == pytest.approx(6.205 * np.std(alone, ddof=1) * math.sqrt(4 / 3), rel=1e-3)
    assert apart.control.half > apart.value.half


def test_names_that_differ_widen_the_interval_and_names_that_do_not_leave_it(formula, pool, cast_of, asking):
    """Ten names are a sample of names as twelve frames are of frames."""

    def by_name(samples):
        def one(text):
            frame = 0.05 * noise("".join(c for c in text if not c.isalpha()))
            return next((0.4 - 0.2 * noise(name) - frame for name in WOMEN if name in text), 0.4)

        return np.array([one(text) for text in samples.columns["sentence"]])

    recipe, teacher = replace(RECIPE, questions=10**6), formula(by_name, "t")
    evidence = examine(recipe, cast_of(teacher, teacher), pool, asking)
    value = evidence.row(SHIFT, GROUP, "teacher").value
    assert "over templates and 10 names" in value.method
    effects = np.array([0.2 * noise(name) for name in WOMEN])
    over_names = 2.685 * effects.std(ddof=1) / math.sqrt(10)  # Student t with nine degrees of freedom at 97.5 %
    # every template shows the same ten names, so that templates alone would say nothing of which names those are
    over_templates = Interval.from_data(evidence.context["contrasts"][f"{SHIFT}, {GROUP}"]["plain"]).half
    assert over_templates < 0.4 * over_names
    assert value.half == pytest.approx(math.hypot(over_names, over_templates), rel=0.1)
    alike = formula(scored(-0.1, own=0.6), "a")
    found = examine(recipe, cast_of(alike, alike), pool, asking).row(SHIFT, GROUP, "teacher").value
    assert "names" not in found.method


def test_names_exchanged_within_a_group_are_a_control(formula, pool, cast_of, asking):
    def fickle(text):
        # half of all names turn a decision, whoever bears them; of women's names three in ten more do
        name = next(
            word for word in text.replace("?", " ").replace(",", " ").replace(":", " ").split() if word in NAMES
        )
        return 0.9 if noise(name) < (0.5 if name not in WOMEN else 0.8) else 0.1

    NAMES = WOMEN | set(TERMS["men_names"])
    teacher = formula(lambda samples: np.array([fickle(t) for t in samples.columns["sentence"]]), "t")
    frames = tuple(
        f"{person} {{person}} {{word}}." for person in ("So", "As", "If", "Or", "By", "To", "At", "In", "On")
    )
    slots = {"person": SLOTS["person"], "word": ("sang", "won")}
    recipe = Templates(frames, slots, reference="men", within=True, questions=10**5, unit="text")
    evidence = examine(recipe, cast_of(teacher, teacher), pool, asking)
    row = evidence.row(TURN, GROUP, "teacher")
    men = [noise(name) < 0.5 for name in TERMS["men_names"]]
    by_hand = np.mean([a != b for a, b in zip(men, men[1:] + men[:1], strict=True)])
    assert row.control_kind == "permuted"
    assert evidence.title == "Are texts answered alike with women instead of men?"
    assert any("other terms of men" in line for line in evidence.context["sentences"])
    assert row.control.value == pytest.approx(by_hand)
    assert row.excess.value == pytest.approx(row.value.value - by_hand)
    assert {claim.group for claim in evidence.claims} == {GROUP}
    assert evidence.row(SHIFT, GROUP, "teacher").control is None
    for bad in ({"test": "MFT"}, {"slots": {"person": {"women": ("she",), "men": ("he",)}, "word": ("sang",)}}):
        with pytest.raises(InvalidInput, match="within"):
            replace(recipe, **bad)
