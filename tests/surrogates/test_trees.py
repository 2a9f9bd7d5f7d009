from functools import partial

import numpy as np
import pytest

from kdaudit.behaviour import Behaviour, Contrast
from kdaudit.digest import canonical
from kdaudit.domain import Category, Domain, Real
from kdaudit.errors import InvalidAnswers, InvalidInput, OverBudget
from kdaudit.samples import Origin, Samples, concat
from kdaudit.signal import LABEL, SCORE
from kdaudit.subject import Answers, check_answers
from kdaudit.surrogates.lists import RuleList, rule_list
from kdaudit.surrogates.trees import Tree, tree

MAKERS = [tree, rule_list]


def rng():
    return np.random.default_rng(0)


def agreement(surrogate, behaviour, rows, ask):
    through = behaviour.through(lambda subject, samples, signals: subject.answer(samples, signals))
    return (through(surrogate, rows, (SCORE,)).label == ask(rows, (LABEL,)).label).mean()


@pytest.mark.parametrize("make", MAKERS)
def test_a_planted_tree_is_found_with_missing_values_and_level_sets(make, behaviour, draw_rows, planted_ask):
    made = make(behaviour, draw_rows(3000, 1), planted_ask, select=draw_rows(1000, 2), rng=rng())
    assert agreement(made, behaviour, draw_rows(2000, 3), planted_ask) >= 0.99
    assert len(made.rules.rules) <= 16


def test_its_leaves_give_the_mean_score(behaviour, draw_rows, planted_ask, planted_score):
    fit, select = draw_rows(3000, 1), draw_rows(1000, 2)
    made = tree(behaviour, fit, planted_ask, select=select, rng=rng())
    # chosen on the select rows, then made again from these as well
    rows = concat([fit, select])
    which = made.rules.which(rows)
    for position, rule in enumerate(made.rules.rules):
        assert rule.score[0] == pytest.approx(planted_score(rows)[which == position].mean())
        assert rule.n == (which == position).sum()


@pytest.mark.parametrize("make", MAKERS)
def test_the_same_seed_gives_the_same_bytes(make, behaviour, draw_rows, planted_ask):
    made = [make(behaviour, draw_rows(400), planted_ask, rng=rng()) for _ in range(2)]
    assert canonical(made[0].to_data()) == canonical(made[1].to_data())
    assert made[0].identity == made[1].identity


@pytest.mark.parametrize("make", MAKERS)
def test_the_curve_holds_every_size_that_was_tried_and_one_choice(make, behaviour, draw_rows, planted_ask):
    made = make(behaviour, draw_rows(1000), planted_ask, select=draw_rows(300, 5), rng=rng())
    curve = made.notes["curve"]
    (chosen,) = [row for row in curve if row["chosen"]]
    assert chosen["size"] == len(made.rules.rules)
    assert chosen["n"] == 300
    assert min(row["size"] for row in curve) == 1
    assert canonical(made.notes)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("level", [0.2, 0.9])
def test_a_teacher_that_says_one_thing_gives_one_rule_and_the_reason(make, level, behaviour, draw_rows, answer_with):
    ask = answer_with(lambda samples: np.full((len(samples), 1), level))
    made = make(behaviour, draw_rows(300), ask, rng=rng())
    assert len(made.rules.rules) == 1
    assert made.rules.rules[0].score == pytest.approx((level,))
    assert "100.0%" in made.making.why


@pytest.mark.parametrize("make", MAKERS)
def test_decisions_alone_suffice(make, behaviour, draw_rows, planted_score, label_only, planted_ask):
    ask = label_only(lambda samples: (planted_score(samples)[:, 0] > 0.5).astype(int))
    made = make(behaviour, draw_rows(2000), ask, rng=rng())
    assert agreement(made, behaviour, draw_rows(1000, 9), planted_ask) >= 0.98


@pytest.mark.parametrize("make", MAKERS)
def test_more_classes_than_promised_are_refused(make, behaviour, draw_rows, label_only, answer_with):
    with pytest.raises(InvalidAnswers, match="0 to 1 were expected"):
        make(behaviour, draw_rows(50), label_only(lambda s: np.arange(len(s)) % 3), rng=rng())
    with pytest.raises(InvalidAnswers, match="one column for each of yes"):
        make(behaviour, draw_rows(50), answer_with(lambda s: np.full((len(s), 3), 1 / 3)), rng=rng())


