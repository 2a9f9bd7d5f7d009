"""Fields read off texts and pictures: by hand, by loops, and with a teacher of real pictures and sentences."""

import json
import re
from functools import partial

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsClassifier

from kdaudit.behaviour import Behaviour
from kdaudit.data.parts import split
from kdaudit.data.sets import load_set
from kdaudit.domain import Category, Domain, Image, Real, Text
from kdaudit.errors import InvalidInput
from kdaudit.samples import Origin, Samples
from kdaudit.signal import LABEL, SCORE
from kdaudit.subject import Answers
from kdaudit.surrogates.concepts import concept
from kdaudit.surrogates.lists import rule_list
from kdaudit.surrogates.readings import Reading, Wanted, reading
from kdaudit.surrogates.scenes import patches, segments
from kdaudit.surrogates.surrogate import load, save
from kdaudit.surrogates.texts import COUNTS, Counts, Terms, chosen_terms, words_of
from kdaudit.surrogates.trees import tree

FILMS = Domain((Text("review", missing=True), Category("kind", ("short", "long")), Real("year")))


def films(texts):
    n = len(texts)
    columns = {"review": np.array(texts, dtype=object), "kind": np.arange(n) % 2, "year": np.arange(n) + 1990.0}
    return Samples(FILMS, columns, np.arange(n), Origin("films"))


def test_words_and_counts_by_hand():
    rows = films(["It isn't bad. Not bad at ALL!", "Bad?", None])
    assert words_of(rows.columns["review"][0]) == ["it", "isnt", "bad", "not", "bad", "at", "all"]
    said = np.stack(Terms("review", ("bad", "not_bad", "good")).columns(rows), axis=1)
    assert said.tolist() == [[2, 1, 0], [1, 0, 0], [0, 0, 0]]
    counts = dict(zip(COUNTS, np.stack(Counts("review").columns(rows)), strict=True))
    assert counts["words"].tolist() == [7, 1, 0]
    assert counts["exclamation_marks"].tolist() == [1, 0, 0]
    assert counts["question_marks"].tolist() == [0, 1, 0]
    assert counts["sentences"].tolist() == [2, 1, 0]
    assert counts["capitals"].tolist() == [5, 1, 0]


def test_the_most_telling_terms_are_found_by_a_loop():
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(["good", "bad", "film", "plot", "slow"], 4)) for _ in range(200)]
    score = np.array([0.2 + 0.6 * ("good" in t.split()) - 0.1 * ("slow" in t.split()) for t in texts])[:, None]

    def told(term):
        inside = np.array([term.replace("_", " ") in re.sub(r"\s+", " ", t) for t in texts])
        parts = [score[inside], score[~inside]]
        return ((score - score.mean()) ** 2).sum() - sum(((p - p.mean()) ** 2).sum() for p in parts)

    found = chosen_terms(texts, score, 6, 2)
    assert found[0] == "good"
    assert [told(term) for term in found] == sorted((told(term) for term in found), reverse=True)


def test_patches_are_means_by_a_loop():
    item = Image("scene", (3, 5, 7))
    pictures = np.random.default_rng(0).random((4, 3, 5, 7)).astype(np.float32)
    rows = Samples(Domain((item,)), {"scene": pictures}, np.arange(4), Origin("drawn"))
    found = patches(item, 2)
    columns = dict(zip((f.name for f in found.fields), found.columns(rows), strict=True))
    assert len(columns) == 12
    # three rows of pixels lie nearer to the upper patch, four columns nearer to the left one
    expected = [np.mean([pictures[n, 1, r, c] for r in range(3) for c in range(4, 7)]) for n in range(4)]
    np.testing.assert_allclose(columns["green_of_row_1_column_2"], expected, rtol=1e-6)


