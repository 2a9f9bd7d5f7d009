"""Reasons of texts: among each text's own words, averaged over the words that come back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from kdaudit.cast import Cast, Empty
from kdaudit.compare.attributions import Attribution
from kdaudit.compare.vocabulary import LEAST, by_unit
from kdaudit.domain import Domain, Text
from kdaudit.explain.attributions import Attributions
from kdaudit.measures.ranks import LIKENESS, among, spearman
from kdaudit.measures.reasons import FURTHER
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network
from kdaudit.samples import Origin, Samples
from kdaudit.tokens import Tokens, split

DOMAIN = Domain((Text("sentence"),))
KNOWN = ("good", "bad", "film", "dull", "a", "very", "not")


@pytest.fixture(scope="module")
def texts():
    rng = np.random.default_rng(0)
    made = [" ".join(rng.choice(KNOWN, rng.integers(2, 12))) for _ in range(40)]
    return Samples(DOMAIN, {"sentence": np.array(made, dtype=object)}, np.arange(40), Origin("made"))


def reader(texts, seed):
    encoder = Tokens.fitted(texts, least=1)
    sizes = {"vocabulary": encoder.vocabulary, "length": encoder.length, "outputs": 1, "width": 8, "hidden": [8]}
    return Network(f"reader {seed}", build("transformer", sizes, seed), encoder, ("liked",))


@given(st.lists(st.integers(0, 5), min_size=1, max_size=6), st.integers(0, 99))
def test_a_measure_among_some_units_sees_no_others(counts, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, len(counts), 5))
    found = among(spearman, np.array(counts))(a, b)
    for row, count in enumerate(counts):
        alone = spearman(a[row : row + 1, :count], b[row : row + 1, :count])[0] if count else np.nan
        assert found[row] == alone or (np.isnan(found[row]) and np.isnan(alone))
    assert among(spearman, None)(a, b).tolist() == spearman(a, b).tolist()


def test_words_are_averaged_over_the_texts_that_hold_them():
    words = (("good", "film", "good"), *[("film",)] * LEAST)
    values = np.zeros((1 + LEAST, 3))
    values[0], values[1:, 0] = (1.0, 5.0, 3.0), 2.0
    nothing = np.full(len(values), np.nan)
    plain = Attributions(("word 1", "word 2", "word 3"), values, values, nothing, nothing, "", "", "")
    assert set(by_unit(plain)) == {"word 1", "word 2", "word 3"}
    seat = Attributions(plain.names, values, values, nothing, nothing, "", "", "", words=words)
    # "good" stands in one text only
    assert {word: one.tolist() for word, one in by_unit(seat).items()} == {"film": [5.0, *[2.0] * LEAST]}
    assert seat.counts.tolist() == [3, *[1] * LEAST]


@pytest.mark.parametrize("method", ["integrated_gradients", "ablation"])
def test_words_that_a_text_lacks_make_no_reasons_alike(texts, method):
    teacher, proxy, stranger = (reader(texts, seed) for seed in range(3))
    cast = Cast(teacher, proxy, stranger, Empty("none"), proxy_name="small")
    question = Attribution(method=method, rows=20, nodes=4)
    evidence = question.examine(
        cast, texts, lambda who, rows, signals: who.answer(rows, signals), np.random.default_rng(0)
    )
    arrays = evidence.arrays
    assert arrays["teacher"].shape == arrays["proxy"].shape
    counts = (arrays["teacher"] != 0).sum(axis=1)
    assert counts.min() < counts.max() <= max(len(split(text)) for text in texts.columns["sentence"])
    each = [
        spearmanr(a[:k], b[:k])[0] for a, b, k in zip(arrays["teacher"], arrays["proxy"], counts, strict=True) if k > 1
    ]
    rows = {(row.measure, row.of): row for row in evidence.rows}
    assert rows["spearman", "proxy"].value.value == pytest.approx(np.mean(each), abs=0.02)
    assert not any(measure.startswith("importance") for measure, _ in rows)
    assert set(evidence.context["units"]) <= set(KNOWN)
    assert set(evidence.context["mean_signed"]["stranger"]) == set(evidence.context["units"])
    assert evidence.context["sanity"]["stages"]


def test_to_whom_nothing_counts_has_nothing_in_common_where_something_counts():
    teacher = np.array([[1.0, 2.0, 0.0], [0.0, 0.0, 0.0], [3.0, 1.0, 2.0], [1.0, 1.0, 5.0]])
    other = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [3.0, 1.0, 2.0], [0.0, 0.0, 0.0]])
    for likeness in (*LIKENESS, *FURTHER):
        found = among(likeness.function, None)(teacher, other)
        assert found[0] == 0 and np.isnan(found[1]) and found[2] == 1
    # in a text of two words to whom all words count alike there is no order to be missed
    found = among(spearman, np.array([3, 3, 3, 2]))(teacher, other)
    assert found[0] == 0 and found[2] == 1 and np.isnan(found[3])