@pytest.mark.parametrize("make", MAKERS)
def test_failed_rows_are_left_out_and_counted(make, behaviour, draw_rows, planted_score):
    def ask(samples, signals):
        score = planted_score(samples)
        failed = dict.fromkeys(range(0, len(samples), 10), "no answer")
        score[list(failed)] = np.nan
        return Answers({SCORE: score, LABEL: np.where(np.isnan(score[:, 0]), -1, score[:, 0] > 0.5)}, failed)

    made = make(behaviour, draw_rows(500, 1), ask, select=draw_rows(200, 2), rng=rng())
    assert made.making.failed == 70
    assert made.making.fitted == 450
    assert made.making.chosen_on == 180
    assert make(behaviour, draw_rows(500, 1), ask, rng=rng()).making.failed == 50
    none = partial(
        lambda samples, signals: Answers(
            {SCORE: np.full((len(samples), 1), np.nan)}, dict.fromkeys(range(len(samples)), "no")
        )
    )
    with pytest.raises(InvalidInput, match="none of 50 rows"):
        make(behaviour, draw_rows(50), none, rng=rng())


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("n", [1, 2, 5, 30])
def test_few_rows_give_a_small_body(make, n, behaviour, draw_rows, planted_ask):
    made = make(behaviour, draw_rows(n), planted_ask, rng=rng())
    assert 1 <= len(made.rules.rules) <= n
    assert bool(made.making.note) == (n < 20)


@pytest.mark.parametrize("make", MAKERS)
def test_several_classes(make, domain, draw_rows):
    def ask(samples, signals):
        hours, job = samples.columns["hours"], samples.columns["job"]
        at = np.where(hours > 60, 2, np.where(np.isin(job, (0, 4)), 1, 0))
        return Answers({SCORE: 0.7 * np.eye(3)[at] + 0.1, LABEL: at})

    behaviour = Behaviour("kind", ("x", "y", "z"), domain)
    made = make(behaviour, draw_rows(1500), ask, rng=rng())
    rows = draw_rows(500, 7)
    given = check_answers(made.answer(rows, (SCORE, LABEL)), rows, (SCORE, LABEL), made)
    assert (given.label == ask(rows, ()).label).mean() >= 0.99


@pytest.mark.parametrize("make", MAKERS)
def test_a_number_is_met_by_regression(make, domain, draw_rows, answer_with):
    behaviour = Behaviour("price", ("price",), domain, scale="value")
    ask = answer_with(lambda s: np.where(s.columns["hours"] > 50, 900.0, -40.0)[:, None])
    made = make(behaviour, draw_rows(500), ask, rng=rng())
    assert made.scale == "value"
    assert sorted(rule.score[0] for rule in made.rules.rules) == pytest.approx([-40, 900])


@pytest.mark.parametrize("make", MAKERS)
def test_a_contrast_is_read_off_the_surrogate_as_off_the_teacher(make, domain, draw_rows):
    behaviour = Behaviour("gap", ("yes",), domain, contrast=Contrast("sex", "female", "male"))

    class Teacher:
        def answer(self, samples, signals, draw=0):
            hours, sex = samples.columns["hours"], samples.columns["sex"]
            return Answers({SCORE: (0.55 + np.where(hours > 50, 0.2, -0.3) * (sex == 0))[:, None]})

    def store(subject, samples, signals):
        return subject.answer(samples, signals)

    through = behaviour.through(store)
    made = make(behaviour, draw_rows(800), partial(through, Teacher()), rng=rng())
    rows = draw_rows(300, 4)
    asked, told = through(made, rows, (SCORE,)), through(Teacher(), rows, (SCORE,))
    assert np.allclose(asked.score, told.score)
    assert "sex" not in made.rules.fields
    assert set(made.rules.evaluate(rows).round(6).ravel()) == {0.2, -0.3}
    with pytest.raises(InvalidInput, match="logits"):
        make(Behaviour("gap", ("yes",), domain, contrast=behaviour.contrast, scale="logit"), rows, None, rng=rng())


@pytest.mark.parametrize("make", MAKERS)
def test_another_rule_moves_the_decisions_of_the_leaves(make, domain, draw_rows, planted_ask):
    behaviour = Behaviour("yes", ("yes",), domain, rule=0.75)
    made = make(behaviour, draw_rows(2000, 1), lambda s, w: behaviour.read(planted_ask(s, w)), rng=rng())
    rows = draw_rows(500, 2)
    told = behaviour.read(planted_ask(rows, (SCORE,))).label
    assert (behaviour.read(made.answer(rows, (SCORE,))).label == told).mean() >= 0.99


@pytest.mark.parametrize("make", MAKERS)
def test_the_scope_bounds_the_rows(make, domain, draw_rows, planted_ask):
    made = make(Behaviour("yes", ("yes",), domain, scope="hours <= 40"), draw_rows(1000), planted_ask, rng=rng())
    assert made.making.fitted + made.making.chosen_on == (draw_rows(1000).columns["hours"] <= 40).sum()


@pytest.mark.parametrize("seed", range(5))
def test_every_row_of_the_domain_meets_one_leaf_even_those_never_seen(seed, behaviour, draw_rows, planted_ask):
    made = tree(behaviour, draw_rows(150, seed), planted_ask, rng=rng())
    rows = draw_rows(500, seed + 50)
    job = rows.columns["job"].copy()
    job[::3] = 5
    strange = Samples(rows.domain, {**rows.columns, "job": job}, rows.ids, rows.origin)
    held = [np.all([t.holds(strange) for t in rule.tests] or [np.ones(500, bool)], axis=0) for rule in made.rules.rules]
    assert (np.sum(held, axis=0) == 1).all()