def test_segments_are_connected_and_whole():
    samples = load_set("digits")
    item = samples.domain.fields[0]
    found = segments(item, samples.columns[item.name][:300], 9)
    places = np.array(found.places)
    assert sorted(set(places.ravel().tolist())) == list(range(9))
    for at in range(9):
        left = {tuple(x) for x in np.argwhere(places == at).tolist()}
        reached, edge = set(), [min(left)]
        while edge:
            r, c = edge.pop()
            if (r, c) in left - reached:
                reached.add((r, c))
                edge += [(r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)]
        assert reached == left


def test_a_concept_is_ridge_regression_on_its_examples_each_left_out():
    rng = np.random.default_rng(0)
    pictures = rng.random((40, 1, 4, 4)).astype(np.float32)
    pictures[:20, 0, :2] *= 0.3
    rows = Samples(Domain((Image("p", (1, 4, 4)),)), {"p": pictures}, np.arange(40), Origin("drawn"))
    found = concept("dark_top", rows, {"yes": list(range(20)), "no": list(range(20, 40))})
    points, label = pictures.reshape(40, -1).astype(float), np.repeat([1.0, 0.0], 20)
    slow = Ridge(alpha=1.0).fit(points, label)
    np.testing.assert_allclose(found.columns(rows)[0], np.clip(slow.predict(points), 0, 1), atol=1e-4)
    left_out = []
    for at in range(40):
        rest = np.arange(40) != at
        told = Ridge(alpha=1.0).fit(points[rest], label[rest]).predict(points[at : at + 1])[0]
        left_out.append((told > 0.5) == (label[at] > 0.5))
    assert found.right == pytest.approx(np.mean(left_out), abs=0.026)


def test_a_reading_comes_back_from_plain_data_and_keeps_what_rules_can_test():
    texts = ["a good film", "a bad film", "good plot", "bad slow plot"] * 10
    rows = films(texts)
    score = np.array([[0.9 if "good" in t else 0.1] for t in texts])
    examples = {"praise": {"yes": [0, 2, 4, 6, 8], "no": [1, 3, 5, 7, 9]}}
    how = reading(Wanted(terms=5, phrases=2, counts=True, concepts=examples), rows, score)
    back = Reading.from_data(json.loads(json.dumps(how.to_data())))
    assert back == how
    seen = how.of(rows)
    assert {"kind", "year", "says_good", "number_of_words", "concept_praise"} <= set(seen.domain.names)
    assert "review" not in seen.domain.names
    for a, b in zip(back.of(rows).columns.values(), seen.columns.values(), strict=True):
        assert (a == b).all()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"term": 3}, "did you mean 'terms'"),
        ({"terms": -1}, "whole numbers"),
        ({"phrases": 9}, "1 to 4 words"),
        ({"counts": 1}, "true or false"),
        ({"missing": "yes"}, "true or false"),
        ({"concepts": {"x": [1]}}, "lists of ids"),
    ],
)
def test_what_cannot_be_read_is_refused(data, says):
    with pytest.raises(InvalidInput, match=says):
        Wanted.parse(data)


def test_nothing_to_read_is_refused():
    rows = films(["a good film"] * 20)
    with pytest.raises(InvalidInput, match="nothing is read of review"):
        reading(Wanted(patches=3), rows, np.zeros((20, 1)))
    with pytest.raises(InvalidInput, match="0 examples under 'no'"):
        reading(Wanted(concepts={"x": {"yes": list(range(9)), "no": ["nowhere"]}}), rows, np.zeros((20, 1)))
    behaviour = Behaviour("good", ("good",), FILMS)
    with pytest.raises(InvalidInput, match="say in the proxy's `read`"):
        tree(behaviour, rows, lambda s, _: Answers({SCORE: np.zeros((len(s), 1))}), rng=np.random.default_rng(0))


@pytest.fixture(scope="module")
def digits():
    rows = load_set("digits")
    parts = split(rows, {"past": 700, "fit": 500, "select": 250, "judge": 300}, seed=0)
    name = rows.domain.names[0]
    model = KNeighborsClassifier(5).fit(parts["past"].columns[name].reshape(700, -1), parts["past"].labels)

    def ask(samples, signals):
        return Answers({SCORE: model.predict_proba(samples.columns[name].reshape(len(samples), -1))})

    return Behaviour("digit", tuple(f"digit {k}" for k in range(10)), rows.domain), parts, ask


