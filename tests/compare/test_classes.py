"""Class by class, by a loop; the share of variance explained, with an interval that covers."""

import numpy as np
import pytest

from kdaudit.compare.classes import BY_CLASS, class_rows, explained
from kdaudit.signal import LABEL, SCORE
from kdaudit.statistics.rates import wilson
from kdaudit.subject import Answers


def answers(score, failed=()):
    label = (score[:, 0] > 0.5).astype(int) if score.shape[1] == 1 else score.argmax(axis=1)
    return Answers({SCORE: score, LABEL: label}, dict.fromkeys(failed, "lost"))


@pytest.mark.parametrize("k", [1, 3])
def test_each_class_by_a_loop(k):
    rng = np.random.default_rng(k)
    teacher, proxy = answers(rng.random((300, k)), failed=[4]), answers(rng.random((300, k)), failed=[5])
    names = [f"class {i}" for i in range(k)]
    rows = class_rows(teacher, proxy, names)
    assert len(rows) == max(2, k)
    for label, row in enumerate(rows):
        hits = n = said = 0
        for at in range(300):
            if at not in (4, 5):
                said += proxy.label[at] == label
                if teacher.label[at] == label:
                    n, hits = n + 1, hits + (proxy.label[at] == label)
        expected = wilson(hits, n)
        assert (row.value.low, row.value.value, row.value.high) == pytest.approx(
            (expected.low, expected.value, expected.high)
        )
        assert row.control.value == pytest.approx(said / 298)
        assert row.measure == BY_CLASS


def test_a_class_that_never_comes_is_unknown():
    rows = class_rows(answers(np.full((9, 1), 0.2)), answers(np.full((9, 1), 0.9)), ["yes"])
    assert rows[0].value.value == 0.0
    assert not rows[1].value.known


def test_explained_is_r_squared_and_covers():
    rng = np.random.default_rng(0)
    truth = 1 - 0.01 / (1 / 12 + 0.0)
    inside = 0
    for _ in range(300):
        score = rng.random((200, 1))
        row = explained(answers(score), answers(score + 0.1 * rng.standard_normal((200, 1))))
        inside += row.value.low <= truth <= row.value.high
    assert inside / 300 > 0.91
    a, b = rng.random((50, 2)), rng.random((50, 2))
    slow = 1 - ((a - b) ** 2).sum() / ((a - a.mean(axis=0)) ** 2).sum()
    assert explained(answers(a), answers(b)).value.value == pytest.approx(slow)


def test_without_scores_nothing_is_explained():
    labels = Answers({LABEL: np.array([0, 1])})
    assert explained(labels, labels) is None
    assert not explained(answers(np.full((9, 1), 0.4)), answers(np.full((9, 1), 0.4))).value.known