def test_recipes_make_what_they_name(behaviour, draw_rows, planted_ask):
    parts = {"fit": draw_rows(800, 1), "select": draw_rows(300, 2)}
    for recipe, noun in ((Tree(leaves=8), "tree"), (RuleList(rules=8), "rule list")):
        made = recipe.make(
            behaviour, None, parts, lambda subject, samples, signals: planted_ask(samples, signals), rng()
        )
        assert made.identity.name == f"{noun}" and made.rules.rules
        assert recipe.signals == frozenset()
    for wrong in (
        lambda: tree(behaviour, None, None, leaves=0, rng=rng()),
        lambda: rule_list(behaviour, None, None, rules=0, rng=rng()),
    ):
        with pytest.raises(InvalidInput, match="at least"):
            wrong()


def test_public_names_are_functions():
    import kdaudit.surrogates as room

    assert room.tree is tree
    assert room.rule_list is rule_list
    with pytest.raises(AttributeError):
        _ = room.nothing


def test_one_answer_beside_another_is_one_leaf(behaviour, answer_with):
    domain = Domain((Real("x", 0, 9), Category("g", ("p", "q"))))
    from kdaudit.samples import Origin

    rows = Samples(domain, {"x": np.arange(400) % 10.0, "g": np.arange(400) % 2}, np.arange(400), Origin("drawn"))
    made = tree(
        Behaviour("yes", ("yes",), domain),
        rows,
        answer_with(lambda s: np.where(s.columns["x"] > 4, 0.9, 0.1)[:, None]),
        rng=rng(),
    )
    assert len(made.rules.rules) == 2


@pytest.mark.parametrize("fields", [1, 3])
def test_a_tree_may_ask_new_rows_and_says_how_many(behaviour, draw_rows, planted_ask, fields):
    parts = {"fit": draw_rows(300, seed=1), "select": draw_rows(100, seed=2)}
    seen = {key for part in parts.values() for key in part.keys().tolist()}
    asked = set()

    def ask(samples, signals):
        asked.update(samples.keys().tolist())
        return planted_ask(samples, signals)

    def make():
        rng = np.random.default_rng(0)
        return tree(behaviour, parts["fit"], ask, leaves=8, fields=fields, queries=3, select=parts["select"], rng=rng)

    made = make()
    assert len(asked - seen) <= Tree(leaves=8, queries=3).extra(parts)
    assert made.making.beyond == len(asked - seen)
    assert set(made.making.trials) >= {"smear", "jitter", "interpolation", "bisection"}
    assert len(made.rules.rules) <= 8
    assert all(test.size <= fields for rule in made.rules.rules for test in rule.tests)
    fresh = draw_rows(400, seed=9)
    truth = planted_ask(fresh, (LABEL,)).values[LABEL]
    assert ((made.rules.evaluate(fresh)[:, 0] > 0.5) == truth).mean() > 0.93
    assert make().identity == made.identity


def test_a_slanted_border_is_cut_by_one_sum(answer_with):
    domain = Domain((Real("a"), Real("b"), Category("c", ("x", "y")), Real("noise")))
    rng = np.random.default_rng(0)
    n = 900
    columns = {
        "a": rng.normal(size=n),
        "b": rng.normal(size=n),
        "c": rng.integers(0, 2, n),
        "noise": rng.normal(size=n),
    }
    rows = Samples(domain, columns, np.arange(n), Origin("drawn"))

    def slanted(samples):
        total = samples.columns["a"] - 2 * samples.columns["b"] + 1.5 * samples.columns["c"]
        return (1 / (1 + np.exp(-4 * total)))[:, None]

    behaviour = Behaviour("yes", ("yes",), domain)
    found = {}
    for fields in (1, 3):
        made = tree(
            behaviour,
            rows.take(range(600)),
            answer_with(slanted),
            leaves=4,
            fields=fields,
            rng=np.random.default_rng(1),
        )
        test = rows.take(range(600, 900))
        found[fields] = ((made.rules.evaluate(test)[:, 0] > 0.5) == (slanted(test)[:, 0] > 0.5)).mean()
    assert found[3] > 0.95 > found[1]
    assert "noise" not in made.rules.fields


def test_a_budget_that_ends_leaves_the_best_so_far(behaviour, draw_rows, planted_ask):
    left = [500]

    def ask(samples, signals):
        if len(samples) > left[0]:
            raise OverBudget("that is all", needed=len(samples), left=left[0])
        left[0] -= len(samples)
        return planted_ask(samples, signals)

    made = tree(behaviour, draw_rows(300), ask, leaves=8, queries=5, rng=np.random.default_rng(0))
    assert made.making.partial
    assert "budget" in made.making.note
    assert made.making.beyond > 0
    assert left[0] >= 0