@pytest.mark.parametrize("read", [{"patches": 4}, {"segments": 14}])
def test_a_tree_of_parts_of_real_pictures(digits, read, tmp_path):
    behaviour, parts, ask = digits
    found = tree(
        behaviour, parts["fit"], ask, leaves=16, read=read, select=parts["select"], rng=np.random.default_rng(0)
    )
    judge = parts["judge"]
    said, truth = found.answer(judge, (LABEL,)).label, ask(judge, ()).score.argmax(axis=1)
    # ten classes: by chance one in ten
    assert (said == truth).mean() > 0.55
    assert found.notes["read"][0].startswith("mean brightness")
    save(found, tmp_path)
    back = load(tmp_path)
    assert back.identity == found.identity
    assert (back.answer(judge, (LABEL,)).label == said).all()


def test_lists_read_pictures_too(digits):
    behaviour, parts, ask = digits
    few = parts["fit"].take(np.arange(120))
    found = rule_list(behaviour, few, ask, rules=3, read={"patches": 2}, rng=np.random.default_rng(0))
    assert all("brightness" in test.field for rule in found.rules.rules for test in rule.tests)


@pytest.mark.data
def test_a_tree_of_terms_of_real_sentences(data_folder):
    rows = load_set("sst", data_folder)
    parts = split(rows, {"fit": 2000, "select": 600, "judge": 800}, seed=0)
    praise = re.compile(r"\b(good|best|funny|love|moving|great)\b")
    behaviour = Behaviour("praised", ("praised",), rows.domain)

    def ask(samples, signals):
        said = [0.1 + 0.8 * bool(praise.search(text.lower())) for text in samples.columns["sentence"]]
        return Answers({SCORE: np.array(said)[:, None]})

    made = partial(tree, behaviour, parts["fit"], ask, leaves=8, select=parts["select"], rng=np.random.default_rng(0))
    found = made(read={"terms": 60, "phrases": 2, "counts": True})
    judge = parts["judge"]
    agreement = (found.answer(judge, (LABEL,)).label == (ask(judge, ()).score[:, 0] > 0.5)).mean()
    assert agreement > 0.97
    assert {name for name in found.rules.fields if name.startswith("says_")} <= {
        f"says_{word}" for word in ("good", "best", "funny", "love", "moving", "great")
    }


def test_new_pictures_are_asked_and_read(digits):
    behaviour, parts, ask = digits
    asked = []

    def counting(samples, signals):
        asked.append(len(samples))
        return ask(samples, signals)

    found = tree(
        behaviour,
        parts["fit"].take(np.arange(200)),
        counting,
        leaves=8,
        queries=2,
        read={"patches": 4},
        select=parts["select"],
        rng=np.random.default_rng(0),
    )
    assert 0 < found.making.beyond <= 2 * (200 + len(parts["select"]))
    assert found.making.beyond <= sum(asked) - 200 - len(parts["select"])
    judge = parts["judge"]
    assert (found.answer(judge, (LABEL,)).label == ask(judge, ()).score.argmax(axis=1)).mean() > 0.4


def test_missing_values_may_have_a_branch_of_their_own(behaviour, draw_rows, answer_with):
    ask = answer_with(
        lambda s: np.where(np.isnan(s.columns["debt"]), 0.9, 0.1 + 0.2 * (s.columns["hours"] > 50))[:, None]
    )
    found = tree(
        behaviour, draw_rows(400), ask, leaves=4, read={"missing": True}, slack=0.0, rng=np.random.default_rng(0)
    )
    fresh = draw_rows(200, 5)
    told = [rule.text(found.seen(fresh).domain) for rule in found.rules.rules]
    assert "debt value is missing" in told
    said = found.answer(fresh, (SCORE,)).score[:, 0]
    np.testing.assert_allclose(said[np.isnan(fresh.columns["debt"])], 0.9)
    assert Reading.from_data(found.reading.to_data()) == found.reading
