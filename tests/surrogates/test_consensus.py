"""Rows that many trees agree on: as told, the same each time, and trees from them stay when rows are drawn again."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from kdaudit.surrogates.candidates import AGREED, Extent, candidates
from kdaudit.surrogates.consensus import FEWEST, TIMES, consensus
from kdaudit.surrogates.enquiry import NONE, Body
from kdaudit.surrogates.targets import ask_for_targets


@pytest.fixture
def rows(behaviour, draw_rows, answer_with, planted_score):
    def noisy(samples):
        # by content, so that the same row is answered alike
        wave = np.sin(37.0 * samples.columns["hours"] + 11.0 * samples.columns["school"])[:, None]
        return np.clip(planted_score(samples) + 0.5 * wave, 0, 1)

    return ask_for_targets(behaviour, draw_rows(600, 1), answer_with(noisy))


def test_given_rows_come_first_and_no_new_one_is_among_them(rows):
    found = consensus(rows)
    given = rows.samples.keys()
    assert np.array_equal(found.samples.keys()[: len(rows)], given)
    assert not set(found.samples.keys()[len(rows) :].tolist()) & set(given.tolist())
    assert len(rows) < len(found) <= (1 + TIMES) * len(rows)
    assert np.array_equal(found.label, found.decided(found.score))
    assert ((found.score >= 0) & (found.score <= 1)).all()


def test_the_same_rows_give_the_same_bytes(rows):
    one, other = consensus(rows), consensus(rows)
    assert one.score.tobytes() == other.score.tobytes()
    assert one.samples.keys().tobytes() == other.samples.keys().tobytes()


def test_it_is_nearer_to_the_plain_truth_than_the_answers_are(rows, planted_score):
    found = consensus(rows)
    truth = planted_score(rows.samples)[:, 0] > 0.5
    assert (found.label[: len(rows)] == truth).mean() > (rows.label == truth).mean()


def test_new_rows_lie_within_the_scope(rows):
    found = consensus(rows, "hours <= 50")
    assert (found.samples.columns["hours"][len(rows) :] <= 50).all()


def test_classes_are_told_apart(behaviour, draw_rows, answer_with, planted_score):
    def three(samples):
        yes = planted_score(samples)[:, 0]
        return np.stack([yes / 2, yes / 2 + 0.01, 1 - yes], axis=1)

    several = replace(behaviour, outputs=("a", "b", "c"))
    found = consensus(ask_for_targets(several, draw_rows(300), answer_with(three)))
    assert found.score.shape == (len(found), 3)
    assert set(found.label.tolist()) <= {0, 1, 2}


@pytest.mark.parametrize("what", ["few", "alike", "numbers"])
def test_where_there_is_nothing_to_agree_on_there_is_none(rows, what):
    given = {
        "few": rows.take(np.arange(FEWEST - 1)),
        "alike": replace(rows, label=np.zeros_like(rows.label)),
        "numbers": replace(rows, numeric=True),
    }[what]
    assert consensus(given) is None


def test_trees_from_it_answer_from_the_rows_given(behaviour, rows):
    agreed = [each for each in candidates(behaviour, Body(NONE, rows, rows), Extent(8)) if each.way == AGREED]
    assert agreed
    assert all(each.steady for each in agreed)
    for each in agreed:
        which = each.rules.which(rows.samples)
        for at, rule in enumerate(each.rules.rules):
            own = np.flatnonzero(which == at)
            assert rule.n == len(own)
            if len(own):
                assert rule.score == rows.answer(own)
        assert each.again() == each.rules


def test_they_stay_more_than_others_when_rows_are_drawn_again(behaviour, rows, draw_rows):
    where, chance, found = draw_rows(1_000, 9), np.random.default_rng(0), {True: [], False: []}
    for _ in range(5):
        drawn = rows.take(chance.integers(len(rows), size=len(rows)))
        every = list(candidates(behaviour, Body(NONE, drawn, None), Extent(8)))
        for steady in found:
            most = max((each for each in every if each.steady == steady), key=lambda each: len(each.rules.rules))
            found[steady].append(rows.decided(most.rules.evaluate(where)))
    alike = {steady: np.mean([(a == b).mean() for a, b in combinations(each, 2)]) for steady, each in found.items()}
    assert alike[True] > alike[False]
